/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_SPEC_H
#define TDM_BASE_SPEC_H

/* How a user names a source or a sink: "kind" or "kind:argument". */

#include <stdbool.h>
#include <string.h>

/** Whether `spec` is of this kind; then `argument` is what stands after the colon, "" when
 *  nothing does, and borrows from `spec`. */
static inline bool tdm_spec_is(const char *spec, const char *kind, const char **argument)
{
    size_t size = strlen(kind);

    if (strncmp(spec, kind, size) != 0 || (spec[size] && spec[size] != ':'))
        return false;
    *argument = spec + size + (spec[size] == ':');
    return true;
}

#endif
