package org.sluice.cli.doctor;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.NetAddress;
import org.sluice.linux.NetDevice;

/**
 * Whether the peer answers on every rail. A rail's address at the peer is one of those given that lies in the NIC's subnet; with
 * one address given in all, the others are guessed from it, and a guess that does not answer is no more than a warning.
 */
final class PeerCheck implements Check {
    @Override
    public String name() {
        return "peer";
    }

    /** An address to try from a NIC. */
    private record Target(InetAddress address, boolean guessed) {}

    @Override
    public List<Finding> look(Patient patient) throws IOException {
        List<Finding> findings = new ArrayList<>();
        List<InetAddress> given = new ArrayList<>();
        for (String name : patient.plan().peers()) {
            try {
                given.add(InetAddress.getByName(name));
            } catch (UnknownHostException e) {
                findings.add(Finding.problem(name(), name, "is no address and no known host name", "correct --peer"));
            }
        }
        if (given.isEmpty()) {
            return findings;
        }
        for (NetDevice d : patient.working()) {
            for (NetAddress own : Patient.addresses(d)) {
                Target target = target(own, given, patient);
                if (target != null) {
                    findings.add(judge(d, own, target, patient.plan().portBase()));
                }
            }
        }
        if (findings.isEmpty()) {
            findings.add(Finding.warning(
                    name(),
                    String.join(",", patient.plan().peers()),
                    "lies in the subnet of no NIC, and no address to try from a NIC could be made of it",
                    "give the peer's address on each rail: --peer 10.1.0.2,10.2.0.2"));
        }
        return findings;
    }

    private static @Nullable Target target(NetAddress own, List<InetAddress> given, Patient patient) {
        for (InetAddress g : given) {
            if (own.covers(g)) {
                return new Target(g, false);
            }
        }
        if (given.size() > 1) {
            return null;
        }
        // the same host number in another subnet of the same size
        InetAddress known = given.getFirst();
        return patient.devices().stream()
                .flatMap(d -> d.addresses().stream())
                .filter(a -> a.covers(known) && a.prefixLength() == own.prefixLength())
                .findFirst()
                .map(a -> new Target(transplant(known, own), true))
                .orElse(null);
    }

    private static InetAddress transplant(InetAddress host, NetAddress subnet) {
        byte[] bytes = host.getAddress();
        byte[] network = subnet.address().getAddress();
        for (int bit = 0; bit < subnet.prefixLength(); bit++) {
            int mask = 0x80 >> (bit & 7);
            bytes[bit >> 3] = (byte) ((bytes[bit >> 3] & ~mask) | (network[bit >> 3] & mask));
        }
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private Finding judge(NetDevice d, NetAddress own, Target target, int port) {
        RailProbe.Answer answer = RailProbe.ask(d, own.address(), target.address(), port);
        String subject = d.name() + " > " + target.address().getHostAddress();
        if (!answer.reached()) {
            String advice = "ping -I " + d.name() + " " + target.address().getHostAddress()
                    + "; look for firewalls, routes, and the peer's NIC";
            return target.guessed()
                    ? Finding.warning(
                            name(),
                            subject,
                            answer.text() + "; the address was guessed from the one given",
                            "give the peer's address on each rail with --peer; " + advice)
                    : Finding.problem(name(), subject, answer.text(), advice);
        }
        if (answer.smallSegments()) {
            return Finding.warning(
                    name(),
                    subject,
                    answer.text() + ", though MTU " + d.mtu()
                            + " here allows more: the peer's MTU or the path's is lower",
                    "set the same MTU on both ends and between");
        }
        if (MtuProbe.ask(own.address(), target.address(), d.mtu()) == MtuProbe.Answer.SWALLOWED) {
            return Finding.warning(
                    name(),
                    subject,
                    answer.text() + ", but packets of MTU " + d.mtu()
                            + " do not get there: the peer's MTU or the path's is" + " lower",
                    "set the same MTU on both ends and between");
        }
        return Finding.ok(name(), subject, answer.text());
    }
}
