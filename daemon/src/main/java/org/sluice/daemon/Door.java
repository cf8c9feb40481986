package org.sluice.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Set;
import org.sluice.ConfigException;
import org.sluice.linux.LinuxException;
import org.sluice.linux.UnixSocket;

/** The socket file that clients come to. Made so that nobody who may not can connect, not even for a moment. */
final class Door implements AutoCloseable {
    private static final int BACKLOG = 128;

    private final UnixSocket socket;
    private final Path path;
    private final boolean mine;

    private Door(UnixSocket socket, Path path, boolean mine) {
        this.socket = socket;
        this.path = path;
        this.mine = mine;
    }

    static Door open(DaemonConfig config) {
        if (config.socketDescriptor().isPresent()) {
            return new Door(UnixSocket.of(config.socketDescriptor().getAsInt()), config.socket(), false);
        }
        Path path = config.socket();
        Path fresh = path.resolveSibling(
                "." + path.getFileName() + "." + ProcessHandle.current().pid());
        try {
            if (path.getParent() != null && !Files.isDirectory(path.getParent())) {
                Files.createDirectories(path.getParent());
                Files.setPosixFilePermissions(path.getParent(), permissions(0750 | (config.mode() & 0007)));
            }
            refuseTheLiving(path);
            Files.deleteIfExists(fresh);
            UnixSocket socket = UnixSocket.listen(fresh, BACKLOG);
            Files.setPosixFilePermissions(fresh, permissions(config.mode()));
            if (config.group().isPresent()) {
                GroupPrincipal group = fresh.getFileSystem()
                        .getUserPrincipalLookupService()
                        .lookupPrincipalByGroupName(config.group().get());
                Files.getFileAttributeView(fresh, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                        .setGroup(group);
            }
            Files.move(fresh, path, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
            return new Door(socket, path, true);
        } catch (IOException e) {
            throw new ConfigException(
                    "cannot open the socket " + path + ": " + e.getMessage() + "; give another --socket", e);
        }
    }

    private static void refuseTheLiving(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try {
            UnixSocket.connect(path).close();
            throw new ConfigException("a daemon is at " + path + " already; stop it or give another --socket");
        } catch (LinuxException e) {
            if (e.errno() != UnixSocket.CONNECTION_REFUSED) { // one that more knock at than it can let in is not dead
                throw new ConfigException(
                        "cannot tell whether a daemon is at " + path + " (" + e.getMessage()
                                + "); give another --socket",
                        e);
            } // else it is what a killed daemon left
        }
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        Set<PosixFilePermission> set = EnumSet.noneOf(PosixFilePermission.class);
        PosixFilePermission[] all = PosixFilePermission.values(); // owner, group, others: read, write, execute each
        for (int i = 0; i < all.length; i++) {
            if ((mode & 0400 >> i) != 0) {
                set.add(all[i]);
            }
        }
        return set;
    }

    UnixSocket socket() {
        return socket;
    }

    @Override
    public void close() {
        socket.close();
        if (mine) {
            try {
                Files.deleteIfExists(path);
            } catch (IOException e) {
                // the next daemon takes its place
            }
        }
    }
}
