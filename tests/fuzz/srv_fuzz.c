/* SPDX-License-Identifier: MIT */
/* A DNS answer of any bytes, and a telephone number: bounded, terminated, printable. */
#include "signalling/srv_records.h"
#include "signalling/tel_uri.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t capacity)
{
    if (!memchr(text, '\0', capacity))
        abort();
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_srv_record records[TDM_SRV_MAX];
    char text[128] = "tel:", number[TDM_TEL_MAX];
    uint32_t count = 0;

    if (tdm_srv_parse(data, size, records, &count) == TDM_OK) {
        if (count > TDM_SRV_MAX)
            abort();
        tdm_srv_order(records, count, size);
        for (uint32_t i = 0; i < count; i++)
            check_text(records[i].target, sizeof records[i].target);
    }
    if (size && data[0] < 128) {
        size_t keep = size < sizeof text - 5 ? size : sizeof text - 5;

        memcpy(text + 4, data, keep);
        text[4 + keep] = '\0';
        (void)tdm_tel_is(text + 4);
        if (tdm_tel_parse(text, number, NULL) == TDM_OK)
            check_text(number, sizeof number);
    }
    return 0;
}
