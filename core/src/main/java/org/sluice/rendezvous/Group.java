package org.sluice.rendezvous;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ClosedException;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.PeerLostException;
import org.sluice.ProtocolException;
import org.sluice.Where;
import org.sluice.spi.Threads;
import org.sluice.wire.Deadline;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.FrameType;
import org.sluice.wire.Handshake;
import org.sluice.wire.HostPort;
import org.sluice.wire.SharedSecret;
import org.sluice.wire.Tls;

/**
 * All ranks of a job, as one of them knows them. Its connection to the meeting place says every 2 s that this process lives.
 *
 * <p>One thread calls {@link #meet}; any may close it.
 */
public final class Group implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Group.class);

    /** Most bytes of a word, and of the answer. */
    public static final int MOST_WORD_BYTES = (64 << 10) - Integer.BYTES;

    private static final Duration BEAT = Duration.ofSeconds(2);

    /** Between two tries to find the meeting place, which may be started later than this rank. */
    private static final Duration PAUSE = Duration.ofMillis(100);

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

    /** Who has not come is the meeting place's to say: it is given so much longer. */
    private static final Duration GRACE = Duration.ofSeconds(5);

    private static final int CONNECT_MILLIS = 3000;

    private final GroupConfig config;
    private final FrameSocket socket;
    private final List<Attendee> members = new ArrayList<>();
    private final ReentrantLock writing = new ReentrantLock();
    private volatile boolean closed;
    private int step;

    private Group(GroupConfig config, FrameSocket socket) {
        this.config = config;
        this.socket = socket;
    }

    /**
     * Goes to the meeting place, which need not be there yet, and waits until all ranks have come.
     *
     * @param name what this machine is called, for people
     * @param host where others reach this rank's node; empty for where it comes from
     * @param port where this rank's node listens
     * @throws LinkException when there is no meeting place by the deadline, or not all came, with the ranks that are missing, or this rank
     *     is turned away, with the reason
     */
    public static Group join(GroupConfig config, String name, String host, int port) {
        Deadline deadline = Deadline.in(config.arrival());
        Launch launch = config.launch();
        FrameSocket socket = find(config, deadline);
        Group group = new Group(config, socket);
        try {
            Attendee self = new Attendee(launch.rank(), cut(name), cut(host), port);
            group.write(FrameType.JOIN, new Join(launch.world(), cut(launch.job()), self).encode());
            Threads.startVirtual("rank-" + launch.rank() + "-lives", group::beat);
            Deadline all = Deadline.in(config.arrival().plus(GRACE));
            String here = launch.host();
            while (group.members.size() < launch.world()) {
                Join.decodeTable(group.await(FrameType.TABLE, all), launch.world(), here, group.members);
            }
            return group;
        } catch (IOException e) {
            group.drop();
            throw group.lost(e);
        } catch (RuntimeException e) {
            group.drop();
            throw e;
        }
    }

    private static String cut(String text) {
        return text.length() <= Attendee.MOST_TEXT_BYTES / 4 ? text : text.substring(0, Attendee.MOST_TEXT_BYTES / 4);
    }

    /** A connection on which both sides have proved what they have to. */
    private static FrameSocket find(GroupConfig config, Deadline deadline) {
        SharedSecret secret = config.secret().length == 0 ? null : new SharedSecret(config.secret());
        Tls tls = config.tls().map(Tls::of).orElse(null);
        HostPort at = new HostPort(config.launch().host(), config.launch().port());
        long pause = PAUSE.toMillis();
        while (true) {
            SocketChannel channel = null;
            try {
                InetSocketAddress address = new InetSocketAddress(at.host(), at.port());
                if (address.isUnresolved()) {
                    throw new UnknownHostException("no address is known for " + at.host());
                }
                channel = SocketChannel.open();
                channel.socket().connect(address, Math.min(CONNECT_MILLIS, deadline.remainingMillis()));
                Deadline words = Deadline.in(config.silence());
                FrameSocket socket = tls == null
                        ? new FrameSocket(channel, words)
                        : new FrameSocket(tls.connect(channel, words), words);
                Handshake.asClient(socket, secret);
                return socket;
            } catch (IOException | LinkException e) {
                quietly(channel);
                if (e instanceof LinkException l && l.code() != ErrorCode.UNREACHABLE) {
                    throw l; // it was there, and said no
                }
                if (deadline.passed()) {
                    throw new LinkException(
                            ErrorCode.UNREACHABLE,
                            Where.NOWHERE.phase(Where.Phase.BOOTSTRAP).peer(at.toString()),
                            "rank " + config.launch().rank() + " found no meeting place within " + deadline.text()
                                    + ": " + e.getMessage() + "; does rank 0 run there, and is the port open?",
                            e);
                }
                pause = nap(Math.min(pause, deadline.remainingMillis()));
            } catch (RuntimeException e) {
                quietly(channel);
                throw e;
            }
        }
    }

    /** @return the next pause */
    private static long nap(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LinkException(
                    ErrorCode.INTERRUPTED, Where.NOWHERE, "interrupted while looking for the meeting place", e);
        }
        return Math.min(millis * 2, LONGEST_PAUSE.toMillis());
    }

    /** Every rank by its number, this one too. */
    public List<Attendee> members() {
        return List.copyOf(members);
    }

    public int rank() {
        return config.launch().rank();
    }

    /**
     * Says this rank's word of the next step and waits for all others'.
     *
     * @param word at most {@link #MOST_WORD_BYTES}
     * @param atMost how long the slowest rank may take
     * @return what rank 0 made of them
     * @throws LinkException when a rank is lost or gives up, with who it is and why, or takes longer
     */
    public byte[] meet(byte[] word, Duration atMost) {
        if (word.length > MOST_WORD_BYTES) {
            throw new IllegalArgumentException(
                    "a word has at most " + MOST_WORD_BYTES + " bytes, this one has " + word.length);
        }
        int now = step++;
        try {
            write(FrameType.WORD, word(now, word));
            byte[] answer = await(FrameType.WORD, Deadline.in(atMost));
            int of = ByteBuffer.wrap(answer).order(ByteOrder.LITTLE_ENDIAN).getInt();
            if (of != now) {
                throw new ProtocolException(
                        socket.where(), "the meeting place answered step " + of + " in step " + now);
            }
            return Arrays.copyOfRange(answer, Integer.BYTES, answer.length);
        } catch (IOException e) {
            throw lost(e);
        }
    }

    static byte[] word(int step, byte[] said) {
        return ByteBuffer.allocate(Integer.BYTES + said.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(step)
                .put(said)
                .array();
    }

    /** Ends it for everybody, who are told why. */
    public void giveUp(String why) {
        try {
            write(FrameType.ERROR, Seat.errorText(why));
        } catch (IOException e) {
            log.debug("nobody could be told that rank {} gives up: {}", rank(), e.toString());
        }
    }

    /** The next frame of this type, within the deadline. */
    private byte[] await(FrameType type, Deadline deadline) throws IOException {
        while (true) {
            Duration most = Duration.ofMillis(Math.min(config.silence().toMillis(), deadline.remainingMillis()));
            FrameSocket.Frame frame =
                    socket.until(Deadline.in(most)).read(Set.of(type, FrameType.PONG, FrameType.ERROR));
            if (frame.type() == type) {
                return frame.payload();
            }
            if (frame.type() == FrameType.ERROR) {
                throw new LinkException(
                        ErrorCode.REFUSED,
                        socket.where(),
                        "the meeting place says: " + FrameSocket.text(frame.payload()));
            }
            if (deadline.passed()) {
                throw new LinkException(
                        ErrorCode.UNREACHABLE,
                        socket.where(),
                        "the other ranks were not there within " + deadline.text());
            }
        }
    }

    private RuntimeException lost(IOException e) {
        if (closed) {
            return new ClosedException(socket.where(), "the group was closed on this side");
        }
        String why = e instanceof EOFException ? "it closed the connection" : String.valueOf(e.getMessage());
        return new PeerLostException(socket.where(), "the meeting place is lost: " + why + "; did rank 0 end?");
    }

    private void beat() {
        try {
            while (!closed) {
                TimeUnit.MILLISECONDS.sleep(BEAT.toMillis());
                write(FrameType.PING, new byte[0]);
            }
        } catch (IOException e) {
            log.debug("rank {} cannot say that it lives: {}", rank(), e.toString()); // who waits for an answer sees why
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void write(FrameType type, byte[] payload) throws IOException {
        writing.lock();
        try {
            socket.write(type, payload);
        } finally {
            writing.unlock();
        }
    }

    private void drop() {
        closed = true;
        quietly(socket);
    }

    /** Says goodbye. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            try {
                write(FrameType.GOODBYE, new byte[0]);
                socket.stream().shutdownOutput();
            } catch (IOException e) {
                log.debug("rank {} could not say goodbye: {}", rank(), e.toString());
            }
            quietly(socket);
        }
    }

    static void quietly(@Nullable AutoCloseable c) {
        if (c != null) {
            try {
                c.close();
            } catch (Exception e) {
                log.debug("while closing: {}", e.toString());
            }
        }
    }
}
