package org.sluice.linux;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which network devices are one wire: a VLAN and its NIC, two macvlans of a NIC, a bond and its ports. What goes by one of them
 * takes from the others.
 */
public final class Wires {
    private Wires() {}

    /** The wire of each device by its index: the lowest index of those that share it. */
    public static Map<Integer, Integer> of(List<NetDevice> devices) {
        Map<Integer, List<Integer>> joined = new HashMap<>();
        for (NetDevice d : devices) {
            joined.computeIfAbsent(d.index(), i -> new ArrayList<>());
            join(joined, d.index(), d.lower());
            // the members of a VRF have nothing in common but their routes
            if (devices.stream().noneMatch(m -> m.index() == d.master() && "vrf".equals(m.kind()))) {
                join(joined, d.index(), d.master());
            }
        }
        Map<Integer, Integer> wires = new HashMap<>();
        for (int start : joined.keySet().stream().sorted().toList()) {
            Deque<Integer> next = new ArrayDeque<>(List.of(start));
            while (!next.isEmpty()) {
                int index = next.remove();
                if (wires.putIfAbsent(index, start) == null) {
                    next.addAll(joined.getOrDefault(index, List.of()));
                }
            }
        }
        return wires;
    }

    private static void join(Map<Integer, List<Integer>> joined, int one, int other) {
        if (other != 0) {
            joined.computeIfAbsent(one, i -> new ArrayList<>()).add(other);
            joined.computeIfAbsent(other, i -> new ArrayList<>()).add(one);
        }
    }
}
