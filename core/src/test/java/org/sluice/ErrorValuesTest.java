package org.sluice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.Test;

/** What an exception says in its message is there as values too. */
final class ErrorValuesTest {
    private static final Where CHANNEL =
            Where.ofGpu(3).phase(Where.Phase.CHANNELS).channel(5, "eth1").peer("10.0.0.2:4711 (its GPU 3)");

    @Test
    void theMessageBeginsWithThePlaceAndThePlaceIsThereAsValues() {
        SluiceException e = new LinkException(ErrorCode.UNREACHABLE, CHANNEL, "cannot connect; check the cable");
        assertThat(e)
                .hasMessage(
                        "GPU 3, channel 5 on eth1, peer 10.0.0.2:4711 (its GPU 3): cannot connect; check the cable");
        assertThat(e.what()).isEqualTo("cannot connect; check the cable");
        assertThat(e.code()).isEqualTo(ErrorCode.UNREACHABLE);
        assertThat(e.where().gpu()).isEqualTo(3);
        assertThat(e.where().nic()).isEqualTo("eth1");
        assertThat(e.where().channel()).isEqualTo(5);
        assertThat(e.where().phase()).isEqualTo(Where.Phase.CHANNELS);
    }

    @Test
    void whoCatchesFillsInWhatWhoThrewDidNotKnow() {
        SluiceException thrown = new ProtocolException(Where.NOWHERE.peer("10.0.0.2:4711"), "the peer lies");
        SluiceException e = thrown.at(CHANNEL.peer("another"));
        assertThat(e).isInstanceOf(ProtocolException.class).hasCause(thrown);
        assertThat(e).hasMessage("GPU 3, channel 5 on eth1, peer 10.0.0.2:4711: the peer lies");
        assertThat(e.code()).isEqualTo(ErrorCode.PROTOCOL);
        assertThat(e.at(CHANNEL)).isSameAs(e);
    }

    @Test
    void aRefusalKeepsItsReason() {
        RemoteAccessException e = new RemoteAccessException(CHANNEL, "write 7 of 100 bytes", TransferRefusal.BOUNDS);
        assertThat(e.reason()).isEqualTo(TransferRefusal.BOUNDS);
        assertThat(e).hasMessageEndingWith("write 7 of 100 bytes: the range is not inside the peer's region");
        RemoteAccessException elsewhere = catchThrowableOfType(RemoteAccessException.class, () -> {
            throw new RemoteAccessException(Where.NOWHERE, "write 7", TransferRefusal.KEY).at(CHANNEL);
        });
        assertThat(elsewhere.reason()).isEqualTo(TransferRefusal.KEY);
        assertThat(elsewhere).hasMessageContaining("GPU 3").hasMessageContaining("no region of the peer");
    }

    @Test
    void withoutAPlaceTheMessageIsWhatWasSaid() {
        assertThat(new ConfigException("no NIC")).hasMessage("no NIC");
        assertThat(new ConfigException("no NIC").where()).isEqualTo(Where.NOWHERE);
    }
}
