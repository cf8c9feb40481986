package org.sluice.spi;

/** Walks through a {@link PieceTable}, stretch by stretch, for what moves pieces one by one. Used again for one table after the other. */
public final class PieceCursor {
    private PieceTable of = PieceTable.Rows.range(0, 1);
    private long piece;
    private long pieces;
    private long address;
    private long left;

    /** At the first byte of nothing. */
    public PieceCursor() {}

    /** Goes to a byte of a table's stream. @param offset below its {@link PieceTable#bytes} */
    public void seek(PieceTable table, long offset) {
        of = table;
        long within = 0;
        switch (table) {
            case PieceTable.Rows r -> {
                piece = offset / r.blockBytes();
                within = offset - piece * r.blockBytes();
                pieces = r.count();
            }
            case PieceTable.Blocks b -> {
                piece = offset / b.blockBytes();
                within = offset - piece * b.blockBytes();
                pieces = b.count();
            }
            case PieceTable.Listed l -> {
                int found = l.find(offset);
                piece = found;
                within = offset - l.begin(found);
                pieces = l.count();
            }
        }
        place();
        address += within;
        left -= within;
    }

    private void place() {
        switch (of) {
            case PieceTable.Rows r -> {
                long row = piece / r.inner();
                address = r.start() + row * r.rowStride() + (piece - row * r.inner()) * r.stride();
                left = r.blockBytes();
            }
            case PieceTable.Blocks b -> {
                address = b.start() + b.indices()[(int) piece] * b.unit();
                left = b.blockBytes();
            }
            case PieceTable.Listed l -> {
                address = l.addresses()[(int) piece];
                left = l.ends()[(int) piece] - l.begin((int) piece);
            }
        }
    }

    /** Where the next byte is. */
    public long address() {
        return address;
    }

    /** Bytes of its piece from there on; 0 at the end of the stream. */
    public long left() {
        return left;
    }

    /** Goes on. @param bytes at most {@link #left} */
    public void skip(long bytes) {
        address += bytes;
        left -= bytes;
        if (left == 0 && ++piece < pieces) {
            place();
        }
    }
}
