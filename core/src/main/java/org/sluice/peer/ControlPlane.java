package org.sluice.peer;

import java.io.IOException;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.PeerLostException;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.transfer.NodeTimer;
import org.sluice.transfer.WorkBell;
import org.sluice.wire.ControlConnection;
import org.sluice.wire.ControlListener;

/**
 * What hangs on a link's control connection, which all links but those of the uccl bootstrap have: the way that it takes, the repair of
 * channels, the programs' words, and how long the peer has been silent. Agent thread only, but for what says otherwise.
 */
final class ControlPlane {
    private static final Logger log = LoggerFactory.getLogger(ControlPlane.class);

    /**
     * How long words for the peer may be gathered while the engine is busy: one system call then carries the grants of several
     * turns. Far below the time that a window of chunks lasts.
     */
    private static final long GATHER_NANOS = 20_000;

    private final ControlConnection control;
    private final ControlWay way;
    private final ChannelRepair repair;
    private final ProgramWords words;
    private final Duration timeout;
    private final Duration beginning;
    private final PeerSilence silence;
    private final LinkPulse pulse;
    private final Where where;
    private long now = System.nanoTime();
    private long flushedAt = now;
    private boolean hasLastWord;
    private boolean wasBusy;
    private long busySince;

    /**
     * @param pulse the link's part in the peer's signs of life
     * @param timeout of silence after which the peer is lost
     * @param beginning how long the peer may take to begin its end of the link, where that is longer
     */
    ControlPlane(
            ControlConnection control,
            LinkPulse pulse,
            ControlWay way,
            ChannelRepair repair,
            ProgramWords words,
            Duration timeout,
            Duration beginning,
            Where where) {
        this.control = control;
        this.pulse = pulse;
        this.way = way;
        this.repair = repair;
        this.words = words;
        this.timeout = timeout;
        this.beginning = beginning.compareTo(timeout) > 0 ? beginning : timeout;
        // so that the report, which may wait for the agent's rest, still comes within the timeout
        this.silence = new PeerSilence(timeout.toNanos() - timeout.toNanos() / 20, this.beginning.toNanos(), now);
        this.where = where;
    }

    ControlConnection control() {
        return control;
    }

    ChannelRepair repair() {
        return repair;
    }

    ProgramWords words() {
        return words;
    }

    /** When the agent came round last, or something was read. */
    long now() {
        return now;
    }

    void begin(WorkBell owner, Runnable readable) throws IOException {
        way.begin(owner, readable);
        control.beat(now, 0); // the peer learns at once that this end of the link is there
    }

    /** The agent comes round. */
    void turn(long nanoTime) {
        now = nanoTime;
        if (silence.mayHaveSlept(now)) {
            silence.turn(now, pulse.heardAt());
        }
        silence.turn(now, now);
    }

    /**
     * Repairs, says what was gathered, and looks whether the peer is there.
     *
     * @param done what the data plane has done in this turn
     * @param busy whether transfers are unfinished
     * @param readable reads what has come
     * @param over whether what was read has ended the link
     * @return how much was done, with {@code done}
     * @throws PeerLostException when the peer has been silent for too long
     */
    int doWork(int done, boolean busy, Runnable readable, BooleanSupplier over) throws IOException {
        int work = done + repair.doWork(now);
        if (busy && !wasBusy) {
            busySince = now;
        }
        wasBusy = busy;
        way.look(control, busy || pulse.isSuspected(), now);
        if (!way.isBroken() && (work == 0 || now - flushedAt > GATHER_NANOS)) {
            flushedAt = now;
            if (control.flush(now)) {
                work++;
            }
        }
        way.watchWrites(control.hasUnsent());
        if (isSilent()) {
            readable.run(); // what came while this side did something else is still to be read
            if (!over.getAsBoolean() && isSilent()) {
                throw new PeerLostException(where, tooSilent());
            }
        }
        return work;
    }

    private String tooSilent() {
        return control.isHeard()
                ? "the peer has been silent for " + timeout.toMillis()
                        + " ms on the control connection; it is frozen or cut off"
                : "the peer agreed to the link and has not begun its end of it within " + beginning.toMillis()
                        + " ms; it is frozen, cut off or too busy";
    }

    /**
     * For how long the link need not look after its peer when nothing comes, milliseconds; then it rests for so long.
     *
     * @param waits whether the peer may say something at any time that is waited for
     */
    int rest(int most, boolean waits) {
        pulse.waits(waits && way.canMove());
        long left = silence.nanosLeft(now, countsFrom());
        int millis = Math.clamp(left / 1_000_000 + 1, 1, most);
        silence.rests(now + millis * 1_000_000L);
        return millis;
    }

    /** Whether something of the connection's or of a channel's is to be made again. */
    boolean isMending() {
        return way.isBroken() || repair.hasLosses() || pulse.isSuspected();
    }

    /**
     * When the peer was heard last. While it is to do something it has to be heard on this connection, on which it is asked then; else any
     * link's tells that it is there.
     */
    private long heardAt() {
        long own = control.readAt();
        return !wasBusy ? pulse.heardAt() : own - busySince > 0 ? own : busySince;
    }

    private boolean isSilent() {
        // most often its own connection tells enough, and the others need not be looked at
        return silence.isTooLong(now, control.readAt()) && silence.isTooLong(now, countsFrom());
    }

    /** From when on the peer's silence counts. */
    private long countsFrom() {
        long heard = heardAt();
        long awake = pulse.awakeSince(now, heard);
        return awake - heard > 0 ? awake : heard;
    }

    /**
     * Hands on what has come.
     *
     * @param over whether that has ended the link
     * @return false at the end of the stream, unless the connection is to go on over another NIC
     */
    boolean read(ControlListener listener, BooleanSupplier over) throws IOException {
        now = System.nanoTime();
        boolean more = control.read(listener, now);
        if (control.isHeard()) {
            silence.heard();
        }
        return more || over.getAsBoolean() || way.survivesEnd();
    }

    /** Goes on with what was left when more had come than is read at once. @return how much was done */
    int readMore(Runnable readable) {
        if (!control.mayHaveMore() || way.isBroken()) {
            return 0;
        }
        readable.run();
        return 1;
    }

    /** While it is, nothing can be read or said. */
    boolean isBroken() {
        return way.isBroken();
    }

    /** Whether the connection goes on over another NIC after this. */
    boolean survives(IOException e) {
        return way.survives(e);
    }

    /** To a peer that may have stopped reading long ago: then there is no room for it. */
    void lastWord(Consumer<ControlConnection> word) {
        try {
            word.accept(control);
            hasLastWord = true;
        } catch (PeerLostException e) {
            log.debug("{}: {}", where, e.getMessage());
        }
    }

    void flushLast() throws IOException {
        control.flushLast(now);
    }

    /** The programs' words come to nothing. */
    void endWords(SluiceException why) {
        words.end(why);
    }

    /** Looks for no other way any more. */
    void endWay() {
        way.end();
    }

    /** A last word that was said is to be read. */
    void close(NodeTimer timer) throws IOException {
        if (hasLastWord) {
            Farewell.to(control, timer);
        } else {
            control.close();
        }
    }
}
