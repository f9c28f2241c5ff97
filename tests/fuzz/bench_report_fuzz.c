/* SPDX-License-Identifier: MIT */
/* Any two texts as reports: compared in both orders and made a page, all of which work or none. Up
 * to the first NUL byte the input is the newer report, behind it the older one. */
#include "include/tandem/bench.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tandem_cause cause;
    char *text = malloc(size + 2);

    if (!text)
        abort();
    memcpy(text, data, size);
    memset(text + size, 0, 2);
    const char *older = strlen(text) < size ? text + strlen(text) + 1 : text;
    char *changes = tandem_bench_compare(text, older, &cause);
    char *back = tandem_bench_compare(older, text, &cause);
    char *page = tandem_bench_html(text, older, &cause);

    if (!changes != !back || !changes != !page)
        abort();
    free(page);
    free(back);
    free(changes);
    free(text);
    return 0;
}
