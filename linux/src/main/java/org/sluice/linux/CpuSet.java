package org.sluice.linux;

import java.util.BitSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A set of CPUs, in the kernel's list notation {@code 0-51,104-155}. Immutable. */
public final class CpuSet {
    /** The highest CPU number a kernel can be built for: NR_CPUS is at most 8192. */
    public static final int MOST = 8191;

    /** No CPU. */
    public static final CpuSet NONE = new CpuSet(new BitSet());

    private final BitSet cpus;

    CpuSet(BitSet cpus) {
        this.cpus = cpus;
    }

    /** These CPUs. */
    public static CpuSet of(int... numbers) {
        BitSet cpus = new BitSet();
        for (int n : numbers) {
            if (n < 0 || n > MOST) {
                throw new IllegalArgumentException("CPU " + n + " is not in 0 to " + MOST);
            }
            cpus.set(n);
        }
        return new CpuSet(cpus);
    }

    /**
     * Reads a list; an empty one is the set of no CPU, as in the kernel's files.
     *
     * @throws CpuListException naming the position
     */
    public static CpuSet parse(String list) {
        CpuListReader reader = new CpuListReader(list);
        if (reader.atEnd()) {
            return NONE;
        }
        CpuSet cpus = reader.cpus();
        if (!reader.atEnd()) {
            throw reader.problem(reader.position(), "a comma or the end must be here, not " + reader.found());
        }
        return cpus;
    }

    public boolean contains(int cpu) {
        return cpus.get(cpu);
    }

    public int size() {
        return cpus.cardinality();
    }

    public boolean isEmpty() {
        return cpus.isEmpty();
    }

    /** In ascending order. */
    public IntStream stream() {
        return cpus.stream();
    }

    /** The CPUs that are in both. */
    public CpuSet and(CpuSet other) {
        BitSet both = (BitSet) cpus.clone();
        both.and(other.cpus);
        return new CpuSet(both);
    }

    /** The CPUs that are in either. */
    public CpuSet or(CpuSet other) {
        BitSet either = (BitSet) cpus.clone();
        either.or(other.cpus);
        return new CpuSet(either);
    }

    /** The CPUs that are here and not there. */
    public CpuSet minus(CpuSet other) {
        BitSet rest = (BitSet) cpus.clone();
        rest.andNot(other.cpus);
        return new CpuSet(rest);
    }

    /** Whether every CPU of this set is in {@code other}. */
    public boolean within(CpuSet other) {
        return minus(other).isEmpty();
    }

    /** The set as a bit mask, CPU 0 the lowest bit of the first word. */
    long[] words() {
        return cpus.toLongArray();
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof CpuSet other && cpus.equals(other.cpus);
    }

    @Override
    public int hashCode() {
        return cpus.hashCode();
    }

    /** {@code 0-51,104-155}; empty for no CPU. */
    @Override
    public String toString() {
        StringBuilder list = new StringBuilder();
        int first = cpus.nextSetBit(0);
        while (first >= 0) {
            int last = cpus.nextClearBit(first) - 1;
            list.append(list.isEmpty() ? "" : ",").append(first);
            if (last > first) {
                list.append('-').append(last);
            }
            first = cpus.nextSetBit(last + 1);
        }
        return list.toString();
    }
}
