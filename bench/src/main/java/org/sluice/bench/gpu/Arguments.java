package org.sluice.bench.gpu;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.sluice.NodeConfig;

/** {@code name=value} arguments; sizes may end in K, M or G (powers of 1024). */
record Arguments(Map<String, String> values) {
    static Arguments of(String[] args, int from) {
        Map<String, String> values = new HashMap<>();
        for (String a : Arrays.asList(args).subList(from, args.length)) {
            int at = a.indexOf('=');
            if (at < 1) {
                throw new IllegalArgumentException("not name=value: " + a);
            }
            values.put(a.substring(0, at), a.substring(at + 1));
        }
        return new Arguments(values);
    }

    /** What all pairs of this folder say of their nodes. */
    NodeConfig.Builder node(String backend) {
        return NodeConfig.builder()
                .backend(text("backend", backend))
                .gpus(number("gpus", 1))
                .transport(text("transport", "tcp"))
                .portBase(number("port", 21000));
    }

    /** The loopback device's rails, unless told otherwise. */
    List<String> nics() {
        return List.of(text("nics", "lo1,lo2,lo3,lo4").split(","));
    }

    String text(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }

    int number(String name, int otherwise) {
        return Math.toIntExact(size(text(name, String.valueOf(otherwise))));
    }

    long[] sizes(String name, String otherwise) {
        return Arrays.stream(text(name, otherwise).split(","))
                .mapToLong(Arguments::size)
                .toArray();
    }

    private static long size(String text) {
        int unit = "KMG".indexOf(text.charAt(text.length() - 1));
        String digits = unit < 0 ? text : text.substring(0, text.length() - 1);
        return Long.parseLong(digits) << (10 * (unit + 1));
    }
}
