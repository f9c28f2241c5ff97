/* SPDX-License-Identifier: MIT */
/* Any text as a list of sizes, of rates and of codecs: each item lies inside the text, what parses
 * is within its limits. */
#include "measure/list.h"
#include "measure/plan_codecs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct tdm_picks *picks = malloc(sizeof *picks);
    struct tdm_cause cause;
    struct tdm_item item;

    if (!text || !picks)
        abort();
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    const char *at = text;

    while (tdm_list_next(&at, &item)) {
        int width, height;
        uint32_t bps;

        assert(item.text >= text && item.text + item.size <= text + size);
        if (tdm_item_sides(&item, &width, &height))
            assert(width >= 0 && width <= 99999 && height >= 0 && height <= 99999);
        (void)tdm_item_rate(&item, &bps);
    }
    if (tdm_picks_parse(picks, text, false, &cause) == TANDEM_OK)
        for (size_t i = 0; i < picks->count; i++)
            assert(!picks->list[i].video != !picks->list[i].audio);
    free(picks);
    free(text);
    return 0;
}
