#include <cstdlib>
#include <stdexcept>

#include "sluice_backend.h"

namespace sluice_nixl {

const nixl_b_params_t &Settings::defaults() {
    static const nixl_b_params_t all = {{"socket", ""}, {"address", "127.0.0.1:20100"}, {"gpu", "0"}, {"timeout_ms", "30000"}};
    return all;
}

Settings Settings::of(const nixl_b_params_t *params) {
    auto text = [&](const char *name) {
        if (params != nullptr) {
            auto given = params->find(name);
            if (given != params->end() && !given->second.empty() && given->second != defaults().at(name)) {
                return given->second;
            }
        }
        std::string variable = std::string("SLUICE_NIXL_") + name;
        for (char &c : variable) {
            c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        }
        const char *set = std::getenv(variable.c_str());
        return set != nullptr && *set != 0 ? std::string(set) : defaults().at(name);
    };
    Settings s;
    s.socket = text("socket");
    s.address = text("address");
    s.gpu = static_cast<uint32_t>(std::stoul(text("gpu")));
    s.timeoutMs = std::stoi(text("timeout_ms"));
    if (s.address.size() > 200 || s.address.find(':') == std::string::npos) {
        throw std::runtime_error("address '" + s.address + "': write HOST:PORT, where other hosts' daemons reach the one here");
    }
    return s;
}

} // namespace sluice_nixl
