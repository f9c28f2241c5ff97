/* SPDX-License-Identifier: MIT */
/* What parses borrows only from the input; what is written of it reads as the same; frames of a
 * stream are whole messages. */

#include "engine/wire/stun.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_span(struct tdm_stun_span span, const uint8_t *data, size_t size)
{
    assert(!span.data || (span.data >= data && span.data + span.size <= data + size));
}

static void write_some(struct tdm_writer *w, const struct tdm_stun *m)
{
    for (uint8_t i = 0; i < m->peer_count; i++)
        tdm_stun_write_address(w, TDM_STUN_XOR_PEER_ADDRESS, &m->peers[i]);
    if (m->mapped.family)
        tdm_stun_write_address(w, TDM_STUN_XOR_MAPPED_ADDRESS, &m->mapped);
    if (m->has_lifetime)
        tdm_stun_write_u32(w, TDM_STUN_LIFETIME, m->lifetime_s);
    if (m->data.data)
        tdm_stun_write_span(w, TDM_STUN_DATA_ATTRIBUTE, m->data);
    if (m->error_code)
        tdm_stun_write_error(w, m->error_code, NULL);
    tdm_stun_write_unknown(w, m);
    tdm_stun_write_integrity(w, "key", 3);
    tdm_stun_write_fingerprint(w);
}

static void check_written(const struct tdm_stun *m)
{
    size_t room = 4096 + m->data.size;
    uint8_t *again = malloc(room);
    struct tdm_writer w = tdm_stun_begin(again, again ? room : 0, m->kind, m->method, m->id);
    struct tdm_stun back;

    assert(again);
    write_some(&w, m);
    size_t size = tdm_stun_end(&w);

    if (size > UINT16_MAX) /* Readable by nobody; data alone may be that long. */
        size = 0;
    if (size) {
        assert(tdm_stun_parse(&back, again, size) == TDM_OK);
        assert(back.kind == m->kind && back.method == m->method);
        assert(back.peer_count == m->peer_count && back.error_code == m->error_code);
        assert(tdm_address_equal(&back.mapped, &m->mapped));
        assert(back.lifetime_s == m->lifetime_s && back.data.size == m->data.size);
        if (size < 2000)
            assert(tdm_stun_check(&back, "key", 3) == TDM_OK);
        assert(tdm_stun_check(&back, "kex", 3) == TDM_E_DENIED);
    }
    free(again);
}

static void check_frames(const uint8_t *data, size_t size)
{
    size_t frame;

    while (tdm_turn_frame_size(data, size, &frame) == TDM_OK) {
        struct tdm_turn_channel_data c;

        assert(frame >= 4 && frame <= size);
        if (tdm_turn_is_old_channel_data(data, frame)) {
            assert(tdm_turn_channel_data_parse(&c, data, frame) == TDM_OK);
            assert(c.data >= data && c.data + c.size <= data + frame);
        }
        data += frame;
        size -= frame;
    }
    assert(frame > size || frame <= 4 || size >= 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_stun m;
    char text[32];

    check_frames(data, size);
    if (tdm_stun_parse(&m, data, size) != TDM_OK)
        return 0;
    assert(tdm_stun_is(data, size));
    check_span(m.username, data, size);
    check_span(m.realm, data, size);
    check_span(m.nonce, data, size);
    check_span(m.software, data, size);
    check_span(m.reason, data, size);
    check_span(m.data, data, size);
    assert(m.peer_count <= TDM_STUN_PEERS_MAX && m.unknown_count <= TDM_STUN_UNKNOWN_MAX);
    assert(!m.error_code || (m.error_code >= 300 && m.error_code <= 699));
    tdm_stun_span_text(m.reason, text, sizeof text);
    (void)tdm_stun_check(&m, "VOkJxbRl1RmTxUk/WvJxBt", 22);
    check_written(&m);
    return 0;
}
