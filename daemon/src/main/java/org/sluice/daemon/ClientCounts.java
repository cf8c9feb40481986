package org.sluice.daemon;

/**
 * What one client's requests came to.
 *
 * @param requests taken
 * @param done ended well
 * @param failed ended badly, cancelled ones too
 * @param writtenBytes of those that are done
 * @param readBytes of those that are done
 * @param notes notifications that were brought to it, or wait
 * @param notesLost notifications that it was too slow for
 */
public record ClientCounts(
        long requests, long done, long failed, long writtenBytes, long readBytes, long notes, long notesLost) {}
