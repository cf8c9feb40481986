package org.sluice.tcp;

import java.util.Arrays;

/**
 * What goes over a connection that proves a rail: the greeting with the peer's token, then {@link #BYTES} there and back. The
 * listening side's first eight bytes say by which of its NICs the connection came in.
 */
final class Proof {
    /** More than any path's packet size, and than what a small first window sends. */
    static final int BYTES = 64 << 10;

    static final int WELCOME_BYTES = 8;

    private static final byte[] WELCOME = {'S', 'L', 'T', 'P', 1};
    private static final int NO_NIC = 0xff;
    private static final byte[] PATTERN = pattern();

    private Proof() {}

    /** @param nic place of the NIC among the listening side's, negative where it cannot tell */
    static byte[] welcome(int nic) {
        byte[] welcome = Arrays.copyOf(WELCOME, WELCOME_BYTES);
        welcome[WELCOME.length] = (byte) (nic < 0 ? NO_NIC : nic);
        return welcome;
    }

    private static boolean isWelcome(byte[] bytes) {
        return Arrays.equals(bytes, 0, WELCOME.length, WELCOME, 0, WELCOME.length);
    }

    /** The NIC that a welcome names, -1 for none. */
    static int nic(byte[] welcome) {
        int nic = welcome[WELCOME.length] & 0xff;
        return nic == NO_NIC ? -1 : nic;
    }

    private static byte[] pattern() {
        byte[] bytes = new byte[BYTES];
        int state = 1;
        for (int i = 0; i < BYTES; i++) {
            state = state * 1664525 + 1013904223;
            bytes[i] = (byte) (state >>> 24);
        }
        return bytes;
    }

    /** What goes to and fro after a greeting: bytes of which no two packets are alike. */
    static byte[] afterGreeting(byte[] token) {
        byte[] greeting = Greeting.encode(token, Greeting.PROOF);
        byte[] out = Arrays.copyOf(greeting, greeting.length + BYTES);
        System.arraycopy(PATTERN, 0, out, greeting.length, BYTES);
        return out;
    }

    /** Whether what came back, welcome included, is what was sent. */
    static boolean isWhole(byte[] came) {
        return isWelcome(came) && Arrays.equals(came, WELCOME_BYTES, came.length, PATTERN, 0, BYTES);
    }
}
