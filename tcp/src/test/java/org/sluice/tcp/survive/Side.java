package org.sluice.tcp.survive;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A {@link RailSide}, or another main class, that runs, and all that it has said so far. Any thread. */
final class Side implements AutoCloseable {
    private final String name;
    private final Process process;
    private final List<String> lines = new ArrayList<>();
    private boolean ended;
    private volatile boolean closing;

    /** @param prefix what to put before the command line: {@code ip netns exec …}, or nothing */
    Side(String name, List<String> prefix, List<String> arguments) throws IOException {
        this(name, prefix, List.of("-Xmx256m", "-XX:TieredStopAtLevel=1"), RailSide.class, arguments);
    }

    /** As the other, of another main class and with the JVM's options. */
    Side(String name, List<String> prefix, List<String> jvm, Class<?> main, List<String> arguments) throws IOException {
        this.name = name;
        List<String> command = new ArrayList<>(prefix);
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(jvm);
        command.addAll(List.of("-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"));
        command.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=" + System.getProperty("survive.log", "error"));
        String modules = System.getProperty("jdk.module.path", "");
        String path = System.getProperty("java.class.path");
        command.addAll(List.of("-cp", modules.isEmpty() ? path : modules + ":" + path, main.getName()));
        command.addAll(arguments);
        this.process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        Thread.ofPlatform().daemon().name(name + "-out").start(this::read);
    }

    private void read() {
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                synchronized (lines) {
                    lines.add(line);
                    lines.notifyAll();
                }
            }
        } catch (IOException e) {
            if (!closing) {
                throw new UncheckedIOException(e);
            }
        } finally {
            synchronized (lines) {
                ended = true;
                lines.notifyAll();
            }
        }
    }

    long pid() {
        return process.pid();
    }

    /** Says a line to it. */
    void say(String line) throws IOException {
        process.outputWriter().write(line + "\n");
        process.outputWriter().flush();
    }

    /** What it has said so far. */
    List<String> lines() {
        synchronized (lines) {
            return List.copyOf(lines);
        }
    }

    /** The first line after the first {@code after} that matches. @throws AssertionError when none comes in time */
    String await(int after, Predicate<String> wanted, long seconds) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        synchronized (lines) {
            int at = after;
            while (true) {
                for (; at < lines.size(); at++) {
                    if (wanted.test(lines.get(at))) {
                        return lines.get(at);
                    }
                }
                long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                if (left <= 0 || ended) {
                    throw new AssertionError(name + (ended ? " ended" : " did not say so within " + seconds + " s")
                            + "; last lines: " + lines.subList(Math.max(0, lines.size() - 5), lines.size()));
                }
                lines.wait(left);
            }
        }
    }

    /** A receiver's next messages, each compared and right. @throws AssertionError when one does not come in time */
    void awaitVerified(int messages, long seconds) throws InterruptedException {
        for (int n = 0; n < messages; n++) {
            await(lines().size(), l -> l.startsWith("V "), seconds);
        }
    }

    /** Sends a signal by its name. */
    void signal(String signal) throws IOException, InterruptedException {
        int result = new ProcessBuilder("kill", "-" + signal, Long.toString(pid()))
                .start()
                .waitFor();
        if (result != 0) {
            throw new IOException("kill -" + signal + " " + pid() + " failed");
        }
    }

    /** Ends it, whatever it does. */
    @Override
    public void close() {
        closing = true;
        process.destroyForcibly();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
