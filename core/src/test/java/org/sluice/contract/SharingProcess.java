package org.sluice.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.sluice.spi.SharedPart;

/** A {@link SharingChild}, from the side of who started it. */
@SuppressWarnings("restricted")
public final class SharingProcess implements AutoCloseable {
    // numbers of system calls: the first two are the same on every architecture
    // (linux/include/uapi/asm-generic/unistd.h)
    private static final long PIDFD_OPEN = 434;
    private static final long PIDFD_GETFD = 438;
    private static final long CLOSE = System.getProperty("os.arch").equals("aarch64") ? 57 : 3;

    private final Process process;
    private final BufferedReader said;
    private final List<SharedPart> parts = new ArrayList<>();

    private SharingProcess(Process process) throws IOException {
        this.process = process;
        this.said = process.inputReader();
        for (String part : answer().split(" ", -1)) {
            String[] field = part.split(",", -1);
            parts.add(new SharedPart(
                    SharedPart.Kind.valueOf(field[0]),
                    Long.parseLong(field[1]),
                    Long.parseLong(field[2]),
                    Long.parseLong(field[3]),
                    Long.parseLong(field[4]),
                    HexFormat.of().parseHex(field[5].substring(1)),
                    Integer.parseInt(field[6])));
        }
    }

    /** @param environment on top of this process's own */
    public static SharingProcess start(Class<?> main, Map<String, String> environment, Object... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx128m",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                String.join(
                        ":",
                        System.getProperty("java.class.path"),
                        System.getProperty("jdk.module.path", ""),
                        Path.of("target/test-classes").toAbsolutePath().toString()),
                main.getName()));
        Stream.of(arguments).map(String::valueOf).forEach(command::add);
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().putAll(environment);
        try {
            return new SharingProcess(builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Its parts, with descriptors that are this process's: new ones with each call, as if they had come by message. */
    public List<SharedPart> parts() {
        return parts.stream()
                .map(p -> p.descriptor() < 0 ? p : p.withDescriptor(openDescriptor(p.descriptor())))
                .toList();
    }

    /**
     * The very file that the other process has. Its path under {@code /proc} would not do: that opens a device anew, and a GPU
     * driver's descriptor opened anew names no memory.
     */
    private int openDescriptor(int theirs) {
        Linker linker = Linker.nativeLinker();
        try {
            MethodHandle syscall = linker.downcallHandle(
                    linker.defaultLookup().findOrThrow("syscall"),
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG),
                    Linker.Option.firstVariadicArg(1));
            long pidfd = (long) syscall.invokeExact(PIDFD_OPEN, process.pid(), 0L, 0L);
            assertThat(pidfd).as("pidfd_open").isNotNegative();
            long fd = (long) syscall.invokeExact(PIDFD_GETFD, pidfd, (long) theirs, 0L);
            long closed = (long) syscall.invokeExact(CLOSE, pidfd, 0L, 0L);
            assertThat(closed).isZero();
            assertThat(fd).as("pidfd_getfd").isNotNegative();
            return (int) fd;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Fills its block with another pattern. */
    public void fill(long seed) {
        assertThat(ask("fill " + seed)).isEqualTo("filled");
    }

    /** Where its block differs from a pattern, -1 where it does not. */
    public long mismatch(long seed) {
        return Long.parseLong(ask("check " + seed).substring("wrong at ".length()));
    }

    private String ask(String what) {
        try {
            process.outputWriter().write(what + "\n");
            process.outputWriter().flush();
            return answer();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String answer() throws IOException {
        String line = said.readLine();
        assertThat(line).as("what process %d says", process.pid()).isNotNull();
        return line;
    }

    /** As {@code kill -9} does; waits until it is dead. */
    public void kill() {
        process.destroyForcibly();
        awaitEnd();
    }

    private void awaitEnd() {
        try {
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** Its input ends, and so does it. */
    @Override
    public void close() {
        try {
            process.outputWriter().close();
            awaitEnd();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            process.destroyForcibly();
        }
    }
}
