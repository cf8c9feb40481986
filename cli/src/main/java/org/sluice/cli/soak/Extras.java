package org.sluice.cli.soak;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.sluice.CancelledException;
import org.sluice.DeadlineException;
import org.sluice.Layout;
import org.sluice.Link;
import org.sluice.Region;
import org.sluice.RemoteLayout;
import org.sluice.SluiceException;
import org.sluice.Transfer;
import org.sluice.TransferOptions;

/** What a soak mixes in besides plain messages: lists of blocks, notifications, and transfers that are given up. One link, one thread. */
final class Extras {
    private static final int MOST_WAIT_MICROS = 3000;

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
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
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
