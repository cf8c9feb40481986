// Memory that the process has already, made such that another process can map it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace sluice_nixl {

// A place in a memory file that is mapped at the address asked for.
struct SharedRange {
    int fd;              // owned by the table
    uint64_t offset;     // of the first whole page in the file
    uintptr_t begin;     // of that page
    uint64_t bytes;      // whole pages
};

/*
 * Puts a memory file in the place of private anonymous pages, with the same bytes: the process goes on using the same addresses. What was
 * put there stays for the life of the process, also when it is registered no more. Nobody may write to the pages meanwhile. Memory of
 * the small heap ([heap]), of stacks, of files and of huge pages is refused. Any thread may use it.
 */
class SharedPages {
  public:
    static SharedPages &ofProcess();

    // Where the range lies, or false and why not.
    bool share(uintptr_t address, uint64_t bytes, SharedRange &out, std::string &why);

  private:
    struct File {
        int fd;
        uintptr_t begin;
        uint64_t bytes;
    };

    bool isPrivate(uintptr_t begin, uintptr_t end, std::string &why) const;
    const File *holding(uintptr_t begin, uintptr_t end) const;

    std::mutex mutex_;
    std::vector<File> files_;
};

} // namespace sluice_nixl
