/* SPDX-License-Identifier: MIT */
#include "engine/io/entropy.h"

#include <assert.h>
#include <sys/random.h>

void tdm_entropy(void *bytes, size_t size)
{
    uint8_t *at = bytes;

    while (size) {
        ssize_t got = getrandom(at, size, 0);

        assert(got > 0); /* Cannot fail for small requests once the kernel has booted. */
        at += got;
        size -= (size_t)got;
    }
}

uint64_t tdm_entropy_u64(void)
{
    uint64_t value;

    tdm_entropy(&value, sizeof value);
    return value;
}
