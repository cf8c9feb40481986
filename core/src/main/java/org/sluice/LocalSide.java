package org.sluice;

/**
 * Where a transfer's bytes lie on this side: a {@link Layout}, a {@link PreparedLayout}, or what was {@linkplain
 * PreparedLayout#select selected} of one. Only this library implements it.
 */
public interface LocalSide {
    /** The sum of the pieces' lengths. */
    long bytes();
}
