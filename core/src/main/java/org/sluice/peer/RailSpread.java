package org.sluice.peer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.sluice.wire.Rail;

/** Which rail each channel of a link uses: those of NICs near the link's GPUs first, each once before one is used twice. */
final class RailSpread {
    private RailSpread() {}

    /**
     * The rail of each channel, by its place.
     *
     * @param rails those that work, then those that ought to
     * @param proven how many work
     * @param nearServer bit <i>n</i>: the server's NIC <i>n</i> is near its GPU
     * @param gpu rotates the order, so that GPUs with few channels do not all start on the first NIC
     */
    static List<Integer> of(List<Rail> rails, int proven, long nearServer, long nearClient, int channels, int gpu) {
        List<Integer> working = IntStream.range(0, proven)
                .boxed()
                .sorted(Comparator.comparingInt((Integer r) -> -near(rails.get(r), nearServer, nearClient)))
                .toList();
        List<Integer> ofChannel = new ArrayList<>(channels);
        for (int c = 0; c < channels; c++) {
            ofChannel.add(working.get((c + gpu) % proven));
        }
        // a rail that ought to work gets a channel that comes to life with it, where no rail that works loses its only
        // one
        int spare = Math.min(rails.size() - proven, channels - proven);
        for (int i = 0; i < spare; i++) {
            ofChannel.set(channels - 1 - i, proven + i);
        }
        return ofChannel;
    }

    private static int near(Rail r, long nearServer, long nearClient) {
        return (int) ((nearServer >>> r.server() & 1) + (nearClient >>> r.client() & 1));
    }
}
