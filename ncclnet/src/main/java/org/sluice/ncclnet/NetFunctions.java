package org.sluice.ncclnet;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.sluice.spi.TransportException;

/** What a plugin's function table says at one moment. A slot may be empty; an empty one is a null address. */
final class NetFunctions {
    private final String name;
    private final Map<NetFunction, MemorySegment> addresses = new EnumMap<>(NetFunction.class);

    private NetFunctions(String name) {
        this.name = name;
    }

    /** Reads the table that {@code ncclNetPlugin_v<version>} is: a data symbol, not a pointer to one. */
    @SuppressWarnings("restricted")
    static NetFunctions read(MemorySegment symbol, int version) {
        MemorySegment table = symbol.reinterpret(NetFunction.tableBytes(version));
        NetFunctions functions = new NetFunctions(Libc.text(table.get(ValueLayout.JAVA_LONG, 0)));
        for (NetFunction f : NetFunction.values()) {
            long offset = f.offset(version);
            functions.addresses.put(
                    f, MemorySegment.ofAddress(offset < 0 ? 0 : table.get(ValueLayout.JAVA_LONG, offset)));
        }
        return functions;
    }

    /** The plugin's name for itself. */
    String name() {
        return name;
    }

    boolean has(NetFunction f) {
        return get(f).address() != 0;
    }

    MemorySegment get(NetFunction f) {
        return addresses.getOrDefault(f, MemorySegment.NULL);
    }

    /** @throws TransportException naming the functions that are missing */
    void checkComplete() throws TransportException {
        List<String> missing = new ArrayList<>();
        for (NetFunction f : NetFunction.values()) {
            if (f.required && !has(f)) {
                missing.add(f.name().toLowerCase(Locale.ROOT));
            }
        }
        if (!missing.isEmpty()) {
            throw new TransportException("the plugin's table lacks " + String.join(", ", missing));
        }
    }
}
