package org.sluice.cli.daemon;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.ToLongFunction;
import org.sluice.ConfigException;
import org.sluice.cli.watch.PathMetrics;
import org.sluice.daemon.ClientStatus;
import org.sluice.daemon.Daemon;

/** Serves {@code /metrics} for Prometheus, with a row per client. */
final class DaemonMetrics implements AutoCloseable {
    private static final String TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private record Row(String name, String type, String help, ToLongFunction<ClientStatus> value) {}

    private static final List<Row> ROWS = List.of(
            new Row("memory_bytes", "gauge", "registered memory", ClientStatus::memoryBytes),
            new Row("memories", "gauge", "registrations", ClientStatus::memories),
            new Row("links", "gauge", "links", ClientStatus::links),
            new Row(
                    "requests_total",
                    "counter",
                    "requests taken",
                    c -> c.counts().requests()),
            new Row(
                    "done_total",
                    "counter",
                    "requests that ended well",
                    c -> c.counts().done()),
            new Row(
                    "failed_total",
                    "counter",
                    "requests that ended badly",
                    c -> c.counts().failed()),
            new Row(
                    "written_bytes_total",
                    "counter",
                    "bytes written",
                    c -> c.counts().writtenBytes()),
            new Row("read_bytes_total", "counter", "bytes read", c -> c.counts().readBytes()),
            new Row(
                    "notes_total",
                    "counter",
                    "notifications brought to it",
                    c -> c.counts().notes()),
            new Row(
                    "notes_lost_total",
                    "counter",
                    "notifications it was too slow for",
                    c -> c.counts().notesLost()));

    private final HttpServer server;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("metrics").daemon(true).factory());

    DaemonMetrics(InetSocketAddress address, Daemon daemon) {
        try {
            server = HttpServer.create(address, 0);
        } catch (IOException e) {
            throw new ConfigException(
                    "cannot serve metrics at " + address + ": " + e.getMessage() + "; give another --metrics", e);
        }
        server.createContext("/metrics", x -> answer(x, text(daemon.clients()) + PathMetrics.of(daemon.node())));
        server.setExecutor(thread);
        server.start();
    }

    private static void answer(HttpExchange exchange, String text) throws IOException {
        try (exchange) {
            byte[] body = text.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", TYPE);
            exchange.sendResponseHeaders(exchange.getRequestMethod().equals("GET") ? 200 : 405, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    static String text(List<ClientStatus> clients) {
        StringBuilder b = new StringBuilder("# HELP sluice_daemon_clients clients that are there\n")
                .append("# TYPE sluice_daemon_clients gauge\nsluice_daemon_clients ")
                .append(clients.size())
                .append('\n');
        for (Row row : ROWS) {
            String name = "sluice_daemon_client_" + row.name();
            b.append("# HELP ").append(name).append(' ').append(row.help()).append('\n');
            b.append("# TYPE ").append(name).append(' ').append(row.type()).append('\n');
            for (ClientStatus c : clients) {
                b.append(name)
                        .append("{client=\"")
                        .append(c.number())
                        .append("\",name=\"")
                        .append(c.name().replace("\\", "\\\\").replace("\"", "\\\""))
                        .append("\",pid=\"")
                        .append(c.pid())
                        .append("\",uid=\"")
                        .append(c.uid())
                        .append("\"} ")
                        .append(row.value().applyAsLong(c))
                        .append('\n');
            }
        }
        return b.toString();
    }

    @Override
    public void close() {
        server.stop(0);
        thread.shutdownNow();
    }
}
