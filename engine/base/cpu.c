/* SPDX-License-Identifier: MIT */
#include "engine/base/cpu.h"

uint32_t tdm_cpu_features(void)
{
    uint32_t set = 0;

#if TDM_CPU_X86
    if (__builtin_cpu_supports("ssse3"))
        set |= TDM_CPU_SSSE3;
    if (__builtin_cpu_supports("avx2"))
        set |= TDM_CPU_AVX2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("gfni"))
        set |= TDM_CPU_GFNI;
#endif
    return set;
}
