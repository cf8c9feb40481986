package org.sluice;

/** A setting is wrong or does not fit this machine; nothing was started. */
public final class ConfigException extends SluiceException {
    private static final long serialVersionUID = 1L;

    public ConfigException(String message) {
        super(ErrorCode.CONFIG, Where.NOWHERE, message);
    }

    public ConfigException(String message, Throwable cause) {
        super(ErrorCode.CONFIG, Where.NOWHERE, message, cause);
    }

    public ConfigException(Where where, String what) {
        super(ErrorCode.CONFIG, where, what);
    }

    public ConfigException(Where where, String what, Throwable cause) {
        super(ErrorCode.CONFIG, where, what, cause);
    }

    public ConfigException(ErrorCode code, Where where, String what) {
        super(code, where, what);
    }

    public ConfigException(ErrorCode code, Where where, String what, Throwable cause) {
        super(code, where, what, cause);
    }

    @Override
    ConfigException with(Where place) {
        return new ConfigException(code(), place, what(), this);
    }
}
