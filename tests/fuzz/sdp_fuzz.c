/* SPDX-License-Identifier: MIT */
/* Any text: what parses must write, and what was written must parse to the same again. */
#include "signalling/sdp.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_media_desc *first = malloc(sizeof *first), *second = malloc(sizeof *second);
    size_t text_size = 0, again_size = 0, capacity = 65536;
    char *text = malloc(capacity), *again = malloc(capacity);

    if (!first || !second || !text || !again)
        abort();
    if (tdm_sdp_parse((const char *)data, size, first, NULL) == TDM_OK) {
        if (tdm_sdp_write(first, text, capacity, &text_size) != TDM_OK)
            abort();
        if (text_size <= TDM_SDP_MAX) {
            if (tdm_sdp_parse(text, text_size, second, NULL) != TDM_OK ||
                tdm_sdp_write(second, again, capacity, &again_size) != TDM_OK ||
                again_size != text_size || memcmp(text, again, text_size) != 0)
                abort();
        }
    }
    free(again);
    free(text);
    free(second);
    free(first);
    return 0;
}
