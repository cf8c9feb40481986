package org.sluice.ipc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.linux.LinuxException;
import org.sluice.linux.UnixSocket;
import org.sluice.spi.TransportException;

/**
 * A directory that only this user enters, with a socket in it: in {@code XDG_RUNTIME_DIR} where there is one, else where temporary files
 * go. One that a killed process left is taken away by the next that is made.
 */
final class PrivateDirectory implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(PrivateDirectory.class);

    private static final String PREFIX = "sluice-ipc-";
    private static final String SOCKET = "door";

    /** With the prefix, the random part and the socket's name below the 107 bytes that a path of a socket may have. */
    private static final int MOST_BASE = 64;

    /** One without a socket may be just being made. */
    private static final Duration YOUNG = Duration.ofMinutes(1);

    private static final int BACKLOG = 256;

    private final Path directory;
    private final UnixSocket socket;

    private PrivateDirectory(Path directory, UnixSocket socket) {
        this.directory = directory;
        this.socket = socket;
    }

    static PrivateDirectory make() throws TransportException, LinuxException {
        Path base = base();
        Path directory;
        try {
            tidy(base);
            directory = Files.createTempDirectory(
                    base, PREFIX, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw new TransportException(
                    "no directory for the socket of ipc can be made in " + base + " (" + e
                            + "); set XDG_RUNTIME_DIR to one that this user may write to",
                    e);
        }
        try {
            return new PrivateDirectory(directory, UnixSocket.listen(directory.resolve(SOCKET), BACKLOG));
        } catch (LinuxException | RuntimeException e) {
            delete(directory);
            throw e;
        }
    }

    private static Path base() {
        String runtime = System.getenv("XDG_RUNTIME_DIR");
        Path base = runtime == null || runtime.isEmpty() ? null : Path.of(runtime);
        if (base != null && Files.isWritable(base) && base.toString().length() <= MOST_BASE) {
            return base;
        }
        Path temporary = Path.of(System.getProperty("java.io.tmpdir", "/tmp"));
        return temporary.toString().length() <= MOST_BASE ? temporary : Path.of("/tmp");
    }

    /** Takes away what killed processes of this user left: nobody listens there. */
    private static void tidy(Path base) throws IOException {
        int user = uid();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(base, PREFIX + "*")) {
            for (Path old : all) {
                if (Files.isDirectory(old, LinkOption.NOFOLLOW_LINKS)
                        && uid(old) == user
                        && isDead(old.resolve(SOCKET), old)) {
                    delete(old);
                }
            }
        } catch (UncheckedIOException | java.nio.file.DirectoryIteratorException e) {
            log.debug("{}: old directories stay: {}", base, e.toString());
        }
    }

    private static boolean isDead(Path socket, Path directory) throws IOException {
        if (!Files.exists(socket, LinkOption.NOFOLLOW_LINKS)) {
            Instant made = Files.getLastModifiedTime(directory, LinkOption.NOFOLLOW_LINKS)
                    .toInstant();
            return made.isBefore(Instant.now().minus(YOUNG));
        }
        try (UnixSocket alive = UnixSocket.connect(socket)) {
            log.trace("{} is alive", alive.fd());
            return false;
        } catch (LinuxException e) {
            return e.errno() == UnixSocket.CONNECTION_REFUSED;
        }
    }

    private static int uid(Path of) {
        try {
            return (Integer) Files.getAttribute(of, "unix:uid", LinkOption.NOFOLLOW_LINKS);
        } catch (IOException e) {
            return -1; // it has just been taken away
        }
    }

    /** This process's user. */
    static int uid() throws IOException {
        return (Integer) Files.getAttribute(Path.of("/proc/self/"), "unix:uid");
    }

    private static void delete(Path directory) {
        try {
            Files.deleteIfExists(directory.resolve(SOCKET));
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            log.debug("{} stays: {}", directory, e.toString());
        }
    }

    Path path() {
        return directory.resolve(SOCKET);
    }

    /** Who connects there comes in by it. */
    UnixSocket socket() {
        return socket;
    }

    @Override
    public void close() {
        socket.close();
        delete(directory);
    }
}
