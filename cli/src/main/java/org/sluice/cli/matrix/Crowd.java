package org.sluice.cli.matrix;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** All partners of a rank at once: it reads from each into a part of its memory that is that partner's. One thread. */
final class Crowd implements AutoCloseable {
    private final Plan plan;
    private final Memory memory;
    private final long part;
    private final Map<Integer, PairLinks> partners = new TreeMap<>();

    Crowd(Plan plan, Memory memory, int world) {
        this.plan = plan;
        this.memory = memory;
        this.part = plan.size() / world / 4096 * 4096;
    }

    void add(int rank, PairLinks links) {
        partners.put(rank, links);
    }

    /** Reads from all at once, as all others do meanwhile. */
    List<Sight> load() {
        List<Reading> readings = new ArrayList<>();
        partners.forEach((rank, links) -> {
            for (int g = 0; g < plan.gpus(); g++) {
                memory.clear(g, rank * part, part);
                readings.add(new Reading(
                        links.links().get(g), memory.in(g), links.from().get(g), rank * part, part, plan.atMost()));
            }
        });
        if (readings.isEmpty()) {
            return List.of();
        }
        Pull.Window window = Pull.during(readings, List.copyOf(partners.values()), plan);
        List<Sight> seen = new ArrayList<>();
        int at = 0;
        for (Map.Entry<Integer, PairLinks> e : partners.entrySet()) {
            long verified = 0;
            long wrong = 0;
            for (int g = 0; g < plan.gpus(); g++) {
                long covered = readings.get(at * plan.gpus() + g).covered();
                verified += covered;
                wrong += memory.wrong(g, e.getKey() * part, covered, e.getKey());
            }
            List<Flow> flows =
                    e.getValue().flows(window.before().get(at), window.after().get(at));
            seen.add(new Sight(e.getKey(), "", window.seconds(), verified, wrong, 0, 0, flows));
            at++;
        }
        return seen;
    }

    @Override
    public void close() {
        partners.values().forEach(PairLinks::close);
    }
}
