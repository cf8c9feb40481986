// What NIXL looks for in libplugin_SLUICE.so. Nothing here touches the daemon: parameters are asked for without an engine.
#include "backend/backend_plugin.h"

#include "sluice_backend.h"

namespace {

nixlBackendEngine *create(const nixlBackendInitParams *params) {
    try {
        return new sluice_nixl::Engine(params);
    } catch (const std::exception &e) {
        std::fprintf(stderr, "sluice: NIXL backend: %s\n", e.what());
        return nullptr;
    }
}

void destroy(nixlBackendEngine *engine) { delete engine; }

const char *name() { return "SLUICE"; }

const char *version() { return "0.1.0"; }

nixl_b_params_t options() { return sluice_nixl::Settings::defaults(); }

// of which a daemon serves one: its engine says which
nixl_mem_list_t memories() { return {DRAM_SEG, VRAM_SEG}; }

nixlBackendPlugin plugin = {NIXL_PLUGIN_API_VERSION, create, destroy, name, version, options, memories};

} // namespace

extern "C" NIXL_PLUGIN_EXPORT nixlBackendPlugin *nixl_plugin_init() { return &plugin; }

extern "C" NIXL_PLUGIN_EXPORT void nixl_plugin_fini() {}
