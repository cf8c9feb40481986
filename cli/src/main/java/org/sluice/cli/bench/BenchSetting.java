package org.sluice.cli.bench;

/**
 * What a benchmark varies besides the size.
 *
 * @param channels of the link
 * @param chunk unit of striping, bytes
 * @param window most chunks in flight on a channel
 */
record BenchSetting(int channels, long chunk, int window) {
    /** As the other commands take it. */
    String options() {
        return "--channels " + channels + " --chunk " + chunk + " --window " + window;
    }
}
