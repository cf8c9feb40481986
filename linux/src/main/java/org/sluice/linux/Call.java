package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A call into libc with memory for its errno and its arguments. Not for the data path: it allocates. */
interface Call<T extends @Nullable Object> {
    T on(MemorySegment callState, Arena scratch) throws Throwable;

    /** Makes the call. @throws LinuxException when the call says so */
    static <T extends @Nullable Object> T make(Call<T> call) throws LinuxException {
        try (Arena scratch = Arena.ofConfined()) {
            return call.on(scratch.allocate(Libc.CALL_STATE), scratch);
        } catch (LinuxException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** @throws LinuxException when the result is the negative one that stands for a failure */
    static void check(long result, MemorySegment callState, String what) throws LinuxException {
        if (result < 0) {
            throw new LinuxException(what, Libc.errno(callState));
        }
    }
}
