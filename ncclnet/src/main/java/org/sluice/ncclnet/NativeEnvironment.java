package org.sluice.ncclnet;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The environment that native code reads. {@link System#getenv()} is a copy made when the JVM started: what plugins shall see has
 * to be set with libc, before they are loaded, since they read each variable once.
 */
final class NativeEnvironment {
    private static final MethodHandle SETENV = Libc.function(
            "setenv",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    private static final MethodHandle GETENV =
            Libc.function("getenv", FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS));

    /** Variables that this process gave itself: they do not count as the user's. */
    private static final Set<String> OURS = new HashSet<>();

    private NativeEnvironment() {}

    /** What native code sees, null when unset. */
    static synchronized @Nullable String get(String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = (MemorySegment) GETENV.invokeExact(arena.allocateFrom(name));
            return value.address() == 0 ? null : Libc.text(value);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** What the user set in the environment of this process, null when nothing. */
    static synchronized @Nullable String fromUser(String name) {
        return OURS.contains(name) ? null : get(name);
    }

    static synchronized void set(String name, String value) {
        try (Arena arena = Arena.ofConfined()) {
            int failed = (int) SETENV.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), 1);
            if (failed != 0) {
                throw new IllegalArgumentException("cannot set the environment variable " + name);
            }
            OURS.add(name);
        } catch (IllegalArgumentException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
