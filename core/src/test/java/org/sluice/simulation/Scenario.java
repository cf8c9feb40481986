package org.sluice.simulation;

import java.util.Random;

/**
 * What is simulated, drawn from a seed.
 *
 * @param confirmed whether there is a control connection
 * @param staged whether chunks go through pinned slots
 * @param lists whether the transport takes messages of many pieces, and chunks go through no slots
 * @param scatters whether chunks arrive in bounce pages; with {@code staged}, only the sender stages
 * @param cuts how many channels break
 * @param reconnects whether broken channels come back
 * @param oneSided how many writes and reads there are besides sends
 * @param smallBytes most bytes of a transfer that go with its announcement
 * @param ends how many transfers are cancelled, or have a deadline that may pass
 * @param queued how much a GPU's copy and unpack queues hold, all channels together
 * @param prepares whether layouts are prepared, and selected from
 * @param voids whether a sender can say that what is granted does not come
 * @param mismatches whether one receive has another length than its send
 */
record Scenario(
        int channels,
        int chunkBytes,
        int window,
        int sendWindow,
        int slots,
        boolean roundRobin,
        boolean confirmed,
        boolean staged,
        boolean lists,
        boolean scatters,
        Faults faults,
        int cuts,
        boolean reconnects,
        int sends,
        int oneSided,
        boolean mismatches,
        int smallBytes,
        int ends,
        int queued,
        boolean prepares,
        boolean voids) {

    static Scenario draw(Random random) {
        boolean roundRobin = random.nextInt(4) == 0;
        boolean confirmed = !roundRobin || random.nextInt(3) != 0;
        boolean faulty = random.nextBoolean();
        boolean reconnects = confirmed && random.nextBoolean();
        int channels = 1 + random.nextInt(6);
        int window = 1 << random.nextInt(4);
        int cuts = !faulty ? 0 : random.nextInt(reconnects ? 12 : channels + 1);
        boolean staged = random.nextBoolean();
        boolean scatters = random.nextInt(3) == 0;
        boolean lists = !staged && !scatters && random.nextBoolean();
        return new Scenario(
                channels,
                1 + random.nextInt(40),
                window,
                1 + random.nextInt(window),
                1 << random.nextInt(3),
                roundRobin,
                confirmed,
                staged,
                lists,
                scatters,
                new Faults(random.nextInt(60), faulty && confirmed ? random.nextInt(30) : 0, false),
                cuts,
                reconnects,
                1 + random.nextInt(8),
                confirmed ? random.nextInt(5) : 0,
                confirmed && random.nextInt(12) == 0,
                confirmed && random.nextBoolean() ? random.nextInt(100) : 0,
                confirmed && random.nextBoolean() ? random.nextInt(8) : 0,
                random.nextBoolean() ? 1 + random.nextInt(5) : 4096,
                confirmed && random.nextBoolean(),
                random.nextBoolean());
    }

    /** The same, where one side does not keep to the protocol: nothing can be expected but that it ends. */
    Scenario withLies() {
        return new Scenario(
                channels,
                chunkBytes,
                window,
                sendWindow,
                slots,
                roundRobin,
                true,
                staged,
                lists,
                scatters,
                new Faults(faults.refusing(), faults.damaging(), true),
                0,
                false,
                sends,
                oneSided,
                mismatches,
                smallBytes,
                ends,
                queued,
                prepares,
                voids);
    }

    /** Whether nothing may fail: no channel is lost, or there is always one left to go on with. */
    boolean mustSucceed() {
        return !mismatches && (cuts == 0 || (confirmed && (cuts < channels || reconnects)));
    }
}
