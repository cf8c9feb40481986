package org.sluice.cli;

import java.util.List;
import org.sluice.Link;
import org.sluice.Node;

/** Looks on while a job runs. Called by the job's thread, in this order. */
interface RunObserver extends AutoCloseable {
    /** All links are up, nothing has moved. */
    default void begins(String name, Node node, List<Link> links, RunPlan plan) {}

    /** The last byte has landed; the links are still there. */
    default void moved() {}

    /** What the run came to is known. */
    default void ended(Report report) {}

    @Override
    default void close() {}

    /** Looks away. */
    RunObserver NOBODY = new RunObserver() {};
}
