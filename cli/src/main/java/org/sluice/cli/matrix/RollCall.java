package org.sluice.cli.matrix;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.sluice.rendezvous.MeetingPlace;

/** Says from time to time which ranks are still missing, until it is closed. */
final class RollCall implements AutoCloseable {
    static final RollCall NONE = new RollCall();

    private static final long EVERY_SECONDS = 5;

    private final CountDownLatch over = new CountDownLatch(1);

    private RollCall() {}

    static RollCall start(MeetingPlace place, Consumer<String> say) {
        RollCall call = new RollCall();
        Thread.ofVirtual().name("roll-call").start(() -> call.run(place, say));
        return call;
    }

    private void run(MeetingPlace place, Consumer<String> say) {
        try {
            while (!over.await(EVERY_SECONDS, TimeUnit.SECONDS)) {
                String missing = place.missing();
                if (!missing.isEmpty()) {
                    say.accept("waiting at port " + place.port() + " for rank " + missing);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        over.countDown();
    }
}
