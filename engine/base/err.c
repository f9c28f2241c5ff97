/* SPDX-License-Identifier: MIT */
#include "engine/base/err.h"

#include <stdarg.h>
#include <stdio.h>

enum tdm_err tdm_fail(struct tdm_cause *cause, enum tdm_err err, const char *format, ...)
{
    if (cause) {
        va_list args;

        va_start(args, format);
        (void)vsnprintf(cause->text, sizeof cause->text, format, args);
        va_end(args);
    }
    return err;
}

const char *tdm_err_name(enum tdm_err err)
{
    static const char *const names[] = {
        [TDM_OK] = "ok",
        [TDM_E_AGAIN] = "try again",
        [TDM_E_SPACE] = "no space",
        [TDM_E_MALFORMED] = "malformed",
        [TDM_E_UNSUPPORTED] = "unsupported",
        [TDM_E_DENIED] = "denied",
        [TDM_E_GONE] = "gone",
        [TDM_E_SYSTEM] = "system error",
    };

    return (unsigned)err < sizeof names / sizeof *names ? names[err] : "unknown";
}
