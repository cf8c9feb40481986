package org.sluice.rendezvous;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.sluice.ProtocolException;
import org.sluice.wire.FrameSocket;

/** Who has come, and what they have said in the step under way. Any thread. */
final class Roll {
    private final int world;
    private final String job;
    private final @Nullable Seat[] seats;
    private final byte @Nullable [][] words;
    private boolean complete;
    private int step;
    private int said;
    private int left;
    private @Nullable String over;

    Roll(int world, String job) {
        this.world = world;
        this.job = job;
        this.seats = new Seat[world];
        this.words = new byte[world][];
    }

    /** Gives a rank its seat. @return why it gets none; empty when it has it */
    synchronized Optional<String> take(Join join, Seat seat) {
        int rank = join.who().rank();
        if (!join.job().isEmpty() && !job.isEmpty() && !join.job().equals(job)) {
            return Optional.of("this is the meeting place of another job: yours is " + join.job() + ", this one is "
                    + job + "; give each job a --rendezvous of its own");
        }
        if (join.world() != world) {
            return Optional.of("you say that there are " + join.world() + " ranks, rank 0 says " + world
                    + "; start all with the same --world");
        }
        if (rank >= world) {
            return Optional.of("there is no rank " + rank + " in a world of " + world);
        }
        if (over != null) {
            return Optional.of("it is over: " + over);
        }
        Seat there = seats[rank];
        if (there != null) {
            return Optional.of("rank " + rank + " is here already, from " + there.who.name() + " at " + there.source()
                    + "; you are " + join.who().name() + " at " + seat.source()
                    + "; each process needs a rank of its own, is one started twice?");
        }
        if (complete) {
            return Optional.of("all ranks have been here and have begun; " + join.who() + " comes too late");
        }
        seats[rank] = seat;
        return Optional.empty();
    }

    /** Where everybody is, if all are here and were not before. */
    synchronized Optional<List<Attendee>> completed() {
        if (complete || over != null || !missing().isEmpty()) {
            return Optional.empty();
        }
        complete = true;
        return Optional.of(seated().stream().map(s -> s.who).toList());
    }

    synchronized boolean isComplete() {
        return complete;
    }

    /** The ranks that have not come yet. */
    synchronized List<Integer> missing() {
        return IntStream.range(0, world).filter(r -> seats[r] == null).boxed().toList();
    }

    synchronized List<Seat> seated() {
        List<Seat> all = new ArrayList<>();
        for (Seat s : seats) {
            if (s != null) {
                all.add(s);
            }
        }
        return all;
    }

    /** Notes what a rank says. @return what all have said, by rank, when it was the last one; and its step is over */
    synchronized Optional<List<byte[]>> say(Seat seat, int of, byte[] word, FrameSocket socket) {
        if (!complete || of != step || words[seat.who.rank()] != null) {
            throw new ProtocolException(
                    socket.where(),
                    seat.who + " said a word of step " + of + " in step " + step
                            + (complete ? "" : ", before all have come"));
        }
        words[seat.who.rank()] = word;
        if (++said < world) {
            return Optional.empty();
        }
        List<byte[]> all = new ArrayList<>(world);
        for (byte[] w : words) {
            all.add(w == null ? new byte[0] : w);
        }
        Arrays.fill(words, null);
        said = 0;
        step++;
        return Optional.of(all);
    }

    /** A rank has gone. @param well whether it said goodbye @return whether that ends what the others do */
    synchronized boolean leave(Seat seat, boolean well) {
        if (!complete) {
            seats[seat.who.rank()] = null; // it may come again
            return false;
        }
        left++;
        return !well && over == null;
    }

    /** All have said goodbye, or none has come. */
    synchronized boolean isEmpty() {
        return left >= seated().size();
    }

    /** It is over. @param tell called for each that is here, once */
    synchronized void end(String why, Consumer<Seat> tell) {
        if (over == null) {
            over = why;
            seated().forEach(tell);
        }
    }

    /** Ranks as people write them: {@code 3, 5-7 and 9}. */
    static String text(List<Integer> ranks) {
        List<String> runs = new ArrayList<>();
        for (int i = 0; i < ranks.size(); ) {
            int j = i;
            while (j + 1 < ranks.size() && ranks.get(j + 1) == ranks.get(j) + 1) {
                j++;
            }
            runs.add(i == j ? ranks.get(i).toString() : ranks.get(i) + (j == i + 1 ? " and " : " to ") + ranks.get(j));
            i = j + 1;
        }
        return runs.size() > 20 ? String.join(", ", runs.subList(0, 20)) + " and others" : String.join(", ", runs);
    }
}
