package org.sluice;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Transfers that are posted with one call, {@link Link#post(Batch)}, and whose ends come by {@link Link#poll(Completions)} instead of by a
 * future. May be used again: posting takes its transfers out. Belongs to one thread.
 */
public final class Batch {
    /** Who sends, and who asks. */
    public enum Kind {
        SEND,
        RECEIVE,
        WRITE,
        READ
    }

    private Kind[] kinds = new Kind[16];
    private LocalSide[] locals = new LocalSide[16];
    private @Nullable RemoteSide[] remotes = new RemoteSide[16];
    private TransferOptions[] options = new TransferOptions[16];
    private long[] tokens = new long[16];
    private int size;

    /** One without transfers. */
    public Batch() {}

    /** As {@link Link#send(LocalSide, TransferOptions)}. @param token what its end is told with; anything */
    public Batch send(LocalSide from, TransferOptions with, long token) {
        return add(Kind.SEND, from, null, with, token);
    }

    public Batch receive(LocalSide to, TransferOptions with, long token) {
        return add(Kind.RECEIVE, to, null, with, token);
    }

    public Batch write(LocalSide from, RemoteSide to, TransferOptions with, long token) {
        return add(Kind.WRITE, from, Objects.requireNonNull(to), with, token);
    }

    public Batch read(LocalSide to, RemoteSide from, TransferOptions with, long token) {
        return add(Kind.READ, to, Objects.requireNonNull(from), with, token);
    }

    private Batch add(Kind kind, LocalSide local, @Nullable RemoteSide remote, TransferOptions with, long token) {
        if (size == kinds.length) {
            kinds = Arrays.copyOf(kinds, 2 * size);
            locals = Arrays.copyOf(locals, 2 * size);
            remotes = Arrays.copyOf(remotes, 2 * size);
            options = Arrays.copyOf(options, 2 * size);
            tokens = Arrays.copyOf(tokens, 2 * size);
        }
        kinds[size] = kind;
        locals[size] = Objects.requireNonNull(local);
        remotes[size] = remote;
        options[size] = Objects.requireNonNull(with);
        tokens[size++] = token;
        return this;
    }

    /** How many it has. */
    public int size() {
        return size;
    }

    public Kind kind(int i) {
        return kinds[i];
    }

    public LocalSide local(int i) {
        return locals[i];
    }

    /** Null for two-sided ones. */
    public @Nullable RemoteSide remote(int i) {
        return remotes[i];
    }

    public TransferOptions options(int i) {
        return options[i];
    }

    public long token(int i) {
        return tokens[i];
    }

    /** Takes everything out. */
    @SuppressWarnings("NullAway") // nothing is read beyond its size
    public void clear() {
        Arrays.fill(locals, 0, size, null);
        Arrays.fill(remotes, 0, size, null);
        size = 0;
    }
}
