package org.sluice.rendezvous;

import java.util.ArrayList;
import java.util.List;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.FrameType;
import org.sluice.wire.PayloadReader;
import org.sluice.wire.PayloadWriter;

/** What a rank says of itself when it comes. @param who with an empty host where the place it comes from is right */
record Join(int world, String job, Attendee who) {
    byte[] encode() {
        return new PayloadWriter()
                .u16(who.rank())
                .u16(world)
                .u16(who.port())
                .text(job)
                .text(who.name())
                .text(who.host())
                .toBytes();
    }

    static Join decode(byte[] payload) {
        PayloadReader in = new PayloadReader(FrameType.JOIN, payload);
        int rank = in.u16();
        int world = in.u16();
        int port = in.u16();
        String job = text(in);
        String name = text(in);
        String host = text(in);
        in.end();
        return new Join(world, job, new Attendee(rank, name, host, port));
    }

    private static String text(PayloadReader in) {
        return FrameSocket.printable(in.text(Attendee.MOST_TEXT_BYTES));
    }

    /** Where everybody is, in frames as full as they may be: u16 first rank, u16 how many, then each. */
    static List<byte[]> encodeTable(List<Attendee> all) {
        List<byte[]> frames = new ArrayList<>();
        PayloadWriter entries = new PayloadWriter();
        int first = 0;
        for (int i = 0; i < all.size(); i++) {
            Attendee a = all.get(i);
            byte[] entry = new PayloadWriter()
                    .u16(a.port())
                    .text(a.name())
                    .text(a.host())
                    .toBytes();
            if (2 * Short.BYTES + entries.size() + entry.length > FrameType.TABLE.most) {
                frames.add(table(first, i - first, entries));
                entries = new PayloadWriter();
                first = i;
            }
            entries.raw(entry);
        }
        frames.add(table(first, all.size() - first, entries));
        return frames;
    }

    private static byte[] table(int first, int count, PayloadWriter entries) {
        return new PayloadWriter().u16(first).u16(count).raw(entries.toBytes()).toBytes();
    }

    /** Adds the entries of a frame to those that have come. @param world how many there are to be in all @param here the meeting place */
    static void decodeTable(byte[] payload, int world, String here, List<Attendee> into) {
        PayloadReader in = new PayloadReader(FrameType.TABLE, payload);
        in.within(in.u16(), into.size(), into.size(), "first rank");
        int count = in.within(in.u16(), 1, world - into.size(), "number of ranks");
        for (int i = 0; i < count; i++) {
            int port = in.u16();
            String name = text(in);
            String host = text(in);
            into.add(new Attendee(into.size(), name, host.isEmpty() ? here : host, port));
        }
        in.end();
    }
}
