package org.sluice.cli.doctor;

import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sluice.cli.plan.JobPlan;
import org.sluice.linux.LinuxException;
import org.sluice.linux.NetAddress;
import org.sluice.linux.NetDevice;
import org.sluice.linux.NetDevices;
import org.sluice.linux.NicChoice;
import org.sluice.linux.Route;

/**
 * What all checks look at.
 *
 * @param devices every network device
 * @param nics the devices that the job is to use
 * @param missing names of NICs that the job is to use and that are not there
 * @param leftOut devices that the tcp transport does not use though nobody said so, by its own judgement
 */
record Patient(
        JobPlan plan,
        List<NetDevice> devices,
        List<NetDevice> nics,
        List<String> missing,
        List<NicChoice.LeftOut> leftOut) {
    /** {@code lo1} to {@code lo4}: rails of the tcp transport on this host, no devices. */
    private static final String LOOPBACK_RAIL = "lo[1-4]";

    /** An address for documentation: nobody has it, and nothing is sent there. */
    private static final String SOMEWHERE = "192.0.2.1";

    static Patient examine(JobPlan plan) throws IOException {
        List<NetDevice> devices = NetDevices.list();
        List<NetDevice> nics = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        for (String name : plan.nics()) {
            List<NetDevice> named =
                    devices.stream().filter(d -> d.name().equals(name)).toList();
            nics.addAll(named);
            if (named.isEmpty() && !name.matches(LOOPBACK_RAIL)) {
                missing.add(name);
            }
        }
        List<NicChoice.LeftOut> leftOut = List.of();
        if (plan.nics().isEmpty()) {
            NicChoice choice = NicChoice.of(devices);
            nics.addAll(choice.nics());
            leftOut = choice.leftOut();
        }
        return new Patient(plan, devices, List.copyOf(nics), List.copyOf(missing), leftOut);
    }

    /** The device by which hosts far away are reached; null where none are, or it is not told. */
    @Nullable String defaultNic() {
        try {
            Route r = Route.lookup(null, InetAddress.ofLiteral(SOMEWHERE), 0);
            return devices.stream()
                    .filter(d -> d.index() == r.device())
                    .map(NetDevice::name)
                    .findFirst()
                    .orElse(null);
        } catch (LinuxException e) {
            return null;
        }
    }

    /** Addresses that a peer can use. */
    static List<NetAddress> addresses(NetDevice d) {
        return NicChoice.addresses(d, true);
    }

    /** NICs that packets can go through now. */
    List<NetDevice> working() {
        return nics.stream().filter(d -> d.running() && !addresses(d).isEmpty()).toList();
    }
}
