package org.sluice.rendezvous;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What a rank needs to meet the others.
 *
 * @param secret what all have to prove, as {@link org.sluice.NodeConfig.Protection#secret}; empty for nothing
 * @param tls as {@link org.sluice.NodeConfig.Protection#tls}
 * @param arrival how long all have to come, from the moment at which this rank does
 * @param silence after which a rank that says nothing counts as lost; each says something every 2 s
 */
public record GroupConfig(Launch launch, byte[] secret, Optional<Path> tls, Duration arrival, Duration silence) {
    /** As long as a machine that is busy beyond measure may keep a process from its turn. */
    public static final Duration USUAL_SILENCE = Duration.ofSeconds(20);

    public GroupConfig {
        secret = secret.clone();
    }

    @Override
    public byte[] secret() {
        return secret.clone();
    }
}
