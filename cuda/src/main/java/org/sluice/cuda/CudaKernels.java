package org.sluice.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.sluice.spi.GpuException;

/** The kernels of {@code kernels.cu}, compiled by the driver for this device when the first of them is asked for. */
final class CudaKernels implements AutoCloseable {
    private final CudaContext context;
    private long module;

    CudaKernels(CudaContext context) {
        this.context = context;
    }

    /** {@code sluice_unpack}. */
    long unpack() {
        return function("sluice_unpack");
    }

    /** {@code sluice_pieces}. */
    long pieces() {
        return function("sluice_pieces");
    }

    /** {@code sluice_lists}. */
    long lists() {
        return function("sluice_lists");
    }

    /** {@code sluice_pattern_fill}. */
    long fill() {
        return function("sluice_pattern_fill");
    }

    /** {@code sluice_pattern_mismatch}. */
    long mismatch() {
        return function("sluice_pattern_mismatch");
    }

    private synchronized long function(String name) {
        if (module == 0) {
            module = context.driver().moduleLoad(ptx(), context.where());
        }
        return context.driver().moduleFunction(module, name, context.where());
    }

    /** What {@code cuda/src/main/cuda/make-ptx.sh} made of the source. */
    static byte[] ptx() {
        try (InputStream in = CudaKernels.class.getResourceAsStream("kernels.ptx")) {
            if (in == null) {
                throw new GpuException("this build of Sluice lacks its kernels (kernels.ptx)", 0);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public synchronized void close() {
        if (module != 0) {
            context.driver().moduleUnload(module, context.where());
            module = 0;
        }
    }
}
