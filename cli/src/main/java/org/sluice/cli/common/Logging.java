package org.sluice.cli.common;

import java.util.Locale;
import java.util.Set;

/** Chooses how much is logged, before the first logger is made. Logs go to stderr. */
public final class Logging {
    static final String VARIABLE = "SLUICE_LOG";

    private static final String LEVEL = "org.slf4j.simpleLogger.defaultLogLevel";

    private Logging() {}

    /** Channels are about to be lost on purpose: the warnings of it are left out unless somebody asked for more than warnings. */
    public static void expectLostChannels() {
        if ("warn".equals(System.getProperty(LEVEL))) {
            System.setProperty("org.slf4j.simpleLogger.log.org.sluice.transfer.LinkEngine", "error");
        }
    }

    public static void configure() {
        String level = System.getenv().getOrDefault(VARIABLE, "warn").toLowerCase(Locale.ROOT);
        if (!Set.of("trace", "debug", "info", "warn", "error", "off").contains(level)) {
            System.err.println("sluice: " + VARIABLE + "=" + level
                    + " is none of trace, debug, info, warn, error, off; warn is used");
            level = "warn";
        }
        System.setProperty(LEVEL, level);
        if (level.equals("warn")) {
            // which plugin, through which API, with which environment: part of what a run is
            System.setProperty("org.slf4j.simpleLogger.log.org.sluice.ncclnet.Plugin", "info");
            System.setProperty("org.slf4j.simpleLogger.log.org.sluice.ncclnet.PluginEnvironment", "info");
        }
        System.setProperty("org.slf4j.simpleLogger.showLogName", "false");
        System.setProperty("org.slf4j.simpleLogger.levelInBrackets", "true");
    }
}
