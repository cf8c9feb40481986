package org.sluice.daemon;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.sluice.linux.Descriptor;

/** One message of the socket. */
record Message(int type, long request, ByteBuffer payload, List<Descriptor> descriptors) {
    /** A payload to be filled. */
    static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    static Message done(long request, ByteBuffer filled) {
        return new Message(Protocol.DONE, request, filled.flip(), List.of());
    }

    static Message done(long request) {
        return new Message(Protocol.DONE, request, buffer(0), List.of());
    }

    static Message text(long request, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return done(
                request,
                buffer(Math.min(bytes.length, Protocol.MOST_PAYLOAD))
                        .put(bytes, 0, Math.min(bytes.length, Protocol.MOST_PAYLOAD)));
    }

    static Message error(long request, Status status, String why) {
        byte[] text = why.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(text.length, 4096);
        ByteBuffer b = buffer(8 + length);
        b.putInt(status.code()).putInt(0).put(text, 0, length).flip();
        return new Message(Protocol.ERROR, request, b, List.of());
    }

    /** What is left of the payload, as text. */
    String rest() {
        byte[] bytes = new byte[payload.remaining()];
        payload.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    void closeDescriptors() {
        descriptors.forEach(Descriptor::close);
    }
}
