package org.sluice.cli.common;

import java.io.PrintWriter;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sluice.ClosedException;
import org.sluice.ConfigException;
import org.sluice.LengthMismatchException;
import org.sluice.LinkException;
import org.sluice.NotDoneException;
import org.sluice.PeerLostException;
import org.sluice.ProtocolException;
import org.sluice.RemoteAccessException;
import org.sluice.SluiceException;
import org.sluice.linux.ThreadRoom;
import org.sluice.spi.GpuException;

/** Says what was thrown in one line, as a document where one was asked for, and as an exit status. */
public final class Failure {
    /** Chains of causes may be circular. */
    private static final int MOST_CAUSES = 20;

    private Failure() {}

    /**
     * Tells the user.
     *
     * @param out where the JSON document goes; null where none was asked for
     * @return the exit status
     */
    public static int report(Throwable e, PrintWriter err, @Nullable PrintWriter out) {
        int status = exitCode(e);
        String message = message(e);
        err.println("sluice: " + message);
        if (status == ExitCode.INTERNAL) {
            e.printStackTrace(err);
        }
        err.flush();
        if (out != null) {
            print(ErrorDocument.of(e, status, message), out);
        }
        return status;
    }

    /** Prints the document of a failure that is no exception. */
    public static void document(int status, String message, PrintWriter out) {
        print(ErrorDocument.of(status, message), out);
    }

    private static void print(ErrorDocument document, PrintWriter out) {
        out.print(Json.of(document));
        out.flush();
    }

    private static String message(Throwable e) {
        Optional<OutOfMemoryError> exhausted = outOfMemory(e);
        if (exhausted.isPresent()) {
            return isOfThreads(exhausted.get())
                    ? noThreads()
                    : "Java's own memory is used up (" + oneLine(exhausted.get().getMessage())
                            + "); give it more: JAVA_TOOL_OPTIONS=-Xmx1g";
        }
        return switch (e) {
            case SluiceException s -> oneLine(s.getMessage());
            case GpuException g -> oneLine(g.getMessage());
            default -> "internal error, please report it: " + oneLine(String.valueOf(e));
        };
    }

    /** The one line about threads that cannot be made. */
    public static String noThreads() {
        ThreadRoom room = ThreadRoom.now();
        return "no more threads can be made: " + room.limit() + "; " + room.remedy()
                + ", or give fewer --gpus or --channels";
    }

    public static int exitCode(Throwable e) {
        if (outOfMemory(e).isPresent()) {
            return ExitCode.CONFIGURATION;
        }
        return switch (e) {
            case ConfigException c -> ExitCode.CONFIGURATION;
            case LengthMismatchException l -> ExitCode.MISMATCH;
            case LinkException l -> ExitCode.LINK;
            case NotDoneException n -> ExitCode.LINK;
            case PeerLostException p -> ExitCode.LINK;
            case ProtocolException p -> ExitCode.LINK;
            case ClosedException c -> ExitCode.LINK;
            case RemoteAccessException r -> ExitCode.LINK;
            case GpuException g -> ExitCode.CONFIGURATION;
            default -> ExitCode.INTERNAL;
        };
    }

    /** What is at the root of it, where that is the want of memory or threads, however it was wrapped. */
    private static Optional<OutOfMemoryError> outOfMemory(Throwable e) {
        Throwable at = e;
        for (int depth = 0; at != null && depth < MOST_CAUSES; depth++) {
            if (at instanceof OutOfMemoryError o) {
                return Optional.of(o);
            }
            at = at.getCause();
        }
        return Optional.empty();
    }

    private static boolean isOfThreads(OutOfMemoryError e) {
        return String.valueOf(e.getMessage()).contains("thread");
    }

    /** An error as an exception that says the same. */
    public static RuntimeException asRuntime(Throwable e) {
        return switch (e) {
            case RuntimeException r -> r;
            case OutOfMemoryError o -> new ConfigException(message(o), o);
            default -> new IllegalStateException(String.valueOf(e), e);
        };
    }

    /** Whether this side found it by itself: what is a consequence of the peer's or the network's trouble is none of its own. */
    public static boolean isOfThisSide(Throwable e) {
        if (!(e instanceof SluiceException s)) {
            return true;
        }
        return switch (s.code()) {
            case CONFIG, RESOURCES, LENGTH_MISMATCH, LIMIT, AGENT_ENDED, AGENT_HANGS, INTERNAL -> true;
            default -> false;
        };
    }

    /** A message as one line, however it was put together; what a peer said may hold anything. */
    public static String oneLine(@Nullable String message) {
        return message == null ? "no reason given" : message.strip().replaceAll("\\s*\\R\\s*", "; ");
    }
}
