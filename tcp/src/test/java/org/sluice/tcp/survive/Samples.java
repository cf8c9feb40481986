package org.sluice.tcp.survive;

import java.util.List;

/** What each channel had landed at which time, as a receiver's {@code S} lines say it. */
record Samples(long[] nanos, long[][] bytes) {
    static Samples of(List<String> lines) {
        List<String> samples = lines.stream().filter(l -> l.startsWith("S ")).toList();
        long[] nanos = new long[samples.size()];
        long[][] bytes = new long[samples.size()][];
        for (int i = 0; i < nanos.length; i++) {
            String[] words = samples.get(i).split(" ", -1);
            nanos[i] = Long.parseLong(words[1]);
            bytes[i] = new long[words.length - 2];
            for (int c = 0; c < bytes[i].length; c++) {
                bytes[i][c] = Long.parseLong(words[c + 2]);
            }
        }
        return new Samples(nanos, bytes);
    }

    private int at(long time) {
        int i = 0;
        while (i < nanos.length - 1 && nanos[i] < time) {
            i++;
        }
        return i;
    }

    /** Bytes of a rail, of those {@code rails} that channels are dealt over in turn. */
    private long ofRail(int sample, int rail, int rails) {
        long sum = 0;
        for (int c = rail; c < bytes[sample].length; c += rails) {
            sum += bytes[sample][c];
        }
        return sum;
    }

    /** GB/s of a rail between two times. */
    double rate(long from, long to, int rail, int rails) {
        int a = at(from);
        int b = at(to);
        return (double) (ofRail(b, rail, rails) - ofRail(a, rail, rails)) / (nanos[b] - nanos[a]);
    }

    /** GB/s of all rails between two times. */
    double rate(long from, long to) {
        return rate(from, to, 0, 1);
    }

    /** The longest time between two times in which nothing landed, milliseconds. */
    double longestGap(long from, long to) {
        long longest = 0;
        int last = at(from);
        for (int i = at(from) + 1; i <= at(to); i++) {
            if (ofRail(i, 0, 1) != ofRail(last, 0, 1)) {
                longest = Math.max(longest, nanos[i] - nanos[last]);
                last = i;
            }
        }
        return Math.max(longest, nanos[at(to)] - nanos[last]) / 1e6;
    }

    /** Milliseconds from {@code from} until a rail lands at least {@code gigabytes} in each second again; -1 if never. */
    double untilLoaded(long from, int rail, int rails, double gigabytes) {
        for (int i = at(from); i < nanos.length; i++) {
            int b = at(nanos[i] + 200_000_000L);
            if (b <= i) {
                return -1;
            }
            double rate = (double) (ofRail(b, rail, rails) - ofRail(i, rail, rails)) / (nanos[b] - nanos[i]);
            if (rate >= gigabytes) {
                return (nanos[i] - from) / 1e6;
            }
        }
        return -1;
    }
}
