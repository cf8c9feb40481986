package org.sluice.tcp;

import java.util.Map;
import java.util.Set;
import org.sluice.linux.LinuxException;
import org.sluice.linux.ThreadPlacement;
import org.sluice.spi.TransportException;

/**
 * The settings that only this transport has.
 *
 * @param checksum {@code checksum}: whether senders put a CRC-32C over each chunk
 * @param encryption {@code encryption}: {@code aes-gcm}, or {@code off}; either side's wish binds both, and needs a shared secret
 * @param bindDevice {@code bind-device}: whether sockets are bound to their NIC where the process may
 * @param drill {@code drill}: faults on purpose, see {@link Drill}
 * @param dataPorts {@code data-ports}: where data connections come to, {@code 40000-40007}
 * @param placement {@code affinity} ({@code auto}, {@code off}), {@code tx-bindings} and {@code rx-bindings}: where I/O threads run
 */
record TcpOptions(
        boolean checksum,
        boolean encryption,
        Drill drill,
        boolean bindDevice,
        DataPorts dataPorts,
        ThreadPlacement placement) {
    static final String DATA_PORTS = "data-ports";

    private static final Set<String> KNOWN = Set.of(
            "checksum", "encryption", "drill", "bind-device", DATA_PORTS, "affinity", "tx-bindings", "rx-bindings");

    static TcpOptions of(Map<String, String> options) throws TransportException {
        for (String name : options.keySet()) {
            if (!KNOWN.contains(name)) {
                throw new TransportException("transport tcp has no option " + name + "; it has "
                        + String.join(", ", KNOWN.stream().sorted().toList()));
            }
        }
        return new TcpOptions(
                isOn(options, "checksum", false),
                isEncrypted(options),
                Drill.of(options.getOrDefault("drill", "")),
                isOn(options, "bind-device", true),
                options.containsKey(DATA_PORTS) ? DataPorts.parse(options.get(DATA_PORTS)) : DataPorts.ANY,
                placement(options));
    }

    private static ThreadPlacement placement(Map<String, String> options) throws TransportException {
        try {
            return ThreadPlacement.of(
                    options.getOrDefault("affinity", "auto"),
                    options.getOrDefault("tx-bindings", ""),
                    options.getOrDefault("rx-bindings", ""));
        } catch (IllegalArgumentException | LinuxException e) {
            throw new TransportException(String.valueOf(e.getMessage()), e);
        }
    }

    private static boolean isEncrypted(Map<String, String> options) throws TransportException {
        String value = options.getOrDefault("encryption", "off");
        if (!value.equals("off") && !value.equals("aes-gcm")) {
            throw new TransportException(
                    "option encryption of transport tcp is " + value + ", it may be aes-gcm or off");
        }
        return value.equals("aes-gcm");
    }

    private static boolean isOn(Map<String, String> options, String name, boolean otherwise) throws TransportException {
        String value = options.get(name);
        return switch (value) {
            case null -> otherwise;
            case "on" -> true;
            case "off" -> false;
            default ->
                throw new TransportException(
                        "option " + name + " of transport tcp is " + value + ", it may be on or off");
        };
    }
}
