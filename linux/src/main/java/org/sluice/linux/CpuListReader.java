package org.sluice.linux;

import java.util.BitSet;

/** Reads the small languages of CPU lists, {@code 8-21,112-125}, from left to right; knows where it is. */
final class CpuListReader {
    private final String text;
    private int at;

    CpuListReader(String text) {
        this.text = text;
    }

    int position() {
        return at;
    }

    boolean atEnd() {
        skipBlanks();
        return at == text.length();
    }

    /** Takes {@code c} if it is next. */
    boolean take(char c) {
        skipBlanks();
        if (at < text.length() && text.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    /** A network device name: anything but white space, {@code :} and {@code ;}. */
    String deviceName() {
        skipBlanks();
        int start = at;
        while (at < text.length() && ":;".indexOf(text.charAt(at)) < 0 && !Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        if (at == start) {
            throw problem(at, "a network device name is missing before " + found());
        }
        return text.substring(start, at);
    }

    /** Ranges separated by commas; at least one. */
    CpuSet cpus() {
        BitSet cpus = new BitSet();
        do {
            int start = at;
            int first = cpu();
            int last = first;
            if (take('-')) {
                last = cpu();
                if (last < first) {
                    throw problem(start, "the range " + first + "-" + last + " runs backwards");
                }
            }
            cpus.set(first, last + 1);
        } while (take(','));
        return new CpuSet(cpus);
    }

    private int cpu() {
        skipBlanks();
        int start = at;
        int value = 0;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            value = value * 10 + text.charAt(at) - '0';
            at++;
            if (value > CpuSet.MOST) {
                throw problem(start, "no Linux machine has a CPU beyond " + CpuSet.MOST);
            }
        }
        if (at == start) {
            throw problem(at, "a CPU number must be here, not " + found());
        }
        return value;
    }

    CpuListException problem(int position, String problem) {
        return new CpuListException(text, position, problem);
    }

    /** What is next, for messages. */
    String found() {
        return at < text.length() ? "'" + text.charAt(at) + "'" : "the end";
    }

    private void skipBlanks() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }
}
