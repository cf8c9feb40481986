package org.sluice.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.Region;
import org.sluice.RemoteAccessException;
import org.sluice.RemoteRegion;
import org.sluice.SluiceException;
import org.sluice.TransferRefusal;

/** What programs tell each other is bounded by who reads it, kept in order, and never lost without a word. */
@Timeout(60)
final class ProgramWordsTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    private final LinkedNodes nodes = new LinkedNodes(SOON);

    @AfterEach
    void close() {
        nodes.close();
    }

    private static byte[] numbered(int n, int bytes) {
        byte[] note = new byte[bytes];
        note[0] = (byte) n;
        note[1] = (byte) (n >> 8);
        return note;
    }

    private static SluiceException failure(CompletableFuture<?> f) throws Exception {
        try {
            f.get(20, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            return (SluiceException) e.getCause();
        }
        throw new AssertionError("it went well");
    }

    @Test
    @DisplayName("notes for a program that does not read wait at their sender, in order, and all come when it reads")
    void waitForTheReader() throws Exception {
        List<CompletableFuture<Void>> said = new ArrayList<>();
        for (int i = 0; i < 700; i++) {
            said.add(nodes.out().note(numbered(i, 5000))); // 3.5 MB: a megabyte goes, the rest waits
        }
        assertThat(said.getFirst().get(20, TimeUnit.SECONDS)).isNull();
        assertThat(said.getLast().isDone()).isFalse();
        for (int i = 0; i < 700; i++) {
            assertThat(nodes.in().awaitNote(SOON)).isEqualTo(numbered(i, 5000));
        }
        assertThat(said.getLast().get(20, TimeUnit.SECONDS)).isNull();
    }

    @Test
    @DisplayName("who says more than may wait is told so, and the link and what waits are none the worse for it")
    void tooMany() throws Exception {
        List<CompletableFuture<Void>> said = new ArrayList<>();
        for (int i = 0; i < 3000; i++) {
            said.add(nodes.out().note(numbered(i, 2)));
        }
        SluiceException why = failure(said.getLast());
        assertThat(why.code()).isEqualTo(ErrorCode.LIMIT);
        assertThat(why)
                .hasMessageContaining("wait for the peer's program to read")
                .hasMessageContaining("GPU 0, peer");
        long refused = said.stream()
                .filter(CompletableFuture::isCompletedExceptionally)
                .count();
        for (int i = 0; i < 3000 - refused; i++) {
            assertThat(nodes.in().awaitNote(SOON)).isEqualTo(numbered(i, 2));
        }
        assertThat(nodes.out().ended().isDone()).isFalse();
    }

    @Test
    @DisplayName("what waits when the link ends fails with the reason")
    void endsWhileWaiting() throws Exception {
        nodes.out().note(numbered(0, 2)).get(20, TimeUnit.SECONDS); // the peer's first word of credit is here
        CompletableFuture<Void> last = new CompletableFuture<>();
        for (int i = 0; i < 1500; i++) {
            last = nodes.out().note(numbered(i, 2));
        }
        nodes.in().close();
        assertThat(failure(last).code()).isIn(ErrorCode.CLOSED, ErrorCode.PEER_LOST);
        assertThat(failure(nodes.out().note(new byte[1])).code()).isIn(ErrorCode.CLOSED, ErrorCode.PEER_LOST);
    }

    @Test
    @DisplayName("a name that is too long is refused, not cut: two of them would become one")
    void names() throws Exception {
        Region r = nodes.server().allocate(0, 100);
        String most = "ä".repeat(500);
        assertThatThrownBy(() -> nodes.in().share(most + "x", r))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1 to 1000 bytes");
        assertThatThrownBy(() -> nodes.in().share("", r)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> nodes.in().share("a\nb", r)).isInstanceOf(IllegalArgumentException.class);
        nodes.in().share(most, r);
        assertThat(nodes.out().remoteRegion(most).get(20, TimeUnit.SECONDS)).isEqualTo(r.remoteKey());
    }

    @Test
    @DisplayName("a withdrawn region is read and written no more on that link, and may be shared again")
    void withdraw() throws Exception {
        Region theirs = nodes.server().allocate(0, 100);
        Region mine = nodes.client().allocate(0, 100);
        nodes.in().share("it", theirs);
        RemoteRegion key = nodes.out().remoteRegion("it").get(20, TimeUnit.SECONDS);
        nodes.out().write(mine, 0, 100, key, 0).await(SOON);
        nodes.in().withdraw("it").get(20, TimeUnit.SECONDS);
        assertThatThrownBy(() -> nodes.out().read(mine, 0, 100, key, 0).await(SOON))
                .isInstanceOfSatisfying(
                        RemoteAccessException.class, e -> assertThat(e.reason()).isEqualTo(TransferRefusal.KEY));
        nodes.in().note(new byte[1]);
        nodes.out().awaitNote(SOON); // what was said before it has come
        CompletableFuture<RemoteRegion> again = nodes.out().remoteRegion("it");
        assertThat(again.isDone()).isFalse();
        nodes.in().share("it", theirs);
        nodes.out().read(mine, 0, 100, again.get(20, TimeUnit.SECONDS), 0).await(SOON);
        assertThatThrownBy(() -> nodes.in().withdraw("another").get(20, TimeUnit.SECONDS))
                .hasRootCauseInstanceOf(IllegalArgumentException.class);
    }

    @Test
    @DisplayName("a thousand names are shared, no more; withdrawing makes room")
    void manyNames() throws Exception {
        Region r = nodes.server().allocate(0, 100);
        CompletableFuture<Void> last = new CompletableFuture<>();
        for (int i = 0; i < 1024; i++) {
            last = nodes.in().share("n" + i, r);
        }
        last.get(20, TimeUnit.SECONDS);
        SluiceException why = failure(nodes.in().share("more", r));
        assertThat(why).isInstanceOf(LinkException.class).hasMessageContaining("withdraw some");
        assertThat(why.code()).isEqualTo(ErrorCode.LIMIT);
        for (int i = 0; i < 512; i++) {
            nodes.in().withdraw("n" + i);
        }
        nodes.out().note(new byte[1]);
        nodes.in().note(new byte[1]);
        nodes.out().awaitNote(SOON); // it has heard of the withdrawals, so its credit is before the next thing it says
        nodes.out().note(new byte[2]);
        nodes.in().awaitNote(SOON);
        nodes.in().awaitNote(SOON);
        nodes.in().share("more", r).get(20, TimeUnit.SECONDS);
        assertThat(nodes.out().remoteRegion("more").get(20, TimeUnit.SECONDS)).isEqualTo(r.remoteKey());
    }
}
