package org.sluice;

/**
 * Which way the bytes of a link go, and why.
 *
 * @param transport its name: {@code tcp}, {@code ipc}
 * @param why one sentence; empty where there was nothing to choose
 */
public record LinkPath(String transport, String why) {}
