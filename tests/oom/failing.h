/* SPDX-License-Identifier: MIT */
#ifndef TESTS_OOM_FAILING_H
#define TESTS_OOM_FAILING_H

/*
 * Allocations that fail on order. The linker's --wrap sends what our own objects allocate through
 * here; libraries keep the real allocator, as several of them abort without memory (libx264,
 * libvpx and GLib among them), which no caller can help.
 */

#include <stdint.h>

/** The n-th allocation from now on (1 = the next) fails, and `all` behind it; 0: none does. */
void failing_arm(uint32_t n, int all);

/** How many there were since the last failing_arm. */
uint32_t failing_count(void);

#endif
