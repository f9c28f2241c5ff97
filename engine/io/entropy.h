/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_ENTROPY_H
#define TDM_IO_ENTROPY_H

/* The only entropy of the engine: from the kernel, for SSRCs, sequence starts, tags and seeds. */

#include <stddef.h>
#include <stdint.h>

void tdm_entropy(void *bytes, size_t size);
uint64_t tdm_entropy_u64(void);

#endif
