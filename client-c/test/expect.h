/* What a test program wants to be so: it ends with the place and the client's last error where it is not. */
#ifndef EXPECT_H
#define EXPECT_H

#include <stdio.h>
#include <stdlib.h>

#include "sluice.h"

#define EXPECT(condition)                                                                                            \
    do {                                                                                                             \
        if (!(condition)) {                                                                                          \
            fprintf(stderr, "%s:%d: not so: %s (last error: %s)\n", __FILE__, __LINE__, #condition, sluice_error()); \
            exit(1);                                                                                                 \
        }                                                                                                            \
    } while (0)

#endif
