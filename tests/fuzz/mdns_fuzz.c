/* SPDX-License-Identifier: MIT */
/* Answers for a name and for another: bounded, whole addresses, and the same twice. */

#include "engine/wire/mdns.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_address list[TDM_MDNS_ANSWERS], again[TDM_MDNS_ANSWERS];
    uint32_t count, count_again;
    enum tdm_err err = tdm_mdns_answers(data, size, "host.local", list, &count);

    assert(count <= TDM_MDNS_ANSWERS && (err == TDM_OK) <= (count > 0));
    for (uint32_t i = 0; i < count; i++)
        assert(list[i].port == 0 && (list[i].family == TDM_IPV4 || list[i].family == TDM_IPV6));
    assert(tdm_mdns_answers(data, size, "host.local", again, &count_again) == err);
    assert(count == count_again && memcmp(list, again, count * sizeof *list) == 0);
    return 0;
}
