package org.sluice.ncclnet;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** What a thread can be doing in a plugin, with its name packed into eight bytes, so that one store writes it down. */
enum PluginCall {
    NONE("-"),
    LISTEN("listen"),
    CONNECT("connect"),
    ACCEPT("accept"),
    REGISTER("regMr"),
    DEREGISTER("deregMr"),
    SEND("isend"),
    RECEIVE("irecv"),
    TEST("test"),
    CONSUMED("consumed"),
    FLUSH("iflush"),
    CLOSE("close");

    static final int TEXT_BYTES = Long.BYTES;

    final String text;
    final long packed;

    PluginCall(String text) {
        this.text = text;
        byte[] padded = "%-8s".formatted(text).getBytes(StandardCharsets.US_ASCII);
        this.packed = ByteBuffer.wrap(padded).order(ByteOrder.nativeOrder()).getLong();
    }
}
