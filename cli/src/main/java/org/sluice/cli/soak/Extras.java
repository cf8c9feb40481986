package org.sluice.cli.soak;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.sluice.CancelledException;
import org.sluice.DeadlineException;
import org.sluice.Layout;
import org.sluice.Link;
import org.sluice.PreparedLayout;
import org.sluice.PreparedRemoteLayout;
import org.sluice.Region;
import org.sluice.RemoteLayout;
import org.sluice.SluiceException;
import org.sluice.Transfer;
import org.sluice.TransferOptions;

/**
 * What a soak mixes in besides plain messages: lists of blocks, prepared ones, notifications, small messages, and transfers that are
 * given up. One link, one thread.
 */
final class Extras {
    private static final int MOST_WAIT_MICROS = 3000;

    /** Of a call of {@link #small}. */
    static final int SMALL_MESSAGES = 16;

    /** Longer ones than what goes with its announcement are among them. */
    private static final int MOST_SMALL = 6000;

    private static final int SMALL_ROOM = 8192;
    private static final int MOST_PREPARED = 4096;

    private final Link from;
    private final Link to;
    private final Random random;
    private final Duration hang;
    private int notifications;
    private int wrong;

    /** @param from of the node that sends; {@code to} of the one that receives */
    Extras(Link from, Link to, Random random, Duration hang) {
        this.from = from;
        this.to = to;
        this.random = random;
        this.hang = hang;
    }

    /** Notifications and ends that were not what they had to be. */
    int wrong() {
        return wrong;
    }

    /** The first {@code bytes} bytes of two regions as blocks in random order, the last one perhaps shorter. @return their length */
    int listed(Region source, Region target, int bytes) {
        int block = 1 + random.nextInt(1 << 16);
        int count = bytes / block;
        int[] order = shuffled(count);
        byte[] notification = ByteBuffer.allocate(4 + random.nextInt(1000))
                .putInt(++notifications)
                .array();
        TransferOptions options = TransferOptions.notifying(notification);
        boolean write = random.nextBoolean();
        Transfer t = write
                ? from.write(
                        Layout.blocks(source, 0, block, order),
                        RemoteLayout.blocks(target.remoteKey(), 0, block, order),
                        options)
                : to.read(
                        Layout.blocks(target, 0, block, order),
                        RemoteLayout.blocks(source.remoteKey(), 0, block, order),
                        options);
        t.await(hang);
        byte[] told = (write ? to : from)
                .nextNotification()
                .orTimeout(hang.toMillis(), TimeUnit.MILLISECONDS)
                .join()
                .bytes();
        wrong += Arrays.equals(told, notification) ? 0 : 1;
        return count * block;
    }

    private int[] shuffled(int count) {
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }

    /** As {@link #listed}, by layouts that both sides have prepared, of which two transfers select a part each. @return their length */
    int prepared(Region source, Region target, int bytes) {
        int block = Math.max(1 + random.nextInt(1 << 16), bytes / MOST_PREPARED + 1);
        int count = bytes / block;
        int[] order = shuffled(count);
        int[] blocks = IntStream.range(0, count).toArray();
        int border = count == 0 ? 0 : random.nextInt(count + 1);
        try (PreparedLayout here = from.prepare(Layout.blocks(source, 0, block, blocks));
                PreparedRemoteLayout there = from.prepare(RemoteLayout.blocks(target.remoteKey(), 0, block, blocks))) {
            List<Transfer> both = new ArrayList<>();
            for (int[] part : List.of(Arrays.copyOfRange(order, 0, border), Arrays.copyOfRange(order, border, count))) {
                both.add(from.write(here.select(part), there.select(part), TransferOptions.NONE));
            }
            both.forEach(t -> t.await(hang));
        }
        return count * block;
    }

    /** Messages so short that most go with their announcements. @return their bytes */
    int small(Region source, Region target) {
        List<Transfer> all = new ArrayList<>();
        int[] lengths = random.ints(SMALL_MESSAGES, 0, MOST_SMALL).toArray();
        long contents = random.nextLong();
        int sum = 0;
        for (int i = 0; i < SMALL_MESSAGES; i++) {
            long at = (long) i * SMALL_ROOM;
            source.fill(at, lengths[i], contents + i);
            TransferOptions options = random.nextBoolean() ? TransferOptions.NONE : TransferOptions.tagged(100 + i);
            all.add(from.send(Layout.range(source, at, lengths[i]), options));
            all.add(to.receive(Layout.range(target, at, lengths[i]), options));
            sum += lengths[i];
        }
        all.forEach(t -> t.await(hang));
        for (int i = 0; i < SMALL_MESSAGES; i++) {
            wrong += target.mismatch((long) i * SMALL_ROOM, lengths[i], contents + i) < 0 ? 0 : 1;
        }
        return sum;
    }

    /** One that is cancelled, or has a deadline, at a random moment of its life: both sides have to say the same. */
    void givenUp(Region source, Region target, int bytes) {
        int wait = random.nextInt(MOST_WAIT_MICROS);
        boolean deadline = random.nextInt(3) == 0;
        TransferOptions options = TransferOptions.tagged(random.nextInt(3));
        Transfer send = from.send(
                Layout.range(source, 0, bytes),
                deadline ? options.deadline(Duration.ofNanos(1 + wait * 1000L)) : options);
        Transfer receive = to.receive(Layout.range(target, 0, bytes), options);
        LockSupport.parkNanos(wait * 1000L);
        if (!deadline) {
            (random.nextBoolean() ? send : receive).cancel();
        }
        wrong += succeeded(send) == succeeded(receive) ? 0 : 1;
    }

    private boolean succeeded(Transfer transfer) {
        try {
            transfer.await(hang);
            return true;
        } catch (SluiceException e) {
            if (e instanceof CancelledException || e instanceof DeadlineException) {
                return false;
            }
            throw e;
        }
    }
}
