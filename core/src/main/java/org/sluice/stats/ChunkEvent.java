package org.sluice.stats;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/**
 * A chunk's time in flight, for flight recordings that ask for it: there may be a hundred thousand a second. While none asks, a
 * chunk costs one look at whether one does.
 */
@Name("org.sluice.Chunk")
@Label("Chunk")
@Category("Sluice")
@Description("A chunk in flight on a channel")
@Enabled(false)
@StackTrace(false)
public final class ChunkEvent extends Event {
    /** The channel. @param direction {@code send} or {@code receive} */
    public record Source(int gpu, int channel, String direction, String nic) {}

    /** Answers for all events whether they are recorded: making one only to ask would allocate. */
    private static final ChunkEvent ANY = new ChunkEvent();

    @Label("GPU")
    int gpu;

    @Label("Channel")
    int channel;

    @Label("Direction")
    String direction = "";

    @Label("NIC")
    String nic = "";

    @Label("Transfer")
    long transfer;

    @Label("Offset")
    @DataAmount
    long offset;

    @Label("Bytes")
    @DataAmount
    long bytes;

    private ChunkEvent() {}

    static @Nullable ChunkEvent beginIfRecorded() {
        if (!ANY.isEnabled()) {
            return null;
        }
        ChunkEvent event = new ChunkEvent();
        event.begin();
        return event;
    }

    void commit(Source source, long ofTransfer, long at, long length) {
        gpu = source.gpu;
        channel = source.channel;
        direction = source.direction;
        nic = source.nic;
        transfer = ofTransfer;
        offset = at;
        bytes = length;
        commit();
    }
}
