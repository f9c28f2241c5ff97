/* SPDX-License-Identifier: MIT */
#include "engine/base/rt.h"

_Thread_local int tdm_rt_depth;
