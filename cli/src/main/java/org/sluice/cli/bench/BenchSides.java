package org.sluice.cli.bench;

import org.sluice.Batch;
import org.sluice.Layout;
import org.sluice.Link;
import org.sluice.LocalSide;
import org.sluice.PreparedLayout;
import org.sluice.PreparedRemoteLayout;
import org.sluice.Region;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.RemoteSide;
import org.sluice.TransferOptions;
import org.sluice.cli.bench.BenchWork.Op;

/** What the transfers of one size have at both ends: layouts of their own, or what is prepared once and selected from. One thread. */
final class BenchSides implements AutoCloseable {
    private final BenchWork work;
    private final BenchWork.Orders orders;
    private final Region from;
    private final Region back;
    private final RemoteRegion to;
    private final TransferOptions options;
    private final PreparedLayout here;
    private final PreparedRemoteLayout there;

    BenchSides(
            Link link, BenchWork work, BenchWork.Orders orders, Region from, Region back, RemoteRegion to, long seed) {
        this.work = work;
        this.orders = orders;
        this.from = from;
        this.back = back;
        this.to = to;
        this.options = work.op() == Op.SEND ? TransferOptions.tagged(seed) : TransferOptions.NONE;
        this.here = link.prepare(orders.straight(work.op() == Op.READ ? back : from));
        this.there = link.prepare(orders.straight(to));
    }

    void add(Batch batch, int n, long token) {
        switch (work.op()) {
            case WRITE -> batch.write(mine(from, n), theirs(n), options, token);
            case READ -> batch.read(mine(back, n), same(n), options, token);
            case SEND -> batch.send(mine(from, n), options, token);
        }
    }

    private LocalSide mine(Region region, int n) {
        if (!work.prepared()) {
            return orders.local(region, n);
        }
        return work.shuffle() ? here.select(orders.here(n)) : here;
    }

    private RemoteSide theirs(int n) {
        if (!work.prepared()) {
            return orders.remote(to, n);
        }
        return work.shuffle() ? there.select(orders.there(n)) : there;
    }

    /** At the peer, in the order of this side: what is read so is what it was. */
    private RemoteSide same(int n) {
        if (!work.prepared()) {
            return orders.same(to, n);
        }
        return work.shuffle() ? there.select(orders.here(n)) : there;
    }

    Layout local(Region region, int n) {
        return orders.local(region, n);
    }

    RemoteLayout remote(RemoteRegion region, int n) {
        return orders.remote(region, n);
    }

    @Override
    public void close() {
        here.close();
        there.close();
    }
}
