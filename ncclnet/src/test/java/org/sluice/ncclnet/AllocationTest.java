package org.sluice.ncclnet;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.spi.Channel;
import org.sluice.spi.Registration;
import org.sluice.spi.ScatterList;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;

/** What a chunk costs the transport in objects: none. */
@Timeout(60)
class AllocationTest {
    private static final int CHUNKS = 20_000;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @ParameterizedTest
    @ValueSource(ints = {5, 8, 9, 12})
    void chunksOfAPlainPluginAllocateNothing(int api) throws Exception {
        assertNothingPerChunk(FakePlugin.plain(api));
    }

    @Test
    void chunksOfAnUnpackingPluginAllocateNothing() throws Exception {
        assertNothingPerChunk(FakePlugin.tcpx());
    }

    private static void assertNothingPerChunk(FakePlugin plugin) throws Exception {
        try (Transport transport = new NcclNetTransportProvider().open(plugin.transportConfig());
                Loop loop = Loop.over(transport)) {
            Registration target = loop.receiver().register(loop.memory());
            boolean scatters = transport.devices().getFirst().scatters();
            move(loop, target, scatters);
            long before = THREADS.getCurrentThreadAllocatedBytes();
            move(loop, target, scatters);
            long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
            // a chunk that allocated anything would allocate 16 bytes at least
            assertThat(allocated).as("bytes for %d chunks", CHUNKS).isLessThan(CHUNKS);
        }
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
    }

    private static void move(Loop loop, Registration target, boolean scatters) throws TransportException {
        long at = loop.memory().address();
        for (int i = 0; i < CHUNKS; i++) {
            loop.receiver().receive(target, at, 8192, 0, 0);
            loop.send(8192);
            while (loop.sender().test() != Channel.DONE) {
                Thread.onSpinWait();
            }
            while (loop.receiver().test() != Channel.DONE) {
                Thread.onSpinWait();
            }
            if (scatters) {
                ScatterList list = loop.receiver().scattered();
                list.check(8192);
            }
            loop.receiver().consumed();
        }
    }
}
