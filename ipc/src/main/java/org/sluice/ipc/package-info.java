/**
 * The transport {@code ipc}: processes of one host and one user hand each other parts of memory over a Unix socket in a directory that
 * nobody else can enter. No byte of a transfer goes over that socket.
 */
@NullMarked
package org.sluice.ipc;

import org.jspecify.annotations.NullMarked;
