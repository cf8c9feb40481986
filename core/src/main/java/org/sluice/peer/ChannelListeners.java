package org.sluice.peer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.sluice.LinkException;
import org.sluice.Where;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Listener;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;

/** What a link listens with, one listener for each channel that it is to receive on, each until its channel is there. Agent thread only. */
final class ChannelListeners {
    /** Where a channel is, for messages. */
    interface Places {
        Where of(int channel, int device);
    }

    private final Transport transport;
    private final IntFunction<ChannelContext> contexts;
    private final Places places;
    private @Nullable Listener[] listeners = {};
    private int[] devices = {};
    private int[] addresses = {};

    /** @param contexts of each receiving channel, asked for when it is listened for */
    ChannelListeners(Transport transport, IntFunction<ChannelContext> contexts, Places places) {
        this.transport = transport;
        this.contexts = contexts;
        this.places = places;
    }

    /** The place of each channel's address among those of its NIC; listeners that are there already are made anew. */
    void addresses(int[] ofChannel) {
        int[] before = addresses;
        addresses = ofChannel.clone();
        for (int c = 0; c < listeners.length; c++) {
            if (address(c) != (c < before.length ? before[c] : 0)) {
                drop(c);
            }
        }
    }

    int address(int channel) {
        return channel < addresses.length ? addresses[channel] : 0;
    }

    /** Listens for so many channels, each on its device; one that listens elsewhere already is moved. */
    void listen(int[] wanted) {
        for (int c = 0; c < listeners.length; c++) {
            if (c >= wanted.length || devices[c] != wanted[c]) {
                drop(c);
            }
        }
        listeners = Arrays.copyOf(listeners, wanted.length);
        devices = wanted.clone();
        for (int c = 0; c < wanted.length; c++) {
            try {
                if (listeners[c] == null) {
                    listeners[c] = transport.listen(devices[c], contexts.apply(c));
                }
            } catch (TransportException e) {
                throw new LinkException(places.of(c, devices[c]), "cannot listen: " + e.getMessage(), e);
            }
        }
    }

    /** How many channels were listened for. */
    int count() {
        return listeners.length;
    }

    int device(int channel) {
        return devices[channel];
    }

    List<byte[]> handles() {
        List<byte[]> handles = new ArrayList<>();
        for (Listener l : listeners) {
            if (l != null) {
                handles.add(l.handle());
            }
        }
        return handles;
    }

    /** Whether a channel is still listened for. */
    boolean awaits(int channel) {
        return listeners[channel] != null;
    }

    /** @return the channel, once: null while it is not there */
    @Nullable ReceiveChannel accept(int channel) throws TransportException {
        Listener l = listeners[channel];
        ReceiveChannel accepted = l == null ? null : l.accept();
        if (accepted != null) {
            drop(channel);
        }
        return accepted;
    }

    /** Listens for a channel no more. */
    void drop(int channel) {
        Listener l = listeners[channel];
        if (l != null) {
            listeners[channel] = null;
            l.close();
        }
    }

    /** Listens for none. Idempotent. */
    void close() {
        for (int c = 0; c < listeners.length; c++) {
            drop(c);
        }
    }
}
