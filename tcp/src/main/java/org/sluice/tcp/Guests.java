package org.sluice.tcp;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.TcpSocket;

/** Who is expected at the {@link Doors}, by token. Any thread. */
final class Guests {
    /** Takes in those who show its token. */
    interface Host {
        /**
         * Somebody is at the door. On the doors' thread, which must not be held up.
         *
         * @param greeting all of it
         * @param nic the NIC that the connection came in by, -1 where nobody can tell
         * @return what the doors go on with; null where the host took the socket over, or closed it
         */
        @Nullable Visit welcome(TcpSocket socket, byte[] greeting, int nic);
    }

    private final Map<ByteBuffer, Host> byToken = new ConcurrentHashMap<>();

    void expect(byte[] token, Host host) {
        byToken.put(ByteBuffer.wrap(token.clone()), host);
    }

    void forget(byte[] token) {
        byToken.remove(ByteBuffer.wrap(token));
    }

    @Nullable Host host(byte[] greeting) {
        return byToken.get(ByteBuffer.wrap(greeting, Greeting.BYTES - Handle.TOKEN_BYTES, Handle.TOKEN_BYTES));
    }
}
