package org.sluice.daemon;

import java.time.Duration;
import java.util.concurrent.ExecutorService;
import org.sluice.Node;

/**
 * What all clients of a daemon share.
 *
 * @param work runs what waits: a thread per task
 * @param copies moves memory that can shrink, on a few threads of its own
 * @param transferDeadline for requests that name none
 * @param epoch drawn at the daemon's start
 */
record Services(
        Node node,
        LinkTable links,
        Mailboxes mailboxes,
        KeyRing keys,
        Registrar registrar,
        Dealer dealer,
        Copies copies,
        ExecutorService work,
        Quotas quotas,
        Duration transferDeadline,
        long epoch) {}
