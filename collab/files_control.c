/* SPDX-License-Identifier: MIT */
/* The stream of messages: what arrives changes transfers; what is to be said is found in them. */
#include "collab/files_state.h"

#include <string.h>

static void refuse(struct tdm_files *f, uint64_t id, enum tdm_file_end end)
{
    assert(f->refused_count < TDM_FILES_OFFERS_MAX);
    f->refused[f->refused_count++] = (struct tdm_file_refusal){id, end};
}

/* A transfer with this peer that its offer continues: the sender came back, under another
 * identifier when its program was started again. */
static struct tdm_transfer *continued(struct tdm_files *f, const struct tdm_file_message *m)
{
    struct tdm_transfer *t = tdm_files_find_id(f, m->id, false);

    for (int i = 0; !t && i < TDM_FILES_TRANSFERS_MAX; i++) {
        struct tdm_transfer *old = &f->transfers[i];

        if (old->number && old->here && !old->sending && !old->linked &&
            old->state != TDM_FILES_ENDED &&
            memcmp(old->desc.root, m->desc.root, sizeof m->desc.root) == 0 &&
            old->desc.size == m->desc.size && strcmp(old->desc.name, m->desc.name) == 0)
            t = old;
    }
    return t;
}

static void take_offer(struct tdm_files *f, const struct tdm_file_message *m)
{
    struct tdm_transfer *t = continued(f, m);

    if (t && (t->desc.size != m->desc.size ||
              memcmp(t->desc.root, m->desc.root, sizeof m->desc.root) != 0)) {
        tdm_files_end(t, TDM_FILE_END_PROTOCOL, false);
    } else if (t) {
        t->id = m->id;
        t->linked = true;
        t->say_end = t->state == TDM_FILES_ENDED;
        t->say_accept = t->open;
        if (t->pause_here == TDM_FILE_PAUSE_DISK_FULL)
            tdm_files_resume(t);
    } else if ((f->config.size_max && m->desc.size > f->config.size_max) ||
               (f->config.entries_max && m->desc.entries > f->config.entries_max)) {
        refuse(f, m->id, TDM_FILE_END_TOO_BIG);
    } else if (!(t = tdm_files_new(f, false))) {
        refuse(f, m->id, TDM_FILE_END_TOO_MANY);
    } else {
        t->id = m->id;
        t->desc = m->desc;
        t->linked = true;
        t->tell_offered = true;
    }
}

static void take_accept(struct tdm_transfer *t, const struct tdm_file_message *m)
{
    uint32_t blocks = tdm_file_block_count(t->desc.size);

    t->tell_accepted = t->state == TDM_FILES_OFFERED;
    t->state = TDM_FILES_RUNNING;
    t->linked = true;
    t->sent_blocks = t->resumed_blocks = m->have_blocks < blocks ? m->have_blocks : blocks;
    t->chunks_due = m->chunk_count < TDM_DELTA_CHUNKS_MAX ? m->chunk_count : TDM_DELTA_CHUNKS_MAX;
}

static void take_want(struct tdm_transfer *t, const struct tdm_file_message *m)
{
    uint32_t blocks = tdm_file_block_count(t->desc.size);

    if (t->state != TDM_FILES_RUNNING || t->want_count == TDM_FILES_RANGES || m->first >= blocks ||
        m->count > blocks - m->first) {
        tdm_files_end(t, TDM_FILE_END_PROTOCOL, false);
        return;
    }
    t->wants[t->want_count++] = (struct tdm_file_range){m->first, m->count, m->plain};
}

static void take_message(struct tdm_files *f, const struct tdm_file_message *m)
{
    bool to_sender = m->kind == TDM_FILE_ACCEPT || m->kind == TDM_FILE_WANT ||
                     ((m->kind == TDM_FILE_PAUSE || m->kind == TDM_FILE_END) && !m->by_sender);
    struct tdm_transfer *t = tdm_files_find_id(f, m->id, to_sender);

    if (m->kind == TDM_FILE_HELLO) {
        f->heard_hello = true;
        f->offers_max = m->offers_max ? m->offers_max : 1;
    } else if (!f->heard_hello) {
        tdm_files_fail(f, "a message before the greeting");
    } else if (m->kind == TDM_FILE_OFFER) {
        take_offer(f, m);
    } else if (!t || t->state == TDM_FILES_ENDED) {
        return; /* It ended here meanwhile. */
    } else if (m->kind == TDM_FILE_ACCEPT) {
        take_accept(t, m);
    } else if (m->kind == TDM_FILE_WANT) {
        take_want(t, m);
    } else if (m->kind == TDM_FILE_PAUSE) {
        tdm_files_set_pause(t, m->pause, true);
    } else {
        tdm_files_end(t, m->end, true);
    }
}

static bool is_known(uint8_t kind)
{
    return kind >= TDM_FILE_HELLO && kind <= TDM_FILE_END;
}

/* One whole message in control_in: skipped, followed, or the end of the link. */
static void take_whole(struct tdm_files *f)
{
    struct tdm_file_message m;
    enum tdm_err err =
        tdm_file_message_parse(&m, f->control_in[0], f->control_in + TDM_FILE_MESSAGE_HEAD,
                               f->control_in_size - TDM_FILE_MESSAGE_HEAD);

    f->control_in_size = 0;
    if (err == TDM_E_MALFORMED)
        tdm_files_fail(f, "a message that does not follow its format");
    else if (err == TDM_OK)
        take_message(f, &m);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t tdm_files_take_control(struct tdm_files *f, const uint8_t *data, size_t size)
{
    size_t at = 0;

    while (at < size && !f->failed && f->refused_count < TDM_FILES_OFFERS_MAX) {
        if (f->control_skip) {
            size_t step = least(f->control_skip, size - at);

            f->control_skip -= step;
            at += step;
            continue;
        }
        if (f->control_in_size < TDM_FILE_MESSAGE_HEAD) {
            f->control_in[f->control_in_size++] = data[at++];
            if (f->control_in_size < TDM_FILE_MESSAGE_HEAD)
                continue;
        }
        size_t whole = TDM_FILE_MESSAGE_HEAD + (size_t)(f->control_in[1] << 8 | f->control_in[2]);

        if (whole > sizeof f->control_in && is_known(f->control_in[0])) {
            tdm_files_fail(f, "a message that is too long");
        } else if (whole > sizeof f->control_in) {
            f->control_skip = whole - TDM_FILE_MESSAGE_HEAD;
            f->control_in_size = 0;
        } else {
            size_t step = least(whole - f->control_in_size, size - at);

            if (step)
                memcpy(f->control_in + f->control_in_size, data + at, step);
            f->control_in_size += step;
            at += step;
            if (f->control_in_size == whole)
                take_whole(f);
        }
    }
    return at;
}

/* The others wait until one that was offered has ended. */
static bool may_offer(const struct tdm_files *f)
{
    uint32_t offered = 0;

    for (int i = 0; i < TDM_FILES_TRANSFERS_MAX; i++) {
        const struct tdm_transfer *t = &f->transfers[i];

        offered +=
            t->number && t->here && t->sending && t->state != TDM_FILES_ENDED && !t->say_offer;
    }
    return offered < f->offers_max;
}

static bool wants_to_say(const struct tdm_files *f, const struct tdm_transfer *t)
{
    if (!t->number || !t->here || (!t->sending && !t->linked))
        return false;
    if (t->say_offer)
        return may_offer(f);
    return t->say_end || t->say_accept || t->say_pause || t->out_said < t->out_count;
}

static bool next_want(struct tdm_transfer *t, struct tdm_file_message *m)
{
    if (t->out_said == t->out_count)
        return false;
    const struct tdm_file_range *range = &t->out[t->out_said++];

    m->kind = TDM_FILE_WANT;
    m->first = range->first;
    m->count = range->count;
    m->plain = range->plain;
    return true;
}

static bool next_of(struct tdm_transfer *t, struct tdm_file_message *m)
{
    *m = (struct tdm_file_message){.id = t->id, .by_sender = t->sending};
    if (t->say_end) {
        t->say_end = false;
        m->kind = TDM_FILE_END;
        m->end = t->end;
    } else if (t->say_offer) {
        t->say_offer = false;
        m->kind = TDM_FILE_OFFER;
        m->desc = t->desc;
    } else if (t->say_accept) {
        t->say_accept = false;
        m->kind = TDM_FILE_ACCEPT;
        m->have_blocks = t->have_blocks;
        m->chunk_count = t->chunk_count;
    } else if (t->say_pause) {
        t->say_pause = false;
        m->kind = TDM_FILE_PAUSE;
        m->pause = t->pause_here;
    } else {
        return next_want(t, m);
    }
    return true;
}

static bool compose(struct tdm_files *f, struct tdm_file_message *m)
{
    if (!f->said_hello) {
        f->said_hello = true;
        *m = (struct tdm_file_message){.kind = TDM_FILE_HELLO,
                                       .version = TDM_FILES_VERSION,
                                       .offers_max = TDM_FILES_OFFERS_MAX};
        return true;
    }
    if (f->refused_count) {
        struct tdm_file_refusal *r = &f->refused[--f->refused_count];

        *m = (struct tdm_file_message){.kind = TDM_FILE_END, .id = r->id, .end = r->end};
        return true;
    }
    for (int i = 0; i < TDM_FILES_TRANSFERS_MAX; i++)
        if (wants_to_say(f, &f->transfers[i]))
            return next_of(&f->transfers[i], m);
    return false;
}

size_t tdm_files_fill_control(struct tdm_files *f, uint8_t *room, size_t size)
{
    size_t at = 0;

    while (at < size) {
        struct tdm_file_message m;

        if (f->control_out_at == f->control_out_size) {
            if (!compose(f, &m))
                break;
            f->control_out_size = tdm_file_message_write(&m, f->control_out);
            f->control_out_at = 0;
        }
        size_t step = least(f->control_out_size - f->control_out_at, size - at);

        memcpy(room + at, f->control_out + f->control_out_at, step);
        f->control_out_at += step;
        at += step;
    }
    return at;
}

bool tdm_files_has_control(const struct tdm_files *f)
{
    if (!f->said_hello || f->refused_count || f->control_out_at < f->control_out_size)
        return true;
    for (int i = 0; i < TDM_FILES_TRANSFERS_MAX; i++)
        if (wants_to_say(f, &f->transfers[i]))
            return true;
    return false;
}
