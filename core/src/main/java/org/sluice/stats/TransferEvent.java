package org.sluice.stats;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A transfer from the call that asked for it to its end, in flight recordings. */
@Name("org.sluice.Transfer")
@Label("Transfer")
@Category("Sluice")
@Description("A transfer, from the call that asked for it to its end")
@StackTrace(false)
public final class TransferEvent extends Event {
    @Label("GPU")
    int gpu;

    @Label("Kind")
    String kind;

    @Label("Peer")
    String peer;

    @Label("Bytes")
    @DataAmount
    long bytes;

    @Label("Failure")
    String failure = "";

    /** @param kind {@code send}, {@code receive}, {@code write} or {@code read} */
    public TransferEvent(int gpu, String kind, String peer, long bytes) {
        this.gpu = gpu;
        this.kind = kind;
        this.peer = peer;
        this.bytes = bytes;
    }

    /** @param why empty if it went well */
    public void commit(String why) {
        failure = why;
        commit();
    }
}
