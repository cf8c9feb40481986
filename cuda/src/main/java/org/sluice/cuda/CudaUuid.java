package org.sluice.cuda;

import java.nio.ByteBuffer;
import java.util.UUID;

/** A device's name in every process and container. */
final class CudaUuid {
    private CudaUuid() {}

    /** As {@code nvidia-smi -L} writes it: {@code GPU-fafafafa-fafa-fafa-fafa-fafafafafa00}. @param bytes 16, as the driver has them */
    static String text(byte[] bytes) {
        ByteBuffer b = ByteBuffer.wrap(bytes);
        return "GPU-" + new UUID(b.getLong(), b.getLong());
    }
}
