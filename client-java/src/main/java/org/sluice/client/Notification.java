package org.sluice.client;

/**
 * Bytes that another client sent, once what it wrote before them had landed.
 *
 * @param from the sender's mailbox
 */
public record Notification(Mailbox from, byte[] bytes) {}
