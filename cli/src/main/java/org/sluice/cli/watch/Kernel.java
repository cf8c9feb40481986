package org.sluice.cli.watch;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.sluice.linux.Ethtool;
import org.sluice.linux.LinuxException;
import org.sluice.linux.NetCounters;
import org.sluice.linux.NetDevice;
import org.sluice.linux.NetDevices;

/** The kernel's and the drivers' counters of some network devices, since this was made. What cannot be read is left out. */
final class Kernel {
    /** In the names that drivers give their counters of lost and broken packets. */
    private static final Pattern LOSS = Pattern.compile(
            "drop|err|discard|miss|timeout|no_?buf|out_of_buffer|fail|overrun", Pattern.CASE_INSENSITIVE);

    private final Map<String, NetDevice> devices = new LinkedHashMap<>();
    private final Map<String, NetCounters> before;
    private final Map<String, Map<String, Long>> driverBefore = new HashMap<>();

    Kernel(Set<String> names) {
        try {
            for (NetDevice d : NetDevices.list()) {
                if (names.contains(d.name())) {
                    devices.put(d.name(), d);
                }
            }
        } catch (IOException e) {
            devices.clear();
        }
        before = counters();
        devices.keySet().forEach(d -> driverBefore.put(d, driver(d)));
    }

    /** By name. */
    Map<String, NetDevice> devices() {
        return devices;
    }

    /** What each device has counted since this was made. */
    Map<String, NetCounters> since() {
        Map<String, NetCounters> since = new LinkedHashMap<>();
        counters().forEach((device, now) -> {
            NetCounters earlier = before.get(device);
            if (earlier != null) {
                since.put(device, now.minus(earlier));
            }
        });
        return since;
    }

    private Map<String, NetCounters> counters() {
        Map<String, NetCounters> all = new LinkedHashMap<>(now());
        all.keySet().retainAll(devices.keySet());
        return all;
    }

    /** Of every device, since it was made. */
    static Map<String, NetCounters> now() {
        try {
            return NetCounters.readAll();
        } catch (IOException e) {
            return Map.of();
        }
    }

    /** Counters of a device's driver that speak of losses and have moved since this was made. */
    List<Picture.Counter> losses(String device) {
        Map<String, Long> earlier = driverBefore.getOrDefault(device, Map.of());
        List<Picture.Counter> moved = new ArrayList<>();
        driver(device).forEach((name, value) -> {
            long since = value - earlier.getOrDefault(name, value);
            if (since != 0) {
                moved.add(new Picture.Counter(name, since));
            }
        });
        return moved;
    }

    private static Map<String, Long> driver(String device) {
        try {
            Map<String, Long> losses = new LinkedHashMap<>(Ethtool.statistics(device));
            losses.keySet().removeIf(name -> !LOSS.matcher(name).find());
            return losses;
        } catch (LinuxException e) {
            return Map.of();
        }
    }
}
