package org.sluice.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.sluice.Link;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.Transfer;
import org.sluice.memory.MemoryTransport;
import org.sluice.spi.ThreadLimitException;

/**
 * Rounds in which something is thrown on an agent at a random moment of a random side: an Error in the work of a link, in a command,
 * out of select, or a thread that cannot be made. In each every transfer, link and close of both sides ends in time with the reason, and
 * nothing is left. {@code bench/survive/run.sh agents}; a share of it is {@link AgentRoundsTest}.
 */
public final class AgentRounds {
    private static final int TRANSFERS = 24;
    private static final int BYTES = 100_000;
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private enum Fault {
        WORK,
        COMMAND,
        SELECT,
        THREAD
    }

    private final SplittableRandom random;
    private final long mostMillis;
    private final StringBuilder faults = new StringBuilder();
    private long worst;

    private AgentRounds(long seed, long mostMillis) {
        this.random = new SplittableRandom(seed);
        this.mostMillis = mostMillis;
    }

    /** Rounds, limit in milliseconds and seed. */
    public static void main(String[] arguments) throws Exception {
        int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 100;
        long limit = arguments.length > 1 ? Long.parseLong(arguments[1]) : 5000;
        long seed = arguments.length > 2 ? Long.parseLong(arguments[2]) : System.nanoTime();
        System.exit(run(rounds, limit, seed) ? 0 : 1);
    }

    /** @return whether every round ended in time, with reasons, and left nothing */
    static boolean run(int rounds, long mostMillis, long seed) throws Exception {
        AgentRounds all = new AgentRounds(seed, mostMillis);
        all.round(-1, Fault.SELECT); // the first makes what a process makes once
        int threads = threads();
        long descriptors = descriptors();
        for (int i = 0; i < rounds; i++) {
            all.round(i, Fault.values()[all.random.nextInt(Fault.values().length)]);
        }
        // virtual threads' selectors and the like may come and go, but not with every round
        if (threads() > threads || descriptors() > descriptors + 8) {
            all.faults
                    .append("left: ")
                    .append(threads() - threads)
                    .append(" threads, ")
                    .append(descriptors() - descriptors)
                    .append(" descriptors\n");
        }
        System.out.println(rounds + " rounds of seed " + seed + ": the slowest took " + all.worst + " ms of "
                + mostMillis + " until everything had ended; "
                + (all.faults.isEmpty() ? "no fault" : "FAULTS:\n" + all.faults));
        return all.faults.isEmpty();
    }

    private static int threads() throws InterruptedException {
        int n = 0;
        for (Thread t : Thread.getAllStackTraces().keySet()) {
            if (t.getName().matches("gpu\\d+-.*|node-.*|bootstrap.*")) {
                t.join(Duration.ofSeconds(2)); // it may be on its way out
                n += t.isAlive() ? 1 : 0;
            }
        }
        return n;
    }

    private static long descriptors() {
        String[] open = new java.io.File("/proc/self/fd").list();
        return open == null ? 0 : open.length;
    }

    private void round(int number, Fault fault) throws Exception {
        LinkedNodes nodes = new LinkedNodes(DEADLINE);
        String what = "round " + number + ", " + fault + ": ";
        try {
            Link victim = random.nextBoolean() ? nodes.out() : nodes.in();
            List<Region> regions = new ArrayList<>();
            List<Transfer> transfers = new ArrayList<>();
            for (int i = 0; i < TRANSFERS; i++) {
                Region s = nodes.client().allocate(0, BYTES);
                Region r = nodes.server().allocate(0, BYTES);
                regions.addAll(Arrays.asList(s, r));
                transfers.add(nodes.in().receive(r, 0, BYTES));
                transfers.add(nodes.out().send(s, 0, BYTES));
            }
            transfers.add(nodes.out()
                    .receive(regions.getFirst(), 0, BYTES)); // that nobody sends: under way whenever it happens
            long begin = System.nanoTime();
            strike(fault, victim, nodes, regions, transfers);
            expectEnded(what, victim.ended());
            expectEnded(what, (victim.equals(nodes.out()) ? nodes.in() : nodes.out()).ended());
            for (Transfer t : transfers) {
                expectDone(what, t);
            }
            regions.forEach(Region::close);
            nodes.close();
            long took = (System.nanoTime() - begin) / 1_000_000;
            worst = number < 0 ? worst : Math.max(worst, took);
            if (took > mostMillis) {
                faults.append(what).append("took ").append(took).append(" ms\n");
            }
        } catch (RuntimeException e) {
            faults.append(what).append(e).append('\n');
        } finally {
            MemoryTransport.behave();
            nodes.close();
        }
    }

    /** After a random number of calls of the data plane, so at a random moment of the transfers. */
    private void strike(Fault fault, Link victim, LinkedNodes nodes, List<Region> regions, List<Transfer> transfers)
            throws Exception {
        AtomicInteger calls = new AtomicInteger(1 + random.nextInt(400));
        switch (fault) {
            case WORK ->
                MemoryTransport.mischief((call, wire) -> {
                    if (calls.decrementAndGet() == 0) {
                        throw new StackOverflowError("injected into " + call);
                    }
                });
            case THREAD ->
                MemoryTransport.mischief((call, wire) -> {
                    if (calls.decrementAndGet() == 0) {
                        throw new ThreadLimitException(
                                "lane", new OutOfMemoryError("injected: unable to create native thread"));
                    }
                });
            case SELECT -> {
                TimeUnit.MICROSECONDS.sleep(random.nextInt(2000));
                LinkedNodes.killAgentOf(victim);
                return;
            }
            case COMMAND -> {
                TimeUnit.MICROSECONDS.sleep(random.nextInt(2000));
                EngineLink link = (EngineLink) victim;
                link.inject(() -> {
                    throw new AssertionError("injected into a command");
                });
                return;
            }
        }
        // transfers may be through already: something to do for as long as it has not struck
        while (calls.get() > 0) {
            Transfer receive = nodes.in().receive(regions.get(1), 0, BYTES);
            Transfer send = nodes.out().send(regions.get(0), 0, BYTES);
            transfers.addAll(List.of(receive, send));
            try {
                send.await(DEADLINE);
                receive.await(DEADLINE);
            } catch (SluiceException e) {
                return; // it has struck
            }
        }
    }

    private void expectEnded(String what, java.util.concurrent.CompletableFuture<SluiceException> end)
            throws InterruptedException, ExecutionException {
        try {
            SluiceException why = end.get(mostMillis, TimeUnit.MILLISECONDS);
            if (!String.valueOf(why.getMessage()).contains("injected")
                    && !String.valueOf(why.getMessage()).contains("ClosedSelector")) {
                faults.append(what)
                        .append("ended without the reason: ")
                        .append(why)
                        .append('\n');
            }
        } catch (TimeoutException e) {
            faults.append(what).append("a link has not ended\n");
        }
    }

    private void expectDone(String what, Transfer t) {
        try {
            t.await(Duration.ofMillis(mostMillis));
        } catch (SluiceException e) {
            if (!t.isDone()) {
                faults.append(what).append("a transfer has not ended\n");
            }
        }
    }
}
