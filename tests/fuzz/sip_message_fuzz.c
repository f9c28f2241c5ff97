/* SPDX-License-Identifier: MIT */
/*
 * Reading a SIP message, its addresses and lists, and cutting messages out of a stream: every span
 * must lie within the bytes, and what the stream's cutter takes for a message must not be longer
 * than they are.
 */
#include "engine/wire/sip_frame.h"
#include "signalling/sip_message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct tdm_text t, const uint8_t *data, size_t size)
{
    if (t.at > t.end)
        abort();
    if (t.at < t.end && (t.at < (const char *)data || t.end > (const char *)data + size))
        abort();
}

static void check_address(struct tdm_text text, const uint8_t *data, size_t size)
{
    struct tdm_sip_address a;
    struct tdm_text value;

    if (!tdm_sip_read_uri(text, &a))
        return;
    check(a.user, data, size);
    check(a.host, data, size);
    check(a.params, data, size);
    if (tdm_sip_param(a.params, "transport", &value))
        check(value, data, size);
    if (!tdm_sip_same_place(&a, &a))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tdm_sip_message m;
    bool answerable;
    const char *fault;
    size_t frame;
    enum tdm_err err = tdm_sip_frame_size(data, size, &frame);

    if ((err == TDM_OK && frame > size) || (err == TDM_E_AGAIN && frame <= size))
        abort();
    if (tdm_sip_read(&m, data, size, &answerable, &fault) != TDM_OK)
        return 0;
    check(m.uri, data, size);
    check(m.body, data, size);
    check(m.via.branch, data, size);
    check(m.from_tag, data, size);
    check_address(m.uri, data, size);
    for (uint32_t i = 0; i < m.header_count; i++) {
        struct tdm_text list = m.headers[i].value, item, uri, params;

        check(m.headers[i].line, data, size);
        while (tdm_sip_next_item(&list, &item)) {
            check(item, data, size);
            if (!tdm_sip_read_name_address(item, &uri, &params))
                continue;
            check(uri, data, size);
            check(params, data, size);
            check_address(uri, data, size);
        }
    }
    return 0;
}
