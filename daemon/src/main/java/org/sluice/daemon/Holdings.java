package org.sluice.daemon;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What one client holds: memories, links, prepared lists, names. Within its quotas. Any thread. */
final class Holdings {
    /** Links made at a time: each takes a thread meanwhile, even when nobody waits for it any more. */
    private static final int MOST_IN_MAKING = 16;

    private final Quotas quotas;
    private final Map<Integer, ClientMemory> memories = new ConcurrentHashMap<>();
    private final Map<Integer, SharedLink> links = new ConcurrentHashMap<>();
    private final Map<Integer, Plan> prepared = new ConcurrentHashMap<>();
    private final Map<String, Integer> names = new ConcurrentHashMap<>();
    private final HandedParts parts;
    private long memoryBytes;
    private long hostBytes;
    private int descriptors;
    private int memoryCount;
    private int linkCount;
    private int linksInMaking;
    private long preparedPieces;
    private int next = 1;

    Holdings(Quotas quotas) {
        this.quotas = quotas;
        this.parts = new HandedParts(this::takeDescriptors);
    }

    Quotas quotas() {
        return quotas;
    }

    synchronized int number() {
        return next++;
    }

    /** Allocations that the client has handed over and not registered yet. */
    HandedParts parts() {
        return parts;
    }

    /** @param count more descriptors that are kept for the client, or fewer @throws ClientException over the quota */
    synchronized void takeDescriptors(int count) {
        if (count > quotas.descriptors() - descriptors) {
            throw new ClientException(
                    Status.QUOTA,
                    "a client's GPU memory may consist of " + quotas.descriptors() + " allocations in all; it has "
                            + descriptors + " and hands over " + count + " more");
        }
        descriptors += count;
    }

    /**
     * Takes room for memory before it is registered.
     *
     * @param ofHost how many of the bytes are this host's memory: a GPU's is bounded by what the client could allocate there
     * @throws ClientException over the quota
     */
    synchronized void reserve(long bytes, long ofHost) {
        if (memoryCount >= quotas.memories()) {
            throw new ClientException(Status.QUOTA, "a client may register " + quotas.memories() + " memories");
        }
        if (ofHost > quotas.memoryBytes() - hostBytes) {
            throw new ClientException(
                    Status.QUOTA,
                    "a client may register " + quotas.memoryBytes() + " bytes; it has " + hostBytes + " and asks for "
                            + ofHost + " more");
        }
        memoryBytes += bytes;
        hostBytes += ofHost;
        memoryCount++;
    }

    synchronized void unreserve(long bytes, long ofHost) {
        memoryBytes -= bytes;
        hostBytes -= ofHost;
        memoryCount--;
    }

    /** After memory is free: its room is another's. */
    void unreserve(ClientMemory memory) {
        unreserve(memory.bytes(), memory.hostBytes());
        takeDescriptors(-memory.descriptors());
    }

    void add(ClientMemory memory) {
        memories.put(memory.number(), memory);
    }

    ClientMemory memory(int number) {
        @Nullable ClientMemory m = memories.get(number);
        if (m == null) {
            throw new ClientException(Status.NOT_FOUND, "there is no memory " + Integer.toUnsignedString(number));
        }
        return m;
    }

    /** Nobody finds it any more; its room stays taken until it is free. @throws ClientException when it is not there */
    ClientMemory removeMemory(int number) {
        @Nullable ClientMemory m = memories.remove(number);
        if (m == null) {
            throw new ClientException(Status.NOT_FOUND, "there is no memory " + Integer.toUnsignedString(number));
        }
        return m;
    }

    @Nullable ClientMemory memory(Key key) {
        return memories.values().stream()
                .filter(m -> m.key().equals(key))
                .findFirst()
                .orElse(null);
    }

    /** Takes room for a link that is about to be made. @throws ClientException over the quota */
    synchronized void reserveLink() {
        if (linksInMaking >= MOST_IN_MAKING) {
            throw new ClientException(Status.QUOTA, "a client may have " + MOST_IN_MAKING + " links made at a time");
        }
        if (linkCount >= quotas.links()) {
            throw new ClientException(Status.QUOTA, "a client may have " + quotas.links() + " links");
        }
        linkCount++;
        linksInMaking++;
    }

    /** Its making has ended. */
    synchronized void linkIsMade() {
        linksInMaking--;
    }

    synchronized void unreserveLink() {
        linkCount--;
    }

    void add(int number, SharedLink link) {
        links.put(number, link);
    }

    SharedLink link(int number) {
        @Nullable SharedLink l = links.get(number);
        if (l == null) {
            throw new ClientException(Status.NOT_FOUND, "there is no link " + Integer.toUnsignedString(number));
        }
        return l;
    }

    boolean hasLink(int number) {
        return links.containsKey(number);
    }

    SharedLink removeLink(int number) {
        @Nullable SharedLink l = links.remove(number);
        if (l == null) {
            throw new ClientException(Status.NOT_FOUND, "there is no link " + Integer.toUnsignedString(number));
        }
        return l;
    }

    synchronized int prepare(Plan plan) {
        if (plan.pieces() > quotas.prepared() - preparedPieces) {
            throw new ClientException(
                    Status.QUOTA, "a client may have " + quotas.prepared() + " pieces in prepared lists");
        }
        preparedPieces += plan.pieces();
        int number = next++;
        prepared.put(number, plan);
        return number;
    }

    Plan prepared(int number) {
        @Nullable Plan p = prepared.get(number);
        if (p == null) {
            throw new ClientException(
                    Status.NOT_FOUND, "there is no prepared list " + Integer.toUnsignedString(number));
        }
        return p;
    }

    synchronized void release(int number) {
        Plan plan = prepared(number);
        prepared.remove(number);
        preparedPieces -= plan.pieces();
        plan.close();
    }

    /** The client is gone: what peers were told of its lists they may forget. */
    void closePrepared() {
        prepared.values().forEach(Plan::close);
    }

    void named(String name, int memory) {
        names.put(name, memory);
    }

    /** Names that this memory was shared under, which it loses. */
    List<String> takeNames(int memory) {
        List<String> taken = new ArrayList<>();
        names.entrySet().removeIf(e -> e.getValue() == memory && taken.add(e.getKey()));
        return taken;
    }

    List<ClientMemory> memories() {
        return List.copyOf(memories.values());
    }

    Map<Integer, SharedLink> links() {
        return Map.copyOf(links);
    }

    synchronized long memoryBytes() {
        return memoryBytes;
    }

    synchronized int memoryCount() {
        return memoryCount;
    }

    synchronized int linkCount() {
        return linkCount;
    }
}
