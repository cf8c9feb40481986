#include "shared_pages.h"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice_nixl {

namespace {

struct Mapping {
    uintptr_t begin, end;
    char rights[5];
    uint64_t inode;
    char name[256];
};

template <typename Each> bool eachMapping(Each each) {
    FILE *maps = std::fopen("/proc/self/maps", "re");
    if (maps == nullptr) {
        return false;
    }
    char line[512];
    while (std::fgets(line, sizeof line, maps) != nullptr) {
        Mapping m{};
        m.name[0] = 0;
        unsigned long begin, end, offset, inode;
        if (std::sscanf(line, "%lx-%lx %4s %lx %*s %lu %255[^\n]", &begin, &end, m.rights, &offset, &inode, m.name) >= 5) {
            m.begin = begin;
            m.end = end;
            m.inode = inode;
            each(m);
        }
    }
    std::fclose(maps);
    return true;
}

uint64_t inodeOf(int fd) {
    struct stat s {};
    return fstat(fd, &s) == 0 ? s.st_ino : 0;
}

} // namespace

SharedPages &SharedPages::ofProcess() {
    static SharedPages *all = new SharedPages; // lives as long as the pages do
    return *all;
}

// The file that is mapped at the range still: a range may have been freed and given out anew since.
const SharedPages::File *SharedPages::holding(uintptr_t begin, uintptr_t end) const {
    for (auto f = files_.rbegin(); f != files_.rend(); ++f) {
        if (f->begin <= begin && end <= f->begin + f->bytes) {
            const uint64_t inode = inodeOf(f->fd);
            uintptr_t covered = begin;
            eachMapping([&](const Mapping &m) {
                if (m.inode == inode && m.rights[3] == 's' && m.begin <= covered && covered < m.end) {
                    covered = m.end;
                }
            });
            if (covered >= end) {
                return &*f;
            }
        }
    }
    return nullptr;
}

bool SharedPages::isPrivate(uintptr_t begin, uintptr_t end, std::string &why) const {
    uintptr_t covered = begin;
    const char *bad = nullptr;
    char name[256] = "";
    eachMapping([&](const Mapping &m) {
        if (m.end <= begin || m.begin >= end || bad != nullptr) {
            return;
        }
        if (m.begin > covered) {
            bad = "part of it is not mapped";
        } else if (m.inode != 0 || m.rights[3] != 'p' || std::strstr(m.name, "huge") != nullptr) {
            bad = "part of it is a mapping of a file, shared, or of huge pages";
        } else if (m.name[0] == '[' && std::strncmp(m.name, "[anon", 5) != 0) {
            bad = "part of it is in the small heap or on a stack; allocate it by itself (128 KiB or more, or mmap)";
        } else if (m.rights[0] != 'r' || m.rights[1] != 'w' || m.rights[2] != '-') {
            bad = "part of it cannot be read and written";
        }
        if (bad != nullptr) {
            std::snprintf(name, sizeof name, "%s", m.name);
        }
        covered = m.end;
    });
    if (bad == nullptr && covered < end) {
        bad = "part of it is not mapped";
    }
    if (bad != nullptr) {
        why = std::string(bad) + (name[0] != 0 ? std::string(" (") + name + ")" : "");
    }
    return bad == nullptr;
}

bool SharedPages::share(uintptr_t address, uint64_t bytes, SharedRange &out, std::string &why) {
    const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    if (bytes == 0 || address + bytes < address) {
        why = "it has no bytes";
        return false;
    }
    const uintptr_t begin = address & ~(page - 1);
    const uintptr_t end = (address + bytes + page - 1) & ~(page - 1);
    std::lock_guard<std::mutex> lock(mutex_);
    if (const File *f = holding(begin, end)) {
        out = {f->fd, begin - f->begin, begin, end - begin};
        return true;
    }
    if (!isPrivate(begin, end, why)) {
        return false;
    }
    const int fd = memfd_create("sluice-nixl", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, static_cast<off_t>(end - begin)) != 0) {
        why = std::string("no memory file: ") + std::strerror(errno);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    // filled through the file, then put in the place of the pages in one step
    uint64_t done = 0;
    while (done < end - begin) {
        const ssize_t n = pwrite(fd, reinterpret_cast<const void *>(begin + done), end - begin - done, static_cast<off_t>(done));
        if (n <= 0) {
            why = std::string("its bytes cannot be copied: ") + std::strerror(errno);
            close(fd);
            return false;
        }
        done += static_cast<uint64_t>(n);
    }
    if (mmap(reinterpret_cast<void *>(begin), end - begin, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
        why = std::string("it cannot be mapped: ") + std::strerror(errno);
        close(fd);
        return false;
    }
    files_.push_back({fd, begin, end - begin});
    out = {fd, 0, begin, end - begin};
    return true;
}

} // namespace sluice_nixl
