package org.sluice.cli.matrix;

import java.util.ArrayList;
import java.util.List;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.Where;
import org.sluice.cli.common.FreePorts;
import org.sluice.cli.common.LoopbackRails;
import org.sluice.cli.common.ServerProcess;
import org.sluice.rendezvous.Launch;

/** All ranks but 0 as processes of this machine, with the options of this one. */
final class LocalRanks implements AutoCloseable {
    static final LocalRanks NONE = new LocalRanks(List.of());

    private final List<ServerProcess> processes;

    private LocalRanks(List<ServerProcess> processes) {
        this.processes = processes;
    }

    /** What rank 0 of so many on this machine is. */
    static Launch rank0(int world) {
        return new Launch(0, world, LoopbackRails.HOST, FreePorts.inARow(1), "", "rank 0 of " + world + " by --local");
    }

    /** @param arguments of this process: that a rank is given with them makes it one of those that are started */
    static LocalRanks start(List<String> arguments, Launch rank0) {
        List<ServerProcess> started = new ArrayList<>();
        LocalRanks all = new LocalRanks(started);
        try {
            for (int r = 1; r < rank0.world(); r++) {
                List<String> own = new ArrayList<>(arguments);
                own.add("--rank=" + r);
                own.add("--world=" + rank0.world());
                own.add("--rendezvous=" + rank0.host() + ":" + rank0.port());
                started.add(ServerProcess.start(own));
            }
            return all;
        } catch (RuntimeException e) {
            all.close();
            throw e;
        }
    }

    /** Waits for their ends, which come by themselves once rank 0 has said that it is over. */
    void await() {
        try {
            for (ServerProcess p : processes) {
                p.await();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LinkException(ErrorCode.INTERRUPTED, Where.NOWHERE, "interrupted while the other ranks end", e);
        }
    }

    @Override
    public void close() {
        processes.forEach(ServerProcess::close);
    }
}
