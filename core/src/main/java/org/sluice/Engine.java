package org.sluice;

/** What implements this API. {@link Node#open} finds it with {@link java.util.ServiceLoader}; programs do not call it. */
public interface Engine {
    /** As {@link Node#open}. */
    Node open(NodeConfig config);
}
