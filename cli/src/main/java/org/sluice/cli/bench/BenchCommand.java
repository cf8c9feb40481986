package org.sluice.cli.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sluice.NodeConfig;
import org.sluice.cli.common.ExitCode;
import org.sluice.cli.common.FreePorts;
import org.sluice.cli.common.Json;
import org.sluice.cli.common.LoopbackRails;
import org.sluice.cli.common.NicNames;
import org.sluice.cli.common.Secret;
import org.sluice.cli.common.ServerProcess;
import org.sluice.cli.common.Values;
import org.sluice.cli.common.Version;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code sluice bench}: sweeps sizes and settings over one pair of GPUs, or looks for the best setting. */
@Command(
        name = "bench",
        header = "Measures sizes and settings between two machines, or over loopback.",
        customSynopsis = {"sluice bench --serve [OPTIONS]", "       sluice bench [HOST] [OPTIONS]"},
        footer = {"Example: sluice bench 10.0.0.7 --sizes 1MiB,64MiB --channels 4,8", "         sluice bench --tune"},
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class BenchCommand implements Callable<Integer> {
    private static final List<Long> SIZES = List.of(4L << 10, 64L << 10, 1L << 20, 16L << 20, 64L << 20);
    private static final List<Long> LATENCY_SIZES = List.of(8L, 64L << 10);
    private static final BenchSetting USUAL = new BenchSetting(8, 512 << 10, 16);
    private static final List<Integer> CHANNELS_TO_TRY = List.of(1, 2, 4, 8, 16);
    private static final List<Long> CHUNKS_TO_TRY = List.of(256L << 10, 512L << 10, 1L << 20, 4L << 20);
    private static final List<Integer> WINDOWS_TO_TRY = List.of(4, 16, 64);

    /** The server takes the client's window, so its own must not be the lower. */
    private static final int MOST_WINDOW = 1024;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "HOST", arity = "0..1", description = "where 'sluice bench --serve' runs (loopback)")
    private @Nullable String host;

    @Option(names = "--serve", description = "be the measured side, for client after client")
    private boolean serve;

    @Option(names = "--tune", description = "find the best setting at the largest size")
    private boolean tune;

    @Option(
            names = "--sizes",
            paramLabel = "<a,b>",
            split = ",",
            hideParamSyntax = true,
            converter = Values.Size.class,
            description = "bytes of a transfer (4KiB to 64MiB)")
    private List<Long> sizes = SIZES;

    @Option(
            names = "--channels",
            paramLabel = "<a,b>",
            split = ",",
            hideParamSyntax = true,
            description = "channels, 1-64 (8)")
    private @Nullable List<Integer> channels;

    @Option(
            names = "--chunk",
            hidden = true,
            paramLabel = "<a,b>",
            split = ",",
            hideParamSyntax = true,
            converter = Values.Size.class,
            description = "units of striping (512KiB)")
    private @Nullable List<Long> chunks;

    @Option(
            names = "--window",
            hidden = true,
            paramLabel = "<a,b>",
            split = ",",
            hideParamSyntax = true,
            description = "chunks in flight per channel (16)")
    private @Nullable List<Integer> windows;

    @Option(
            names = "--time",
            paramLabel = "<time>",
            converter = Values.Time.class,
            description = "measure each point for so long (1s)")
    private Duration time = Duration.ofSeconds(1);

    @Option(
            names = "--op",
            paramLabel = "<name>",
            converter = BenchWork.OpName.class,
            description = "write, read or send (write)")
    private BenchWork.Op op = BenchWork.Op.WRITE;

    @Option(names = "--layout", paramLabel = "<form>", description = "range, or blocks:16KiB, of whole blocks (range)")
    private String layout = "range";

    @Option(names = "--shuffle", description = "blocks in random order at both ends")
    private boolean shuffle;

    @Option(names = "--prepared", hidden = true, description = "tell layouts once; with --shuffle, select from them")
    private boolean prepared;

    @Option(names = "--latency", description = "one at a time; sizes 8 B and 64 KiB")
    private boolean latency;

    @Option(
            names = "--small-bytes",
            hidden = true,
            paramLabel = "<size>",
            converter = Values.Size.class,
            description = "longest transfer in its announcement, to 64KiB (4KiB; 16 times that where few are)")
    private long smallBytes = NodeConfig.SMALL_BYTES;

    @Option(
            names = "--spin",
            hidden = true,
            paramLabel = "<time>",
            converter = Values.Time.class,
            description = "agents look for work so long before they rest (20us; few CPUs: 0)")
    private @Nullable Duration spin;

    @Option(names = "--under-way", paramLabel = "<n>", description = "transfers at a time, 1-1024 (2)")
    private int underWay = 2;

    @Option(
            names = "--nics",
            paramLabel = "<a,b>",
            split = ",",
            hideParamSyntax = true,
            description = "NICs to use, in this order (all)")
    private @Nullable List<String> nics;

    @Option(names = "--port", paramLabel = "<port>", description = "bootstrap port (20000)")
    private @Nullable Integer port;

    @Option(names = "--backend", paramLabel = "<name>", description = "cuda, host or auto (auto)")
    private String backend = "auto";

    @Option(names = "--transport", paramLabel = "<name>", description = "tcp, or ipc on one host (tcp)")
    private String transport = "tcp";

    @Option(
            names = "--wait",
            hidden = true,
            paramLabel = "<time>",
            converter = Values.Time.class,
            description = "how long to wait for a client (10m)")
    private Duration wait = Duration.ofMinutes(10);

    @Option(names = "--json", description = "print the result as one JSON document")
    private boolean json;

    @Override
    public Integer call() {
        if (sizes.stream().anyMatch(s -> s < 1)
                || given(channels).anyMatch(c -> c < 1)
                || given(chunks).anyMatch(k -> k < 1)
                || given(windows).anyMatch(w -> w < 1)
                || time.isNegative()
                || time.isZero()
                || underWay < 1
                || underWay > 1024) {
            throw new ParameterException(
                    spec.commandLine(),
                    "sizes, channels, chunks, windows and time must be more than 0, transfers under way 1 to 1024");
        }
        if (latency) {
            underWay = 1;
            sizes = sizes.equals(SIZES) ? LATENCY_SIZES : sizes;
        }
        long block;
        try {
            block = BenchWork.blockBytes(layout, new Values.Size()::convert);
        } catch (IllegalArgumentException | TypeConversionException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        if (block > 0 && sizes.stream().anyMatch(s -> s % block != 0)) {
            throw new ParameterException(spec.commandLine(), "sizes must be whole blocks of " + block + " bytes");
        }
        work = new BenchWork(op, block, shuffle, prepared);
        if (serve) {
            BenchServer.serve(node(USUAL).window(MOST_WINDOW).build());
            return ExitCode.OK;
        }
        String to = host;
        if (to != null) {
            return print(measured(to));
        }
        if (port == null) {
            port = FreePorts.inARow(1);
        }
        if (nics == null) {
            nics = LoopbackRails.NICS;
        }
        List<String> server = List.of(
                "bench",
                "--serve",
                "--port=" + port,
                "--nics=" + String.join(",", nics),
                "--backend=" + backend,
                "--transport=" + transport,
                "--small-bytes=" + smallBytes,
                "--spin=" + node(USUAL).build().devices().spin().toNanos() / 1000 + "us");
        try (ServerProcess _ = ServerProcess.start(server)) {
            return print(measured(LoopbackRails.HOST));
        }
    }

    private BenchWork work = new BenchWork(BenchWork.Op.WRITE, 0, false, false);

    private static <T> Stream<T> given(@Nullable List<T> values) {
        return values == null ? Stream.empty() : values.stream();
    }

    private BenchReport measured(String to) {
        if (tune) {
            long size = sizes.stream().mapToLong(Long::longValue).max().orElseThrow();
            BenchTuning tuning =
                    new BenchTuning(s -> sweep(to, s, List.of(size)).getFirst());
            BenchSetting best = tuning.best(
                    channels == null ? CHANNELS_TO_TRY : channels,
                    chunks == null ? CHUNKS_TO_TRY : chunks,
                    windows == null ? WINDOWS_TO_TRY : windows,
                    USUAL);
            return new BenchReport(to, underWay, tuning.points(), best);
        }
        List<BenchPoint> points = new ArrayList<>();
        for (int c : channels == null ? List.of(USUAL.channels()) : channels) {
            for (long k : chunks == null ? List.of(USUAL.chunk()) : chunks) {
                for (int w : windows == null ? List.of(USUAL.window()) : windows) {
                    points.addAll(sweep(to, new BenchSetting(c, k, w), sizes));
                }
            }
        }
        return new BenchReport(to, underWay, List.copyOf(points), null);
    }

    private List<BenchPoint> sweep(String to, BenchSetting with, List<Long> all) {
        long largest = all.stream().mapToLong(Long::longValue).max().orElseThrow();
        NodeConfig config = node(with).note(BenchServer.note(largest)).build();
        try (BenchLink link = BenchLink.connect(config, to, largest, with, work)) {
            return all.stream().map(s -> link.measure(s, time, underWay)).toList();
        }
    }

    private NodeConfig.Builder node(BenchSetting with) {
        NodeConfig.Builder b = NodeConfig.builder()
                .gpus(1)
                .backend(backend)
                .transport(transport)
                .channels(with.channels())
                .chunkBytes(with.chunk())
                .window(with.window())
                .smallBytes(Math.toIntExact(smallBytes))
                .clientWait(wait)
                .secret(Secret.read(null));
        if (spin != null) {
            b.spin(spin);
        }
        if (nics != null) {
            b.nics(NicNames.of(nics).here());
        }
        if (port != null) {
            b.portBase(port);
        }
        return b;
    }

    private int print(BenchReport report) {
        spec.commandLine().getOut().print(json ? Json.of(report) : report.text());
        spec.commandLine().getOut().flush();
        return report.wrong() == 0 ? ExitCode.OK : ExitCode.MISMATCH;
    }
}
