package org.sluice.cli.common;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.DescriptorOutput;

/**
 * Where results go: what was stdout when the launcher was called. The launcher keeps it on a descriptor of its own and gives the JVM
 * stderr in its place, so that neither the JVM's messages nor a plugin's get between results. Streams swallow errors; this remembers
 * the first, and a result that could not be written makes the command fail.
 */
public final class Output extends OutputStream {
    /** Set by the launchers: the descriptor, or {@value #CLOSED} where stdout was. */
    public static final String VARIABLE = "SLUICE_STDOUT_FD";

    private static final String CLOSED = "closed";

    private final OutputStream target;
    private @Nullable IOException failure;

    Output(OutputStream target) {
        this.target = target;
    }

    /** Makes {@code System.out} write there. */
    public static Output install() {
        Output output = new Output(target(System.getenv().getOrDefault(VARIABLE, "")));
        System.setOut(new PrintStream(output, false, StandardCharsets.UTF_8));
        return output;
    }

    private static OutputStream target(String descriptor) {
        if (descriptor.equals(CLOSED)) {
            return new Nowhere();
        }
        return descriptor.matches("\\d{1,6}")
                ? new Late(Integer.parseInt(descriptor))
                : new FileOutputStream(FileDescriptor.out);
    }

    /** What the command exits with: its own status, unless that was good and its result is not where it should be. */
    public int conclude(int status, PrintWriter err) {
        System.out.flush();
        IOException why = failure;
        if (why == null) {
            return status;
        }
        err.println("sluice: the result could not be written to stdout: " + Failure.oneLine(why.getMessage()));
        err.flush();
        return status == ExitCode.OK ? ExitCode.UNWRITTEN : status;
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) throws IOException {
        try {
            target.write(bytes, offset, length);
        } catch (IOException e) {
            if (failure == null) {
                failure = e;
            }
            throw e;
        }
    }

    /** The classes that call the kernel are loaded when something is written. */
    private static final class Late extends OutputStream {
        private final int descriptor;
        private @Nullable DescriptorOutput open;

        Late(int descriptor) {
            this.descriptor = descriptor;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            DescriptorOutput to = open;
            if (to == null) {
                to = new DescriptorOutput(descriptor);
                open = to;
            }
            to.write(bytes, offset, length);
        }
    }

    private static final class Nowhere extends OutputStream {
        @Override
        public void write(int b) throws IOException {
            throw new IOException("it is closed");
        }
    }
}
