package org.sluice.ncclnet;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.spi.TransportException;

/**
 * A plugin, loaded and initialised. There is one for a file in the process, however many nodes use it: many plugins refuse a
 * second init. It is never unloaded, since its threads may outlive everything.
 */
final class Plugin {
    private static final Logger log = LoggerFactory.getLogger(Plugin.class);
    private static final Map<String, Plugin> LOADED = new HashMap<>();

    /** Plugins whose init never came back: another beside it would not fare better. */
    private static final Set<String> HUNG = new HashSet<>();

    private static final long PROFILER = profilerStub();

    private static final Duration FINISH_LIMIT = Duration.ofSeconds(10);

    /** No plugin has more; what a broken one says is not allocated for. */
    private static final int MOST_DEVICES = 256;

    private final String file;
    private final SharedLibrary library;
    private final PluginLog pluginLog;
    private ApiVersion version = ApiVersion.V5;
    private NetApi api;
    private List<DeviceProperties> devices = List.of();
    private boolean initialised;
    private int users;

    private Plugin(String file, NcclNetOptions options) throws TransportException {
        this.file = file;
        this.library = SharedLibrary.open(Path.of(file));
        this.pluginLog = new PluginLog(fileName(), options.log());
        this.api = initialise(options);
        this.initialised = true;
    }

    /** The plugin of this configuration, loaded if it is not yet. To be {@linkplain #release released}. */
    static Plugin acquire(NcclNetOptions options) throws TransportException {
        String file = locate(options);
        synchronized (LOADED) {
            Plugin plugin = LOADED.get(file);
            if (HUNG.contains(file)) {
                throw new TransportException(
                        "the init of the plugin " + file + " has not come back in this process; start it anew");
            }
            if (plugin == null) {
                plugin = new Plugin(file, options);
                LOADED.put(file, plugin);
            } else if (!plugin.initialised) {
                plugin.api = plugin.initialise(options);
                plugin.initialised = true;
            } else if (options.api() != 0 && options.api() != plugin.version.number) {
                throw new TransportException(plugin + " is in use in this process already, with API "
                        + plugin.version.number + " and not " + options.api());
            }
            plugin.users++;
            return plugin;
        }
    }

    /** @param idle whether none of its threads is at work for this user; it is not finished under one */
    void release(boolean idle) {
        synchronized (LOADED) {
            if (--users == 0 && idle && finish()) {
                initialised = false;
            }
        }
    }

    private boolean finish() {
        AtomicBoolean finished = new AtomicBoolean();
        boolean back = inTime(FINISH_LIMIT, () -> finished.set(api.finish()));
        if (!back) {
            HUNG.add(file);
            log.warn(
                    "{}: finalize has not come back within {} s and is left to itself", this, FINISH_LIMIT.toSeconds());
        }
        return back && finished.get();
    }

    /** Runs calls that may hang on a thread of their own. @return whether they have come back in time; else they are left to it */
    private static boolean inTime(Duration limit, Runnable calls) {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread thread = Thread.ofPlatform().name("nccl-net-init").daemon(true).start(() -> {
            try {
                calls.run();
            } catch (Throwable e) {
                thrown.set(e);
            }
        });
        boolean back = CommCloser.join(thread, limit);
        if (back && thrown.get() != null) {
            throw new IllegalStateException(thrown.get());
        }
        return back;
    }

    /** Where the plugin is. A name without a slash is left to the loader and its LD_LIBRARY_PATH. */
    static String locate(NcclNetOptions options) throws TransportException {
        String plugin = options.plugin();
        if (plugin == null || plugin.isEmpty()) {
            throw new TransportException("no plugin is named; give --plugin with the path of a libnccl-net*.so, or set "
                    + NcclNetOptions.PLUGIN_VARIABLE);
        }
        if (!plugin.contains("/")) {
            return plugin;
        }
        Path path = Path.of(plugin);
        if (!Files.isRegularFile(path)) {
            throw new TransportException("there is no plugin " + plugin);
        }
        try {
            return path.toRealPath().toString();
        } catch (IOException e) {
            throw new TransportException("the plugin " + plugin + " cannot be read", e);
        }
    }

    private NetApi initialise(NcclNetOptions options) throws TransportException {
        List<ApiVersion> exported = ApiVersion.exportedBy(library);
        version = choose(exported, options.api());
        MemorySegment table = library.symbol(version.symbol()).orElseThrow();
        NetFunctions before = version.read(table);
        if (!before.has(NetFunction.INIT)) {
            throw new TransportException(file + ": " + version.symbol() + " has no init");
        }
        CommMemory memory = CommMemory.take();
        NetApi made = version.adapter(before);
        JvmSignals signals = new JvmSignals(file);
        AtomicInteger result = new AtomicInteger();
        NetApi uninitialised = made;
        boolean back = inTime(
                options.initLimit(), () -> result.set(uninitialised.init(memory, pluginLog.address(), PROFILER)));
        signals.giveBack();
        if (!back) {
            HUNG.add(file);
            throw new TransportException(this + ": init has not come back within "
                    + options.initLimit().toMillis() / 1000.0 + " s: the plugin hangs" + lastWarning());
        }
        check("init", result.get());
        long context = memory.outValue();
        // some plugins fill the table in init (nccl-rdma-sharp-plugins does)
        NetFunctions after = version.read(table);
        try {
            after.checkComplete();
        } catch (TransportException e) {
            throw new TransportException(file + ": " + version.symbol() + ": " + e.getMessage());
        }
        made = version.adapter(after);
        if (made instanceof NetApiV11 contextual) {
            made = contextual.in(context);
        }
        devices = readDevices(made, memory);
        memory.giveBack();
        log.info(
                "{}: {} through API {} (it exports {}), {} devices: {}",
                file,
                after.name(),
                version.number,
                exported.stream().map(v -> "v" + v.number).collect(Collectors.joining(", ")),
                devices.size(),
                devices.stream().map(DeviceProperties::name).collect(Collectors.joining(", ")));
        return made;
    }

    private ApiVersion choose(List<ApiVersion> exported, int wanted) throws TransportException {
        if (exported.isEmpty()) {
            throw new TransportException(file
                    + " exports no ncclNetPlugin_v5 to _v12: it is not a NCCL net plugin, or one" + " of another time");
        }
        if (wanted == 0) {
            return exported.getFirst();
        }
        return exported.stream()
                .filter(v -> v.number == wanted)
                .findFirst()
                .orElseThrow(() -> new TransportException(file + " does not export API " + wanted + ", only "
                        + exported.stream().map(v -> "v" + v.number).collect(Collectors.joining(", "))));
    }

    private List<DeviceProperties> readDevices(NetApi made, CommMemory memory) throws TransportException {
        check("devices", made.devices(memory));
        int count = (int) memory.outValue();
        if (count < 1 || count > MOST_DEVICES) {
            throw new TransportException(this + " found " + count + " devices" + lastWarning()
                    + "; with NCCL_DEBUG=INFO it says what it looked at");
        }
        List<DeviceProperties> found = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            for (int d = 0; d < count; d++) {
                MemorySegment p = arena.allocate(DeviceProperties.STRUCT_BYTES, 16);
                check("getProperties of device " + d, made.properties(d, p));
                found.add(DeviceProperties.read(version.number, p));
            }
        }
        return List.copyOf(found);
    }

    private void check(String call, int result) throws TransportException {
        if (result != NcclResult.SUCCESS) {
            throw new TransportException(
                    this + ": " + call + " failed with " + NcclResult.text(result) + lastWarning(), result);
        }
    }

    /** {@code ; its last warning: ...}, or nothing. */
    String lastWarning() {
        String text = pluginLog.lastWarning();
        return text.isEmpty() ? "" : "; its last warning: " + text;
    }

    NetApi api() {
        return api;
    }

    ApiVersion version() {
        return version;
    }

    List<DeviceProperties> devices() {
        return devices;
    }

    private String fileName() {
        return String.valueOf(Path.of(file).getFileName());
    }

    /** File and API, as messages name it. */
    @Override
    public String toString() {
        return fileName() + " (API " + version.number + ")";
    }

    /** {@code ncclProfilerCallback_t}, for plugins of API 10 and newer: nobody profiles. */
    @SuppressWarnings("restricted")
    private static long profilerStub() {
        FunctionDescriptor descriptor = FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG);
        try {
            return Linker.nativeLinker()
                    .upcallStub(
                            MethodHandles.lookup().findStatic(Plugin.class, "profiled", descriptor.toMethodType()),
                            descriptor,
                            Arena.global())
                    .address();
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // bound by name
    private static int profiled(long event, int type, long handle, long plugin, long data) {
        return NcclResult.SUCCESS;
    }
}
