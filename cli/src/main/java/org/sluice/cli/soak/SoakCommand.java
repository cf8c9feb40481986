package org.sluice.cli.soak;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.sluice.ChannelStats;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.Transfer;
import org.sluice.Where;
import org.sluice.cli.common.ExitCode;
import org.sluice.cli.common.FreePorts;
import org.sluice.cli.common.Logging;
import org.sluice.cli.common.LoopbackRails;
import org.sluice.cli.common.Values;
import org.sluice.cli.common.Version;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code sluice soak}: two nodes over loopback rails that move messages of random sizes in random directions while their
 * connections are reset, stand still and damage chunks, and links are closed and made anew; lists of blocks, prepared ones, notifications,
 * small messages and transfers that are given up are mixed in. Every byte is compared. Without a drill, and over a plugin, nothing breaks
 * anything: then a channel that is given up was given up without a reason, and the soak fails too.
 */
@Command(
        name = "soak",
        header = "Moves random messages and lists under faults; compares every byte.",
        customSynopsis = "sluice soak [OPTIONS]",
        footer = "Example: sluice soak --duration 60s",
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class SoakCommand implements Callable<Integer> {
    private static final int LARGEST = 8 << 20;

    /** A transfer of at most 8 MiB that takes longer hangs. */
    private static final Duration HANG = Duration.ofSeconds(30);

    private static final int ROUNDS_OF_A_LINK = 40;

    /** Below an eighth of the time that the drill lets a connection stand still: so the channel is given up. */
    private static final Duration STALL = Duration.ofMillis(50);

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--duration", paramLabel = "<time>", converter = Values.Time.class, description = "how long (60s)")
    private Duration duration = Duration.ofSeconds(60);

    @Option(
            names = "--drill",
            paramLabel = "<faults>",
            description = "faults, and the mean number of chunks between two; none (${DEFAULT-VALUE})")
    private String drill = "reset:300,stall:3000,damage:100";

    @Option(names = "--plugin", paramLabel = "<path>", description = "over a NCCL net plugin, without faults")
    private @Nullable Path plugin;

    @Option(names = "--encrypt", description = "encrypt the channels")
    private boolean encrypt;

    @Option(names = "--seed", paramLabel = "<n>", description = "of sizes and directions (by the clock)")
    private long seed = System.nanoTime();

    private long messages;
    private long bytes;
    private long links;
    private long wrong;
    private long reconnects;
    private long retried;
    private long damaged;

    @Override
    public Integer call() {
        if (duration.isZero()) {
            throw new ParameterException(spec.commandLine(), "a soak of no time would show nothing; give --duration");
        }
        if (plugin == null && !drill.equals("none")) {
            Logging.expectLostChannels();
        }
        PrintWriter out = spec.commandLine().getOut();
        boolean drilled = plugin == null && !drill.equals("none");
        out.println("soak: seed " + seed + ", faults " + (drilled ? drill : "none") + (encrypt ? ", encrypted" : ""));
        Random random = new Random(seed);
        NodeConfig config = configuration(drilled);
        long end = System.nanoTime() + duration.toNanos();
        try (Node server = Node.open(config);
                Node client = Node.open(config)) {
            server.bind();
            List<Region> regions = List.of(
                    client.allocate(0, LARGEST),
                    server.allocate(0, LARGEST),
                    server.allocate(0, LARGEST),
                    client.allocate(0, LARGEST));
            while (System.nanoTime() < end) {
                CompletableFuture<Link> accepted = CompletableFuture.supplyAsync(() -> server.accept(0));
                try (Link there = client.connect(0, LoopbackRails.HOST);
                        Link here = join(accepted)) {
                    links++;
                    Extras extras = new Extras(there, here, random, HANG);
                    for (int i = 0; i < ROUNDS_OF_A_LINK && System.nanoTime() < end; i++) {
                        round(there, here, regions, random);
                        extra(extras, regions, random);
                    }
                    wrong += extras.wrong();
                    count(there);
                    count(here);
                }
            }
        }
        out.printf(
                "soak: %d messages, %d MiB, %d links; survived %d reconnects, %d chunks taken back, %d damaged; %d wrong messages%n",
                messages, bytes >> 20, links, reconnects, retried, damaged, wrong);
        out.flush();
        if (wrong > 0) {
            return ExitCode.MISMATCH;
        }
        if (!drilled && reconnects + retried + damaged > 0) {
            throw new LinkException(
                    Where.NOWHERE, reconnects + " channels were given up though nothing broke them; see the log");
        }
        return ExitCode.OK;
    }

    private NodeConfig configuration(boolean drilled) {
        NodeConfig.Builder node = NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .chunkBytes(64 << 10)
                .portBase(FreePorts.inARow(1))
                .secret(("soak " + seed).getBytes(StandardCharsets.UTF_8));
        Path library = plugin;
        if (library != null) {
            return node.transport("nccl-net")
                    .transportOptions(Map.of("plugin", library.toString()))
                    .build();
        }
        Map<String, String> options =
                new HashMap<>(Map.of("checksum", "on", "encryption", encrypt ? "aes-gcm" : "off"));
        if (drilled) {
            options.put("drill", drill);
            node.stallTimeout(STALL);
        }
        return node.nics(LoopbackRails.NICS).transportOptions(options).build();
    }

    private static Link join(CompletableFuture<Link> accepted) {
        try {
            return accepted.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof SluiceException s ? s : new LinkException(String.valueOf(e.getCause()), e);
        }
    }

    /** A message each way, one of them perhaps one-sided, both at once; then both compared. */
    private void round(Link client, Link server, List<Region> regions, Random random) {
        Region clientOut = regions.get(0);
        Region serverIn = regions.get(1);
        Region serverOut = regions.get(2);
        Region clientIn = regions.get(3);
        int there = random.nextInt(LARGEST + 1);
        int back = random.nextInt(LARGEST + 1);
        long contents = random.nextLong();
        clientOut.fill(0, there, contents);
        serverOut.fill(0, back, contents + 1);
        List<Transfer> transfers = new ArrayList<>();
        switch (random.nextInt(3)) {
            case 0 -> transfers.add(client.write(clientOut, 0, there, serverIn.remoteKey(), 0));
            case 1 -> transfers.add(server.read(serverIn, 0, there, clientOut.remoteKey(), 0));
            default -> {
                transfers.add(server.receive(serverIn, 0, there));
                transfers.add(client.send(clientOut, 0, there));
            }
        }
        transfers.add(client.receive(clientIn, 0, back));
        transfers.add(server.send(serverOut, 0, back));
        transfers.forEach(t -> t.await(HANG));
        wrong += serverIn.mismatch(0, there, contents) < 0 ? 0 : 1;
        wrong += clientIn.mismatch(0, back, contents + 1) < 0 ? 0 : 1;
        messages += 2;
        bytes += (long) there + back;
    }

    /** Blocks in random order with a notification, prepared ones in two selections, small messages, and a transfer that is given up. */
    private void extra(Extras extras, List<Region> regions, Random random) {
        long contents = random.nextLong();
        regions.get(0).fill(0, LARGEST, contents);
        int listed = extras.listed(regions.get(0), regions.get(1), random.nextInt(LARGEST + 1));
        wrong += regions.get(1).mismatch(0, listed, contents) < 0 ? 0 : 1;
        extras.givenUp(regions.get(0), regions.get(1), random.nextInt(LARGEST + 1));
        int prepared = extras.prepared(regions.get(0), regions.get(1), random.nextInt(LARGEST + 1));
        wrong += regions.get(1).mismatch(0, prepared, contents) < 0 ? 0 : 1;
        int small = extras.small(regions.get(3), regions.get(2));
        messages += 4 + Extras.SMALL_MESSAGES;
        bytes += (long) listed + prepared + small;
    }

    private void count(Link link) {
        reconnects += sum(link, ChannelStats::reconnects);
        retried += sum(link, ChannelStats::retried);
        damaged += sum(link, ChannelStats::damaged);
    }

    private static long sum(Link link, ToLongFunction<ChannelStats> what) {
        return link.channels().stream().mapToLong(what).sum();
    }
}
