/* SPDX-License-Identifier: MIT */
#ifndef TESTS_RT_LOSSY_H
#define TESTS_RT_LOSSY_H

#include <stdint.h>

/*
 * A network that loses: this program's sendmmsg drops one media packet in `every` of those over a
 * size that only video has; 0: none. It is a whole process's setting, as its sendmmsg is.
 */
void lossy_set(uint32_t every);
uint32_t lossy_dropped(void);

#endif
