package org.sluice.cli.common;

import org.sluice.ConfigException;
import org.sluice.linux.MemoryRoom;

/** Host GPUs use the machine's memory: a run that does not fit is refused rather than killed by the kernel. */
public final class HostMemoryCheck {
    /** Set in a process whose starter has asked for both: one line about it is enough. */
    static final String ASKED = "sluice.memory.asked";

    private HostMemoryCheck() {}

    /**
     * To be asked before the memory is.
     *
     * @param bytes of all regions
     * @param what who needs it, as the message names it
     * @throws ConfigException when the machine or a control group has not so much room
     */
    public static void needs(long bytes, String what) {
        if (Boolean.getBoolean(ASKED)) {
            return;
        }
        MemoryRoom room = MemoryRoom.now();
        if (bytes > room.bytes()) {
            throw new ConfigException(
                    what + " need " + Bytes.text(bytes) + " of host memory, " + Bytes.text(room.bytes()) + " is what "
                            + room.limit() + "; give a smaller --size or fewer --gpus");
        }
    }
}
