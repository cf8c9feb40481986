package org.sluice.cli.run;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.sluice.ConfigException;
import org.sluice.LengthMismatchException;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.ProtocolException;
import org.sluice.SluiceException;
import org.sluice.cli.common.ExitCode;
import org.sluice.cli.common.Failure;
import org.sluice.cli.common.Threads;

/**
 * What the two programs say to each other during a run, as notes on the first GPU's link: {@code more N} (iterations up to N may
 * run), {@code end}, {@code ready K}, {@code result V M where}, {@code failed why}. A thread of its own listens.
 */
final class Conversation {
    /** The listener looks up this often; the link itself notices a dead peer. */
    private static final Duration LISTEN = Duration.ofDays(1);

    /** A peer that gives up says so before its goodbye, which ends the wait. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(1);

    private final Link link;
    private final Duration patience;
    private long more;
    private boolean ended;
    private long peerReady = -1;
    private @Nullable Outcome peerOutcome;
    private @Nullable SluiceException broken;
    private @Nullable SluiceException peerReason;

    /** @param patience the longest that the peer may take for filling and comparing between two words */
    Conversation(Link link, Duration patience) {
        this.link = link;
        this.patience = patience;
        Threads.start(Thread.ofPlatform().name("peer-notes").daemon(true).unstarted(this::listen));
    }

    private void listen() {
        try {
            while (true) {
                heard(new String(link.awaitNote(LISTEN), StandardCharsets.UTF_8));
            }
        } catch (SluiceException e) {
            breakUp(e);
        } catch (NumberFormatException e) {
            breakUp(new ProtocolException("the program of " + link.peer() + " sent a number that is none", e));
        }
    }

    private synchronized void heard(String note) {
        String[] words = note.split(" ", 2);
        String rest = words.length < 2 ? "" : words[1];
        switch (words[0]) {
            case "more" -> more = Math.max(more, Long.parseLong(rest));
            case "end" -> ended = true;
            case "ready" -> peerReady = Long.parseLong(rest);
            case "result" -> {
                String[] counts = rest.split(" ", 3);
                if (counts.length < 2) {
                    throw new ProtocolException("the program of " + link.peer() + " sent a result without counts");
                }
                peerOutcome = new Outcome(
                        Long.parseLong(counts[0]), Long.parseLong(counts[1]), counts.length < 3 ? null : counts[2]);
            }
            case "failed" -> {
                String[] reason = rest.split(" ", 2);
                peerReason = reason(Integer.parseInt(reason[0]), reason.length < 2 ? "" : reason[1]);
                throw peerReason;
            }
            default ->
                throw new ProtocolException("the program of " + link.peer() + " sent the unknown word '" + words[0]
                        + "'; give both sides the same version of sluice");
        }
        notifyAll();
    }

    /** As an exception of the kind that gives this side the peer's exit status. */
    private SluiceException reason(int status, String why) {
        String text = "the peer " + link.peer() + " gave up: " + why;
        return switch (status) {
            case ExitCode.CONFIGURATION -> new ConfigException(text);
            case ExitCode.MISMATCH -> new LengthMismatchException(text);
            default -> new LinkException(text);
        };
    }

    private synchronized void breakUp(SluiceException why) {
        if (broken == null) {
            broken = why;
        }
        notifyAll();
    }

    void more(long iterations) {
        say("more " + iterations);
    }

    void end() {
        say("end");
    }

    /** Tells why this side ends the run, with its exit status, so that both sides end with the same. */
    void giveUp(RuntimeException why) {
        try {
            say("failed " + Failure.exitCode(why) + " " + Failure.oneLine(why.getMessage()));
        } catch (SluiceException e) {
            // the link is gone, and the peer knows as much
        }
    }

    private void say(String note) {
        link.note(note.getBytes(StandardCharsets.UTF_8));
    }

    /** Whether the leader lets this iteration run. Waits for its word. */
    synchronized boolean awaitMore(long iteration) {
        await("say whether to go on", () -> iteration < more || ended);
        return iteration < more;
    }

    void bothReady(long iteration) {
        say("ready " + iteration);
        synchronized (this) {
            await("be ready for iteration " + iteration, () -> peerReady >= iteration);
        }
    }

    Outcome exchange(Outcome own) {
        say("result " + own.verified() + " " + own.mismatched() + (own.first() == null ? "" : " " + own.first()));
        synchronized (this) {
            await("tell its result", () -> peerOutcome != null);
            return peerOutcome == null ? Outcome.NONE : peerOutcome;
        }
    }

    /** Why a run failed: a reason of this side's own, else the peer's own words, which may come after its goodbye was noticed. */
    synchronized RuntimeException explain(RuntimeException noticed) {
        if (Failure.isOfThisSide(noticed)) {
            return noticed;
        }
        long end = System.nanoTime() + LAST_WORDS.toNanos();
        try {
            for (long left = LAST_WORDS.toMillis();
                    broken == null && left > 0;
                    left = (end - System.nanoTime()) / 1_000_000) {
                wait(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return peerReason != null ? peerReason : noticed;
    }

    private interface Condition {
        boolean holds();
    }

    private void await(String what, Condition condition) {
        long end = System.nanoTime() + patience.toNanos();
        while (!condition.holds()) {
            if (broken != null) {
                throw broken;
            }
            long left = (end - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw new LinkException("the program of " + link.peer() + " did not " + what + " within "
                        + patience.toSeconds() + " s");
            }
            try {
                wait(left);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new LinkException("interrupted while waiting for the peer to " + what, e);
            }
        }
    }
}
