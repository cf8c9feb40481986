package org.sluice.spi;

/** Where a channel that is to be encrypted gets its key from. */
@FunctionalInterface
public interface ChannelKeys {
    /**
     * 32 bytes that both ends of the link derive and nobody else can. Asked for when a channel is connected or accepted, not
     * before.
     *
     * @param purpose what the key is for, the same at both ends and never the same twice: a random token from the handle
     * @throws TransportException where the link has no shared secret
     */
    byte[] derive(byte[] purpose) throws TransportException;

    /** Of a link without a shared secret. */
    ChannelKeys NONE = purpose -> {
        throw new TransportException(
                "encrypted channels need a shared secret, and a bootstrap that proves it; set the same"
                        + " SLUICE_SECRET or --secret-file on both sides");
    };
}
