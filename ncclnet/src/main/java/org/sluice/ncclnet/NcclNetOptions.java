package org.sluice.ncclnet;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.TransportConfig;
import org.sluice.spi.TransportException;

/**
 * The transport's own settings.
 *
 * @param plugin path of the plugin, or a name for the loader to look up; null when none is configured
 * @param api version of the plugin API to use; 0 for the newest that the plugin exports
 * @param profile named set of environment variables, null for none
 * @param log how the plugin's log lines are treated
 * @param requests most requests in flight on a comm
 * @param callLimit after which a call that has not come back is reported
 * @param initLimit after which an init that has not come back is given up
 * @param environment variables to set, whatever the environment says
 */
record NcclNetOptions(
        @Nullable String plugin,
        int api,
        @Nullable Profile profile,
        PluginLog.Form log,
        int requests,
        Duration callLimit,
        Duration initLimit,
        Map<String, String> environment) {
    /** UCCL's name for the plugin's path. */
    static final String PLUGIN_VARIABLE = "UCCL_TCPX_PLUGIN_PATH";

    private static final String ENVIRONMENT_PREFIX = "env.";

    /** What FastSocket and TCPX allow; a plugin that allows more loses nothing by it. */
    private static final int DEFAULT_REQUESTS = 16;

    private static final int MOST_REQUESTS = 1024;
    private static final Duration DEFAULT_CALL_LIMIT = Duration.ofSeconds(10);
    private static final Duration DEFAULT_INIT_LIMIT = Duration.ofSeconds(60);

    /**
     * Reads {@code plugin}, {@code plugin-api}, {@code profile}, {@code plugin-log} ({@code full}, {@code plain}, {@code off}),
     * {@code plugin-requests}, {@code plugin-call-millis}, {@code plugin-init-millis} and {@code env.NAME}.
     *
     * @throws TransportException naming the setting that is wrong and what it may be
     */
    static NcclNetOptions of(TransportConfig config) throws TransportException {
        String plugin = null;
        int api = 0;
        Profile profile = null;
        PluginLog.Form log = PluginLog.Form.FULL;
        int requests = DEFAULT_REQUESTS;
        Duration callLimit = DEFAULT_CALL_LIMIT;
        Duration initLimit = DEFAULT_INIT_LIMIT;
        Map<String, String> environment = new TreeMap<>();
        for (Map.Entry<String, String> option : config.options().entrySet()) {
            String value = option.getValue();
            switch (option.getKey()) {
                case "plugin" -> plugin = value;
                case "plugin-api" -> api = number(option, ApiVersion.V5.number, ApiVersion.V12.number);
                case "profile" -> profile = Profile.named(value);
                case "plugin-log" -> log = form(value);
                case "plugin-requests" -> requests = number(option, 1, MOST_REQUESTS);
                case "plugin-call-millis" -> callLimit = Duration.ofMillis(number(option, 1, Integer.MAX_VALUE));
                case "plugin-init-millis" -> initLimit = Duration.ofMillis(number(option, 1, Integer.MAX_VALUE));
                case String key
                when key.startsWith(ENVIRONMENT_PREFIX) ->
                    environment.put(key.substring(ENVIRONMENT_PREFIX.length()), value);
                default ->
                    throw new TransportException("there is no option " + option.getKey()
                            + "; there are plugin, plugin-api, profile, plugin-log, plugin-requests, plugin-call-millis,"
                            + " plugin-init-millis and env.NAME");
            }
        }
        if (plugin == null) {
            plugin = NativeEnvironment.get(PLUGIN_VARIABLE);
        }
        if (plugin == null && profile != null) {
            plugin = profile.plugin();
        }
        return new NcclNetOptions(plugin, api, profile, log, requests, callLimit, initLimit, environment);
    }

    private static int number(Map.Entry<String, String> option, int least, int most) throws TransportException {
        try {
            int n = Integer.parseInt(option.getValue());
            if (n >= least && n <= most) {
                return n;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new TransportException(
                option.getKey() + ": " + option.getValue() + " is not a number from " + least + " to " + most);
    }

    private static PluginLog.Form form(String value) throws TransportException {
        try {
            return PluginLog.Form.valueOf(value.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new TransportException("plugin-log: " + value + " is not one of full, plain, off");
        }
    }
}
