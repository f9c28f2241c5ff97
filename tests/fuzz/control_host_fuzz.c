/* SPDX-License-Identifier: MIT */
/*
 * A hostile helper, the host's person and time. Checked: nothing is injected that the person has
 * not allowed, never the revoke key, and nothing stays down (tests/unit/control_model.h).
 */

#include "tests/unit/control_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct control_model model;

    if (size > 4096)
        return 0;
    model_init(&model);
    model_run(&model, data, size);
    return 0;
}
