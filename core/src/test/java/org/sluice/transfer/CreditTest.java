package org.sluice.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.sluice.ProtocolException;
import org.sluice.Where;

/** Both ends of a credit: what one side may say, and what the other keeps. */
final class CreditTest {
    private final CreditAccount account = new CreditAccount(Where.NOWHERE);
    private final CreditGiver giver = new CreditGiver(Where.NOWHERE, "notes", 4, 1000);

    private void tell() {
        account.raise(giver.tellCount(), giver.tellBytes());
    }

    @Test
    void nothingMayBeSaidBeforeThePeerHasGivenCredit() {
        assertThat(account.isOpen()).isFalse();
        assertThat(account.take(0)).isFalse();
        tell();
        assertThat(account.isOpen()).isTrue();
        assertThat(account.take(0)).isTrue();
    }

    @Test
    void neitherNumberNorBytesGoBeyondWhatWasGiven() {
        tell();
        assertThat(account.take(1000)).as("more bytes than there are").isFalse();
        for (int i = 0; i < 4; i++) {
            assertThat(account.take(10)).isTrue();
        }
        assertThat(account.take(0)).as("a fifth").isFalse();
    }

    @Test
    void whatIsTakenComesBack() {
        tell();
        for (int i = 0; i < 1000; i++) {
            assertThat(account.take(100)).isTrue();
            giver.came(100);
            if (giver.done(100)) {
                tell();
            }
        }
    }

    @Test
    void aPeerThatSaysMoreThanItMayBreaksTheProtocol() {
        tell();
        for (int i = 0; i < 4; i++) {
            giver.came(0);
        }
        assertThatThrownBy(() -> giver.came(0))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("more notes than it has credit for: 5");
        CreditGiver other = new CreditGiver(Where.NOWHERE, "notes", 4, 1000);
        other.tellCount();
        other.tellBytes();
        assertThatThrownBy(() -> other.came(1000)).isInstanceOf(ProtocolException.class);
    }

    @Test
    void creditIsNeverTakenBack() {
        account.raise(10, 100);
        assertThatThrownBy(() -> account.raise(9, 100)).isInstanceOf(ProtocolException.class);
        assertThatThrownBy(() -> account.raise(10, 99)).isInstanceOf(ProtocolException.class);
        account.raise(10, 100);
    }
}
