/* SPDX-License-Identifier: MIT */
/* Any bytes as a presence document, or as one that says who is typing: what parses must write, and
 * be the same again. */
#include "signalling/composing.h"
#include "signalling/pidf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void composing(const uint8_t *data, size_t size)
{
    struct tdm_composing c, again;
    char xml[512];
    size_t used;

    if (tdm_composing_parse(&c, data, size) != TDM_OK)
        return;
    if (tdm_composing_write(&c, xml, sizeof xml, &used) != TDM_OK ||
        tdm_composing_parse(&again, xml, used) != TDM_OK || again.active != c.active)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tdm_pidf first, second;
    static char xml[4 * TDM_PIDF_MAX];
    struct tdm_presence_view a, b;
    size_t used = 0;

    composing(data, size);
    if (tdm_pidf_parse(&first, data, size) != TDM_OK)
        return 0;
    if (tdm_pidf_write(&first, xml, sizeof xml, &used) != TDM_OK)
        abort();
    if (used <= TDM_PIDF_MAX) {
        if (tdm_pidf_parse(&second, xml, used) != TDM_OK || first.tuple_count != second.tuple_count)
            abort();
        tdm_presence_compose(&first, 1795435200, &a);
        tdm_presence_compose(&second, 1795435200, &b);
        if (a.open_devices != b.open_devices)
            abort();
        tdm_pidf_merge(&first, &second);
    }
    (void)tdm_presence_view_until(&first, 1795435200);
    return 0;
}
