package org.sluice.stats;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlightRecordingTest {
    private final ChannelTiming timing = new ChannelTiming(new ChunkEvent.Source(3, 5, "send", "eth1"));

    @Test
    void aRecordingThatAsksForChunksGetsEachWithItsChannel(@TempDir Path folder) throws Exception {
        timing.open(2);
        Path file = folder.resolve("chunks.jfr");
        try (Recording recording = new Recording()) {
            recording.enable("org.sluice.Chunk");
            recording.start();
            timing.began(0, 1);
            timing.ended(0, 7, 524288, 4096, 2);
            PhaseEvent phase = new PhaseEvent("accept", 3);
            phase.begin();
            phase.commit();
            TransferEvent transfer = new TransferEvent(3, "send", "10.0.0.2 (GPU 3)", 1 << 20);
            transfer.begin();
            transfer.commit("");
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> all = RecordingFile.readAllEvents(file);
        RecordedEvent chunk = only(all, "org.sluice.Chunk");
        assertThat(chunk.getInt("gpu")).isEqualTo(3);
        assertThat(chunk.getInt("channel")).isEqualTo(5);
        assertThat(chunk.getString("direction")).isEqualTo("send");
        assertThat(chunk.getString("nic")).isEqualTo("eth1");
        assertThat(chunk.getLong("transfer")).isEqualTo(7);
        assertThat(chunk.getLong("offset")).isEqualTo(524288);
        assertThat(chunk.getLong("bytes")).isEqualTo(4096);
        assertThat(only(all, "org.sluice.Phase").getString("phase")).isEqualTo("accept");
        assertThat(only(all, "org.sluice.Transfer").getLong("bytes")).isEqualTo(1 << 20);
    }

    private static RecordedEvent only(List<RecordedEvent> all, String name) {
        List<RecordedEvent> found = all.stream()
                .filter(e -> e.getEventType().getName().equals(name))
                .toList();
        assertThat(found).hasSize(1);
        return found.getFirst();
    }
}
