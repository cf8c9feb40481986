package org.sluice.cli.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.sluice.ConfigException;
import org.sluice.NodeConfig;
import org.sluice.PathTaken;

/**
 * What the user will not do without: a run that would be slower than that in silence fails instead, and says why.
 *
 * @param nics how many NICs must carry, or which; null where any will do
 * @param transport null where any will do
 * @param gbPerSecond least payload rate of all GPUs together, in 10^9 bytes a second; 0 where any will do
 */
public record Demands(@Nullable String nics, @Nullable String transport, double gbPerSecond) {
    /** None. */
    public static final Demands NONE = new Demands(null, null, 0);

    public Demands {
        if (nics != null && (nics.isBlank() || nics.matches("0+"))) {
            throw new ConfigException("--require-nics '" + nics + "': give a number of NICs, or their names");
        }
    }

    /** Before anything is opened. @throws ConfigException when the transport is another */
    void checkTransport(NodeConfig config) {
        List<String> named = List.of(config.network().transport().split(",", -1));
        if (transport != null && !named.contains(transport) && !named.contains("auto")) {
            throw new ConfigException("--require-transport " + transport + ": this run is over "
                    + config.network().transport()
                    + (transport.equals("nccl-net")
                            ? ", since no plugin is named; give --plugin"
                            : "; give --transport"));
        }
    }

    /** Once the links are there. @throws ConfigException when some go another way */
    void checkTransport(PathTaken path) {
        if (transport != null && !transport.equals(path.transport())) {
            throw new ConfigException("--require-transport " + transport + ": the links go over " + path.transport()
                    + (path.why().isEmpty() ? "" : "; " + String.join("; ", path.why())));
        }
    }

    /** Once the links are there. @throws ConfigException when NICs are missing, with those that are not used and why */
    void checkNics(PathTaken path) {
        String required = nics;
        if (required == null) {
            return;
        }
        if (required.matches("\\d{1,4}")) {
            if (path.nics().size() < Integer.parseInt(required)) {
                throw new ConfigException("--require-nics " + required + ": the links use "
                        + path.nics().size() + " (" + String.join(", ", path.nics()) + ")" + why(path));
            }
            return;
        }
        List<String> missing = new ArrayList<>(new TreeSet<>(List.of(required.split("\\s*,\\s*", -1))));
        missing.removeAll(path.nics());
        if (!missing.isEmpty()) {
            throw new ConfigException(
                    "--require-nics " + required + ": the links do not use " + String.join(", ", missing) + why(path));
        }
    }

    private static String why(PathTaken path) {
        return path.notBetter().isEmpty()
                ? "; look at the peer's NICs, and what 'sluice doctor --peer' says of the way there"
                : "; " + String.join("; ", path.notBetter());
    }

    /** Whether a finished run was too slow; empty where not. */
    public String tooSlow(double measured) {
        return gbPerSecond > 0 && measured < gbPerSecond
                ? String.format(Locale.ROOT, "%.3f GB/s is below the %.3f of --min-rate", measured, gbPerSecond)
                : "";
    }
}
