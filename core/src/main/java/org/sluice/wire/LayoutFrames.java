package org.sluice.wire;

import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sluice.Pieces;
import org.sluice.ProtocolException;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.Where;

/**
 * Layouts on the wire: one frame that says what it is and how much of it there will be, then frames with the regions' keys and the
 * pieces, whole ones. The reader takes memory as bytes come, never as they are announced.
 */
final class LayoutFrames {
    /** Fixed part of the first frame: u32 number, u32 form, u32 regions, u32 pieces, six u64 that depend on the form. */
    static final int HEAD_BYTES = 64;

    /** Before the pieces of each further frame: u32 number, u32 zero. */
    static final int MORE_BYTES = 8;

    /** Before the indices of a selection: u32 number, u32 number of the prepared layout, u32 how many in all, u32 zero. */
    static final int SELECTION_BYTES = 16;

    private static final int BLOCKS = 1;
    private static final int STRIDED = 2;
    private static final int LISTED = 3;
    private static final int MOST_REGIONS = 4096;
    private static final int REGION_BYTES = 16;
    static final int INDEX_BYTES = 4;
    private static final int PIECE_BYTES = 24;
    private static final int FRAME_BYTES = 48 << 10;

    private final Where where;
    private int number;
    private int form;
    private int regionsLeft;
    private int count;
    private int have;
    private boolean open;
    private final long[] numbers = new long[6];
    private List<RemoteRegion> regions = List.of();
    private int[] ints = {};
    private long[] offsets = {};
    private long[] lengths = {};

    LayoutFrames(Where where) {
        this.where = where;
    }

    /** Begins frames. */
    interface Frame {
        /** Begins one of the type and payload, and gives where to put it. */
        ByteBuffer of(FrameType type, int payload);
    }

    static void write(Frame frame, int number, RemoteLayout layout) {
        List<RemoteRegion> regions = layout.regions();
        if (regions.size() > MOST_REGIONS) {
            throw new IllegalArgumentException(
                    "a layout is of " + regions.size() + " regions, at most are " + MOST_REGIONS);
        }
        Pieces pieces = layout.pieces();
        ByteBuffer head = frame.of(FrameType.LAYOUT, HEAD_BYTES).putInt(number);
        switch (pieces) {
            case Pieces.Range r -> // a row of one
                numbers(head.putInt(STRIDED).putInt(1).putInt(0), r.offset(), r.bytes(), 0, 1, 0, 1);
            case Pieces.Blocks b ->
                numbers(head.putInt(BLOCKS).putInt(1).putInt((int) b.count()), b.base(), b.blockBytes(), 0, 0, 0, 0);
            case Pieces.Strided s ->
                numbers(
                        head.putInt(STRIDED).putInt(1).putInt(0),
                        s.offset(),
                        s.blockBytes(),
                        s.stride(),
                        s.innerCount(),
                        s.outerStride(),
                        s.outerCount());
            case Pieces.Listed l ->
                numbers(head.putInt(LISTED).putInt(regions.size()).putInt((int) l.count()), 0, 0, 0, 0, 0, 0);
        }
        int named = pieces instanceof Pieces.Listed ? regions.size() : 1;
        for (int at = 0; at < named; ) {
            int some = Math.min(named - at, FRAME_BYTES / REGION_BYTES);
            ByteBuffer out = more(frame, number, some * REGION_BYTES);
            for (int end = at + some; at < end; at++) {
                out.putLong(regions.get(at).keyHigh()).putLong(regions.get(at).keyLow());
            }
        }
        if (pieces instanceof Pieces.Blocks b) {
            for (int at = 0; at < b.count(); ) {
                int some = (int) Math.min(b.count() - at, FRAME_BYTES / INDEX_BYTES);
                put(more(frame, number, some * INDEX_BYTES), b.indexBuffer(), at, some);
                at += some;
            }
        } else if (pieces instanceof Pieces.Listed l) {
            for (int at = 0; at < l.count(); ) {
                int some = (int) Math.min(l.count() - at, FRAME_BYTES / PIECE_BYTES);
                ByteBuffer out = more(frame, number, some * PIECE_BYTES);
                for (int end = at + some; at < end; at++) {
                    out.putInt(l.region(at)).putInt(0).putLong(l.offset(at)).putLong(l.length(at));
                }
            }
        }
    }

    /** Some pieces of a prepared layout: as many frames as they take, one at least. */
    static void select(Frame frame, int number, int prepared, int[] indices, int count) {
        int at = 0;
        do {
            int some = Math.min(count - at, FRAME_BYTES / INDEX_BYTES);
            ByteBuffer out = frame.of(FrameType.SELECTION, SELECTION_BYTES + some * INDEX_BYTES);
            out.putInt(number).putInt(prepared).putInt(count).putInt(0);
            put(out, IntBuffer.wrap(indices), at, some);
            at += some;
        } while (at < count);
    }

    private static void put(ByteBuffer out, IntBuffer from, int at, int count) {
        out.asIntBuffer().put(from.slice(at, count));
        out.position(out.position() + count * INDEX_BYTES);
    }

    private static ByteBuffer more(Frame frame, int number, int bytes) {
        return frame.of(FrameType.LAYOUT_MORE, MORE_BYTES + bytes)
                .putInt(number)
                .putInt(0);
    }

    private static void numbers(ByteBuffer out, long a, long b, long c, long d, long e, long f) {
        out.putLong(a).putLong(b).putLong(c).putLong(d).putLong(e).putLong(f);
    }

    private ProtocolException wrong(String what) {
        open = false;
        return new ProtocolException(where, "the peer sent a layout " + what);
    }

    int number() {
        return number;
    }

    /** Reads the first frame. */
    void begin(ByteBuffer in) {
        if (open) {
            throw wrong("inside another");
        }
        number = in.getInt();
        form = in.getInt();
        regionsLeft = in.getInt();
        count = in.getInt();
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = in.getLong();
        }
        if (form < BLOCKS || form > LISTED) {
            throw wrong("of unknown form " + form);
        }
        int least = form == LISTED ? 0 : 1;
        if (regionsLeft < least
                || regionsLeft > (form == LISTED ? MOST_REGIONS : 1)
                || count < 0
                || count > (form == STRIDED ? 0 : Pieces.MOST)) {
            throw wrong("of " + regionsLeft + " regions and " + count + " pieces");
        }
        regions = new ArrayList<>();
        forgetPieces();
        have = 0;
        open = true;
    }

    /** Reads what follows. @return the layout once it is whole, else null */
    @Nullable RemoteLayout more(ByteBuffer in, int end) {
        if (in.getInt() != number || !open) {
            throw wrong("that was not begun");
        }
        in.getInt();
        while (regionsLeft > 0 && in.position() < end) {
            need(in, end, REGION_BYTES);
            regions.add(new RemoteRegion(in.getLong(), in.getLong(), 0));
            regionsLeft--;
        }
        int bytes = form == BLOCKS ? INDEX_BYTES : PIECE_BYTES;
        int some = (end - in.position()) / bytes;
        need(in, end, (end - in.position() + bytes - 1) / bytes * bytes);
        if (some > count - have) {
            throw wrong("with more pieces than it has");
        }
        if (some > 0) {
            pieces(in, some);
        }
        return regionsLeft == 0 && have == count ? whole() : null;
    }

    /** A list of no regions and no pieces has no further frame. */
    @Nullable RemoteLayout wholeAlready() {
        return regionsLeft == 0 && count == 0 ? whole() : null;
    }

    private void need(ByteBuffer in, int end, int bytes) {
        if (end - in.position() < bytes) {
            throw wrong("with a piece cut in half");
        }
    }

    private void pieces(ByteBuffer in, int some) {
        if (have + some > ints.length) {
            int room = Math.min(count, Math.max(have + some, have * 2));
            ints = Arrays.copyOf(ints, room);
            if (form == LISTED) {
                offsets = Arrays.copyOf(offsets, room);
                lengths = Arrays.copyOf(lengths, room);
            }
        }
        if (form != LISTED) {
            in.asIntBuffer().get(ints, have, some);
            in.position(in.position() + some * INDEX_BYTES);
            have += some;
            return;
        }
        for (int last = have + some; have < last; have++) {
            ints[have] = in.getInt();
            in.getInt();
            offsets[have] = in.getLong();
            lengths[have] = in.getLong();
        }
    }

    private RemoteLayout whole() {
        open = false;
        try {
            Pieces pieces = switch (form) {
                case BLOCKS -> new Pieces.Blocks(numbers[0], numbers[1], Arrays.copyOf(ints, count));
                case STRIDED ->
                    new Pieces.Strided(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
                default ->
                    new Pieces.Listed(
                            Arrays.copyOf(ints, count), Arrays.copyOf(offsets, count), Arrays.copyOf(lengths, count));
            };
            return RemoteLayout.of(regions, pieces);
        } catch (IllegalArgumentException e) {
            throw new ProtocolException(where, "the peer sent a layout that cannot be: " + e.getMessage(), e);
        } finally {
            forgetPieces();
        }
    }

    private void forgetPieces() {
        ints = new int[0];
        offsets = new long[0];
        lengths = new long[0];
    }
}
