package org.sluice;

/**
 * What the peer's program sent with a transfer, told once the transfer has landed and is visible here; with a read, once it has landed at
 * the peer.
 *
 * @param bytes its own; at most 64 KiB
 * @param tag of a tagged send, else 0
 * @param length bytes of the transfer
 */
public record Notification(byte[] bytes, long tag, long length) {}
