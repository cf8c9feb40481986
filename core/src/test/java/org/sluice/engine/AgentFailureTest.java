package org.sluice.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.ErrorCode;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.PeerLostException;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.Transfer;
import org.sluice.memory.MemoryTransport;
import org.sluice.spi.ThreadLimitException;

/** Whatever an agent meets, who waits for it hears why and goes on: transfers, links and closes of both sides end. */
@Timeout(60)
final class AgentFailureTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    /** More than goes within a control frame. */
    private static final int BYTES = 100_000;

    private final LinkedNodes nodes = new LinkedNodes(Duration.ofSeconds(20));
    private Link in;
    private Link out;

    @BeforeEach
    void link() throws Exception {
        in = nodes.in();
        out = nodes.out();
    }

    @AfterEach
    void close() {
        MemoryTransport.behave();
        nodes.close();
    }

    private static SluiceException reason(Transfer t) {
        try {
            t.await(SOON);
        } catch (SluiceException e) {
            return e;
        }
        throw new AssertionError("it went well");
    }

    private void moves(Link from, Link to) {
        Region s = nodes.client().allocate(0, 100_000);
        Region r = nodes.server().allocate(0, 100_000);
        s.fill(0, s.size(), 5);
        Transfer receive = to.receive(r, 0, r.size());
        from.send(s, 0, s.size()).await(SOON);
        receive.await(SOON);
        assertThat(r.mismatch(0, r.size(), 5)).isEqualTo(-1);
        s.close();
        r.close();
    }

    @Test
    @DisplayName("an Error in one link's work fails that link on both sides; another link of the same GPU goes on")
    void errorInOneLinksWork() throws Exception {
        LinkedNodes.Pair other = nodes.another();
        Region s = nodes.client().allocate(0, 1 << 20);
        Region r = nodes.server().allocate(0, 1 << 20);
        // of the first pair's wires only: it is the first to send
        MemoryTransport.mischief((call, wire) -> {
            if (call.equals("send")) {
                MemoryTransport.behave();
                throw new StackOverflowError("injected");
            }
        });
        Transfer receive = in.receive(r, 0, r.size());
        Transfer send = out.send(s, 0, s.size());
        assertThat(reason(send).code()).isEqualTo(ErrorCode.INTERNAL);
        assertThat(reason(send)).hasMessageContaining("injected").hasMessageContaining("GPU 0, peer 127.0.0.1");
        assertThat(reason(receive)).isInstanceOf(PeerLostException.class).hasMessageContaining("injected");
        assertThat(reason(receive).code()).isEqualTo(ErrorCode.PEER_GAVE_UP);
        assertThat(out.ended().get(20, TimeUnit.SECONDS).code()).isEqualTo(ErrorCode.INTERNAL);
        moves(other.out(), other.in());
        s.close();
        r.close();
    }

    @Test
    @DisplayName("an Error in a command is its caller's: the link goes on")
    void errorInACommand() {
        Region s = nodes.client().allocate(0, 100);
        MemoryTransport.mischief((call, wire) -> {
            throw new OutOfMemoryError("injected");
        });
        assertThatThrownBy(() -> out.register(s))
                .isInstanceOfSatisfying(
                        LinkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INTERNAL))
                .hasMessageContaining("injected");
        MemoryTransport.behave();
        moves(out, in);
    }

    @Test
    @DisplayName("a thread that cannot be made fails the link with the remedy, on both sides")
    void noThread() {
        Region s = nodes.client().allocate(0, BYTES);
        Region r = nodes.server().allocate(0, BYTES);
        MemoryTransport.mischief((call, wire) -> {
            if (call.equals("send")) {
                throw new ThreadLimitException("eth1-tx-0.0", new OutOfMemoryError("unable to create native thread"));
            }
        });
        Transfer receive = in.receive(r, 0, BYTES);
        SluiceException why = reason(out.send(s, 0, BYTES));
        assertThat(why.code()).isEqualTo(ErrorCode.RESOURCES);
        assertThat(why)
                .hasMessageContaining("eth1-tx-0.0")
                .hasMessageContaining("pids.max")
                .hasMessageContaining("ulimit -u");
        assertThat(reason(receive)).hasMessageContaining("pids.max");
    }

    @Test
    @DisplayName(
            "an agent that must end fails every link and transfer of its GPU at once, tells the peers, and all closes return")
    void agentEnds() throws Exception {
        LinkedNodes.Pair other = nodes.another();
        Region s = nodes.client().allocate(0, 1 << 20);
        Region r = nodes.server().allocate(0, 1 << 20);
        Transfer receive = in.receive(r, 0, 100);
        Transfer own = out.receive(s, 0, 100);
        Transfer otherReceive = other.in().receive(r, 0, 100);
        LinkedNodes.killAgentOf(out);
        assertThat(reason(own).code()).isEqualTo(ErrorCode.AGENT_ENDED);
        assertThat(reason(own)).hasMessageContaining("gpu0-agent has ended");
        assertThat(reason(receive)).isInstanceOf(PeerLostException.class).hasMessageContaining("gpu0-agent has ended");
        assertThat(reason(otherReceive)).hasMessageContaining("gpu0-agent has ended");
        for (Link l : new Link[] {out, other.out()}) {
            assertThat(l.ended().get(20, TimeUnit.SECONDS).code()).isEqualTo(ErrorCode.AGENT_ENDED);
        }
        assertThat(reason(out.send(s, 0, 100)).code()).isEqualTo(ErrorCode.AGENT_ENDED);
        assertThatThrownBy(() -> nodes.client().allocate(0, 100))
                .isInstanceOfSatisfying(
                        LinkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.AGENT_ENDED));
        assertThatThrownBy(() -> out.register(s)).isInstanceOf(LinkException.class);
        assertThat(out.connections()).isEmpty();
        out.close();
        s.close();
        nodes.client().close();
        nodes.client().close();
    }

    @Test
    @DisplayName("what is to be called at an agent's start may throw an Error: the agent works without it")
    void errorAtTheStart() throws Exception {
        try (LinkedNodes others = new LinkedNodes(SOON, Duration.ofSeconds(5), gpu -> {
            throw new LinkageError("injected");
        })) {
            others.out().note(new byte[] {1});
            assertThat(others.in().awaitNote(SOON)).containsExactly(1);
        }
    }

    @Test
    @DisplayName(
            "an agent that hangs in a call is given up by name within the deadline, on both sides, and every close returns")
    void agentHangs() throws Exception {
        CountDownLatch hang = new CountDownLatch(1);
        CountDownLatch hung = new CountDownLatch(1);
        try (LinkedNodes impatient = new LinkedNodes(Duration.ofMillis(500))) {
            Region s = impatient.client().allocate(0, BYTES);
            Region r = impatient.server().allocate(0, BYTES);
            Transfer receive = impatient.in().receive(r, 0, BYTES);
            MemoryTransport.mischief((call, wire) -> {
                if (call.equals("send")) {
                    hung.countDown();
                    await(hang);
                }
            });
            Transfer send = impatient.out().send(s, 0, BYTES);
            hung.await();
            assertThat(impatient.out().connections())
                    .as("who only looks gets what can be seen without the agent")
                    .isEmpty();
            assertThatThrownBy(() -> impatient.client().allocate(0, BYTES))
                    .isInstanceOfSatisfying(
                            LinkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.AGENT_HANGS))
                    .hasMessageContaining("AgentFailureTest.await")
                    .hasMessageContaining("memory of 100000 bytes");
            assertThat(reason(send).code()).isEqualTo(ErrorCode.AGENT_HANGS);
            assertThat(reason(receive)).isInstanceOf(PeerLostException.class).hasMessageContaining("gpu0-agent is in");
            impatient.out().close();
            assertThat(impatient.out().ended().get(20, TimeUnit.SECONDS).code()).isEqualTo(ErrorCode.AGENT_HANGS);
            assertThat(reason(impatient.out().send(s, 0, BYTES)).code()).isEqualTo(ErrorCode.AGENT_HANGS);
            impatient.client().close();
            assertThatThrownBy(() -> impatient.client().allocate(0, BYTES)).isInstanceOf(SluiceException.class);
        } finally {
            hang.countDown();
        }
    }

    @Test
    @DisplayName("a peer whose agent is away for several peer timeouts is not taken for dead, and goes on where it was")
    void agentIsAway() throws Exception {
        CountDownLatch away = new CountDownLatch(1);
        try (LinkedNodes busy = new LinkedNodes(SOON, Duration.ofMillis(300), gpu -> {})) {
            Region s = busy.client().allocate(0, BYTES);
            Region r = busy.server().allocate(0, BYTES);
            MemoryTransport.mischief((call, wire) -> {
                if (call.equals("send")) {
                    await(away);
                }
            });
            Transfer receive = busy.in().receive(r, 0, BYTES);
            Transfer send = busy.out().send(s, 0, BYTES);
            assertThatThrownBy(() -> busy.in().ended().get(1500, TimeUnit.MILLISECONDS))
                    .isInstanceOf(java.util.concurrent.TimeoutException.class);
            MemoryTransport.behave();
            away.countDown();
            receive.await(SOON);
            send.await(SOON);
        } finally {
            away.countDown();
        }
    }

    @Test
    @DisplayName("an agent that comes back after it was given up frees what it held")
    void agentComesBack() throws Exception {
        CountDownLatch hang = new CountDownLatch(1);
        try (LinkedNodes impatient = new LinkedNodes(Duration.ofMillis(500))) {
            Region s = impatient.client().allocate(0, BYTES);
            MemoryTransport.mischief((call, wire) -> {
                if (call.equals("send")) {
                    await(hang);
                }
            });
            impatient.in().receive(impatient.server().allocate(0, BYTES), 0, BYTES);
            assertThat(reason(impatient.out().send(s, 0, BYTES)).code()).isEqualTo(ErrorCode.AGENT_HANGS);
            MemoryTransport.behave();
            hang.countDown();
            CompletableFuture<Void> freed = CompletableFuture.runAsync(() -> {
                while (true) {
                    try {
                        s.close(); // in use until the agent has come back
                        return;
                    } catch (IllegalStateException e) {
                        Thread.onSpinWait();
                    }
                }
            });
            freed.get(20, TimeUnit.SECONDS);
            impatient.client().allocate(0, BYTES).close();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
