package org.sluice.rendezvous;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.spi.Threads;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.FrameType;

/** A rank at the meeting place: who it is, and the way to tell it something. One thread reads its connection, any may write. */
final class Seat {
    private static final Logger log = LoggerFactory.getLogger(Seat.class);

    final Attendee who;
    private final FrameSocket socket;
    /** Guards itself and the next. A rank says one word a step and one sign of life every 2 s, so there is never much. */
    private final ArrayDeque<FrameSocket.Frame> unsaid = new ArrayDeque<>();

    private boolean saying;

    Seat(Attendee who, FrameSocket socket) {
        this.who = who;
        this.socket = socket;
    }

    /** Where it comes from, with its port. */
    String source() {
        return socket.peer();
    }

    /** Says something, in order, on a thread of its own: a rank that does not read holds up nobody else. */
    void tell(FrameType type, List<byte[]> payloads) {
        synchronized (unsaid) {
            payloads.forEach(p -> unsaid.add(new FrameSocket.Frame(type, p)));
            if (!saying) {
                Threads.startVirtual("to-rank-" + who.rank(), this::say);
                saying = true;
            }
        }
    }

    private void say() {
        try {
            for (FrameSocket.Frame frame = next(); frame != null; frame = next()) {
                socket.write(frame.type(), frame.payload());
            }
        } catch (IOException e) {
            log.debug("{} could not be told something: {}", who, e.toString()); // its reader sees why
        }
    }

    private FrameSocket.@Nullable Frame next() {
        synchronized (unsaid) {
            FrameSocket.Frame frame = unsaid.poll();
            saying = frame != null;
            return frame;
        }
    }

    /** Says why the group has ended. */
    void tellError(String why) {
        tell(FrameType.ERROR, List.of(errorText(why)));
    }

    static byte[] errorText(String why) {
        byte[] text = why.getBytes(StandardCharsets.UTF_8);
        return text.length <= FrameType.ERROR.most ? text : Arrays.copyOf(text, FrameType.ERROR.most);
    }
}
