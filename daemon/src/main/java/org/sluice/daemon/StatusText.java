package org.sluice.daemon;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The daemon's state as JSON. */
final class StatusText {
    private StatusText() {}

    static String of(Services services, List<ClientStatus> clients) {
        return "{\"epoch\":\"" + Long.toHexString(services.epoch()) + "\",\"backend\":\""
                + services.node().backend() + "\",\"gpus\":" + services.node().gpus() + ",\"links\":["
                + services.links().names().stream().map(StatusText::quoted).collect(Collectors.joining(","))
                + "],\"clients\":["
                + clients.stream().map(StatusText::of).collect(Collectors.joining(",")) + "]}";
    }

    static String of(ClientStatus c) {
        ClientCounts n = c.counts();
        return String.format(
                Locale.ROOT,
                "{\"client\":%d,\"name\":%s,\"pid\":%d,\"uid\":%d,\"memories\":%d,\"memoryBytes\":%d,\"links\":%d,"
                        + "\"requests\":%d,\"done\":%d,\"failed\":%d,\"writtenBytes\":%d,\"readBytes\":%d,\"notes\":%d,"
                        + "\"notesLost\":%d,\"seconds\":%.3f}",
                c.number(),
                quoted(c.name()),
                c.pid(),
                c.uid(),
                c.memories(),
                c.memoryBytes(),
                c.links(),
                n.requests(),
                n.done(),
                n.failed(),
                n.writtenBytes(),
                n.readBytes(),
                n.notes(),
                n.notesLost(),
                c.seconds());
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
