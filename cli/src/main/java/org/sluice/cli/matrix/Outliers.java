package org.sluice.cli.matrix;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.ToDoubleFunction;

/**
 * Finds what is slow or loses segments, and whose fault it is. Each rate is compared with the usual one between NICs of the same names,
 * and each NIC is judged, for each direction, by what it does with most of its partners: a bad NIC is bad with nearly all of them and makes each of
 * them look bad once. The worst one is named, what it has to do with is set aside, and the rest is judged anew. What is bad between
 * two NICs that are fine with all others is the path between them.
 */
final class Outliers {
    /** So many standard deviations from the median. */
    private static final double FAR = 6;

    /** A NIC that is less than this below the usual rate is never named, one that is more than the other always. */
    private static final double LEAST_NIC = 0.15;

    private static final double LEAST_PATH = 0.3;
    private static final double MOST = 0.5;

    /** The least share of segments sent again that is named, of a NIC and of a single path. */
    private static final double LEAST_NIC_LOSS = 0.002;

    private static final double LEAST_PATH_LOSS = 0.01;

    /** How many times as much as usual is lost at least by what is named. */
    private static final double TIMES = 4;

    private final List<String> names;
    private final Map<Integer, Set<String>> nics = new TreeMap<>();
    private final List<Observation> all = new ArrayList<>();
    private final List<Way> failed = new ArrayList<>();

    /** A NIC in one direction. */
    private record End(int node, String nic, boolean sends) {
        Place place() {
            return new Place(node, nic, -1, "");
        }
    }

    /** Where a finding is gathered: for a NIC without a peer. */
    private record Place(int node, String nic, int peer, String peerNic) {}

    /** @param slow 0 where the rate is as usual, 1 where nothing moves, below 0 where it is faster */
    private record Observation(End from, End to, double slow, double loss) {
        boolean has(End end) {
            return from.equals(end) || to.equals(end);
        }
    }

    /** What all share who are judged. */
    private record Measure(ToDoubleFunction<Observation> badness, boolean ofLoss) {}

    private static final Measure RATE = new Measure(Observation::slow, false);
    private static final Measure LOSS = new Measure(Observation::loss, true);

    /** What is said of a place. */
    private static final class Bad {
        double slow;
        double loss;
        boolean sends;
        boolean receives;
        boolean byRate;
        boolean byLoss;

        boolean ofSameKind(Bad other) {
            return sends == other.sends
                    && receives == other.receives
                    && byRate == other.byRate
                    && byLoss == other.byLoss;
        }

        Phrases.Seen seen() {
            String direction = sends && receives ? "both" : sends ? "sends" : "receives";
            return new Phrases.Seen(direction, byRate ? slow : 0, byLoss ? loss : 0);
        }
    }

    private Outliers(List<String> names) {
        this.names = names;
    }

    /**
     * @param names of the nodes, by rank
     * @param ways every direction of every pair that was measured
     */
    static List<Finding> of(List<String> names, Collection<Way> ways) {
        Outliers outliers = new Outliers(names);
        outliers.take(ways);
        return outliers.findings();
    }

    private void take(Collection<Way> ways) {
        List<Way> good = ways.stream().filter(w -> w.failure().isEmpty()).toList();
        ways.stream().filter(w -> !w.failure().isEmpty() && w.from() < w.to()).forEach(failed::add);
        for (Way w : good) {
            for (Rail r : w.rails()) {
                nics.computeIfAbsent(w.from(), n -> new TreeSet<>()).add(r.nic());
                nics.computeIfAbsent(w.to(), n -> new TreeSet<>()).add(r.peerNic());
            }
        }
        Map<String, List<Double>> rates = new HashMap<>();
        for (Way w : good) {
            w.rails()
                    .forEach(r -> rates.computeIfAbsent(key(r.nic(), r.peerNic()), k -> new ArrayList<>())
                            .add(r.gbPerSecond()));
        }
        double overall = Robust.upperMedian(
                numbers(rates.values().stream().flatMap(List::stream).toList()));
        Map<String, Double> usualRates = new HashMap<>();
        // one bad NIC is in 2 of n rails: of few nodes that is most of them, so that the middle of the others is looked
        // for
        double middle = 0.5 + 1.0 / Math.max(2, names.size());
        rates.forEach(
                (k, same) -> usualRates.put(k, same.size() < 6 ? overall : Robust.quantile(numbers(same), middle)));
        for (Way w : good) {
            for (Rail r : w.rails()) {
                double usual = usualRates.getOrDefault(key(r.nic(), r.peerNic()), overall);
                double slow = usual > 0 ? 1 - r.gbPerSecond() / usual : 0;
                all.add(new Observation(
                        new End(w.from(), r.nic(), true), new End(w.to(), r.peerNic(), false), slow, r.loss()));
            }
        }
        addMissing(good);
    }

    /** Rails that most pairs with NICs of these names have, and some have not: nothing moves on them. */
    private void addMissing(List<Way> good) {
        Map<String, Integer> could = new HashMap<>();
        Map<String, Integer> carry = new HashMap<>();
        for (Way w : good) {
            forEachPair(w, (nic, peerNic) -> could.merge(nic + " " + peerNic, 1, Integer::sum));
            w.rails().forEach(r -> carry.merge(r.nic() + " " + r.peerNic(), 1, Integer::sum));
        }
        for (Way w : good) {
            forEachPair(w, (nic, peerNic) -> {
                String both = nic + " " + peerNic;
                if (2 * carry.getOrDefault(both, 0) > could.getOrDefault(both, 0) && !has(w, nic, peerNic)) {
                    all.add(new Observation(new End(w.from(), nic, true), new End(w.to(), peerNic, false), 1, 0));
                }
            });
        }
    }

    private void forEachPair(Way way, BiConsumer<String, String> what) {
        for (String nic : nics.getOrDefault(way.from(), Set.of())) {
            nics.getOrDefault(way.to(), Set.of()).forEach(peerNic -> what.accept(nic, peerNic));
        }
    }

    private static boolean has(Way way, String nic, String peerNic) {
        return way.rails().stream()
                .anyMatch(r -> r.nic().equals(nic) && r.peerNic().equals(peerNic));
    }

    private static String key(String a, String b) {
        return a.compareTo(b) < 0 ? a + " " + b : b + " " + a;
    }

    private static double[] numbers(List<Double> values) {
        return values.stream().mapToDouble(v -> v).toArray();
    }

    private List<Finding> findings() {
        Map<Place, Bad> bad = new LinkedHashMap<>();
        double usualLoss =
                Robust.median(all.stream().mapToDouble(Observation::loss).toArray());
        blameEnds(RATE, bad);
        blameEnds(LOSS, bad);
        // a NIC that is bad in one way explains whatever is odd about its paths
        List<Observation> unexplained = all.stream()
                .filter(o -> !bad.containsKey(o.from.place()) && !bad.containsKey(o.to.place()))
                .toList();
        blamePaths(unexplained, RATE, bad);
        blamePaths(unexplained, LOSS, bad);
        List<Finding> findings = new ArrayList<>(unlinked());
        Phrases phrases = new Phrases(names, usualLoss);
        Set<Integer> whole = wholeNodes(bad);
        Set<Integer> said = new HashSet<>();
        wholePaths(bad).forEach((place, b) -> {
            boolean asWhole = place.peer < 0 && whole.contains(place.node);
            if (!asWhole || said.add(place.node)) {
                findings.add(
                        phrases.finding(place.node, asWhole ? "" : place.nic, place.peer, place.peerNic, b.seen()));
            }
        });
        return findings;
    }

    /** Names the worst end, sets aside what it has to do with, and looks again. */
    private void blameEnds(Measure measure, Map<Place, Bad> bad) {
        List<Observation> rest = new ArrayList<>(all);
        Map<End, Double> scores = scores(rest, measure);
        double[] before = scores.values().stream().mapToDouble(v -> v).toArray();
        double limit = limit(before, measure, LEAST_NIC, LEAST_NIC_LOSS);
        while (true) {
            Optional<Map.Entry<End, Double>> worst = scores.entrySet().stream()
                    .filter(e -> e.getValue() > limit)
                    .max(Comparator.comparingDouble(Map.Entry::getValue));
            if (worst.isEmpty()) {
                return;
            }
            End end = worst.get().getKey();
            Bad b = bad.computeIfAbsent(end.place(), p -> new Bad());
            add(b, worst.get().getValue(), measure, end.sends);
            rest.removeIf(o -> o.has(end));
            scores = scores(rest, measure);
        }
    }

    private static void add(Bad bad, double badness, Measure measure, boolean sends) {
        if (measure.ofLoss) {
            bad.loss = Math.max(bad.loss, badness);
            bad.byLoss = true;
        } else {
            bad.slow = Math.max(bad.slow, badness);
            bad.byRate = true;
        }
        bad.sends |= sends;
        bad.receives |= !sends;
    }

    /** What each NIC does with most of its partners, in each direction; of those that have several. */
    private static Map<End, Double> scores(List<Observation> rest, Measure measure) {
        Map<End, Map<Integer, Double>> byEnd = new HashMap<>();
        for (Observation o : rest) {
            double badness = measure.badness.applyAsDouble(o);
            // of several rails to one partner the worst counts: they are one partner's word
            byEnd.computeIfAbsent(o.from, e -> new HashMap<>()).merge(o.to.node, badness, Math::max);
            byEnd.computeIfAbsent(o.to, e -> new HashMap<>()).merge(o.from.node, badness, Math::max);
        }
        Map<End, Double> scores = new HashMap<>();
        byEnd.forEach((end, partners) -> {
            if (partners.size() > 1) {
                scores.put(end, Robust.median(numbers(List.copyOf(partners.values()))));
            }
        });
        return scores;
    }

    private static double limit(double[] values, Measure measure, double least, double leastLoss) {
        double usual = Robust.median(values);
        double far = FAR * Robust.sigma(values);
        return measure.ofLoss
                ? usual + Math.max(far, Math.max(leastLoss, (TIMES - 1) * usual))
                : usual + Math.clamp(far, least, MOST);
    }

    private void blamePaths(List<Observation> rest, Measure measure, Map<Place, Bad> bad) {
        double[] values = rest.stream().mapToDouble(measure.badness).toArray();
        double limit = limit(values, measure, LEAST_PATH, LEAST_PATH_LOSS);
        for (Observation o : rest) {
            double badness = measure.badness.applyAsDouble(o);
            if (badness > limit) {
                Place back = new Place(o.to.node, o.to.nic, o.from.node, o.from.nic);
                boolean both = bad.containsKey(back);
                Place place = both ? back : new Place(o.from.node, o.from.nic, o.to.node, o.to.nic);
                add(bad.computeIfAbsent(place, p -> new Bad()), badness, measure, !both);
            }
        }
    }

    /** Nodes whose NICs are all bad, where they have several. */
    private Set<Integer> wholeNodes(Map<Place, Bad> bad) {
        Map<Integer, Set<String>> found = new TreeMap<>();
        bad.keySet().stream()
                .filter(p -> p.peer < 0)
                .forEach(
                        p -> found.computeIfAbsent(p.node, n -> new TreeSet<>()).add(p.nic));
        Set<Integer> whole = new HashSet<>();
        found.forEach((node, of) -> {
            Set<String> has = nics.getOrDefault(node, Set.of());
            if (has.size() > 1 && of.containsAll(has)) {
                whole.add(node);
            }
        });
        return whole;
    }

    /** Of paths between the same nodes that are all bad one is left, which stands for them. */
    private Map<Place, Bad> wholePaths(Map<Place, Bad> bad) {
        Map<Place, Bad> merged = new LinkedHashMap<>();
        Map<Pairing, Integer> rails = new HashMap<>();
        all.forEach(o -> rails.merge(Pairing.of(o.from.node, o.to.node), 1, Integer::sum));
        bad.forEach((place, b) -> {
            int there = place.peer < 0 ? 0 : rails.getOrDefault(Pairing.of(place.node, place.peer), 0) / 2;
            List<Bad> siblings = bad.entrySet().stream()
                    .filter(e -> e.getKey().node == place.node
                            && e.getKey().peer == place.peer
                            && e.getValue().ofSameKind(b))
                    .map(Map.Entry::getValue)
                    .toList();
            boolean wholePath = place.peer >= 0 && there > 1 && siblings.size() == there;
            merged.putIfAbsent(wholePath ? new Place(place.node, "", place.peer, "") : place, b);
        });
        return merged;
    }

    /** Pairs that came to nothing; a node that is in most of its pairs is named alone. */
    private List<Finding> unlinked() {
        Map<Integer, Integer> count = new TreeMap<>();
        failed.forEach(w -> {
            count.merge(w.from(), 1, Integer::sum);
            count.merge(w.to(), 1, Integer::sum);
        });
        List<Finding> findings = new ArrayList<>();
        Set<Integer> alone = new HashSet<>();
        count.forEach((node, n) -> {
            if (n > 1 && 2 * n > names.size() - 1) {
                alone.add(node);
                Way one = failed.stream()
                        .filter(w -> w.from() == node || w.to() == node)
                        .findFirst()
                        .orElseThrow();
                findings.add(Finding.unlinked(
                        node,
                        null,
                        Phrases.node(names, node) + " could not be measured with " + n + " of its " + (names.size() - 1)
                                + " partners: " + one.failure()));
            }
        });
        for (Way w : failed) {
            if (!alone.contains(w.from()) && !alone.contains(w.to())) {
                findings.add(Finding.unlinked(
                        w.from(),
                        w.to(),
                        Phrases.node(names, w.from()) + " and " + Phrases.node(names, w.to())
                                + " could not be measured: " + w.failure()));
            }
        }
        return findings;
    }
}
