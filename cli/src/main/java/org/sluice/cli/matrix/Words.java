package org.sluice.cli.matrix;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.sluice.ProtocolException;
import org.sluice.rendezvous.Launch;

/** Writes and reads what ranks say to each other at the meeting place. What is read is another process's: counts and lengths are checked. */
final class Words {
    private static final int MOST_TEXT = 400;
    private static final int MOST_FLOWS = 4096;

    private Words() {}

    private interface Writing {
        void to(DataOutputStream out) throws IOException;
    }

    private interface Reading<T> {
        T from(DataInputStream in) throws IOException;
    }

    private static byte[] written(Writing what) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            what.to(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static <T> T read(byte[] bytes, Reading<T> what) {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
        try {
            T value = what.from(in);
            if (in.available() > 0) {
                throw new ProtocolException("a rank said " + in.available() + " bytes too many");
            }
            return value;
        } catch (EOFException e) {
            throw new ProtocolException("a rank said something that ends early", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] of(List<Sight> sights) {
        return written(out -> {
            out.writeShort(sights.size());
            for (Sight s : sights) {
                out.writeShort(s.partner());
                text(out, s.failure());
                out.writeFloat((float) s.seconds());
                out.writeLong(s.verified());
                out.writeLong(s.wrong());
                out.writeFloat((float) s.p50Micros());
                out.writeFloat((float) s.p99Micros());
                out.writeShort(s.flows().size());
                for (Flow f : s.flows()) {
                    text(out, f.nic());
                    text(out, f.peerNic());
                    out.writeLong(f.bytes());
                    out.writeLong(f.segments());
                    out.writeLong(f.retransmitted());
                }
            }
        });
    }

    static List<Sight> sights(byte[] said, int world) {
        return read(said, in -> {
            int count = within(in.readUnsignedShort(), 0, world, "sights");
            List<Sight> all = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int partner = within(in.readUnsignedShort(), 0, world - 1, "rank");
                String failure = text(in);
                double seconds = in.readFloat();
                long verified = in.readLong();
                long wrong = in.readLong();
                double p50 = in.readFloat();
                double p99 = in.readFloat();
                int flows = within(in.readUnsignedShort(), 0, MOST_FLOWS, "flows");
                List<Flow> seen = new ArrayList<>();
                for (int f = 0; f < flows; f++) {
                    seen.add(new Flow(text(in), text(in), in.readLong(), in.readLong(), in.readLong()));
                }
                all.add(new Sight(partner, failure, seconds, verified, wrong, p50, p99, seen));
            }
            return all;
        });
    }

    static byte[] of(Order order) {
        return written(out -> {
            out.writeByte(order.kind().number);
            out.writeShort(order.pairs().size());
            for (Pairing p : order.pairs()) {
                out.writeShort(p.low());
                out.writeShort(p.high());
            }
            out.writeByte(order.status());
            text(out, order.text());
        });
    }

    static Order order(byte[] said) {
        return read(said, in -> {
            Order.Kind kind = Order.Kind.of(in.readUnsignedByte());
            int count = within(in.readUnsignedShort(), 0, Launch.MOST_RANKS, "pairs");
            List<Pairing> pairs = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int low = in.readUnsignedShort();
                pairs.add(new Pairing(low, within(in.readUnsignedShort(), low + 1, Launch.MOST_RANKS, "pair")));
            }
            return new Order(kind, pairs, in.readUnsignedByte(), text(in));
        });
    }

    /** What a node is: its NICs and its memory. */
    static byte[] of(MatrixReport.Member facts) {
        return written(out -> {
            text(out, facts.name());
            text(out, facts.backend());
            text(out, facts.gpu());
            out.writeShort(facts.gpus());
            out.writeByte(facts.nics().size());
            for (String nic : facts.nics()) {
                text(out, nic);
            }
        });
    }

    static MatrixReport.Member facts(byte[] said, int rank) {
        return read(said, in -> {
            String name = text(in);
            String backend = text(in);
            String gpu = text(in);
            int gpus = in.readUnsignedShort();
            int count = in.readUnsignedByte();
            List<String> nics = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                nics.add(text(in));
            }
            return new MatrixReport.Member(rank, name, backend, gpu, gpus, nics);
        });
    }

    private static void text(DataOutputStream out, String text) throws IOException {
        byte[] bytes =
                (text.length() <= MOST_TEXT ? text : text.substring(0, MOST_TEXT)).getBytes(StandardCharsets.UTF_8);
        out.writeShort(bytes.length);
        out.write(bytes);
    }

    private static String text(DataInputStream in) throws IOException {
        byte[] bytes = new byte[within(in.readUnsignedShort(), 0, 3 * MOST_TEXT, "bytes of text")];
        in.readFully(bytes);
        return new String(bytes, StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}", " ");
    }

    private static int within(int value, int least, int most, String what) {
        if (value < least || value > most) {
            throw new ProtocolException("a rank said " + value + " " + what + ", allowed are " + least + " to " + most);
        }
        return value;
    }
}
