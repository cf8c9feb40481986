package org.sluice.ipc;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.linux.Descriptor;
import org.sluice.linux.LinuxException;
import org.sluice.linux.UnixSocket;
import org.sluice.spi.PartsConnection;
import org.sluice.spi.PartsListener;
import org.sluice.spi.SharedPart;

/** One connection. Any thread gives it something to send; the transport's thread reads, writes and closes. */
final class IpcConnection implements PartsConnection {
    private static final Logger log = LoggerFactory.getLogger(IpcConnection.class);

    /** {@code EPERM}. */
    static final int NOT_PERMITTED = 1;

    /** Something to send: its frames, and the parts whose descriptors are closed behind it. */
    private record Outgoing(List<PartFrames.Frame> frames, Runnable sent) {}

    private final IpcTransport transport;
    private final UnixSocket socket;
    private final long number;
    private final String peer;
    private final long since = System.nanoTime();
    private final PartFrames.Reader reader = new PartFrames.Reader();
    private final ConcurrentLinkedQueue<Outgoing> outgoing = new ConcurrentLinkedQueue<>();
    private final ArrayDeque<PartFrames.Frame> sending = new ArrayDeque<>();
    private final GivenUp own;
    /** Kept for the peer until it is sent. */
    private @Nullable Descriptor ownForPeer;

    private volatile @Nullable GivenUp theirs;
    private volatile @Nullable PartsListener told;
    private @Nullable Runnable sent;
    private boolean watchesOut;
    private volatile boolean closing;
    private boolean heardAnything;
    private boolean ended;

    IpcConnection(IpcTransport transport, UnixSocket socket, long number, int pid, @Nullable PartsListener told)
            throws LinuxException {
        this.transport = transport;
        this.socket = socket;
        this.number = number;
        this.peer = "process " + pid;
        this.told = told;
        GivenUp.Own made = GivenUp.make();
        this.own = made.word();
        this.ownForPeer = made.descriptor();
    }

    long number() {
        return number;
    }

    /** Whether it has not said yet whom it comes for. */
    boolean isStranger() {
        return told == null;
    }

    long ageMillis() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since);
    }

    private int takeWord() {
        Descriptor d = ownForPeer;
        if (d == null) {
            throw new IllegalStateException("greeted twice");
        }
        return d.fd();
    }

    private void wordSent() {
        Descriptor d = ownForPeer;
        ownForPeer = null;
        if (d != null) {
            d.close();
        }
    }

    /** As who comes. */
    void greet(byte[] token) {
        say(List.of(PartFrames.greeting(token, takeWord())), this::wordSent);
    }

    @Override
    public void send(byte[] label, List<SharedPart> parts) {
        say(PartFrames.parts(label, parts), () -> PartFrames.discard(parts));
    }

    private void say(List<PartFrames.Frame> frames, Runnable after) {
        outgoing.add(new Outgoing(frames, after));
        transport.call(this);
    }

    @Override
    public String peer() {
        return peer;
    }

    @Override
    public synchronized void giveUp() {
        if (!ended) {
            own.set();
        }
    }

    @Override
    public synchronized boolean peerGaveUp() {
        GivenUp word = theirs;
        return ended || word == null || word.isSet();
    }

    @Override
    public void close() {
        giveUp();
        closing = true;
        told = NOBODY;
        transport.call(this);
    }

    private static final PartsListener NOBODY = new PartsListener() {
        @Override
        public void connected(PartsConnection connection) {}

        @Override
        public void received(byte[] label, List<SharedPart> parts) {
            PartFrames.discard(parts);
        }

        @Override
        public void broken(String why) {}
    };

    /** Does what can be done now. The transport's thread, as all below. @param readable whether there is something to read */
    void turn(boolean readable) {
        if (ended) {
            drop();
            return;
        }
        try {
            if (readable && !read()) {
                end("the peer closed the connection, or died");
                return;
            }
            write();
            if (closing && sending.isEmpty() && outgoing.isEmpty()) {
                end("closed");
            }
        } catch (LinuxException e) {
            end(String.valueOf(e.getMessage()));
        }
    }

    /** @return false at the end */
    private boolean read() throws LinuxException {
        while (true) {
            UnixSocket.Received got = socket.receive(MemorySegment.ofBuffer(reader.room()));
            reader.came(got.descriptors());
            if (got.ended()) {
                return false;
            }
            if (got.bytes() == 0) {
                return true;
            }
            heardAnything = true;
            reader.room().position(reader.room().position() + got.bytes());
            reader.read(heard);
        }
    }

    private final PartFrames.Heard heard = new PartFrames.Heard() {
        @Override
        public void greeting(byte[] token, Descriptor word) throws LinuxException {
            PartsListener expected = told == null ? transport.expected(token) : null;
            if (expected == null) {
                word.close();
                throw new LinuxException("a process came for nobody that is expected", NOT_PERMITTED);
            }
            theirs = GivenUp.of(word);
            told = expected;
            say(List.of(PartFrames.welcome(takeWord())), IpcConnection.this::wordSent);
            expected.connected(IpcConnection.this);
        }

        @Override
        public void welcome(Descriptor word) throws LinuxException {
            PartsListener to = told;
            if (to == null || theirs != null) {
                word.close();
                throw new LinuxException("a welcome to nobody", NOT_PERMITTED);
            }
            theirs = GivenUp.of(word);
            to.connected(IpcConnection.this);
        }

        @Override
        public void block(byte[] label, List<SharedPart> parts) {
            PartsListener to = told;
            if (to == null || theirs == null) {
                PartFrames.discard(parts);
            } else {
                to.received(label, parts);
            }
        }
    };

    private void write() throws LinuxException {
        while (true) {
            PartFrames.Frame frame = sending.peek();
            if (frame == null) {
                Outgoing next = outgoing.poll();
                if (next == null) {
                    watch(false);
                    return;
                }
                sending.addAll(next.frames());
                sent = next.sent();
                if (sending.isEmpty()) {
                    sentAll();
                }
                continue;
            }
            boolean first = frame.bytes().position() == 0;
            int n = socket.send(MemorySegment.ofBuffer(frame.bytes()), first ? frame.descriptors() : List.of());
            if (n == 0) {
                watch(true);
                return;
            }
            frame.bytes().position(frame.bytes().position() + n);
            if (!frame.bytes().hasRemaining()) {
                sending.remove();
                if (sending.isEmpty()) {
                    sentAll();
                }
            }
        }
    }

    private void sentAll() {
        Runnable after = sent;
        sent = null;
        if (after != null) {
            after.run();
        }
    }

    private void watch(boolean out) throws LinuxException {
        if (watchesOut != out) {
            watchesOut = out;
            transport.interest(this, socket, out);
        }
    }

    /** The end, however it came to be. */
    void end(String why) {
        if (ended) {
            return;
        }
        PartsListener to = told;
        if (to == null && !heardAnything) {
            log.debug("ipc: {} left without a word", peer); // it looked whether somebody is here
        } else if (to == null) {
            log.warn("ipc: {} is turned away: {}", peer, why);
        }
        synchronized (this) {
            ended = true;
            own.set();
            own.close();
            GivenUp word = theirs;
            if (word != null) {
                word.close();
            }
        }
        transport.forget(this, socket);
        reader.close();
        drop();
        wordSent();
        socket.close();
        if (to != null) {
            to.broken(why);
        }
    }

    /** Closes the descriptors of what will not be sent. */
    private void drop() {
        sending.clear();
        sentAll();
        for (Outgoing o = outgoing.poll(); o != null; o = outgoing.poll()) {
            o.sent().run();
        }
    }
}
