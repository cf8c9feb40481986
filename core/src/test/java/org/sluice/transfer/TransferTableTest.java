package org.sluice.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.SluiceException;
import org.sluice.TransferOptions;

final class TransferTableTest {
    private static final Completion NOBODY = new Completion() {
        @Override
        public void done(long startedAt) {}

        @Override
        public void failed(SluiceException why) {}
    };

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    @DisplayName("it holds what a map holds, whatever is put and removed")
    void asAMap(long seed) {
        Random random = new Random(seed);
        TransferTable<OutboundTransfer> table = new TransferTable<>();
        Map<Long, OutboundTransfer> map = new HashMap<>();
        int range = 1 + random.nextInt(2000);
        for (int n = 0; n < 20_000; n++) {
            long id = MessageId.of(random.nextInt(3), random.nextInt(range));
            if (random.nextBoolean()) {
                table.remove(id);
                map.remove(id);
            } else if (!map.containsKey(id)) {
                OutboundTransfer t = new OutboundTransfer(
                        id,
                        PieceMap.range(new MemoryBlock(Nowhere.INSTANCE, 0), 0, 1),
                        null,
                        TransferOptions.NONE,
                        1,
                        NOBODY);
                table.put(t);
                map.put(id, t);
            }
            assertThat(table.get(id)).isSameAs(map.get(id));
            assertThat(table.size()).isEqualTo(map.size());
        }
        map.forEach((id, t) -> assertThat(table.get(id)).isSameAs(t));
        List<OutboundTransfer> drained = new ArrayList<>();
        table.drain(drained::add);
        assertThat(drained).containsExactlyInAnyOrderElementsOf(map.values());
        assertThat(table.size()).isZero();
    }
}
