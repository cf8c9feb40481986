package org.sluice.engine;

import org.sluice.Engine;
import org.sluice.Node;
import org.sluice.NodeConfig;

/** The engine of this library. */
public final class LocalEngine implements Engine {
    /** For {@link java.util.ServiceLoader}. */
    public LocalEngine() {}

    @Override
    public Node open(NodeConfig config) {
        return new LocalNode(config);
    }
}
