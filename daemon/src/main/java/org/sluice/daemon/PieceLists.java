package org.sluice.daemon;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.IntFunction;

/** Makes a plan of the two lists of pieces that a client wrote, whose borders may differ. Everything is checked on the copies. */
final class PieceLists {
    private final Area area;
    private final int most;
    private final IntFunction<ClientMemory> memories;

    /** @param memories throws {@link ClientException} for a number that is none */
    PieceLists(Area area, int most, IntFunction<ClientMemory> memories) {
        this.area = area;
        this.most = most;
        this.memories = memories;
    }

    /** Of lists that one request names. */
    Plan plan(int localAt, int locals, int remoteAt, int remotes) {
        return fill(Plan.empty(Math.max(locals, remotes)), localAt, locals, remoteAt, remotes);
    }

    /** Of lists that many requests will name. */
    Plan prepared(int localAt, int locals, int remoteAt, int remotes) {
        return fill(Plan.prepared(Math.max(locals, remotes)), localAt, locals, remoteAt, remotes);
    }

    private Plan fill(Plan plan, int localAt, int locals, int remoteAt, int remotes) {
        ByteBuffer local = copy(localAt, locals, Protocol.LOCAL_PIECE_BYTES);
        ByteBuffer remote = copy(remoteAt, remotes, Protocol.REMOTE_PIECE_BYTES);
        long remoteLeft = 0;
        long keyHigh = 0;
        long keyLow = 0;
        long remoteOffset = 0;
        while (local.hasRemaining()) {
            ClientMemory memory = memories.apply(local.getInt());
            local.getInt();
            long offset = local.getLong();
            long left = local.getLong();
            memory.check(offset, left);
            while (left > 0) {
                while (remoteLeft == 0) {
                    if (!remote.hasRemaining()) {
                        throw new ClientException(Status.INVALID, "the local pieces are longer than the remote ones");
                    }
                    keyHigh = remote.getLong();
                    keyLow = remote.getLong();
                    remoteOffset = remote.getLong();
                    remoteLeft = remote.getLong();
                    if (remoteOffset < 0 || remoteLeft < 0 || remoteOffset + remoteLeft < 0) {
                        throw new ClientException(Status.BOUNDS, "a remote piece that goes beyond 2^63");
                    }
                }
                long length = Math.min(left, remoteLeft);
                plan.add(memory, offset, keyHigh, keyLow, remoteOffset, length);
                offset += length;
                left -= length;
                remoteOffset += length;
                remoteLeft -= length;
            }
        }
        while (remoteLeft == 0 && remote.hasRemaining()) {
            remote.position(remote.position() + 24);
            remoteLeft = remote.getLong();
        }
        if (remoteLeft != 0) {
            throw new ClientException(Status.INVALID, "the remote pieces are longer than the local ones");
        }
        return plan;
    }

    private ByteBuffer copy(int at, int count, int each) {
        if (count < 0 || count > most) {
            throw new ClientException(
                    Status.QUOTA,
                    Integer.toUnsignedString(count) + " pieces in a list, at most " + most + " are allowed");
        }
        return ByteBuffer.wrap(bytes(area, at, (long) count * each)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Bytes that a client put among its lists. @throws ClientException when they are not inside */
    static byte[] bytes(Area area, int at, long length) {
        if (at < 0 || length < 0 || at + length > area.listBytes()) {
            throw new ClientException(Status.BOUNDS, "what is referred to is not inside the lists of the area");
        }
        return area.copyOut(area.lists() + (long) at, (int) length);
    }
}
