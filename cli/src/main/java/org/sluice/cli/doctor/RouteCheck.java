package org.sluice.cli.doctor;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.sluice.linux.LinuxException;
import org.sluice.linux.NetAddress;
import org.sluice.linux.NetDevice;
import org.sluice.linux.Route;
import org.sluice.linux.Sysctl;

/**
 * Whether packets of each NIC's address leave by that NIC and answers are let in. Several NICs in one subnet are where it goes
 * wrong: the kernel knows one route to the subnet, takes the first, and drops what comes by the others (rp_filter).
 */
final class RouteCheck implements Check {
    private static final int STRICT = 1;

    @Override
    public String name() {
        return "route";
    }

    @Override
    public List<Finding> look(Patient patient) {
        List<Finding> findings = new ArrayList<>();
        for (NetDevice d : patient.working()) {
            int before = findings.size();
            for (NetAddress a : Patient.addresses(d)) {
                if (a.address() instanceof Inet4Address && a.prefixLength() < 31) {
                    look(findings, patient, d, a);
                }
            }
            if (findings.size() == before) {
                findings.add(Finding.ok(name(), d.name(), "its packets leave by it, and answers are let in"));
            }
        }
        return findings;
    }

    private void look(List<Finding> findings, Patient patient, NetDevice d, NetAddress own) {
        List<String> shared = patient.working().stream()
                .filter(o -> !o.name().equals(d.name()))
                .filter(o -> Patient.addresses(o).stream().anyMatch(a -> own.covers(a.address())))
                .map(NetDevice::name)
                .toList();
        String leaves = leavesBy(patient, own);
        if (leaves.equals(d.name())) {
            if (!shared.isEmpty() && answersForOthers(d)) {
                findings.add(answersForOthers(d, own, shared));
            }
            return;
        }
        if (!shared.isEmpty() && answersForOthers(d)) {
            findings.add(answersForOthers(d, own, shared));
        }
        long filter = Math.max(
                Sysctl.number("net/ipv4/conf/all/rp_filter", 0),
                Sysctl.number("net/ipv4/conf/" + d.name() + "/rp_filter", 0));
        String rule = "ip route add " + own + " dev " + d.name() + " table 1" + d.index() + " && ip rule add from "
                + own.address().getHostAddress() + " table 1" + d.index();
        if (filter == STRICT) {
            findings.add(Finding.problem(
                    name(),
                    d.name(),
                    "rp_filter is strict, and the route to " + own + " leads by " + leaves
                            + ": the kernel drops what comes in by " + d.name(),
                    "sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf." + d.name()
                            + ".rp_filter=2, and better a subnet for each NIC"));
        } else {
            findings.add(Finding.warning(
                    name(),
                    d.name(),
                    "packets from " + own.address().getHostAddress() + " leave by " + leaves
                            + " unless the socket is bound to the device, which takes root",
                    rule));
        }
    }

    private static boolean answersForOthers(NetDevice d) {
        return Sysctl.number("net/ipv4/conf/all/arp_ignore", 0) == 0
                && Sysctl.number("net/ipv4/conf/" + d.name() + "/arp_ignore", 0) == 0;
    }

    private Finding answersForOthers(NetDevice d, NetAddress own, List<String> shared) {
        return Finding.problem(
                name(),
                d.name(),
                "shares the subnet of " + own + " with " + String.join(", ", shared)
                        + ", and each answers ARP for the others' addresses: what is sent to one comes in by another",
                "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 on both hosts, and better"
                        + " a subnet for each NIC");
    }

    /** The device that packets from {@code own} to a neighbour leave by. */
    private static String leavesBy(Patient patient, NetAddress own) {
        try {
            Route r = Route.lookup(own.address(), neighbour(patient, own), 0);
            return patient.devices().stream()
                    .filter(o -> o.index() == r.device())
                    .findFirst()
                    .map(NetDevice::name)
                    .orElse("device " + r.device());
        } catch (LinuxException e) {
            return "no device (" + e.getMessage() + ")";
        }
    }

    /** An address in the subnet that is not this host's: the lowest. */
    private static InetAddress neighbour(Patient patient, NetAddress own) {
        byte[] bytes = own.address().getAddress();
        int mask = (1 << Math.min(32 - own.prefixLength(), 8)) - 1;
        int network = bytes[3] & ~mask;
        for (int host = 1; host < mask; host++) {
            bytes[3] = (byte) (network | host);
            try {
                InetAddress candidate = InetAddress.getByAddress(bytes);
                if (patient.devices().stream()
                        .flatMap(d -> d.addresses().stream())
                        .noneMatch(a -> a.address().equals(candidate))) {
                    return candidate;
                }
            } catch (UnknownHostException e) {
                throw new AssertionError(e);
            }
        }
        return own.address(); // this host has all of them
    }
}
