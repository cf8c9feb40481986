package org.sluice.simulation;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.Registration;
import org.sluice.spi.ScatterList;
import org.sluice.spi.SendChannel;
import org.sluice.spi.TransportException;

/**
 * One life of one channel: a pipe of bytes between a sender that reads its memory bit by bit and a receiver that writes its
 * posted buffers bit by bit. It refuses posts, damages chunks, breaks at either end at any byte, and for as long as a broken
 * receiver is not closed it writes rubbish over what is posted there. Every misuse of the SPI is an error.
 */
@SuppressWarnings("restricted")
final class Wire {
    /** All of it: lists of pieces are in real memory. */
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private static final int MOST = 8;
    private static final byte RUBBISH = (byte) 0xee;

    final int index;
    final int generation;
    /** Whether both engines have it. */
    boolean opened;

    final Sender sender = new Sender();
    final Receiver receiver = new Receiver();
    private final Space space;
    private final Random random;
    private final Faults faults;
    private final int pipeBytes;
    private final boolean scatters;
    private final Space.@Nullable Block bounce;
    private final long chunkBytes;
    private final boolean voids;
    private final ArrayDeque<Send> pipe = new ArrayDeque<>();
    private int inPipe;
    private boolean frozen;
    private long arrivedBytes;

    Wire(
            int index,
            int generation,
            Space space,
            Random random,
            Faults faults,
            int pipeBytes,
            boolean scatters,
            boolean voids,
            long chunkBytes) {
        this.index = index;
        this.generation = generation;
        this.space = space;
        this.random = random;
        this.faults = faults;
        this.pipeBytes = pipeBytes;
        this.scatters = scatters;
        this.voids = voids;
        this.chunkBytes = chunkBytes;
        this.bounce =
                scatters ? space.allocate("bounce buffer of " + this, 2 * MOST * chunkBytes, MemoryKind.CUDA) : null;
    }

    @Override
    public String toString() {
        return "channel " + index + " in life " + generation;
    }

    /** Where a message lies at one end: one piece, or many. */
    static final class Spread {
        final long[] address;
        final int[] bytes;

        Spread(long address, long bytes) {
            this.address = new long[] {address};
            this.bytes = new int[] {(int) bytes};
        }

        Spread(long list, int count, long sum) {
            address = new long[count];
            bytes = new int[count];
            long all = 0;
            for (int i = 0; i < count; i++) {
                address[i] = MEMORY.get(ValueLayout.JAVA_LONG, list + i * 16L);
                bytes[i] = (int) MEMORY.get(ValueLayout.JAVA_LONG, list + i * 16L + 8);
                all += bytes[i];
            }
            if (all != sum || count < 2) {
                throw new AssertionError(count + " pieces have " + all + " bytes, said were " + sum);
            }
        }

        long at(int offset) {
            int left = offset;
            for (int i = 0; ; i++) {
                if (left < bytes[i]) {
                    return address[i] + left;
                }
                left -= bytes[i];
            }
        }
    }

    private List<Space.Claim> claim(Spread spread, boolean writes, String who) {
        List<Space.Claim> claims = new ArrayList<>();
        for (int i = 0; i < spread.address.length; i++) {
            claims.add(space.claim(spread.address[i], spread.bytes[i], writes, who));
        }
        return claims;
    }

    /** A message on its way; its bytes leave the sender's memory before they reach the receiver's. */
    private static final class Send {
        final Spread spread;
        final int bytes;
        final long message;
        final long offset;
        final List<Space.Claim> claims;
        final byte[] carried;
        /** Whether it says that it does not come. */
        boolean isVoid;

        int left;
        int arrived;

        Send(Spread spread, int bytes, long message, long offset, List<Space.Claim> claims) {
            this.spread = spread;
            this.bytes = bytes;
            this.message = message;
            this.offset = offset;
            this.claims = claims;
            this.carried = new byte[bytes];
        }
    }

    /** Memory made known, and whether it still is. */
    static final class Known implements Registration {
        final GpuMemory memory;
        boolean open = true;

        Known(GpuMemory memory) {
            this.memory = memory;
        }

        boolean has(long address, long bytes) {
            return address >= memory.address() && address + bytes <= memory.address() + memory.size();
        }

        @Override
        public void close() {
            if (!open) {
                throw new AssertionError(memory + " deregistered twice");
            }
            open = false;
        }
    }

    abstract class End {
        final List<Known> known = new ArrayList<>();
        boolean closed;
        boolean broken;

        Known know(GpuMemory memory) {
            Known made = new Known(memory);
            known.add(made);
            return made;
        }

        /** Every piece in something that is registered. */
        void within(Registration first, Spread spread) {
            for (int i = 0; i < spread.address.length; i++) {
                long address = spread.address[i];
                long bytes = spread.bytes[i];
                Known its = i == 0
                        ? (Known) first
                        : known.stream()
                                .filter(k -> k.open && k.has(address, bytes))
                                .findFirst()
                                .orElseThrow(() -> new AssertionError("a piece is in nothing that is registered"));
                within(its, address, bytes);
            }
        }

        void use(String call) throws TransportException {
            if (closed) {
                throw new AssertionError(call + " on closed " + Wire.this);
            }
            if (broken) {
                throw new TransportException("simulated break of " + Wire.this);
            }
        }

        void within(Registration registration, long address, long bytes) {
            Known known = (Known) registration;
            if (!known.open) {
                throw new AssertionError(known.memory + " is used on " + Wire.this + " but deregistered");
            }
            if (address < known.memory.address()
                    || address + bytes > known.memory.address() + known.memory.size()
                    || bytes < 1
                    || bytes > chunkBytes) {
                throw new AssertionError(bytes + " bytes at " + address + " are not in " + known.memory);
            }
        }
    }

    /** The sender's end. */
    final class Sender extends End implements SendChannel {
        private final ArrayDeque<Send> posted = new ArrayDeque<>();

        @Override
        public Registration register(GpuMemory memory) throws TransportException {
            use("register");
            return know(memory);
        }

        @Override
        public boolean send(Registration memory, long address, long bytes, long message, long offset)
                throws TransportException {
            return send(memory, new Spread(address, bytes), bytes, message, offset);
        }

        @Override
        public boolean sendPieces(Registration memory, long pieces, int count, long bytes, long message, long offset)
                throws TransportException {
            return send(memory, new Spread(pieces, count, bytes), bytes, message, offset);
        }

        private boolean send(Registration memory, Spread spread, long bytes, long message, long offset)
                throws TransportException {
            use("send");
            if (posted.size() == MOST || faults.refuses(random)) {
                return false;
            }
            within(memory, spread);
            Send s = new Send(spread, (int) bytes, message, offset, claim(spread, false, "send on " + Wire.this));
            posted.add(s);
            pipe.add(s);
            return true;
        }

        @Override
        public boolean sendsVoids() {
            return voids;
        }

        @Override
        public boolean sendVoid(long bytes, long message, long offset) throws TransportException {
            use("sendVoid");
            if (!voids) {
                throw new AssertionError("a void on " + Wire.this + ", which sends none");
            }
            if (posted.size() == MOST || faults.refuses(random)) {
                return false;
            }
            Send s = new Send(new Spread(0, bytes), (int) bytes, message, offset, List.of());
            s.isVoid = true;
            posted.add(s);
            pipe.add(s);
            return true;
        }

        @Override
        public int test() throws TransportException {
            use("test");
            Send s = posted.peek();
            if (s == null || s.left < s.bytes || random.nextInt(3) == 0) {
                return PENDING;
            }
            posted.remove();
            s.claims.forEach(space::release);
            return DONE;
        }

        @Override
        public long unanswered() throws TransportException {
            use("unanswered");
            return frozen && (inPipe > 0 || !posted.isEmpty()) ? Long.MAX_VALUE / 2 : 0;
        }

        @Override
        public String description() {
            return Wire.this + " out";
        }

        @Override
        public void close() {
            if (closed) {
                return;
            }
            closed = true;
            for (Send s : posted) {
                s.claims.forEach(space::release);
            }
        }
    }

    /** The receiver's end. */
    final class Receiver extends End implements ReceiveChannel {
        private static final class Posted {
            final Spread spread;
            final int bytes;
            final long message;
            final long offset;
            final List<Space.Claim> claims;
            int arrived;
            boolean damaged;
            boolean isVoid;
            byte[] gathered = {};

            Posted(Spread spread, int bytes, long message, long offset, List<Space.Claim> claims) {
                this.spread = spread;
                this.bytes = bytes;
                this.message = message;
                this.offset = offset;
                this.claims = claims;
            }
        }

        private final ArrayDeque<Posted> posted = new ArrayDeque<>();
        private final ScatterList list = new ScatterList();
        private @Nullable Posted last;
        private long postedCount;
        private long done;
        private long consumed;

        @Override
        public Registration register(GpuMemory memory) throws TransportException {
            use("register");
            return know(memory);
        }

        @Override
        public boolean receive(Registration memory, long address, long bytes, long message, long offset)
                throws TransportException {
            return receive(memory, new Spread(address, bytes), bytes, message, offset);
        }

        @Override
        public boolean receivePieces(Registration memory, long pieces, int count, long bytes, long message, long offset)
                throws TransportException {
            return receive(memory, new Spread(pieces, count, bytes), bytes, message, offset);
        }

        private boolean receive(Registration memory, Spread spread, long bytes, long message, long offset)
                throws TransportException {
            use("receive");
            if (postedCount - consumed == MOST || faults.refuses(random)) {
                return false;
            }
            within(memory, spread);
            Posted p = new Posted(spread, (int) bytes, message, offset, claim(spread, true, "receive on " + Wire.this));
            p.damaged = faults.damages(random);
            p.gathered = new byte[(int) bytes];
            posted.add(p);
            postedCount++;
            return true;
        }

        @Override
        public int test() throws TransportException {
            use("test");
            last = null;
            Posted p = posted.peek();
            if (p == null || p.arrived < p.bytes || random.nextInt(3) == 0) {
                return PENDING;
            }
            posted.remove();
            p.claims.forEach(space::release);
            done++;
            if (p.isVoid) {
                return VOID;
            }
            if (p.damaged) {
                if (!scatters) {
                    scribble(p);
                }
                return DAMAGED;
            }
            last = p;
            return DONE;
        }

        @Override
        public ScatterList scattered() throws TransportException {
            use("scattered");
            Posted p = last;
            if (p == null || bounce == null) {
                throw new AssertionError("nothing was scattered by the last test of " + Wire.this);
            }
            // pages of this request's part of the bounce buffer, in turned order
            int page = Math.max(1, random.nextInt(p.bytes) + 1);
            int count = (p.bytes + page - 1) / page;
            byte[] descriptors = new byte[count * ScatterList.DESCRIPTOR_BYTES];
            MemorySegment out = MemorySegment.ofArray(descriptors);
            long base = ((done - 1) % (2 * MOST)) * chunkBytes;
            long source = base;
            for (int i = count - 1; i >= 0; i--) {
                int at = i * page;
                int length = Math.min(page, p.bytes - at);
                long d = (long) i * ScatterList.DESCRIPTOR_BYTES;
                out.set(ValueLayout.JAVA_INT_UNALIGNED, d, (int) source);
                out.set(ValueLayout.JAVA_INT_UNALIGNED, d + 4, length);
                out.set(ValueLayout.JAVA_LONG_UNALIGNED, d + 8, at);
                System.arraycopy(p.gathered, at, bounce.bytes, (int) source, length);
                source += length;
            }
            list.set(out, count, 0, bounce.address(), bounce.size());
            return list;
        }

        @Override
        public void consumed() throws TransportException {
            use("consumed");
            if (consumed == done) {
                throw new AssertionError("more receives consumed than done on " + Wire.this);
            }
            if (bounce != null) {
                int base = (int) ((consumed % (2 * MOST)) * chunkBytes);
                Arrays.fill(bounce.bytes, base, base + (int) chunkBytes, RUBBISH);
            }
            consumed++;
        }

        @Override
        public long progress() throws TransportException {
            use("progress");
            return arrivedBytes;
        }

        /** Rubbish over a part of a buffer that is posted: the transport may, until it is closed or says done. */
        private void scribble(Posted p) {
            if (!scatters) {
                for (int n = random.nextInt(4); n > 0; n--) {
                    space.write(p.spread.at(random.nextInt(p.bytes)), RUBBISH, "late write of " + Wire.this);
                }
            }
        }

        @Override
        public String description() {
            return Wire.this + " in";
        }

        @Override
        public void close() {
            if (closed) {
                return;
            }
            posted.forEach(this::scribble);
            closed = true;
            for (Posted p : posted) {
                p.claims.forEach(space::release);
            }
            if (bounce != null) {
                bounce.close();
            }
        }
    }

    /** Nothing moves any more, and nobody is told. */
    void freeze() {
        frozen = true;
    }

    /** Moves some bytes, at most as many as the pipe holds; returns whether any moved. */
    boolean progress() {
        boolean moved = false;
        if (receiver.broken && !receiver.closed) {
            receiver.posted.forEach(receiver::scribble);
        }
        if (frozen) {
            return false;
        }
        if (!sender.closed && !sender.broken) {
            for (Send s : sender.posted) {
                if (s.isVoid) {
                    s.left = s.bytes;
                    continue;
                }
                int n = Math.min(random.nextInt((int) chunkBytes * 2), Math.min(s.bytes - s.left, pipeBytes - inPipe));
                for (int i = 0; i < n; i++) {
                    s.carried[s.left] = space.read(s.spread.at(s.left), "send on " + this);
                    s.left++;
                    inPipe++;
                }
                moved |= n > 0;
                if (s.left < s.bytes) {
                    break;
                }
            }
        }
        if (!receiver.closed && !receiver.broken) {
            moved |= arrive();
        }
        return moved;
    }

    private boolean arrive() {
        boolean moved = false;
        for (Receiver.Posted p : receiver.posted) {
            if (p.arrived == p.bytes) {
                continue;
            }
            Send s = pipe.peek();
            if (s == null) {
                break;
            }
            if (s.bytes != p.bytes || s.message != p.message || s.offset != p.offset) {
                if (faults.lies()) {
                    receiver.broken = true;
                    break;
                }
                throw new AssertionError("on " + this + " message " + s.message + " at " + s.offset + " of " + s.bytes
                        + " bytes meets a receive of message " + p.message + " at " + p.offset + " of " + p.bytes);
            }
            if (s.isVoid) {
                if (s.left < s.bytes) {
                    break;
                }
                p.isVoid = true;
                p.arrived = p.bytes;
                s.arrived = s.bytes;
                moved = true;
                pipe.remove();
                continue;
            }
            int n = Math.min(random.nextInt((int) chunkBytes * 2), s.left - s.arrived);
            for (int i = 0; i < n; i++) {
                p.gathered[s.arrived] = s.carried[s.arrived];
                if (!scatters) {
                    space.write(p.spread.at(s.arrived), s.carried[s.arrived], "receive on " + this);
                }
                s.arrived++;
                p.arrived++;
                arrivedBytes++;
                inPipe--;
            }
            moved |= n > 0;
            if (s.arrived < s.bytes) {
                break;
            }
            pipe.remove();
        }
        return moved;
    }

    /** Both ends, one, or the other stop working; a closed end is noticed by the other as a break. */
    void breakEnds(boolean sendersEnd, boolean receiversEnd) {
        sender.broken |= sendersEnd;
        receiver.broken |= receiversEnd;
    }

    /** What a real transport notices: the other end is gone, and (by a receiver) all that it had sent has been read. */
    void noticeClosing() {
        if (frozen) {
            return;
        }
        Send head = pipe.peek();
        if (sender.closed && (head == null || head.arrived == head.left)) {
            receiver.broken = true;
        }
        if (receiver.closed) {
            sender.broken = true;
        }
    }

    boolean isDead() {
        return sender.closed && receiver.closed;
    }

    boolean isBroken() {
        return frozen || sender.broken || receiver.broken || sender.closed || receiver.closed;
    }
}
