package org.sluice.cli.doctor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.Ethtool;
import org.sluice.linux.NetCounters;
import org.sluice.linux.NetDevice;
import org.sluice.linux.NicChoice;

/** State, MTU, offloads and error counters of each NIC. */
final class NicCheck implements Check {
    /** From here on a packet's cost shows, and every such NIC takes larger packets. */
    private static final long JUMBO_SPEED = 25_000_000_000L;

    private static final int ETHERNET_MTU = 1500;

    /** What IPv6 asks of every network; between this and Ethernet's lie tunnels and some clouds. */
    private static final int LEAST_MTU = 1280;

    /** Dropped and broken packets of a thousand, and at least so many, that are no accident. */
    private static final long PER_THOUSAND = 1;

    private static final long LEAST_DROPS = 1000;

    @Override
    public String name() {
        return "nic";
    }

    @Override
    public List<Finding> look(Patient patient) throws IOException {
        List<Finding> findings = new ArrayList<>();
        String there = patient.devices().stream().map(NetDevice::name).collect(Collectors.joining(", "));
        for (String name : patient.missing()) {
            findings.add(Finding.problem(
                    name(), name, "there is no such device; there are " + there, "correct --nics, or load its driver"));
        }
        if (patient.nics().isEmpty() && patient.plan().nics().isEmpty()) {
            findings.add(Finding.note(
                    name(),
                    "-",
                    "no device here leads to another host: only loopback rails can be used",
                    "set NICs up and give them addresses"));
        }
        for (NicChoice.LeftOut l : patient.leftOut()) {
            findings.add(Finding.note(
                    name(), l.nic(), "is not used: it " + l.reason(), "name it with --nics if it is to be used"));
        }
        Map<String, NetCounters> counters = NetCounters.readAll();
        int usualMtu = patient.nics().stream().mapToInt(NetDevice::mtu).max().orElse(0);
        for (NetDevice d : patient.nics()) {
            int before = findings.size();
            state(findings, d);
            if (d.running()) {
                mtu(findings, d, usualMtu);
                offloads(findings, d);
                losses(findings, d, counters.get(d.name()));
            }
            if (findings.size() == before) {
                findings.add(Finding.ok(name(), d.name(), summary(d)));
            }
        }
        return findings;
    }

    private void state(List<Finding> findings, NetDevice d) {
        if (!d.up()) {
            findings.add(Finding.problem(name(), d.name(), "is down", "ip link set " + d.name() + " up"));
        } else if (!d.carrier() || !d.running()) {
            findings.add(Finding.problem(
                    name(), d.name(), "is up and has no link", "check the cable, the switch port, or the other end"));
        }
        if (Patient.addresses(d).isEmpty()) {
            findings.add(Finding.problem(
                    name(), d.name(), "has no IP address", "ip addr add ADDRESS/LENGTH dev " + d.name()));
        }
    }

    private void mtu(List<Finding> findings, NetDevice d, int usual) {
        if (d.mtu() < LEAST_MTU) {
            findings.add(Finding.warning(
                    name(),
                    d.name(),
                    "MTU " + d.mtu() + ": less than any network needs",
                    "ip link set " + d.name() + " mtu " + Math.max(usual, ETHERNET_MTU)));
        } else if (d.mtu() < usual) {
            findings.add(Finding.warning(
                    name(),
                    d.name(),
                    "MTU " + d.mtu() + " while another NIC of the job has " + usual,
                    "ip link set " + d.name() + " mtu " + usual));
        } else if (d.bitsPerSecond() >= JUMBO_SPEED && d.mtu() <= ETHERNET_MTU && d.pciPath() != null) {
            findings.add(Finding.warning(
                    name(),
                    d.name(),
                    "MTU " + d.mtu() + " at " + d.bitsPerSecond() / 1_000_000_000 + " Gbit/s",
                    "on both ends and the switches: ip link set " + d.name() + " mtu 9000 (gVNIC: 8244)"));
        }
    }

    private void offloads(List<Finding> findings, NetDevice d) throws IOException {
        Ethtool.Offloads on = Ethtool.offloads(d.name());
        List<String> off = new ArrayList<>();
        if (!on.txChecksum()) {
            off.add("tx");
        }
        if (!on.scatterGather()) {
            off.add("sg");
        }
        if (!on.tso()) {
            off.add("tso");
        }
        if (!on.gso()) {
            off.add("gso");
        }
        if (!on.gro()) {
            off.add("gro");
        }
        // what a virtual device's kernel does anyway, or leaves to the device below
        off.removeIf(o -> d.pciPath() == null && !o.equals("tso") && !o.equals("gso"));
        if (!off.isEmpty()) {
            findings.add(Finding.warning(
                    name(),
                    d.name(),
                    "offloads are off: " + String.join(", ", off) + "; the kernel handles every packet by itself",
                    "ethtool -K " + d.name() + " " + String.join(" on ", off) + " on"));
        }
    }

    private void losses(List<Finding> findings, NetDevice d, @Nullable NetCounters c) {
        if (c == null) {
            return;
        }
        long lost = c.rxDrops() + c.rxErrors() + c.txDrops() + c.txErrors();
        long packets = c.rxPackets() + c.txPackets();
        if (lost >= LEAST_DROPS && lost * 1000 >= packets * PER_THOUSAND) {
            findings.add(Finding.warning(
                    name(),
                    d.name(),
                    "lost " + lost + " of " + packets + " packets since it was made (rx drops " + c.rxDrops()
                            + ", rx errors " + c.rxErrors() + ", tx drops " + c.txDrops() + ", tx errors "
                            + c.txErrors() + ")",
                    "larger rings (ethtool -G), more queues, or a better cable"));
        }
    }

    private static String summary(NetDevice d) {
        return "up, MTU " + d.mtu() + ", "
                + (d.bitsPerSecond() == 0 ? "speed unknown" : d.bitsPerSecond() / 1_000_000 + " Mbit/s") + ", driver "
                + d.driver() + ", "
                + Patient.addresses(d).stream().map(Object::toString).collect(Collectors.joining(" "));
    }
}
