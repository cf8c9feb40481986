package org.sluice.cli.doctor;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import org.sluice.linux.Sysctl;

/** Whether a server here could open its bootstrap ports. */
final class PortCheck implements Check {
    @Override
    public String name() {
        return "ports";
    }

    @Override
    public List<Finding> look(Patient patient) {
        List<Finding> findings = new ArrayList<>();
        int first = patient.plan().portBase();
        int last = first + patient.plan().gpus() - 1;
        for (int port = first; port <= last; port++) {
            try (ServerSocket probe = new ServerSocket()) {
                probe.setReuseAddress(true); // as the server does: connections of an earlier run do not count
                probe.bind(new InetSocketAddress(port));
            } catch (IOException | IllegalArgumentException e) {
                findings.add(Finding.problem(
                        name(),
                        "port " + port,
                        "cannot be opened: " + e.getMessage(),
                        "end what listens there (ss -ltnp), or choose another --port on both sides"));
            }
        }
        long[] outgoing = Sysctl.numbers("net/ipv4/ip_local_port_range");
        if (outgoing.length == 2 && last >= outgoing[0] && first <= outgoing[1]) {
            findings.add(Finding.note(
                    name(),
                    "ports " + first + "-" + last,
                    "lie among those that the kernel gives to outgoing connections, " + outgoing[0] + "-" + outgoing[1],
                    "choose a lower --port"));
        }
        if (findings.isEmpty()) {
            findings.add(Finding.ok(name(), "ports " + first + "-" + last, "are free"));
        }
        return findings;
    }
}
