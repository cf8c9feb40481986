package org.sluice.bench.gpu;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ServiceLoader;
import org.sluice.UnpackMode;
import org.sluice.spi.Availability;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import org.sluice.spi.UnpackQueue;

/** The CUDA backend with a clock on its unpack queues: {@code backend=cuda-timed}. */
public final class TimedBackend implements GpuBackend {
    private final GpuBackend cuda = ServiceLoader.load(GpuBackend.class).stream()
            .filter(p -> p.type() != TimedBackend.class)
            .map(ServiceLoader.Provider::get)
            .filter(b -> b.name().equals("cuda"))
            .findFirst()
            .orElseThrow();

    @Override
    public String name() {
        return "cuda-timed";
    }

    /** Never chosen but by name. */
    @Override
    public int preference() {
        return -1;
    }

    @Override
    public Availability availability() {
        return cuda.availability();
    }

    @Override
    public int count() {
        return cuda.count();
    }

    @Override
    public Gpu open(int id) {
        Gpu gpu = cuda.open(id);
        return (Gpu) Proxy.newProxyInstance(
                Gpu.class.getClassLoader(), new Class<?>[] {Gpu.class}, (self, method, args) -> {
                    try {
                        Object answer = method.invoke(gpu, args);
                        return answer instanceof UnpackQueue queue
                                ? new TimedUnpack(queue, id, (UnpackMode) args[0], (int) args[1])
                                : answer;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
