package org.sluice.tcp.rails;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.sluice.testkit.Lab;
import org.sluice.testkit.Lab.Place;

/** Which NICs of two hosts reach each other, by the testkit's C program and its bound sockets: what Sluice says is held against it. */
final class Reach {
    private static final String PORT = "4999";

    private Reach() {}

    /** Addresses of a NIC, link-local ones included. */
    private static List<String> addresses(Lab lab, Place host, String nic) throws IOException {
        List<String> addresses = new ArrayList<>();
        for (String line :
                lab.run(host, "ip", "-o", "addr", "show", "dev", nic).lines().toList()) {
            String[] words = line.strip().split("\\s+", -1);
            addresses.add(words[3].substring(0, words[3].indexOf('/')));
        }
        return addresses;
    }

    /** Pairs {@code client's-nic server's-nic} of which the client reaches the server's by an address that belongs to it. */
    static Set<String> of(Lab lab, Path program, List<String> serverNics, List<String> clientNics) throws IOException {
        List<String> serve = new ArrayList<>(List.of(program.toString(), "serve", PORT));
        serve.addAll(serverNics);
        Process server = new ProcessBuilder(lab.command(Place.A, serve)).start();
        try (BufferedReader said = server.inputReader(StandardCharsets.UTF_8)) {
            if (!"READY".equals(said.readLine())) {
                throw new IOException(
                        "reach does not serve: " + server.errorReader().readLine());
            }
            return tries(lab, program, serverNics, clientNics);
        } finally {
            server.destroyForcibly();
        }
    }

    private static Set<String> tries(Lab lab, Path program, List<String> serverNics, List<String> clientNics)
            throws IOException {
        List<String> lines = new ArrayList<>();
        List<String> pairs = new ArrayList<>();
        List<List<String>> targets = new ArrayList<>();
        for (String nic : serverNics) {
            targets.add(addresses(lab, Place.A, nic));
        }
        for (String nic : clientNics) {
            for (String source : addresses(lab, Place.B, nic)) {
                for (int s = 0; s < serverNics.size(); s++) {
                    for (String target : targets.get(s)) {
                        if (source.contains(":") == target.contains(":")
                                && source.startsWith("fe80") == target.startsWith("fe80")) {
                            lines.add(nic + " " + source + " " + target);
                            pairs.add(nic + " " + serverNics.get(s));
                        }
                    }
                }
            }
        }
        Process client = new ProcessBuilder(lab.command(Place.B, List.of(program.toString(), "try", PORT)))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        client.outputWriter(StandardCharsets.UTF_8)
                .append(String.join("\n", lines))
                .append("\n")
                .close();
        Set<String> reached = new TreeSet<>();
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8))) {
            for (int i = 0; i < lines.size(); i++) {
                String cameInBy = in.readLine();
                if (pairs.get(i).endsWith(" " + cameInBy)) {
                    reached.add(pairs.get(i));
                }
            }
        }
        return reached;
    }
}
