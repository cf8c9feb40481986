package org.sluice.cli.watch;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ConfigException;

/** Serves {@code /metrics} for Prometheus, a live page at {@code /} and its figures at {@code /stats.json}. Takes only GET. */
final class MetricsServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(MetricsServer.class);

    /** The page, and nothing it could load from elsewhere. */
    private static final String POLICY =
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'";

    private final HttpServer server;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("metrics").daemon(true).factory());

    /** @param picture document of what is to be seen; @param metrics the same for Prometheus */
    MetricsServer(MetricsAddress address, Supplier<String> picture, Supplier<String> metrics) {
        try {
            server = HttpServer.create(address.socket(), 0);
        } catch (IOException e) {
            throw new ConfigException(
                    "cannot serve metrics at " + address.socket() + ": " + e.getMessage() + "; give another --metrics",
                    e);
        }
        server.createContext("/", x -> answer(x, "/", "text/html; charset=utf-8", Page::live));
        server.createContext("/stats.json", x -> answer(x, "/stats.json", "application/json", picture));
        server.createContext(
                "/metrics", x -> answer(x, "/metrics", "text/plain; version=0.0.4; charset=utf-8", metrics));
        server.setExecutor(thread);
        server.start();
        log.info("metrics at http:/{}/", server.getAddress());
    }

    private static void answer(HttpExchange exchange, String path, String type, Supplier<String> body)
            throws IOException {
        try (exchange) {
            if (!exchange.getRequestURI().getPath().equals(path)) {
                exchange.sendResponseHeaders(404, -1);
            } else if (!exchange.getRequestMethod().equals("GET")) {
                exchange.sendResponseHeaders(405, -1);
            } else {
                byte[] bytes = body.get().getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", type);
                exchange.getResponseHeaders().set("Content-Security-Policy", POLICY);
                exchange.getResponseHeaders().set("Cache-Control", "no-store");
                exchange.sendResponseHeaders(200, bytes.length);
                exchange.getResponseBody().write(bytes);
            }
        } catch (RuntimeException e) {
            log.warn("metrics: {} failed", path, e);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        thread.shutdownNow();
    }
}
