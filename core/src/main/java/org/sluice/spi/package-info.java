/**
 * What a transport and a memory backend implement; nothing else crosses a module boundary.
 *
 * <p>The transport side keeps the verbs and the semantics of NCCL's network plugin contract: {@code devices, properties,
 * listen, connect, accept, register, send, receive, test, consumed, close}. Listening and connecting never block, sending and
 * receiving only post, {@code test} makes progress and reports, and on one channel messages match in order.
 */
@NullMarked
package org.sluice.spi;

import org.jspecify.annotations.NullMarked;
