/* SPDX-License-Identifier: MIT */
/*
 * Records of the other side, acts of our desktop, rights and time, to a host's clipboard and to a
 * helper's. Checked: nothing goes or comes without its scope, content is never longer than allowed,
 * pieces follow each other, and what is sent was announced.
 */

#include "collab/clipboard.h"
#include "engine/base/bytes.h"

#include <assert.h>
#include <string.h>

#define BYTES_MAX 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tdm_clipboard c;
static struct tdm_clipboard_rights rights;
static uint8_t content[BYTES_MAX + 1];
static uint32_t expected; /* Offset of the next piece that comes. */
static bool content_lent;

static void check(const struct tdm_clipboard_out *out)
{
    uint16_t coming = c.config.host ? TDM_SCOPE_CLIPBOARD_IN : TDM_SCOPE_CLIPBOARD_OUT;
    uint16_t going = c.config.host ? TDM_SCOPE_CLIPBOARD_OUT : TDM_SCOPE_CLIPBOARD_IN;

    if (out->send && out->record.kind == TDM_CONTROL_CLIP_DATA) {
        assert(rights.scopes & going && content_lent);
        assert(out->record.format != TDM_CLIP_FILES || rights.scopes & TDM_SCOPE_FILES);
        assert(out->record.data >= content &&
               out->record.data + out->record.size <= content + BYTES_MAX);
    }
    if (out->send && out->record.kind == TDM_CONTROL_CLIP_OFFER)
        assert(rights.scopes & going);
    if (out->send && out->record.kind == TDM_CONTROL_CLIP_WANT)
        assert(rights.scopes & coming);
    if (out->desk == TDM_CLIPBOARD_DESK_OFFER && out->format_count)
        assert(rights.scopes & coming);
    for (uint8_t i = 0; out->desk == TDM_CLIPBOARD_DESK_OFFER && i < out->format_count; i++)
        assert(out->formats[i].format != TDM_CLIP_FILES || rights.scopes & TDM_SCOPE_FILES);
    if (out->desk == TDM_CLIPBOARD_DESK_FETCH)
        assert(rights.scopes & going);
    if (out->desk == TDM_CLIPBOARD_DESK_PIECE) {
        assert(rights.scopes & coming && out->offset == expected);
        assert(out->offset + out->size <= BYTES_MAX);
        expected += out->size;
    }
    if (out->desk == TDM_CLIPBOARD_DESK_DONE || out->desk == TDM_CLIPBOARD_DESK_FETCH)
        content_lent = false;
}

static void step(tdm_time now, const struct tdm_clipboard_in *in)
{
    struct tdm_clipboard_out out;

    if (in && in->kind == TDM_CLIPBOARD_WISH)
        expected = c.wished ? expected : 0;
    tdm_clipboard_step(&c, now, &rights, in, &out);
    check(&out);
}

static void one(struct tdm_reader *r, tdm_time *now)
{
    struct tdm_clipboard_in in = {.kind = (enum tdm_clipboard_input)(tdm_read_u8(r) % 8)};
    struct tdm_control_record rec;
    uint8_t size = tdm_read_u8(r);

    if ((int)in.kind == 7) {
        rights.scopes = size & TDM_SCOPES_ALL;
        rights.seq += size >> 7;
        step(*now, NULL);
        return;
    }
    if ((int)in.kind == 6) {
        *now += size * TDM_S / 16;
        step(*now, NULL);
        return;
    }
    in.format = size % 4;
    in.origin = size / 64;
    in.secret = size == 63;
    in.format_count = 1 + size % 3;
    for (uint8_t i = 0; i < in.format_count; i++)
        in.formats[i] = (struct tdm_clip_entry){.format = (uint8_t)((size + i) % 4), .size = size};
    in.content = size % 5 ? content : NULL;
    in.size = size % 7 ? size * 80u : BYTES_MAX + 1;
    if (in.kind == TDM_CLIPBOARD_CONTENT)
        content_lent |= in.content != NULL;
    if (in.kind == TDM_CLIPBOARD_RECORD) {
        size_t take = size < tdm_reader_left(r) ? size : tdm_reader_left(r);
        const uint8_t *bytes = tdm_read_bytes(r, take);

        if (!bytes || tdm_control_parse(&rec, bytes, take) || rec.kind < TDM_CONTROL_CLIP_OFFER)
            return;
        if (rec.seq & 1)
            rec.seq = rights.seq;
        if (rec.serial & 1)
            rec.serial = rec.kind == TDM_CONTROL_CLIP_WANT ? c.serial : c.wish_serial;
        in.record = &rec;
    }
    step(*now, &in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    tdm_time now = TDM_S;
    struct tdm_clipboard_config config = {.host = tdm_read_u8(&r) & 1,
                                          .origin = 9,
                                          .in_bytes_max = BYTES_MAX,
                                          .out_bytes_max = BYTES_MAX};

    tdm_clipboard_init(&c, &config, now);
    rights = (struct tdm_clipboard_rights){.scopes = TDM_SCOPES_ALL, .seq = 3};
    expected = 0;
    content_lent = false;
    while (tdm_reader_left(&r))
        one(&r, &now);
    return 0;
}
