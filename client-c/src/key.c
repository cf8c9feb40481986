/* Keys that nobody can guess. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "internal.h"

int key_draw(sluice_key *key) {
    size_t done = 0;
    while (done < sizeof *key) {
        ssize_t n = getrandom((char *)key + done, sizeof *key - done, 0);
        if (n < 0 && errno != EINTR) {
            return sluice_fail(SLUICE_SYSTEM, "getrandom: %s", strerror(errno));
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}
