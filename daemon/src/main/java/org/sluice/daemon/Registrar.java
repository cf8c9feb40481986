package org.sluice.daemon;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.sluice.Node;
import org.sluice.Region;
import org.sluice.RemoteRegion;
import org.sluice.linux.Descriptor;
import org.sluice.linux.FileMapping;
import org.sluice.linux.LinuxException;
import org.sluice.linux.Memfd;

/** Makes a client's memory known to the node, and unknown again. Waits; not for the serving thread. */
final class Registrar {
    private static final int FILE = 1;
    private static final int OURS = 4;
    private static final int FIXED_BYTES = 48;
    private static final int S_IFMT = 0170000;
    private static final int S_IFREG = 0100000;
    private static final long PAGE = 4096;
    /** How long a key is waited for whose holder is going. */
    private static final long KEY_NANOS = TimeUnit.SECONDS.toNanos(30);
    /** How long memory is waited for that a transfer still uses. */
    static final long FREE_NANOS = TimeUnit.SECONDS.toNanos(60);

    private static final long TMPFS = 0x01021994L;
    /** File systems whose files are read and written without anybody's help in user space: tmpfs, ext, xfs, btrfs, f2fs, overlay. */
    private static final Set<Long> KERNELS_OWN =
            Set.of(TMPFS, 0xEF53L, 0x58465342L, 0x9123683EL, 0xF2F52010L, 0x794c7630L);

    private static final int REACHED_BY_KEY = 1;
    private static final int BY_COPIES = 2;

    private final Node node;
    private final KeyRing keys;
    private final LinkTable links;

    Registrar(Node node, KeyRing keys, LinkTable links) {
        this.node = node;
        this.keys = keys;
        this.links = links;
    }

    /** What a client wants registered, checked. */
    private record Wish(int kind, int gpu, Key key, long offset, long bytes) {}

    Message register(ClientSession client, Message message) throws LinuxException {
        ByteBuffer p = message.payload();
        if (p.remaining() < FIXED_BYTES) {
            throw new ClientException(Status.INVALID, "a REGISTER of " + p.remaining() + " bytes");
        }
        if (DeviceRegistration.isOfDevice(p.getInt(p.position()))) {
            return registerDevice(client, message);
        }
        Wish wish = new Wish(p.getInt(), p.getInt(), Key.read(p), p.getLong(), p.getLong());
        check(wish);
        @Nullable ClientMemory same = client.holdings().memory(wish.key());
        if (same != null && same.bytes() == wish.bytes() && same.gpu() == wish.gpu() && wish.kind() == FILE) {
            return answer(message.request(), same, List.of());
        }
        return holding(
                client,
                wish.key(),
                wish.bytes(),
                wish.bytes(),
                () -> wish.kind() == OURS ? ours(client, message, wish) : theirs(client, message, wish));
    }

    private interface Making {
        Message make() throws LinuxException;
    }

    /** Makes memory with its key taken and room for it; both are given back where it is not made. */
    private Message holding(ClientSession client, Key key, long bytes, long ofHost, Making making)
            throws LinuxException {
        keys.take(key, client, KEY_NANOS);
        boolean done = false;
        try {
            client.holdings().reserve(bytes, ofHost);
            try {
                Message answer = making.make();
                done = true;
                return answer;
            } finally {
                if (!done) {
                    client.holdings().unreserve(bytes, ofHost);
                }
            }
        } finally {
            if (!done) {
                keys.giveBack(key, false);
            }
        }
    }

    private Message registerDevice(ClientSession client, Message message) throws LinuxException {
        HandedParts pending = client.holdings().parts();
        List<HandedParts.Part> handed = pending.all();
        boolean kept = false;
        try {
            DeviceRegistration wish = DeviceRegistration.read(message.payload());
            if (!message.descriptors().isEmpty()) {
                throw new ClientException(Status.INVALID, "descriptors of GPU memory come with PARTS");
            }
            int gpu = wish.gpuOf(node);
            if (client.holdings().memory(wish.key()) instanceof ClientMemory.Device same
                    && same.kind() == wish.kind()
                    && same.gpu() == gpu
                    && same.bytes() == wish.bytes()
                    && same.buffer() == wish.buffer()) {
                return answer(message.request(), same);
            }
            Message answer = holding(client, wish.key(), wish.bytes(), 0, () -> {
                Region region = wish.open(node, gpu, handed, client.toString());
                ClientMemory.Device memory = new ClientMemory.Device(
                        client.holdings().number(), wish.key(), region, wish.kind(), wish.buffer(), handed.size());
                client.holdings().add(memory);
                return answer(message.request(), memory);
            });
            kept = true;
            handed.forEach(p -> p.descriptor().close());
            return answer;
        } finally {
            if (!kept) {
                pending.discard(handed);
            }
        }
    }

    private static Message answer(long request, ClientMemory.Device memory) {
        ByteBuffer b = Message.buffer(24);
        b.putInt(memory.number()).putInt(REACHED_BY_KEY).putLong(memory.bytes());
        return Message.done(request, b.putInt(memory.gpu()).putInt(0));
    }

    private void check(Wish wish) {
        switch (wish.kind()) {
            case FILE, OURS -> {
                if (!node.backend().equals("host")) {
                    throw new ClientException(
                            Status.NOT_SUPPORTED,
                            "this daemon's node has CUDA GPUs: register GPU memory, or run a daemon with --backend host");
                }
            }
            default -> throw new ClientException(Status.INVALID, "there is no kind of memory " + wish.kind());
        }
        if (wish.gpu() < 0 || wish.gpu() >= node.gpus()) {
            throw new ClientException(
                    Status.NOT_FOUND, "there is no GPU " + wish.gpu() + ", this daemon has " + node.gpus());
        }
        if (wish.bytes() < 1 || wish.offset() < 0 || wish.offset() + wish.bytes() < 0 || wish.offset() % PAGE != 0) {
            throw new ClientException(
                    Status.BOUNDS,
                    "memory of " + wish.bytes() + " bytes at offset " + wish.offset() + "; an offset is a multiple of "
                            + PAGE);
        }
        if (wish.key().isZero()) {
            throw new ClientException(Status.INVALID, "a key of zeros");
        }
    }

    private Message ours(ClientSession client, Message message, Wish wish) throws LinuxException {
        Descriptor file = Memfd.sealed("sluice-memory", wish.bytes());
        try {
            ClientMemory memory = map(client, wish, file);
            if (client.takesDescriptors()) {
                return answer(message.request(), memory, List.of(file));
            }
            client.keepUntilEnd(file); // what its path leads to
            return answer(
                    message.request(),
                    memory,
                    "/proc/" + ProcessHandle.current().pid() + "/fd/" + file.fd(),
                    List.of());
        } catch (LinuxException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private Message theirs(ClientSession client, Message message, Wish wish) throws LinuxException {
        if (message.descriptors().size() != 1) {
            throw new ClientException(
                    Status.INVALID, message.descriptors().size() + " descriptors came with a REGISTER that needs one");
        }
        Descriptor file = message.descriptors().getFirst();
        if ((file.mode() & S_IFMT) != S_IFREG || !file.readsAndWrites()) {
            throw new ClientException(
                    Status.INVALID, "the descriptor is no file or memfd that is open for reading and writing");
        }
        if (!KERNELS_OWN.contains(file.fileSystem())) {
            throw new ClientException(
                    Status.NOT_SUPPORTED,
                    "files of the file system with magic " + Long.toHexString(file.fileSystem())
                            + " can keep their reader waiting for ever; use a memfd");
        }
        boolean fixed = file.fileSystem() == TMPFS
                && ((file.seals() & Descriptor.SEAL_SHRINK) != 0
                        || (file.addSeals(Descriptor.SEAL_SHRINK) && (file.seals() & Descriptor.SEAL_SHRINK) != 0));
        if (wish.bytes() > file.size() - wish.offset()) {
            throw new ClientException(
                    Status.BOUNDS,
                    "the file has " + file.size() + " bytes, which do not hold " + wish.bytes() + " at "
                            + wish.offset());
        }
        if (fixed) {
            return answer(message.request(), map(client, wish, file), List.of());
        }
        Descriptor kept = file.duplicate();
        ClientMemory memory = new ClientMemory.Copied(
                client.holdings().number(),
                wish.gpu(),
                wish.key(),
                wish.bytes(),
                kept,
                wish.offset(),
                new AtomicInteger());
        client.holdings().add(memory);
        return answer(message.request(), memory, List.of());
    }

    private ClientMemory map(ClientSession client, Wish wish, Descriptor file) throws LinuxException {
        FileMapping mapping = FileMapping.of(file, wish.offset(), wish.bytes());
        try {
            Region region = node.adopt(
                    wish.gpu(),
                    mapping.address(),
                    new RemoteRegion(wish.key().high(), wish.key().low(), wish.bytes()));
            ClientMemory memory = new ClientMemory.Mapped(client.holdings().number(), wish.key(), region, mapping);
            client.holdings().add(memory);
            return memory;
        } catch (RuntimeException e) {
            mapping.close();
            throw e;
        }
    }

    private static Message answer(long request, ClientMemory memory, List<Descriptor> descriptors) {
        return answer(request, memory, "", descriptors);
    }

    private static Message answer(long request, ClientMemory memory, String path, List<Descriptor> descriptors) {
        byte[] text = path.getBytes(StandardCharsets.UTF_8);
        ByteBuffer b = Message.buffer(16 + text.length);
        b.putInt(memory.number())
                .putInt(memory instanceof ClientMemory.Reached ? REACHED_BY_KEY : BY_COPIES)
                .putLong(memory.bytes())
                .put(text)
                .flip();
        return new Message(Protocol.DONE, request, b, descriptors);
    }

    /** Takes memory back from peers at once, and frees it when nothing uses it. @return false when something does for too long */
    boolean deregister(ClientSession client, int number, boolean keyForEver) {
        ClientMemory memory = client.holdings().removeMemory(number);
        client.holdings().takeNames(number).forEach(links::unshare);
        memory.withdraw();
        if (!memory.free(FREE_NANOS)) {
            client.holdings().add(memory); // still there: with a key that reaches nothing
            return false;
        }
        keys.giveBack(memory.key(), keyForEver);
        client.holdings().unreserve(memory);
        return true;
    }
}
