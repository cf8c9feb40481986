// What goes to peers with an agent's metadata.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace sluice_nixl {

template <typename T> void put(std::string &to, T value) { to.append(reinterpret_cast<const char *>(&value), sizeof value); }

template <typename T> T get(const std::string &from, size_t at) {
    T value;
    std::memcpy(&value, from.data() + at, sizeof value);
    return value;
}

// Both start a blob, so that those of another release are told apart.
constexpr uint32_t INFO = 0x31494c53;   // "SLI1"
constexpr uint32_t REGION = 0x32524c53; // "SLR2"
constexpr size_t REGION_BYTES = 4 + 16 + 8 + 8 + 4;

} // namespace sluice_nixl
