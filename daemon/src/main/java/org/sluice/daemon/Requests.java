package org.sluice.daemon;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.sluice.RemoteRegion;
import org.sluice.linux.LinuxException;

/** Answers what clients ask over the socket. May wait; not for the serving thread. */
final class Requests {
    private static final long MOST_WAIT_MILLIS = 600_000;
    private static final int MOST_NAME = 1000;

    /** All clients, for STATUS. */
    interface Everybody {
        List<ClientStatus> visibleTo(int uid);
    }

    private final Services services;
    private final Everybody everybody;

    Requests(Services services, Everybody everybody) {
        this.services = services;
        this.everybody = everybody;
    }

    /** Answers a request, well or badly; closes the descriptors that came with it. */
    Message answer(ClientSession client, Message message) {
        try {
            return answered(client, message);
        } catch (LinuxException e) {
            return Message.error(message.request(), Status.INVALID, String.valueOf(e.getMessage()));
        } catch (java.nio.BufferUnderflowException e) {
            return Message.error(message.request(), Status.INVALID, "a message that is too short for its type");
        } catch (RuntimeException e) {
            return Message.error(message.request(), Status.of(e), String.valueOf(e.getMessage()));
        } finally {
            message.closeDescriptors();
        }
    }

    private Message answered(ClientSession client, Message message) throws LinuxException {
        long request = message.request();
        ByteBuffer p = message.payload();
        return switch (message.type()) {
            case Protocol.REGISTER -> services.registrar().register(client, message);
            case Protocol.PARTS -> parts(client, message);
            case Protocol.DEREGISTER -> {
                int memory = p.getInt();
                boolean forEver = p.getInt() == 1;
                yield services.registrar().deregister(client, memory, forEver)
                        ? Message.done(request)
                        : Message.error(request, Status.IN_USE, "a transfer still uses memory " + memory);
            }
            case Protocol.LINK -> link(client, message);
            case Protocol.UNLINK -> {
                services.links().close(client.holdings().removeLink(p.getInt()));
                client.holdings().unreserveLink();
                yield Message.done(request);
            }
            case Protocol.SHARE -> share(client, message);
            case Protocol.IMPORT -> imported(client, message);
            case Protocol.STATS -> Message.text(request, StatusText.of(client.status()));
            case Protocol.STATUS -> status(request, client.connection().peer().uid());
            case Protocol.PREPARE -> {
                Plan plan = client.lists().prepared(p.getInt(), p.getInt(), p.getInt(), p.getInt());
                ByteBuffer b = Message.buffer(16);
                yield Message.done(
                        request,
                        b.putInt(client.holdings().prepare(plan)).putInt(0).putLong(plan.bytes()));
            }
            case Protocol.RELEASE -> {
                client.holdings().release(p.getInt());
                yield Message.done(request);
            }
            default -> throw new ClientException(Status.INVALID, "there is no message type " + message.type());
        };
    }

    private static Message parts(ClientSession client, Message message) throws LinuxException {
        HandedParts parts = client.holdings().parts();
        parts.take(message.payload(), message.descriptors());
        return Message.done(
                message.request(), Message.buffer(8).putInt(parts.count()).putInt(0));
    }

    Message status(long request, int uid) {
        return Message.text(request, StatusText.of(services, everybody.visibleTo(uid)));
    }

    private Message link(ClientSession client, Message message) {
        ByteBuffer p = message.payload();
        int localGpu = p.getInt();
        int remoteGpu = p.getInt();
        long millis = millis(p.getInt());
        p.getInt();
        String address = message.rest();
        if (localGpu < 0 || localGpu >= services.node().gpus() || remoteGpu < 0) {
            throw new ClientException(
                    Status.NOT_FOUND,
                    "a link from GPU " + localGpu + " to GPU " + remoteGpu + "; this daemon has "
                            + services.node().gpus());
        }
        if (address.isEmpty() || address.length() > 300) {
            throw new ClientException(Status.INVALID, "an address is host:port");
        }
        client.holdings().reserveLink();
        try {
            SharedLink link = services.links()
                    .open(new SharedLink.Route(address, localGpu, remoteGpu), millis, client.holdings()::linkIsMade);
            int number = client.holdings().number();
            client.holdings().add(number, link);
            link.link().ended().thenAccept(why -> ended(client, number, String.valueOf(why.getMessage())));
            return Message.done(
                    message.request(), Message.buffer(8).putInt(number).putInt(0));
        } catch (RuntimeException e) {
            client.holdings().unreserveLink();
            throw e;
        }
    }

    /** Tells of the end of a link, but not who has given it back. */
    private static void ended(ClientSession client, int number, String why) {
        if (client.holdings().hasLink(number)) {
            client.linkEnded(number, why);
        }
    }

    private static long millis(int wished) {
        long millis = Integer.toUnsignedLong(wished);
        return millis == 0 ? MOST_WAIT_MILLIS : Math.min(millis, MOST_WAIT_MILLIS);
    }

    private Message share(ClientSession client, Message message) {
        int number = message.payload().getInt();
        message.payload().getInt();
        String name = name(message);
        if (!(client.holdings().memory(number) instanceof ClientMemory.Reached memory)) {
            throw new ClientException(
                    Status.NOT_SUPPORTED, "memory " + number + " can shrink, so no peer can reach it: use a memfd");
        }
        services.links().share(name, memory.region());
        client.holdings().named(name, number);
        return Message.done(message.request());
    }

    private static String name(Message message) {
        String name = message.rest();
        if (name.isEmpty() || name.length() > MOST_NAME) {
            throw new ClientException(Status.INVALID, "a name has 1 to " + MOST_NAME + " bytes");
        }
        return name;
    }

    private static Message imported(ClientSession client, Message message) {
        SharedLink link = client.holdings().link(message.payload().getInt());
        long millis = millis(message.payload().getInt());
        String name = name(message);
        try {
            RemoteRegion key = link.link().remoteRegion(name).get(millis, TimeUnit.MILLISECONDS);
            ByteBuffer b = Message.buffer(24);
            return Message.done(
                    message.request(),
                    b.putLong(key.keyHigh()).putLong(key.keyLow()).putLong(key.size()));
        } catch (TimeoutException e) {
            throw new ClientException(
                    Status.DEADLINE,
                    link.route().address() + " has shared no memory of that name within " + millis + " ms",
                    e);
        } catch (ExecutionException | CompletionException e) {
            throw new ClientException(Status.LINK_LOST, String.valueOf(e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClientException(Status.GOING, "the daemon is going", e);
        }
    }
}
