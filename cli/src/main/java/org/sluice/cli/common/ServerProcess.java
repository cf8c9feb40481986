package org.sluice.cli.common;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The other side in a process of its own, started the way this process was. */
public final class ServerProcess implements AutoCloseable {
    private static final Path OWN_COMMAND_LINE = Path.of("/proc/self/cmdline");
    private static final String MODULE = "-m";
    private static final String CACHE_TRAINING = "-XX:AOTCacheOutput";
    private static final int CLOSE_SECONDS = 5;

    private final Process process;
    private final CompletableFuture<String> result = new CompletableFuture<>();

    private ServerProcess(Process process) {
        this.process = process;
        Threads.start(Thread.ofPlatform().name("server-result").daemon(true).unstarted(this::drain));
    }

    /** A pipe that nobody empties would stop the server at its end. */
    private void drain() {
        try (InputStream in = process.getInputStream()) {
            result.complete(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            result.complete("");
        }
    }

    /** What it printed. To be asked for after its end. */
    public String result() {
        return result.completeOnTimeout("", CLOSE_SECONDS, TimeUnit.SECONDS).join();
    }

    /** @param arguments the command and its options; its errors go to this process's stderr, its result to {@link #result} */
    public static ServerProcess start(List<String> arguments) {
        try {
            List<String> own = ownCommandLine();
            List<String> command = new ArrayList<>(own.subList(0, own.indexOf(MODULE) + 2));
            command.removeIf(option -> option.startsWith(CACHE_TRAINING)); // two processes cannot write one file
            command.add(1, "-D" + HostMemoryCheck.ASKED + "=true");
            command.addAll(arguments);
            ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
            builder.environment().remove(Output.VARIABLE); // that descriptor is not handed down
            return new ServerProcess(builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException("the server process could not be started", e);
        }
    }

    /** Java, its options, {@code -m} and the main class, as they were given. */
    private static List<String> ownCommandLine() throws IOException {
        String all = Files.readString(OWN_COMMAND_LINE, StandardCharsets.UTF_8);
        return Arrays.asList(all.split("\0", -1));
    }

    /** Runs this when the server ends otherwise than after a run. */
    public void whenFailed(Runnable action) {
        process.onExit().thenAccept(p -> {
            if (p.exitValue() != ExitCode.OK && p.exitValue() != ExitCode.MISMATCH) {
                action.run();
            }
        });
    }

    /** Whether a server that ends with this status has said why, on the stderr that it shares. */
    public static boolean explained(int status) {
        return status >= ExitCode.INTERNAL && status <= ExitCode.MISMATCH;
    }

    /** @return its exit status, or -1 if it did not end in time */
    public int await() throws InterruptedException {
        return process.waitFor(CLOSE_SECONDS, TimeUnit.SECONDS) ? process.exitValue() : -1;
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
