package org.sluice.wire;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/** A control connection through TLS 1.3, with the JDK's engine between the frames and the socket. */
public final class TlsStream implements ControlStream {
    /** RFC 9266: the label of what is exported to bind what is said inside to this connection. */
    private static final String BINDING_LABEL = "EXPORTER-Channel-Binding";

    private static final int BINDING_BYTES = 32;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final PlainStream below;
    private final SSLEngine engine;
    /** Came from the socket and is not decrypted yet; filled at its position. */
    private final ByteBuffer sealed;
    /** Decrypted and not taken yet; taken at its position. */
    private final ByteBuffer open;
    /** Encrypted and not taken by the socket yet; filled at its position. Has room for a record and an answer of the engine's own. */
    private final ByteBuffer out;

    private byte[] binding = {};
    private boolean ended;

    public TlsStream(SocketChannel socket, SSLEngine engine) {
        this.below = new PlainStream(socket);
        this.engine = engine;
        int record = engine.getSession().getPacketBufferSize();
        this.sealed = ByteBuffer.allocate(record);
        this.open = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize())
                .flip();
        this.out = ByteBuffer.allocate(2 * record);
    }

    /** Waits for the first bytes and leaves them to be read. @return the first four, as they came */
    public int peek(Deadline deadline) throws IOException {
        while (sealed.position() < Integer.BYTES) {
            fill(deadline);
        }
        return sealed.getInt(0);
    }

    /**
     * Makes the connection and checks who is there.
     *
     * @throws SSLException when the peer has no certificate that is trusted, or speaks no TLS
     */
    public void handshake(Deadline deadline) throws IOException {
        try {
            engine.beginHandshake();
            while (isShaking()) {
                switch (engine.getHandshakeStatus()) {
                    case NEED_WRAP -> wrap(NOTHING);
                    case NEED_TASK -> runTasks();
                    default -> {
                        if (!unwrap()) {
                            fill(deadline);
                        }
                    }
                }
            }
            ExtendedSSLSession session = (ExtendedSSLSession) engine.getSession();
            for (Certificate c : session.getPeerCertificates()) {
                ((X509Certificate) c).checkValidity(); // one that is trusted itself is not looked at otherwise
            }
            binding = session.exportKeyingMaterialData(BINDING_LABEL, new byte[0], BINDING_BYTES);
        } catch (SSLException e) {
            sayWhy();
            throw e;
        } catch (CertificateException e) {
            throw new SSLException("the peer's certificate: " + e.getMessage(), e);
        }
    }

    private boolean isShaking() {
        HandshakeStatus status = engine.getHandshakeStatus();
        return status != HandshakeStatus.NOT_HANDSHAKING && status != HandshakeStatus.FINISHED && !ended;
    }

    /** The engine has an alert for the peer. */
    private void sayWhy() {
        try {
            wrap(NOTHING);
        } catch (IOException e) {
            // the peer will see that the connection ends
        }
    }

    private void runTasks() {
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }

    private void fill(Deadline deadline) throws IOException {
        byte[] some = new byte[sealed.remaining()];
        int n = below.await(some, 0, some.length, deadline);
        if (n < 0) {
            throw new EOFException("the connection was closed");
        }
        sealed.put(some, 0, n);
    }

    /** Decrypts a record. @return false when there is none as a whole */
    private boolean unwrap() throws IOException {
        sealed.flip();
        open.clear();
        SSLEngineResult result;
        try {
            result = engine.unwrap(sealed, open);
        } finally {
            sealed.compact();
            open.flip();
        }
        switch (result.getStatus()) {
            case BUFFER_UNDERFLOW -> {
                return false;
            }
            case CLOSED -> ended = true;
            case BUFFER_OVERFLOW -> throw new SSLException("a record of more bytes than a record may have");
            case OK -> {}
        }
        if (result.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
            runTasks();
        }
        if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
            wrap(NOTHING); // of a handshake, or the answer to a change of keys
        }
        return true;
    }

    private synchronized void wrap(ByteBuffer from) throws IOException {
        engine.wrap(from, out);
        flush();
    }

    private synchronized void flush() throws IOException {
        out.flip();
        try {
            while (out.hasRemaining() && below.write(out) > 0) {
                // as much as the socket takes
            }
        } finally {
            out.compact();
        }
    }

    @Override
    public SocketChannel socket() {
        return below.socket();
    }

    @Override
    public int await(byte[] into, int at, int most, Deadline deadline) throws IOException {
        while (!open.hasRemaining()) {
            if (ended) {
                return -1;
            }
            if (!unwrap()) {
                fill(deadline);
            }
        }
        int n = Math.min(most, open.remaining());
        open.get(into, at, n);
        return n;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        int taken = 0;
        while (into.hasRemaining()) {
            if (open.hasRemaining()) {
                int n = Math.min(into.remaining(), open.remaining());
                into.put(into.position(), open, open.position(), n);
                into.position(into.position() + n);
                open.position(open.position() + n);
                taken += n;
            } else if (ended) {
                return taken > 0 ? taken : -1;
            } else if (!unwrap()) {
                int n = below.read(sealed);
                if (n == 0) {
                    return taken;
                }
                ended = n < 0;
            }
        }
        return taken;
    }

    @Override
    public synchronized int write(ByteBuffer from) throws IOException {
        flush();
        int before = from.remaining();
        while (from.hasRemaining() && out.position() == 0) {
            wrap(from);
        }
        return before - from.remaining();
    }

    @Override
    public synchronized boolean hasUnsent() {
        return out.position() > 0;
    }

    @Override
    public byte[] binding() {
        return binding.clone();
    }

    @Override
    public synchronized void shutdownOutput() throws IOException {
        engine.closeOutbound();
        wrap(NOTHING);
        below.shutdownOutput();
    }

    @Override
    public void close() throws IOException {
        below.close();
    }
}
