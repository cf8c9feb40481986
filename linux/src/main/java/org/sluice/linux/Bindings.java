package org.sluice.linux;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Which CPUs the threads of each NIC may run on, as users of GPUDirect-TCPX write it:
 * {@code eth1:8-21,112-125;eth2:8-21,112-125}.
 */
public record Bindings(Map<String, CpuSet> byNic) {
    /** No NIC is bound. */
    public static final Bindings NONE = new Bindings(Map.of());

    public Bindings {
        byNic = Collections.unmodifiableMap(new LinkedHashMap<>(byNic));
    }

    /**
     * Reads a binding string; an empty one binds nothing, and a semicolon at the end is let pass.
     *
     * @throws CpuListException naming the position: of what is malformed, of an empty CPU list, of a NIC bound twice
     */
    public static Bindings parse(String text) {
        Map<String, CpuSet> byNic = new LinkedHashMap<>();
        CpuListReader reader = new CpuListReader(text);
        while (!reader.atEnd()) {
            int start = reader.position();
            String nic = reader.deviceName();
            if (!reader.take(':')) {
                throw reader.problem(
                        reader.position(), "a colon must follow network device " + nic + ", not " + reader.found());
            }
            CpuSet cpus = reader.cpus();
            if (byNic.put(nic, cpus) != null) {
                throw reader.problem(start, nic + " is bound twice");
            }
            if (!reader.take(';') && !reader.atEnd()) {
                throw reader.problem(
                        reader.position(), "a comma, a semicolon or the end must be here, not " + reader.found());
            }
        }
        return new Bindings(byNic);
    }

    /** The CPUs of a NIC, if it is bound. */
    public Optional<CpuSet> of(String nic) {
        return Optional.ofNullable(byNic.get(nic));
    }

    /** In the syntax that {@link #parse} reads. */
    @Override
    public String toString() {
        return byNic.entrySet().stream()
                .map(e -> e.getKey() + ":" + e.getValue())
                .collect(Collectors.joining(";"));
    }
}
