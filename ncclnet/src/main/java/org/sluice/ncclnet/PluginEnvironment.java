package org.sluice.ncclnet;

import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.spi.EnvironmentVariable;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportConfig;

/** Sets what a plugin reads from the environment, before it is loaded, and says so. */
final class PluginEnvironment {
    private static final Logger log = LoggerFactory.getLogger(PluginEnvironment.class);

    /**
     * The longest message of plugins that spread it over pages (TCPX). Read as 0 when unset, with which nothing ever moves; and a
     * request must not be longer, or its page tokens leak. FastSocket reads it as the piece
     * that it puts on one of its sockets: a message of this length is then not divided, and channels are what uses several.
     */
    private static final String DYNAMIC_CHUNK = "NCCL_DYNAMIC_CHUNK_SIZE";

    /** The seed's and UCCL's chunk. */
    private static final long DEFAULT_CHUNK = 512 << 10;

    /** NET_UNPACK_MAX_SLICE_SIZE of NCCL's device-unpack contract: 4 MiB, in half the descriptors of a list. */
    private static final long MOST_UNPACKED = ScatterList.MAX_DESCRIPTORS / 2 * 4096L;

    private PluginEnvironment() {}

    /** What {@link #apply} would set, and what the user has set instead. */
    static List<EnvironmentVariable> of(TransportConfig config, NcclNetOptions options) {
        List<Profile.Variable> all = new ArrayList<>();
        Profile profile = options.profile();
        if (profile != null) {
            all.addAll(profile.environment(config));
        }
        long chunk = Math.min(config.chunkBytes() == 0 ? DEFAULT_CHUNK : config.chunkBytes(), MOST_UNPACKED);
        all.add(new Profile.Variable(DYNAMIC_CHUNK, String.valueOf(chunk), "the chunk size"));
        return all.stream()
                .map(v -> new EnvironmentVariable(v.name(), v.value(), v.why(), NativeEnvironment.fromUser(v.name())))
                .toList();
    }

    static void apply(TransportConfig config, NcclNetOptions options) {
        Profile profile = options.profile();
        for (EnvironmentVariable v : of(config, options)) {
            String users = v.users();
            if (users == null) {
                NativeEnvironment.set(v.name(), v.value());
            }
            if (profile != null) {
                log.info(
                        "profile {}: {}={} ({})",
                        profile.name(),
                        v.name(),
                        users == null ? v.value() : users,
                        users == null ? v.why() : "from the environment; the profile has " + v.value());
            }
        }
        options.environment().forEach(NativeEnvironment::set);
    }

    /** The longest message of a device that unpacks. */
    static long mostUnpacked() {
        String chunk = NativeEnvironment.get(DYNAMIC_CHUNK);
        try {
            return chunk == null ? MOST_UNPACKED : Math.clamp(Long.parseLong(chunk), 0, MOST_UNPACKED);
        } catch (NumberFormatException e) {
            return MOST_UNPACKED;
        }
    }
}
