package org.sluice;

/**
 * Where the bytes of a one-sided transfer lie at the peer: a {@link RemoteLayout}, a {@link PreparedRemoteLayout}, or what was
 * {@linkplain PreparedRemoteLayout#select selected} of one. Only this library implements it.
 */
public interface RemoteSide {
    /** The sum of the pieces' lengths. */
    long bytes();
}
