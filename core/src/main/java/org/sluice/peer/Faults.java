package org.sluice.peer;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.spi.GpuException;
import org.sluice.spi.ThreadLimitException;

/** What was thrown, as what ends a link: a defect is named as one, a limit of the machine with its remedy. */
final class Faults {
    private static final Logger log = LoggerFactory.getLogger(Faults.class);

    private Faults() {}

    static SluiceException of(Throwable why, Where where) {
        return switch (why) {
            case SluiceException s -> s.at(where);
            case GpuException g -> new LinkException(where, String.valueOf(g.getMessage()), g);
            case ThreadLimitException t ->
                new LinkException(ErrorCode.RESOURCES, where, String.valueOf(t.getMessage()), t);
            default -> {
                log.error("{}: internal error", where, why);
                yield new LinkException(ErrorCode.INTERNAL, where, "internal error: " + why, why);
            }
        };
    }
}
