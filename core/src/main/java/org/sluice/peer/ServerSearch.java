package org.sluice.peer;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.sluice.ClosedException;
import org.sluice.ConfigException;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.Where;
import org.sluice.wire.Deadline;

/**
 * Finds a server that may not be there yet: its name may not be known, its host may be down, its process may not have begun. Tries
 * every address of the name in turn, and again until the deadline.
 */
final class ServerSearch {
    /** First pause between rounds, doubled up to the longest. */
    private static final long FIRST_PAUSE_MILLIS = 10;

    private static final long LONGEST_PAUSE_MILLIS = 250;

    /** For one address in the first round, doubled with each: no address that swallows everything keeps the others waiting. */
    private static final int FIRST_PATIENCE_MILLIS = 1000;

    private static final int LONGEST_PATIENCE_MILLIS = 8000;

    /** What the name of a host stands for. */
    interface Names {
        InetAddress[] addresses(String host) throws UnknownHostException;
    }

    private final Where where;
    private final String host;
    private final int port;
    private final Names names;
    private final BooleanSupplier cancelled;
    private long pause = FIRST_PAUSE_MILLIS;
    private int patience = FIRST_PATIENCE_MILLIS;
    private String failure = "nothing was tried";
    private IOException cause = new IOException(failure);

    /**
     * @param where the search is made, for messages
     * @param cancelled asked between tries
     */
    ServerSearch(Where where, String host, int port, Names names, BooleanSupplier cancelled) {
        this.where = where;
        this.host = host;
        this.port = port;
        this.names = names;
        this.cancelled = cancelled;
    }

    /**
     * A connection to the server, blocking. May be asked again for another one, which then comes after a pause.
     *
     * @throws ConfigException when the name was not known until the deadline
     * @throws LinkException when nobody answered until then; it names the address that was tried last, and the system's answer
     */
    SocketChannel next(Deadline deadline) {
        while (true) {
            InetAddress[] addresses;
            try {
                addresses = names.addresses(host);
            } catch (UnknownHostException e) {
                addresses = new InetAddress[0];
                failed("the name is not known", e);
            }
            for (InetAddress address : addresses) {
                SocketChannel found = connect(new InetSocketAddress(address, port), deadline);
                if (found != null) {
                    return found;
                }
            }
            if (deadline.passed() || cancelled.getAsBoolean()) {
                throw gone(deadline, addresses.length == 0);
            }
            pause(deadline);
        }
    }

    private @Nullable SocketChannel connect(InetSocketAddress address, Deadline deadline) {
        if (deadline.passed() || cancelled.getAsBoolean()) {
            return null;
        }
        try {
            SocketChannel channel = SocketChannel.open();
            try {
                channel.socket().connect(address, Math.min(patience, deadline.remainingMillis()));
                return channel;
            } catch (IOException e) {
                channel.close();
                throw e;
            }
        } catch (SocketTimeoutException e) {
            failed(text(address) + " does not answer", e);
        } catch (BindException e) {
            failed(
                    text(address) + ": " + e.getMessage()
                            + ", the local ports towards it (net.ipv4.ip_local_port_range) may be used up",
                    e);
        } catch (IOException e) {
            failed(text(address) + ": " + e.getMessage(), e);
        }
        return null;
    }

    /** The last connection came to nothing, before the server said a word: it may have had too many at once. */
    void failed(String why, IOException e) {
        failure = why;
        cause = e;
    }

    /** Rests for a while that grows and differs between those who wait for the same server. */
    void pause(Deadline deadline) {
        long rest = pause / 2 + ThreadLocalRandom.current().nextLong(pause / 2 + 1);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MILLIS);
        patience = Math.min(patience * 2, LONGEST_PATIENCE_MILLIS);
        try {
            TimeUnit.MILLISECONDS.sleep(Math.min(rest, deadline.remainingMillis()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClosedException(ErrorCode.INTERRUPTED, where, "interrupted while connecting to " + host, e);
        }
    }

    private RuntimeException gone(Deadline deadline, boolean unknown) {
        if (unknown) {
            return new ConfigException(
                    where,
                    "the host " + host + " was not known within " + deadline.text()
                            + "; give a name that resolves, or an address",
                    cause);
        }
        return new LinkException(
                where,
                "no server at " + host + ":" + port + " within " + deadline.text() + " (last tried: " + failure
                        + "); start one there, or check address, port and firewall",
                cause);
    }

    private static String text(InetSocketAddress a) {
        String ip = a.getAddress().getHostAddress();
        return (ip.indexOf(':') >= 0 ? "[" + ip + "]" : ip) + ":" + a.getPort();
    }
}
