package org.sluice.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.Layout;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.Region;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;

/** Two processes that pull from each other; what a kind of GPU has to do besides is its subclass's. */
@Timeout(120)
public abstract class PullContract {
    /** Of killing; half as many of stopping. For a long run: {@code -Dsluice.pull.rounds=100}. */
    private static final int ROUNDS = Integer.getInteger("sluice.pull.rounds", 2);

    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final String backend;
    private final Map<String, String> environment;
    private Process child;
    private BufferedReader said;
    private Node node;

    protected PullContract(String backend, Map<String, String> environment) {
        this.backend = backend;
        this.environment = environment;
    }

    /** What of other processes' memory is open in this one. */
    protected abstract long open() throws IOException;

    private Link link(Duration silence) throws IOException {
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx128m",
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"),
                "-cp",
                String.join(
                        ":",
                        System.getProperty("java.class.path"),
                        System.getProperty("jdk.module.path", ""),
                        Path.of("target/test-classes").toAbsolutePath().toString()),
                PullChild.class.getName(),
                backend,
                "ipc");
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().putAll(environment);
        child = builder.start();
        said = child.inputReader();
        node = Node.open(PullChild.config(backend, "ipc", silence));
        String port = said.readLine();
        assertThat(port).startsWith("port ");
        return node.peer("127.0.0.1:" + port.substring(5)).link(0, 0);
    }

    @AfterEach
    void end() throws Exception {
        if (node != null) {
            node.close();
        }
        if (child != null) {
            child.destroyForcibly().waitFor(30, TimeUnit.SECONDS);
        }
        assertThat(open()).isZero();
    }

    private static RemoteRegion named(Link link, String name) throws Exception {
        try {
            return link.remoteRegion(name).get(30, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        }
    }

    @Test
    protected void bytesComeWholeFromAnotherProcessAndGoThere() throws Exception {
        Link link = link(PullChild.PATIENT);
        assertThat(link.path().transport()).isEqualTo("ipc");
        RemoteRegion memory = named(link, "memory");
        RemoteRegion written = named(link, "written");
        int bytes = PullChild.BYTES;
        Region here = node.allocate(0, bytes);
        for (int length : new int[] {1, 4095, 65536, bytes}) {
            here.fill(0, bytes, 1);
            link.read(here, 0, length, memory, 0).await(LIMIT);
            assertThat(here.mismatch(0, length, PullChild.SEED)).isEqualTo(-1);
        }
        // there and back in blocks, in random order, each where it came from
        int block = 4096;
        int[] order = new Random(3)
                .ints(0, bytes / block)
                .distinct()
                .limit(bytes / block)
                .toArray();
        here.fill(0, bytes, 5);
        link.write(Layout.blocks(here, 0, block, order), RemoteLayout.range(written, 0, bytes), TransferOptions.NONE)
                .await(LIMIT);
        here.fill(0, bytes, 6);
        link.read(Layout.blocks(here, 0, block, order), RemoteLayout.range(written, 0, bytes), TransferOptions.NONE)
                .await(LIMIT);
        assertThat(here.mismatch(0, bytes, 5)).isEqualTo(-1);
        Region back = node.allocate(0, bytes);
        back.fill(0, bytes, 9);
        link.share("back", back);
        while (back.mismatch(0, bytes, PullChild.SEED) != -1) {
            link.read(here, 0, 4096, memory, 0).await(LIMIT); // the peer writes meanwhile
        }
        assertThat(link.channels().stream()
                        .filter(c -> !c.nic().equals("ipc"))
                        .mapToLong(c -> c.bytes())
                        .sum())
                .isZero();
        link.close();
    }

    @Test
    protected void twoNodesOfOneProcessPullToo() throws Exception {
        node = Node.open(PullChild.config(backend, "ipc", PullChild.PATIENT));
        try (Node other = Node.open(PullChild.config(backend, "ipc", PullChild.PATIENT))) {
            int bytes = PullChild.BYTES;
            Region memory = other.allocate(0, bytes);
            memory.fill(0, bytes, PullChild.SEED);
            CompletableFuture<Link> came = new CompletableFuture<>();
            other.onLink(came::complete);
            InetSocketAddress at = other.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            Link link = node.peer("127.0.0.1:" + at.getPort()).link(0, 0);
            assertThat(link.path().transport()).isEqualTo("ipc");
            came.get(30, TimeUnit.SECONDS).share("memory", memory);
            RemoteRegion remote = named(link, "memory");
            Region here = node.allocate(0, bytes);
            link.read(here, 0, bytes, remote, 0).await(LIMIT);
            assertThat(here.mismatch(0, bytes, PullChild.SEED)).isEqualTo(-1);
            here.fill(0, bytes, 3);
            link.write(here, 0, bytes, remote, 0).await(LIMIT);
            assertThat(memory.mismatch(0, bytes, 3)).isEqualTo(-1);
            link.close();
        }
    }

    @Test
    protected void aPeerThatIsKilledEndsTheLinkAndNothingStaysOpen() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            interrupted(round, "-KILL", Duration.ofSeconds(5));
        }
    }

    @Test
    protected void aPeerThatIsStoppedEndsTheLinkAndNothingStaysOpen() throws Exception {
        for (int round = 0; round < ROUNDS / 2; round++) {
            interrupted(round, "-STOP", Duration.ofSeconds(3));
        }
    }

    /** One more round, for who counts them. */
    protected final void interrupted(int round, String signal, Duration silence) throws Exception {
        Link link = link(silence);
        RemoteRegion memory = named(link, "memory");
        RemoteRegion written = named(link, "written");
        Region here = node.allocate(0, PullChild.BYTES);
        Region back = node.allocate(0, PullChild.BYTES);
        Region out = node.allocate(0, PullChild.BYTES);
        out.fill(0, PullChild.BYTES, 1);
        link.share("back", back);
        link.read(here, 0, PullChild.BYTES, memory, 0).await(LIMIT);
        Random random = new Random(round);
        int before = random.nextInt(1, 60);
        assertThatThrownBy(() -> {
                    for (int i = 0; ; i++) {
                        if (i == before) {
                            signal(signal);
                        }
                        link.read(here, 0, PullChild.BYTES, memory, 0);
                        link.write(out, 0, PullChild.BYTES, written, 0).await(LIMIT);
                    }
                })
                .isInstanceOf(SluiceException.class);
        assertThat(link.ended().get(30, TimeUnit.SECONDS)).isNotNull();
        assertThat(here.mismatch(0, PullChild.BYTES, PullChild.SEED)).isEqualTo(-1);
        node.close();
        assertThat(open()).isZero();
        child.destroyForcibly().waitFor(30, TimeUnit.SECONDS);
        assertThat(open()).isZero();
    }

    /** Whether the other process is there, stopped ones included. */
    protected final boolean peerLives() {
        return child != null && child.isAlive();
    }

    private void signal(String name) throws Exception {
        new ProcessBuilder(Stream.of("kill", name, String.valueOf(child.pid())).toList())
                .start()
                .waitFor();
    }
}
