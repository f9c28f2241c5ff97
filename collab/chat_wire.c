/* SPDX-License-Identifier: MIT */
#include "collab/chat_wire.h"

#include "engine/base/bytes.h"
#include "engine/base/utf8.h"

#include <string.h>

static size_t body_size(const struct tdm_chat_message *m)
{
    switch (m->kind) {
    case TDM_CHAT_TEXT:
    case TDM_CHAT_EDIT:
        return 16 + (size_t)m->size;
    case TDM_CHAT_RECEIPT:
        return 9;
    case TDM_CHAT_TYPING:
        return 1;
    case TDM_CHAT_FILE:
        return 48 + (size_t)m->size;
    case TDM_CHAT_OTHER:
        break;
    }
    return 0;
}

size_t tdm_chat_size(const struct tdm_chat_message *m)
{
    return TDM_CHAT_HEAD_BYTES + body_size(m);
}

enum tdm_err tdm_chat_write(const struct tdm_chat_message *m, uint8_t *data, size_t capacity)
{
    struct tdm_writer w = tdm_writer_of(data, capacity);

    if (tdm_chat_size(m) > capacity || m->size > TDM_CHAT_TEXT_MAX)
        return TDM_E_SPACE;
    tdm_write_u32(&w, (uint32_t)(1 + body_size(m)));
    tdm_write_u8(&w, (uint8_t)m->kind);
    if (m->kind == TDM_CHAT_TYPING) {
        tdm_write_u8(&w, m->seconds);
        return TDM_OK;
    }
    tdm_write_u64(&w, m->id);
    if (m->kind == TDM_CHAT_RECEIPT) {
        tdm_write_u8(&w, (uint8_t)m->receipt);
        return TDM_OK;
    }
    tdm_write_u64(&w, (uint64_t)m->sent_ms);
    if (m->kind == TDM_CHAT_FILE)
        tdm_write_bytes(&w, m->root, sizeof m->root);
    tdm_write_bytes(&w, m->text, m->size);
    return TDM_OK;
}

enum tdm_err tdm_chat_parse(struct tdm_chat_message *m, const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    uint8_t kind = tdm_read_u8(&r);

    *m = (struct tdm_chat_message){.kind = TDM_CHAT_OTHER};
    if (!r.ok)
        return TDM_E_MALFORMED;
    if (kind < TDM_CHAT_TEXT || kind > TDM_CHAT_FILE)
        return TDM_OK;
    m->kind = (enum tdm_chat_kind)kind;
    if (m->kind == TDM_CHAT_TYPING) {
        m->seconds = tdm_read_u8(&r);
        return r.ok ? TDM_OK : TDM_E_MALFORMED;
    }
    m->id = tdm_read_u64(&r);
    if (m->kind == TDM_CHAT_RECEIPT) {
        uint8_t receipt = tdm_read_u8(&r);

        m->receipt = receipt == TDM_CHAT_READ ? TDM_CHAT_READ : TDM_CHAT_DELIVERED;
        return r.ok && receipt ? TDM_OK : TDM_E_MALFORMED;
    }
    m->sent_ms = (int64_t)tdm_read_u64(&r);
    if (m->kind == TDM_CHAT_FILE) {
        const uint8_t *root = tdm_read_bytes(&r, sizeof m->root);

        if (root)
            memcpy(m->root, root, sizeof m->root);
    }
    size_t left = tdm_reader_left(&r);

    if (!r.ok || left > TDM_CHAT_TEXT_MAX)
        return TDM_E_MALFORMED;
    m->size = (uint32_t)left;
    m->text = (const char *)tdm_read_bytes(&r, left);
    return TDM_OK;
}

static bool is_shown(uint32_t c)
{
    if (c == '\n' || c == '\t')
        return true;
    /* C0, DEL and C1; marks, embeddings, overrides and isolates of direction; line separators. */
    return !(c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
             (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff);
}

size_t tdm_chat_clean(const char *text, size_t size, char *clean, size_t capacity)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t out = 0;

    for (size_t at = 0; at < size;) {
        uint32_t code = 0;
        size_t bytes = tdm_utf8_take((const uint8_t *)text + at, size - at, &code);
        bool good = bytes && is_shown(code);
        const char *from = good ? text + at : replacement;
        size_t take = good ? bytes : sizeof replacement - 1;

        if (out + take > capacity)
            break;
        memcpy(clean + out, from, take);
        out += take;
        at += bytes ? bytes : 1;
    }
    return out;
}
