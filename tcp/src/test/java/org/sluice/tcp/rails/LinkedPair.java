package org.sluice.tcp.rails;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.sluice.testkit.Lab;
import org.sluice.testkit.Lab.Place;

/** Runs a server on host A and a client on host B, to their ends. @param server what it said @param client what it said */
record LinkedPair(List<String> server, List<String> client) {
    private static final int LIMIT_SECONDS = 120;

    /** What happens once the client looks for its server. */
    interface Meanwhile {
        void happens() throws Exception;
    }

    /** As below, but the client is there first. @param meanwhile before the server is started */
    static LinkedPair run(
            Lab lab, String host, List<String> serverOptions, List<String> clientOptions, Meanwhile meanwhile)
            throws Exception {
        Process client = start(lab, Place.B, arguments(List.of("client", host), clientOptions));
        try {
            CompletableFuture<Void> looking = new CompletableFuture<>();
            CompletableFuture<List<String>> clientSaid = read(client, looking);
            looking.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            meanwhile.happens();
            Process server = start(lab, Place.A, arguments(List.of("server"), serverOptions));
            try {
                CompletableFuture<List<String>> said = read(server, new CompletableFuture<>());
                return new LinkedPair(
                        said.get(LIMIT_SECONDS, TimeUnit.SECONDS), clientSaid.get(LIMIT_SECONDS, TimeUnit.SECONDS));
            } finally {
                server.destroyForcibly();
            }
        } finally {
            client.destroyForcibly();
        }
    }

    /** @param host where the client finds the server */
    static LinkedPair run(Lab lab, String host, List<String> serverOptions, List<String> clientOptions)
            throws Exception {
        Process server = start(lab, Place.A, arguments(List.of("server"), serverOptions));
        try {
            CompletableFuture<Void> bound = new CompletableFuture<>();
            CompletableFuture<List<String>> said = read(server, bound);
            bound.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            Process client = start(lab, Place.B, arguments(List.of("client", host), clientOptions));
            try {
                List<String> clientSaid =
                        read(client, new CompletableFuture<>()).get(LIMIT_SECONDS, TimeUnit.SECONDS);
                // a client that never came is not waited for
                if (clientSaid.stream().noneMatch(l -> l.startsWith("READY")) && !server.waitFor(2, TimeUnit.SECONDS)) {
                    server.destroyForcibly();
                }
                return new LinkedPair(said.get(LIMIT_SECONDS, TimeUnit.SECONDS), clientSaid);
            } finally {
                client.destroyForcibly();
            }
        } finally {
            server.destroyForcibly();
        }
    }

    private static List<String> arguments(List<String> first, List<String> options) {
        List<String> all = new ArrayList<>(first);
        all.addAll(options);
        return all;
    }

    private static Process start(Lab lab, Place place, List<String> arguments) throws IOException {
        String modules = System.getProperty("jdk.module.path", "");
        String path = System.getProperty("java.class.path");
        List<String> command = new ArrayList<>(
                List.of(ProcessHandle.current().info().command().orElse("java"), "-Xmx256m", "-XX:+UseSerialGC"));
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(List.of(
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=" + System.getProperty("rails.log", "off"),
                "-Dorg.slf4j.simpleLogger.showDateTime=true",
                "-cp",
                modules.isEmpty() ? path : modules + ":" + path,
                LinkedSide.class.getName()));
        command.addAll(arguments);
        return new ProcessBuilder(lab.command(place, command))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static CompletableFuture<List<String>> read(Process process, CompletableFuture<Void> bound) {
        CompletableFuture<List<String>> said = new CompletableFuture<>();
        // a virtual one would hold one of the few carriers for as long as the process is silent
        Thread.ofPlatform().daemon(true).start(() -> {
            List<String> lines = new ArrayList<>();
            try (BufferedReader in =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    lines.add(line);
                    if (line.equals("BOUND")) {
                        bound.complete(null);
                    }
                }
            } catch (IOException e) {
                lines.add("FAILED " + e);
            }
            bound.complete(null);
            said.complete(lines);
        });
        return said;
    }

    boolean isRight() {
        return server.contains("RIGHT") && client.contains("RIGHT");
    }

    private static List<String> after(List<String> lines, String word) {
        return lines.stream()
                .filter(l -> l.startsWith(word + " "))
                .map(l -> l.substring(word.length() + 1))
                .toList();
    }

    /** What carried something, as the client names it: {@code its-nic server's-nic}. */
    List<String> rails() {
        return after(client, "RAIL");
    }

    /** NICs that the server and the client say carry nothing, or are left out. */
    List<String> leftOut(boolean ofServer) {
        return after(ofServer ? server : client, "LEFT");
    }

    long readyMillis() {
        return Long.parseLong(after(client, "READY").getFirst());
    }

    String failure() {
        return String.join(" | ", after(client, "FAILED")) + " || " + String.join(" | ", after(server, "FAILED"));
    }
}
