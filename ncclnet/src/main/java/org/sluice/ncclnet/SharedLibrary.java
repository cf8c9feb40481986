package org.sluice.ncclnet;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;
import org.sluice.spi.TransportException;

/**
 * A shared library opened with {@code dlopen}, for good: plugins leave threads behind that run its code. The JDK's own library
 * lookup would do, but hides why a library does not load.
 */
final class SharedLibrary {
    // values of <dlfcn.h> on Linux
    private static final int RTLD_NOW = 2;
    private static final int RTLD_LOCAL = 0;

    private static final MethodHandle DLOPEN = Libc.function(
            "dlopen", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    private static final MethodHandle DLSYM = Libc.function(
            "dlsym", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
    private static final MethodHandle DLERROR = Libc.function("dlerror", FunctionDescriptor.of(ValueLayout.ADDRESS));

    private final long handle;

    private SharedLibrary(long handle) {
        this.handle = handle;
    }

    static SharedLibrary open(Path file) throws TransportException {
        long handle;
        String error;
        JvmSignals signals = new JvmSignals(file.toString());
        try (Arena arena = Arena.ofConfined()) {
            handle = (long) DLOPEN.invokeExact(arena.allocateFrom(file.toString()), RTLD_NOW | RTLD_LOCAL);
            error = handle == 0 ? Libc.text((MemorySegment) DLERROR.invokeExact()) : "";
        } catch (Throwable e) {
            throw new AssertionError(e);
        } finally {
            signals.giveBack();
        }
        if (handle == 0) {
            throw new TransportException("the plugin " + file + " does not load: " + error + hint(error));
        }
        return new SharedLibrary(handle);
    }

    /** What the loader's two most frequent complaints mean. */
    private static String hint(String error) {
        if (error.contains("failed to map segment")) {
            return "; the file system is mounted noexec (/var/lib/tcpx often is): copy the plugin to one that is not";
        }
        if (error.contains("cannot open shared object file")) {
            return "; if the plugin itself is there, a library it needs is missing: ldd on it shows which";
        }
        return "";
    }

    /** The address of a symbol, empty where the library does not export it. */
    Optional<MemorySegment> symbol(String name) {
        try (Arena arena = Arena.ofConfined()) {
            long address = (long) DLSYM.invokeExact(handle, arena.allocateFrom(name));
            return address == 0 ? Optional.empty() : Optional.of(MemorySegment.ofAddress(address));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
