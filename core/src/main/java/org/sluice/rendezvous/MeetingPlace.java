package org.sluice.rendezvous;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ConfigException;
import org.sluice.ErrorCode;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.peer.Strangers;
import org.sluice.spi.ThreadLimitException;
import org.sluice.spi.Threads;
import org.sluice.wire.Deadline;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.FrameType;
import org.sluice.wire.Handshake;
import org.sluice.wire.SharedSecret;
import org.sluice.wire.Tls;

/**
 * Where the ranks of a job meet: a port at rank 0, which is a rank like any other there. It tells everybody where all others are once all have
 * come, and from then on gathers a word of each rank at each step and gives all the same answer, which makes a step a barrier too.
 * One thread lets them in, each rank has a virtual thread of its own, and nobody is waited for without a deadline: who has not come by then
 * is named to those who have.
 *
 * <p>Any thread may use it.
 */
public final class MeetingPlace implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(MeetingPlace.class);

    /** Hello, proof and the name are three small messages; but a thousand ranks come at once, and rank 0 may have other things to do. */
    private static final Duration FIRST_WORDS = Duration.ofSeconds(20);

    /** How long those who are there have to say goodbye. */
    private static final Duration FAREWELL = Duration.ofSeconds(3);

    private static final int BACKLOG = 1024;

    private final GroupConfig config;
    private final Chair chair;
    private final @Nullable SharedSecret secret;
    private final @Nullable Tls tls;
    private final ServerSocketChannel door;
    private final Strangers strangers = new Strangers();
    private final Roll roll;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;

    private MeetingPlace(GroupConfig config, Chair chair, ServerSocketChannel door) {
        this.config = config;
        this.chair = chair;
        this.secret = config.secret().length == 0 ? null : new SharedSecret(config.secret());
        this.tls = config.tls().map(Tls::of).orElse(null);
        this.door = door;
        this.roll = new Roll(config.launch().world(), config.launch().job());
        this.thread = Thread.ofPlatform().name("meeting-place").daemon(true).unstarted(this::letIn);
    }

    /**
     * Opens it, on every address of this machine.
     *
     * @param config of rank 0; port 0 takes a free one
     * @throws ConfigException if the port is taken
     */
    public static MeetingPlace open(GroupConfig config, Chair chair) {
        int port = config.launch().port();
        ServerSocketChannel door = null;
        try {
            door = ServerSocketChannel.open();
            door.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            door.bind(new InetSocketAddress(port), BACKLOG);
            MeetingPlace place = new MeetingPlace(config, chair, door);
            Threads.start(place.thread);
            Threads.startVirtual("roll-call", place::callTheRoll);
            return place;
        } catch (IOException e) {
            Group.quietly(door);
            throw new ConfigException(
                    ErrorCode.RESOURCES,
                    Where.NOWHERE,
                    "the port " + port + " for the meeting place cannot be had: " + e.getMessage()
                            + "; is another job meeting here? Give all ranks another port with --rendezvous HOST:PORT",
                    e);
        } catch (ThreadLimitException e) {
            Group.quietly(door);
            throw new ConfigException(ErrorCode.RESOURCES, Where.NOWHERE, String.valueOf(e.getMessage()), e);
        } catch (RuntimeException e) {
            Group.quietly(door);
            throw e;
        }
    }

    /** Where it is. */
    public int port() {
        return door.socket().getLocalPort();
    }

    /** The ranks that have not come yet, as people write them: {@code 3, 5 to 7}; empty when all are here. */
    public String missing() {
        return Roll.text(roll.missing());
    }

    private void letIn() {
        try {
            while (door.isOpen()) {
                SocketChannel stranger = door.accept();
                InetAddress source = ((InetSocketAddress) stranger.getRemoteAddress()).getAddress();
                strangers.add(stranger, source);
                Threads.startVirtual("rank", () -> serve(stranger, source));
            }
        } catch (ClosedChannelException e) {
            // closed: the end
        } catch (IOException | RuntimeException e) {
            end("the meeting place lets nobody in any more: " + e);
        }
    }

    /** Ends it when not all have come in time. */
    private void callTheRoll() {
        try {
            if (closed.await(config.arrival().toMillis(), TimeUnit.MILLISECONDS) || roll.isComplete()) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        List<Integer> missing = roll.missing();
        if (!missing.isEmpty()) {
            end((missing.size() == 1 ? "rank " : "ranks ") + Roll.text(missing) + " of "
                    + config.launch().world()
                    + " did not come within " + Deadline.in(config.arrival()).text()
                    + "; are they started, and do they reach port " + port() + " of rank 0's host?");
        }
    }

    private void serve(SocketChannel channel, InetAddress source) {
        try (channel) {
            Deadline first = Deadline.in(FIRST_WORDS);
            FrameSocket socket =
                    tls == null ? new FrameSocket(channel, first) : new FrameSocket(tls.accept(channel, first), first);
            Optional<Seat> seat = greet(socket, source);
            strangers.remove(channel);
            if (seat.isPresent()) {
                attend(seat.get(), socket);
            }
        } catch (SluiceException e) {
            log.info(
                    "meeting place: a connection from {} came to nothing: {}", source.getHostAddress(), e.getMessage());
        } catch (IOException e) {
            log.debug("meeting place: a connection from {} was lost: {}", source.getHostAddress(), e.toString());
        } finally {
            strangers.remove(channel);
        }
    }

    private Optional<Seat> greet(FrameSocket socket, InetAddress source) throws IOException {
        try {
            Handshake.asServer(socket, secret);
            Join join = Join.decode(socket.read(FrameType.JOIN));
            Attendee said = join.who();
            // from this machine: others reach it where they reach the meeting place
            String seen = source.isLoopbackAddress() ? "" : source.getHostAddress();
            Attendee who =
                    new Attendee(said.rank(), said.name(), said.host().isEmpty() ? seen : said.host(), said.port());
            Seat seat = new Seat(who, socket);
            Optional<String> no = roll.take(join, seat);
            if (no.isPresent()) {
                socket.write(FrameType.ERROR, Seat.errorText(no.get()));
                socket.stream().shutdownOutput();
                log.warn("meeting place: {} at {} is turned away: {}", who, socket.peer(), no.get());
                return Optional.empty();
            }
            return Optional.of(seat);
        } catch (SluiceException e) {
            if (e.code() != ErrorCode.UNREACHABLE) { // who was silent until the deadline may come again
                socket.refuse(e.what());
            }
            throw e;
        }
    }

    /** Hears a rank out until it goes. */
    private void attend(Seat seat, FrameSocket socket) throws IOException {
        boolean well = false;
        String why = "its connection ended";
        try {
            roll.completed().ifPresent(all -> {
                List<byte[]> table = Join.encodeTable(all);
                roll.seated().forEach(s -> s.tell(FrameType.TABLE, table));
            });
            while (!well) {
                well = hear(seat, socket.until(Deadline.in(config.silence())));
            }
        } catch (SluiceException e) {
            why = e.what();
            throw e;
        } catch (IOException e) {
            why = e.getMessage() == null ? e.toString() : e.getMessage();
            throw e;
        } finally {
            if (roll.leave(seat, well)) {
                end(seat.who + " at " + socket.peer() + " is lost: " + why);
            }
        }
    }

    /** @return whether it was a goodbye */
    private boolean hear(Seat seat, FrameSocket socket) throws IOException {
        FrameSocket.Frame frame =
                socket.read(Set.of(FrameType.WORD, FrameType.PING, FrameType.GOODBYE, FrameType.ERROR));
        switch (frame.type()) {
            case PING -> seat.tell(FrameType.PONG, List.of(new byte[0]));
            case ERROR -> end(seat.who + " gave up: " + FrameSocket.text(frame.payload()));
            case WORD -> {
                ByteBuffer word = ByteBuffer.wrap(frame.payload()).order(ByteOrder.LITTLE_ENDIAN);
                int step = word.getInt();
                byte[] said = Arrays.copyOfRange(frame.payload(), Integer.BYTES, frame.payload().length);
                roll.say(seat, step, said, socket).ifPresent(words -> conclude(step, words));
            }
            default -> {
                return true;
            }
        }
        return false;
    }

    private void conclude(int step, List<byte[]> words) {
        try {
            byte[] answer = Group.word(step, chair.conclude(step, words));
            roll.seated().forEach(s -> s.tell(FrameType.WORD, List.of(answer)));
        } catch (SluiceException e) {
            end(e.what());
        } catch (RuntimeException e) {
            log.error("meeting place: step {} cannot be concluded", step, e);
            end("rank 0 failed: " + e);
        }
    }

    /** Tells everybody why it is over. */
    private void end(String why) {
        roll.end(why, s -> s.tellError(why));
    }

    /** Waits for those who are here to say goodbye, then closes the port. Idempotent. */
    @Override
    public void close() {
        Deadline deadline = Deadline.in(FAREWELL);
        try {
            while (!roll.isEmpty() && !deadline.passed()) {
                TimeUnit.MILLISECONDS.sleep(5);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        end("rank 0 has closed the meeting place");
        closed.countDown();
        strangers.close();
        Group.quietly(door);
    }
}
