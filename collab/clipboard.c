/* SPDX-License-Identifier: MIT */
#include "collab/clipboard.h"

#include <string.h>

void tdm_clipboard_init(struct tdm_clipboard *c, const struct tdm_clipboard_config *config,
                        tdm_time now)
{
    *c = (struct tdm_clipboard){
        .config = *config,
        .wish_until = TDM_NEVER,
        .tokens = {TDM_CLIPBOARD_BURST, TDM_CLIPBOARD_BURST, TDM_CLIPBOARD_BURST},
        .tokens_at = {now, now, now}};
    if (!c->config.in_bytes_max)
        c->config.in_bytes_max = TDM_CLIPBOARD_BYTES_DEFAULT;
    if (!c->config.out_bytes_max)
        c->config.out_bytes_max = TDM_CLIPBOARD_BYTES_DEFAULT;
}

static bool may_come(const struct tdm_clipboard *c, const struct tdm_clipboard_rights *rights)
{
    return rights->scopes & (c->config.host ? TDM_SCOPE_CLIPBOARD_IN : TDM_SCOPE_CLIPBOARD_OUT);
}

static bool may_go(const struct tdm_clipboard *c, const struct tdm_clipboard_rights *rights)
{
    return rights->scopes & (c->config.host ? TDM_SCOPE_CLIPBOARD_OUT : TDM_SCOPE_CLIPBOARD_IN);
}

static bool may_format(const struct tdm_clipboard_rights *rights, uint8_t format)
{
    return format != TDM_CLIP_FILES || rights->scopes & TDM_SCOPE_FILES;
}

static struct tdm_control_record *answer(const struct tdm_clipboard_rights *rights,
                                         enum tdm_control_kind kind, uint32_t serial,
                                         uint8_t format, struct tdm_clipboard_out *out)
{
    out->send = true;
    out->record = (struct tdm_control_record){
        .kind = kind, .seq = rights->seq, .serial = serial, .format = format};
    return &out->record;
}

static void refuse(struct tdm_clipboard *c, struct tdm_clipboard_out *out)
{
    c->refused++;
    out->refused = true;
}

enum { OURS, THEIRS, FETCHES };

static bool take_token(struct tdm_clipboard *c, tdm_time now, int which)
{
    tdm_time since = now - c->tokens_at[which];

    if (since >= TDM_CLIPBOARD_PERIOD) {
        tdm_time more = since / TDM_CLIPBOARD_PERIOD;

        c->tokens_at[which] += more * TDM_CLIPBOARD_PERIOD;
        c->tokens[which] = more >= TDM_CLIPBOARD_BURST - (tdm_time)c->tokens[which]
                               ? TDM_CLIPBOARD_BURST
                               : c->tokens[which] + (uint32_t)more;
    }
    if (c->tokens[which] == 0)
        return false;
    c->tokens[which]--;
    return true;
}

/* Those of `from` that may pass. @return how many */
static uint8_t filter(const struct tdm_clipboard_rights *rights, uint32_t bytes_max,
                      const struct tdm_clip_entry *from, uint8_t count, struct tdm_clip_entry *to)
{
    uint8_t kept = 0;

    for (uint8_t i = 0; i < count && i < TDM_CONTROL_FORMATS_MAX; i++)
        if (may_format(rights, from[i].format) &&
            (from[i].size == TDM_CLIP_SIZE_UNKNOWN || from[i].size <= bytes_max))
            to[kept++] = from[i];
    return kept;
}

static bool has(const struct tdm_clip_entry *entries, uint8_t count, uint8_t format)
{
    for (uint8_t i = 0; i < count; i++)
        if (entries[i].format == format)
            return true;
    return false;
}

static void desk_offer(struct tdm_clipboard *c, tdm_time now, struct tdm_clipboard_out *out)
{
    out->desk = TDM_CLIPBOARD_DESK_OFFER;
    out->format_count = c->theirs_count;
    memcpy(out->formats, c->theirs, sizeof out->formats);
    out->origin = c->their_origin;
    c->held = c->theirs_count > 0;
    c->held_at = now;
}

static void never(struct tdm_clipboard *c, struct tdm_clipboard_out *out)
{
    out->desk = TDM_CLIPBOARD_DESK_NEVER;
    out->format = c->wish_format;
    c->wished = false;
    c->wish_until = TDM_NEVER;
}

static void done(struct tdm_clipboard *c, struct tdm_clipboard_out *out)
{
    out->desk = TDM_CLIPBOARD_DESK_DONE;
    c->wanted = c->want_dead = false;
    c->want_content = NULL;
}

static void take_offer(struct tdm_clipboard *c, tdm_time now,
                       const struct tdm_clipboard_rights *rights,
                       const struct tdm_control_record *rec, struct tdm_clipboard_out *out)
{
    if (!may_come(c, rights) || rec->origin == c->config.origin || !take_token(c, now, THEIRS)) {
        refuse(c, out);
        return;
    }
    /* Who waits for something older is refused by the desktop. */
    c->wished = false;
    c->wish_until = TDM_NEVER;
    c->their_serial = rec->serial;
    c->their_origin = rec->origin;
    c->theirs_count =
        filter(rights, c->config.in_bytes_max, rec->formats, rec->format_count, c->theirs);
    if (c->theirs_count || c->held)
        desk_offer(c, now, out);
}

static void take_want(struct tdm_clipboard *c, tdm_time now,
                      const struct tdm_clipboard_rights *rights,
                      const struct tdm_control_record *rec, struct tdm_clipboard_out *out)
{
    if (!may_go(c, rights) || !may_format(rights, rec->format) || rec->serial != c->serial ||
        !has(c->ours, c->ours_count, rec->format) || !take_token(c, now, FETCHES)) {
        refuse(c, out);
        (void)answer(rights, TDM_CONTROL_CLIP_NONE, rec->serial, rec->format, out);
        return;
    }
    c->wanted = true;
    c->want_dead = false;
    c->want_format = rec->format;
    c->want_serial = rec->serial;
    c->want_offset = c->want_size = 0;
    c->want_content = NULL;
    out->desk = TDM_CLIPBOARD_DESK_FETCH;
    out->format = rec->format;
}

static void take_data(struct tdm_clipboard *c, tdm_time now,
                      const struct tdm_clipboard_rights *rights,
                      const struct tdm_control_record *rec, struct tdm_clipboard_out *out)
{
    bool ours = c->wished && rec->serial == c->wish_serial && rec->format == c->wish_format;

    if (!ours || !may_come(c, rights) || !may_format(rights, rec->format)) {
        refuse(c, out);
        return;
    }
    if (rec->offset != c->wish_offset || rec->size > c->config.in_bytes_max - c->wish_offset) {
        refuse(c, out);
        never(c, out);
        return;
    }
    out->desk = TDM_CLIPBOARD_DESK_PIECE;
    out->format = rec->format;
    out->offset = rec->offset;
    out->data = rec->data;
    out->size = rec->size;
    out->fin = rec->fin;
    c->wish_offset += rec->size;
    c->wish_until = now + TDM_CLIPBOARD_WAIT;
    if (rec->fin) {
        c->wished = false;
        c->wish_until = TDM_NEVER;
    }
}

static void take_record(struct tdm_clipboard *c, tdm_time now,
                        const struct tdm_clipboard_rights *rights,
                        const struct tdm_control_record *rec, struct tdm_clipboard_out *out)
{
    if (c->config.host && rec->seq != rights->seq) {
        refuse(c, out);
        return;
    }
    if (rec->kind == TDM_CONTROL_CLIP_OFFER)
        take_offer(c, now, rights, rec, out);
    else if (rec->kind == TDM_CONTROL_CLIP_WANT)
        take_want(c, now, rights, rec, out);
    else if (rec->kind == TDM_CONTROL_CLIP_DATA)
        take_data(c, now, rights, rec, out);
    else if (rec->kind == TDM_CONTROL_CLIP_NONE && c->wished && rec->serial == c->wish_serial &&
             rec->format == c->wish_format)
        never(c, out);
}

static void changed(struct tdm_clipboard *c, tdm_time now,
                    const struct tdm_clipboard_rights *rights, const struct tdm_clipboard_in *in,
                    struct tdm_clipboard_out *out)
{
    bool theirs = (in->origin && in->origin == c->their_origin) ||
                  (c->held && now - c->held_at < TDM_CLIPBOARD_TAKEOVER);
    bool had = c->ours_count > 0;

    c->held = false; /* A program here owns it now. */
    if (theirs)
        return;
    c->serial++;
    c->ours_count = 0;
    if (!may_go(c, rights))
        return; /* What is copied while it may not pass is not told later either. */
    if (!in->secret)
        c->ours_count =
            filter(rights, c->config.out_bytes_max, in->formats, in->format_count, c->ours);
    if ((!had && c->ours_count == 0) || !take_token(c, now, OURS)) {
        c->ours_count = 0;
        return;
    }
    struct tdm_control_record *rec = answer(rights, TDM_CONTROL_CLIP_OFFER, c->serial, 0, out);

    rec->origin = in->origin ? in->origin : c->config.origin;
    rec->format_count = c->ours_count;
    memcpy(rec->formats, c->ours, sizeof rec->formats);
}

static void wish(struct tdm_clipboard *c, tdm_time now, const struct tdm_clipboard_rights *rights,
                 uint8_t format, struct tdm_clipboard_out *out)
{
    if (!may_come(c, rights) || !may_format(rights, format) || c->wished ||
        !has(c->theirs, c->theirs_count, format)) {
        out->desk = TDM_CLIPBOARD_DESK_NEVER;
        out->format = format;
        return;
    }
    c->wished = true;
    c->wish_format = format;
    c->wish_serial = c->their_serial;
    c->wish_offset = 0;
    c->wish_until = now + TDM_CLIPBOARD_WAIT;
    (void)answer(rights, TDM_CONTROL_CLIP_WANT, c->their_serial, format, out);
}

static void piece(struct tdm_clipboard *c, const struct tdm_clipboard_rights *rights,
                  struct tdm_clipboard_out *out)
{
    if (!c->wanted || !c->want_content || c->want_dead || !may_go(c, rights))
        return; /* Nothing, or tidy() ends it. */
    uint32_t left = c->want_size - c->want_offset;
    struct tdm_control_record *rec =
        answer(rights, TDM_CONTROL_CLIP_DATA, c->want_serial, c->want_format, out);

    rec->offset = c->want_offset;
    rec->size = left < TDM_CONTROL_DATA_MAX ? left : TDM_CONTROL_DATA_MAX;
    rec->data = c->want_content + c->want_offset;
    rec->fin = rec->size == left;
    c->want_offset += rec->size;
    if (rec->fin)
        done(c, out);
}

static void content(struct tdm_clipboard *c, const struct tdm_clipboard_rights *rights,
                    const struct tdm_clipboard_in *in, struct tdm_clipboard_out *out)
{
    bool good = in->content && in->size <= c->config.out_bytes_max && may_go(c, rights) &&
                may_format(rights, in->format);

    if (!c->wanted || c->want_content || in->format != c->want_format) {
        if (!c->want_content)
            done(c, out);
        return;
    }
    if (!good || c->want_dead) {
        if (!c->want_dead)
            (void)answer(rights, TDM_CONTROL_CLIP_NONE, c->want_serial, c->want_format, out);
        done(c, out);
        return;
    }
    c->want_content = in->content;
    c->want_size = in->size;
    piece(c, rights, out);
}

static bool must_end_coming(const struct tdm_clipboard *c, tdm_time now,
                            const struct tdm_clipboard_rights *rights)
{
    return c->wished && (now >= c->wish_until || !may_come(c, rights));
}

static bool must_end_going(const struct tdm_clipboard *c, const struct tdm_clipboard_rights *rights)
{
    return c->wanted && c->want_content && (c->want_dead || !may_go(c, rights));
}

static bool must_give_up(const struct tdm_clipboard *c, const struct tdm_clipboard_rights *rights)
{
    return c->held && (!may_come(c, rights) || c->theirs_count == 0);
}

/* One thing that time, a break or lost rights have ended. */
static void tidy(struct tdm_clipboard *c, tdm_time now, const struct tdm_clipboard_rights *rights,
                 struct tdm_clipboard_out *out)
{
    if (must_end_coming(c, now, rights)) {
        never(c, out);
    } else if (must_end_going(c, rights)) {
        if (!c->want_dead)
            (void)answer(rights, TDM_CONTROL_CLIP_NONE, c->want_serial, c->want_format, out);
        done(c, out);
    } else if (must_give_up(c, rights)) {
        c->theirs_count = 0;
        desk_offer(c, now, out);
    }
}

static void take_input(struct tdm_clipboard *c, tdm_time now,
                       const struct tdm_clipboard_rights *rights, const struct tdm_clipboard_in *in,
                       struct tdm_clipboard_out *out)
{
    switch (in->kind) {
    case TDM_CLIPBOARD_RECORD:
        take_record(c, now, rights, in->record, out);
        break;
    case TDM_CLIPBOARD_CHANGED:
        changed(c, now, rights, in, out);
        break;
    case TDM_CLIPBOARD_WISH:
        wish(c, now, rights, in->format, out);
        break;
    case TDM_CLIPBOARD_CONTENT:
        content(c, rights, in, out);
        break;
    case TDM_CLIPBOARD_ROOM:
        piece(c, rights, out);
        break;
    case TDM_CLIPBOARD_DOWN:
        c->theirs_count = c->ours_count = 0;
        c->wish_until = c->wished ? now : TDM_NEVER;
        c->want_dead = c->wanted;
        break;
    }
}

void tdm_clipboard_step(struct tdm_clipboard *c, tdm_time now,
                        const struct tdm_clipboard_rights *rights,
                        const struct tdm_clipboard_in *in, struct tdm_clipboard_out *out)
{
    memset(out, 0, sizeof *out);
    if (in)
        take_input(c, now, rights, in, out);
    if (!out->send && out->desk == TDM_CLIPBOARD_DESK_NONE)
        tidy(c, now, rights, out);
    out->more = c->wanted && c->want_content;
    out->wake_at = c->wished ? c->wish_until : TDM_NEVER;
    if (must_end_coming(c, now, rights) || must_end_going(c, rights) || must_give_up(c, rights))
        out->wake_at = now;
}
