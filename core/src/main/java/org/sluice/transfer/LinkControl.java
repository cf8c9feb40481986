package org.sluice.transfer;

import org.sluice.TransferRefusal;

/**
 * What the data plane says to its peer over the control connection. Everything is only buffered: the agent sends it at the end
 * of its turn. Belongs to the agent thread; allocates nothing.
 */
public interface LinkControl {
    /** The n-th send of this link exists and is so long. */
    void open(long id, long length);

    /** Please receive {@code length} bytes into your region {@code (keyHigh, keyLow)} at {@code offset}. */
    void write(long id, long keyHigh, long keyLow, long offset, long length);

    /** Please send {@code length} bytes of your region {@code (keyHigh, keyLow)} from {@code offset}. */
    void read(long id, long keyHigh, long keyLow, long offset, long length);

    /** The buffer of the chunk at {@code offset} is posted on the channel: send it there. */
    void grant(long id, long offset, int channel, int generation);

    /** Every byte of the transfer has landed. */
    void landed(long id);

    /** The transfer cannot be done. @param detail the own length for {@link TransferRefusal#LENGTH}, else 0 */
    void refused(long id, TransferRefusal why, long detail);

    /** Please answer: this side wonders whether the peer or only a rail has gone silent. The answer goes to {@link LinkEngine#heard}. */
    void probe();

    /** The sender's or the receiver's end of a channel broke and is closed. @param peerSends whether the peer is its sender */
    void channelDown(boolean peerSends, int channel, int generation, String why);
}
