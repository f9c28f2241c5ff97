/* SPDX-License-Identifier: MIT */
#include "engine/io/environment.h"

#include <stdlib.h>

const char *tdm_environment(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): safe while nobody sets one (see .h). */
}
