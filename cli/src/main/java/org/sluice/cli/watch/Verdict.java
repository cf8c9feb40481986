package org.sluice.cli.watch;

/**
 * A judgement on a run.
 *
 * @param name what was judged, in a few words
 * @param pass whether it is as it should be
 * @param detail the figures, and where it failed what is wrong and what to do
 */
public record Verdict(String name, boolean pass, String detail) {}
