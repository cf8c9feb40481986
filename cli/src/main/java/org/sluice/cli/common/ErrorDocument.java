package org.sluice.cli.common;

import org.jspecify.annotations.Nullable;
import org.sluice.SluiceException;
import org.sluice.Where;

/** The JSON document of a command that failed. */
public record ErrorDocument(Failed error) {
    /**
     * What went wrong. What does not apply is null.
     *
     * @param status the command's exit status
     * @param code an {@link org.sluice.ErrorCode} as {@code no-rail}; {@code usage} and {@code internal} where it is none of the engine's
     * @param message the sentence that stderr has
     */
    public record Failed(
            int status,
            String code,
            String message,
            @Nullable String phase,
            @Nullable Integer gpu,
            @Nullable String nic,
            @Nullable Integer channel,
            @Nullable String peer) {}

    static ErrorDocument of(int status, String message) {
        return new ErrorDocument(new Failed(status, ExitCode.name(status), message, null, null, null, null, null));
    }

    static ErrorDocument of(Throwable e, int status, String message) {
        if (!(e instanceof SluiceException s)) {
            return of(status, message);
        }
        Where w = s.where();
        return new ErrorDocument(new Failed(
                status,
                Values.text(s.code()),
                message,
                Values.text(w.phase()),
                w.gpu() == Where.NONE ? null : w.gpu(),
                w.nic().isEmpty() ? null : w.nic(),
                w.channel() == Where.NONE ? null : w.channel(),
                w.peer().isEmpty() ? null : w.peer()));
    }
}
