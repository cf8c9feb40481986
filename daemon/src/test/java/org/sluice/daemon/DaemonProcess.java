package org.sluice.daemon;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.sluice.NodeConfig;

/** A daemon that is a process of its own, so that it can be killed. */
final class DaemonProcess implements AutoCloseable {
    private final Process process;

    private DaemonProcess(Process process) {
        this.process = process;
    }

    static DaemonProcess start(Path socket, int port) throws IOException {
        return start(socket, port, "host", "tcp", Map.of());
    }

    /** @param environment more of it, or another */
    static DaemonProcess start(Path socket, int port, String backend, String transport, Map<String, String> environment)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                        "-cp",
                        System.getProperty("java.class.path"),
                        DaemonProcess.class.getName(),
                        socket.toString(),
                        String.valueOf(port),
                        backend,
                        transport)
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().putAll(environment);
        Process process = builder.start();
        BufferedReader said =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        if (!"ready".equals(said.readLine())) {
            process.destroyForcibly();
            throw new IOException("the daemon did not start");
        }
        return new DaemonProcess(process);
    }

    long pid() {
        return process.pid();
    }

    boolean lives() {
        return process.isAlive();
    }

    /** As {@code kill -9}. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    public static void main(String[] arguments) throws Exception {
        DaemonConfig usual = DaemonPair.config(Path.of(arguments[0]), DaemonPair.QUOTAS);
        InetSocketAddress address =
                new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[1]));
        NodeConfig node = NodeConfig.builder()
                .backend(arguments[2])
                .transport(arguments[3])
                .gpus(2)
                .channels(4)
                .nics(List.of("lo1", "lo2"))
                .deadline(Duration.ofSeconds(20))
                .build();
        Daemon daemon = Daemon.open(new DaemonConfig(
                node,
                usual.socket(),
                usual.socketDescriptor(),
                usual.mode(),
                usual.group(),
                Optional.of(address),
                usual.unprotected(),
                usual.quotas(),
                usual.transferDeadline()));
        System.out.println("ready");
        while (System.in.read() >= 0) {
            // until the test ends
        }
        daemon.close();
        System.exit(0);
    }
}
