package org.sluice.cli.matrix;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sluice.ConfigException;
import org.sluice.rendezvous.Chair;

/**
 * Says what all do next, and makes the result of what they have seen: the rounds of the tournament, then those pairs again that
 * look bad though both nodes are fine with others, then all at once if asked for. Called for one step after the other.
 */
final class Referee implements Chair {
    /** How often what still looks bad is measured again: what looks bad by chance looks fine in one of these. */
    private static final int MOST_LOOKS = 3;

    /** Of each such look: what is bad is bad in few pairs, or many NICs would be named. */
    private static final int MOST_ROUNDS_AGAIN = 6;

    private final Plan plan;
    private final boolean judges;
    private final @Nullable Double expected;
    private final Consumer<String> progress;
    private final Instant startedAt = Instant.now();
    private final CompletableFuture<MatrixReport> report = new CompletableFuture<>();
    private final List<MatrixReport.Member> nodes = new ArrayList<>();
    private final Map<Integer, Way> ways = new TreeMap<>();
    private final List<Way> loaded = new ArrayList<>();
    private final Deque<Order> orders = new ArrayDeque<>();
    private Order underWay = Order.of(Order.Kind.END);
    private int rounds;
    private int roundsAgain;
    private int looks;
    private int begun;

    /**
     * @param judges whether outliers are looked for; nodes that share a machine share its cores, and their rates say nothing of NICs
     * @param expected the least rate of every direction, 10^9 bytes a second; null for none
     * @param progress told what goes on, in a line
     */
    Referee(Plan plan, boolean judges, @Nullable Double expected, Consumer<String> progress) {
        this.plan = plan;
        this.judges = judges;
        this.expected = expected;
        this.progress = progress;
    }

    /** The result, once there is one. Any thread. */
    MatrixReport report() {
        return report.orTimeout(1, TimeUnit.MINUTES).join();
    }

    @Override
    public byte[] conclude(int step, List<byte[]> words) {
        if (step == 0) {
            for (int r = 0; r < words.size(); r++) {
                nodes.add(Words.facts(words.get(r), r));
            }
            check();
            Tournament.rounds(nodes.size()).forEach(r -> orders.add(Order.round(r)));
            rounds = orders.size();
            return plan.encode();
        }
        List<List<Sight>> seen =
                words.stream().map(w -> Words.sights(w, nodes.size())).toList();
        switch (underWay.kind()) {
            case ROUND ->
                underWay.pairs().forEach(p -> {
                    put(p.low(), p.high(), seen);
                    put(p.high(), p.low(), seen);
                });
            case LOAD_ALL -> load(seen);
            case LINK_ALL, END -> {}
        }
        underWay = next();
        return Words.of(underWay);
    }

    private void check() {
        for (int r = 0; r < nodes.size(); r++) {
            MatrixReport.Member n = nodes.get(r);
            if (n.gpus() < plan.gpus()) {
                throw new ConfigException("rank " + r + " (" + n.name() + ") has " + n.gpus() + " GPUs, rank 0 wants "
                        + plan.gpus() + "; give all the same --gpus");
            }
            if (!n.backend().equals(nodes.getFirst().backend())) {
                throw new ConfigException("rank " + r + " (" + n.name() + ") has " + n.backend()
                        + " memory, rank 0 has " + nodes.getFirst().backend() + "; give all the same --backend");
            }
        }
    }

    private Order next() {
        if (orders.isEmpty() && looks < MOST_LOOKS) {
            List<List<Pairing>> again = Tournament.some(doubtful(), MOST_ROUNDS_AGAIN);
            again.forEach(r -> orders.add(Order.round(r)));
            roundsAgain += again.size();
            looks = again.isEmpty() ? MOST_LOOKS : looks + 1;
            if (looks == MOST_LOOKS && plan.all() && nodes.size() > 1) {
                orders.add(Order.of(Order.Kind.LINK_ALL));
                orders.add(Order.of(Order.Kind.LOAD_ALL));
            }
        }
        Order order = orders.poll();
        if (order == null) {
            MatrixReport result = result();
            report.complete(result);
            return Order.end(MatrixText.status(result), MatrixText.verdict(result));
        }
        if (order.kind() == Order.Kind.ROUND) {
            begun++;
            progress.accept(
                    begun <= rounds
                            ? "round " + begun + " of " + rounds
                            : "measuring again what looks bad, round " + (begun - rounds) + " of " + roundsAgain);
        } else {
            progress.accept(order.kind() == Order.Kind.LINK_ALL ? "linking all" : "all at once");
        }
        return order;
    }

    private int place(int from, int to) {
        return from * nodes.size() + to;
    }

    private void put(int from, int to, List<List<Sight>> seen) {
        Way way = Way.of(from, to, sight(from, to, seen), sight(to, from, seen));
        ways.merge(place(from, to), way, Way::again);
    }

    private static Sight sight(int of, int partner, List<List<Sight>> seen) {
        return seen.get(of).stream()
                .filter(s -> s.partner() == partner)
                .findFirst()
                .orElseGet(() -> Sight.failed(partner, "rank " + of + " said nothing of it"));
    }

    private void load(List<List<Sight>> seen) {
        for (int to = 0; to < nodes.size(); to++) {
            for (Sight s : seen.get(to)) {
                loaded.add(Way.of(s.partner(), to, sight(s.partner(), to, seen), s));
            }
        }
        loaded.sort(Comparator.comparingInt(w -> place(w.from(), w.to())));
    }

    private List<String> names() {
        return nodes.stream().map(MatrixReport.Member::name).toList();
    }

    private List<Finding> outliers() {
        return Outliers.of(names(), ways.values()).stream()
                .filter(f -> judges || f.what() == Finding.What.NO_LINK)
                .toList();
    }

    /** The pairs that look bad by themselves, the worst first. */
    private List<Pairing> doubtful() {
        return outliers().stream()
                .sorted(Comparator.comparingDouble(Finding::share))
                .flatMap(f -> f.peer() == null ? Stream.of() : Stream.of(Pairing.of(f.rank(), f.peer())))
                .distinct()
                .toList();
    }

    private MatrixReport result() {
        List<Finding> findings = new ArrayList<>(outliers());
        MatrixReport.Load load = loaded.isEmpty() ? null : loadPart();
        if (load != null && judges) {
            findings.addAll(LoadOutliers.of(names(), load, findings));
        }
        List<Way> good =
                ways.values().stream().filter(w -> w.failure().isEmpty()).toList();
        long wrong = Stream.concat(good.stream(), loaded.stream())
                .mapToLong(Way::wrong)
                .sum();
        int below = expected == null
                ? 0
                : (int) ways.values().stream()
                        .filter(w -> w.gbPerSecond() < expected)
                        .count();
        MatrixReport.Member first = nodes.getFirst();
        return new MatrixReport(
                findings.isEmpty() && wrong == 0 && below == 0,
                startedAt.toString(),
                nodes.size(),
                rounds,
                roundsAgain,
                plan.time().toMillis() / 1e3,
                first.backend().equals("host") ? "host memory" : "GPU memory (" + first.gpu() + ")",
                plan.gpus(),
                Stream.concat(good.stream(), loaded.stream())
                        .mapToLong(Way::verified)
                        .sum(),
                wrong,
                expected,
                below,
                MatrixReport.Spread.of(
                        good.stream().mapToDouble(Way::gbPerSecond).toArray()),
                MatrixReport.Spread.of(good.stream().mapToDouble(Way::p50Micros).toArray()),
                List.copyOf(findings),
                load,
                List.copyOf(nodes),
                List.copyOf(ways.values()));
    }

    private MatrixReport.Load loadPart() {
        Map<Integer, double[]> byNode = new HashMap<>();
        for (Way w : loaded) {
            byNode.computeIfAbsent(w.from(), n -> new double[2])[0] += w.gbPerSecond();
            byNode.computeIfAbsent(w.to(), n -> new double[2])[1] += w.gbPerSecond();
        }
        List<MatrixReport.NodeLoad> each = new ArrayList<>();
        for (int r = 0; r < nodes.size(); r++) {
            double[] rates = byNode.getOrDefault(r, new double[2]);
            each.add(new MatrixReport.NodeLoad(r, rates[0], rates[1]));
        }
        return new MatrixReport.Load(
                loaded.stream().mapToDouble(Way::gbPerSecond).sum(), each, List.copyOf(loaded));
    }
}
