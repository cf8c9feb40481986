package org.sluice.tcp.rails;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.sluice.testkit.CProgram;

/** Many pairs of random hosts, measured: {@code [rounds] [first seed]}. Ends with 1 when a rail was missed in silence. */
public final class RandomHostsRounds {
    private RandomHostsRounds() {}

    public static void main(String[] args) throws Exception {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 200;
        long first = args.length > 1 ? Long.parseLong(args[1]) : 1;
        Path reach = CProgram.program("reach.c", Files.createTempDirectory("reach"));
        List<Long> ready = new ArrayList<>();
        int wrong = 0;
        int missed = 0;
        int reaching = 0;
        for (long seed = first; seed < first + rounds; seed++) {
            RandomHostsRound round = RandomHostsRound.run(seed, reach);
            reaching += round.reaching().size();
            missed += round.missed().size();
            String complaint = round.complaint();
            if (!complaint.isEmpty()) {
                wrong++;
                System.out.println("WRONG " + complaint + "\n" + round);
            } else {
                ready.add(round.pair().readyMillis());
                System.out.println("seed " + seed + ": READY " + round.pair().readyMillis() + " ms, rails "
                        + round.pair().rails().size() + ", NICs that reach the peer and were said to be left out "
                        + round.missed());
            }
            if (!round.missed().isEmpty()) {
                System.out.println(round);
            }
            System.out.flush();
        }
        Collections.sort(ready);
        System.out.printf(
                "%d pairs of hosts, %d wrong; %d pairs of NICs reach each other, %d NICs of them carried nothing and were"
                        + " said; READY median %d ms, 99%% %d ms, most %d ms%n",
                rounds,
                wrong,
                reaching,
                missed,
                ready.get(ready.size() / 2),
                ready.get(Math.min(ready.size() - 1, ready.size() * 99 / 100)),
                ready.getLast());
        System.exit(wrong == 0 ? 0 : 1);
    }
}
