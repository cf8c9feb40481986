package org.sluice.cli.doctor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.Bindings;
import org.sluice.linux.CpuAffinity;
import org.sluice.linux.CpuListException;
import org.sluice.linux.CpuSet;
import org.sluice.linux.NetDevice;

/** Whether sending and receiving threads are bound to CPUs that are theirs alone, and that this process may use. */
final class BindingsCheck implements Check {
    private static final String ADVICE =
            "give receiving threads others (--rx-bindings, NCCL_GPUDIRECTTCPX_RX_BINDINGS); the profile a3-high has a set that fits";

    @Override
    public String name() {
        return "bindings";
    }

    @Override
    public List<Finding> look(Patient patient) throws IOException {
        return judge(
                patient.plan().txBindings(),
                patient.plan().rxBindings(),
                patient.devices().stream().map(NetDevice::name).toList(),
                CpuAffinity.process());
    }

    /** @param usable CPUs of this process */
    List<Finding> judge(String transmit, String receive, List<String> devices, CpuSet usable) {
        List<Finding> findings = new ArrayList<>();
        Bindings tx = parse("TX bindings", transmit, findings);
        Bindings rx = parse("RX bindings", receive, findings);
        if (tx == null || rx == null || (tx.byNic().isEmpty() && rx.byNic().isEmpty())) {
            return findings;
        }
        rx.byNic().forEach((nic, receiving) -> {
            CpuSet both = all(tx).and(receiving);
            if (!both.isEmpty()) {
                String senders = tx.byNic().entrySet().stream()
                        .filter(e -> !e.getValue().and(receiving).isEmpty())
                        .map(Map.Entry::getKey)
                        .collect(Collectors.joining(", "));
                findings.add(Finding.warning(
                        name(),
                        nic,
                        "RX and TX bindings overlap: CPUs " + both + " receive by it and send by " + senders
                                + ", and one waits for the other",
                        ADVICE));
            }
        });
        tx.byNic().forEach((nic, cpus) -> place("TX", nic, cpus, devices, usable, findings));
        rx.byNic().forEach((nic, cpus) -> place("RX", nic, cpus, devices, usable, findings));
        if (findings.isEmpty()) {
            findings.add(Finding.ok(name(), String.join(", ", rx.byNic().keySet()), "RX and TX bindings share no CPU"));
        }
        return findings;
    }

    private void place(
            String what, String nic, CpuSet cpus, List<String> devices, CpuSet usable, List<Finding> findings) {
        if (!devices.contains(nic)) {
            findings.add(Finding.note(
                    name(), nic, what + " bindings name it, and there is no such device", "correct the binding"));
        }
        if (cpus.and(usable).isEmpty()) {
            findings.add(Finding.warning(
                    name(),
                    nic,
                    what + " bindings are CPUs " + cpus + ", of which this process may use none (it may use " + usable
                            + ")",
                    "bind to CPUs of this machine, or let the process have them: taskset, the container's cpuset"));
        }
    }

    private @Nullable Bindings parse(String what, String text, List<Finding> findings) {
        try {
            return Bindings.parse(text);
        } catch (CpuListException e) {
            findings.add(Finding.problem(
                    name(), what, String.valueOf(e.getMessage()), "write them as eth1:8-21,112-125;eth2:8-21,112-125"));
            return null;
        }
    }

    private static CpuSet all(Bindings bindings) {
        return bindings.byNic().values().stream().reduce(CpuSet.NONE, CpuSet::or);
    }
}
