package org.sluice.cli.common;

import java.io.PrintWriter;
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
import org.sluice.spi.GpuException;

/** Says an exception in one line and as an exit status. */
public final class Failure {
    private Failure() {}

    public static int report(Exception e, PrintWriter err) {
        switch (e) {
            case SluiceException s -> err.println("sluice: " + oneLine(s.getMessage()));
            case GpuException g -> err.println("sluice: " + oneLine(g.getMessage()));
            default -> {
                err.println("sluice: internal error, please report it: " + e);
                e.printStackTrace(err);
            }
        }
        err.flush();
        return exitCode(e);
    }

    static int exitCode(Exception e) {
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

    /** A message as one line, however it was put together; what a peer said may hold anything. */
    public static String oneLine(@Nullable String message) {
        return message == null ? "no reason given" : message.strip().replaceAll("\\s*\\R\\s*", "; ");
    }
}
