package org.sluice.client;

/** Names a client as the target of notifications. */
public record Mailbox(long high, long low) {}
