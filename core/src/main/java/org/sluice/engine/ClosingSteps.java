package org.sluice.engine;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps of a close: all are taken, what they throw is collected, and the first that a caller has to hear is thrown at the end. */
final class ClosingSteps {
    private static final Logger log = LoggerFactory.getLogger(ClosingSteps.class);

    private @Nullable RuntimeException first;

    void take(String what, Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            if (first == null) {
                first = e;
            } else {
                first.addSuppressed(e);
            }
        } catch (Throwable e) {
            log.error("while closing {}: {}", what, e.toString(), e);
        }
    }

    /** Throws what the first step threw, with the others' as suppressed. */
    void finish() {
        if (first != null) {
            throw first;
        }
    }
}
