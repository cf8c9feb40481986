package org.sluice.cli.doctor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.sluice.cli.plan.JobPlan;

/**
 * All that was found.
 *
 * @param usable whether the job can run: there is no problem
 */
public record Diagnosis(boolean usable, List<Finding> findings) {
    private static final List<Check> CHECKS = List.of(
            new JavaCheck(),
            new LimitsCheck(),
            new GroupCheck(),
            new TcpCheck(),
            new NicCheck(),
            new RouteCheck(),
            new InterruptCheck(),
            new NumaCheck(),
            new BindingsCheck(),
            new GpuCheck(),
            new GpuSlotCheck(),
            new AllocatorCheck(),
            new SharingCheck(),
            new PluginCheck(),
            new DriverCheck(),
            new PlatformCheck(),
            new DevmemCheck(),
            new PortCheck(),
            new PeerCheck());

    public Diagnosis {
        findings = List.copyOf(findings);
    }

    /** Looks at everything. @throws IOException when not even the network devices can be read */
    public static Diagnosis of(JobPlan plan) throws IOException {
        Patient patient = Patient.examine(plan);
        List<Finding> findings = new ArrayList<>();
        for (Check check : CHECKS) {
            try {
                findings.addAll(check.look(patient));
            } catch (IOException e) {
                findings.add(Finding.warning(
                        check.name(), "-", "could not be looked at: " + e.getMessage(), "run as root, or see why"));
            }
        }
        boolean usable = findings.stream().noneMatch(f -> f.severity() == Severity.PROBLEM);
        return new Diagnosis(usable, findings);
    }
}
