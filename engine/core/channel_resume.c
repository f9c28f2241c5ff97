/* SPDX-License-Identifier: MIT */
#include "engine/core/channel_state.h"

/* What is of one connection starts anew; streams, credit and tokens are of the session. */
void tdm_channel_connected(struct tdm_channel *c, tdm_time now)
{
    c->stats.reconnects += c->peer_known;
    c->connected = true;
    c->preface_sent = c->preface_received = false;
    c->resume_sent = c->resume_received = c->resumed = false;
    c->up = c->up_due = c->lost_told = c->grease_due = false;
    c->heard_at = c->pinged_at = now;
    c->partial_size = 0;
    c->refused_count = 0;
    c->pulling = NULL;
    memset(&c->inbound, 0, sizeof c->inbound);
    c->inbound.period_at = now;
    c->inbound.every_bytes = TDM_CHANNEL_ACK_BYTES;
    tdm_channel_window_init(&c->window, now);
}

void tdm_channel_disconnected(struct tdm_channel *c)
{
    c->connected = c->up = c->up_due = false;
    c->room_bytes = 0;
    c->pulling = NULL;
}

static bool same_token(const uint8_t *a, const uint8_t *b)
{
    uint8_t differ = 0;

    for (size_t i = 0; i < TDM_CHANNEL_TOKEN_BYTES; i++)
        differ |= a[i] ^ b[i];
    return differ == 0;
}

/* When both have greeted: with a preface, and where a session goes on with what came of it. */
static void come_up(struct tdm_channel *c)
{
    bool met = c->preface_sent && c->preface_received;
    bool agreed = !c->resumed || (c->resume_sent && c->resume_received);

    c->up = c->up_due = met && agreed;
}

/* The session goes on when either side says so; a side that never heard of the other cannot, and
 * has received nothing yet. */
void tdm_channel_take_preface(struct tdm_channel *c, const uint8_t *body, size_t size)
{
    struct tdm_preface p;
    bool known = c->peer_known;

    if (c->preface_received || tdm_preface_parse(&p, body, size) != TDM_OK) {
        tdm_channel_fail(c, "The other side does not speak the data channel.");
        return;
    }
    if (p.version_min > TDM_CHANNEL_VERSION || p.version_max < TDM_CHANNEL_VERSION) {
        tdm_channel_fail(c, "The other side speaks no version of the data channel that this one "
                            "does: update the older program.");
        return;
    }
    if (known && !same_token(p.token, c->peer_token)) {
        tdm_channel_fail(c, "The other side has started anew: what was under way is lost.");
        return;
    }
    if (p.resumes && !same_token(p.resume_token, c->config.token)) {
        tdm_channel_fail(c, "The other side wants to go on with a session that is not this one.");
        return;
    }
    memcpy(c->peer_token, p.token, sizeof c->peer_token);
    c->peer_known = true;
    c->preface_received = true;
    /* What our own preface says: greet() sends it before it looks at theirs. */
    c->resumed = known || p.resumes;
    if (!known) {
        c->peer_window_bytes = p.stream_window_bytes;
        for (int i = 1; i < TDM_CHANNEL_STREAMS_MAX; i++)
            c->streams[i].limit = p.stream_window_bytes;
    }
    come_up(c);
}

/* How the other side knows our stream, or NULL. */
static const struct tdm_resume_entry *entry_of(const struct tdm_resume *r, uint32_t id)
{
    for (uint16_t i = 0; i < r->count; i++)
        if (r->entries[i].stream == id)
            return &r->entries[i];
    return NULL;
}

/* The stream goes on from the byte that the other side has. */
static bool go_on(struct tdm_channel_stream *s, uint64_t received, bool fin)
{
    bool latest = s->cls == TDM_CLASS_LATEST;
    bool again = latest && s->sent; /* The newest value may have been on its way. */
    bool behind = received < s->sent || (s->fin_sent && !fin);

    if (received > s->sent || (received < s->acked && !latest) || (fin && !s->fin_sent) ||
        (fin && received < s->sent) || (s->fin_acked && !fin))
        return false;
    s->tell_acked = s->tell_acked || (received > s->acked && !latest) || (fin && !s->fin_acked);
    s->fin_acked = fin;
    s->acked = s->sent = received;
    s->fin_sent = fin;
    s->tell_rewind = behind && !latest;
    s->ready = s->ready || behind || again;
    s->ready = s->ready && !fin;
    return true;
}

/* It is not among the streams that the other side knows. Either it never heard of it, or it is
 * through with it: all of it had arrived and gone; or it had no place for it. */
static bool go_on_unknown(struct tdm_channel_stream *s, uint32_t highest)
{
    if (s->reset_due || s->reset_sent) {
        s->used = false;
        return true;
    }
    if (s->open_due)
        return true;
    if (s->ours && s->id > highest) {
        s->open_due = true;
        return go_on(s, 0, false);
    }
    if (s->fin_sent && s->fin_received)
        return go_on(s, s->sent, true);
    s->tell_reset = s->id != 0;
    return s->id != 0;
}

void tdm_channel_take_resume(struct tdm_channel *c, tdm_time now, const uint8_t *body, size_t size)
{
    struct tdm_resume resume;
    bool believed = c->preface_received && c->resumed && !c->up && !c->resume_received &&
                    tdm_resume_parse(&resume, body, size) == TDM_OK;

    for (int i = 0; believed && i < TDM_CHANNEL_STREAMS_MAX; i++) {
        struct tdm_channel_stream *s = &c->streams[i];
        const struct tdm_resume_entry *e = s->used ? entry_of(&resume, s->id) : NULL;

        if (!s->used)
            continue;
        if (!e)
            believed = go_on_unknown(s, resume.highest);
        else if (s->reset_due || s->reset_sent)
            s->reset_due = true;
        else
            believed = go_on(s, e->received, e->fin);
        bool silent = s->open_due || s->reset_due || s->cls == TDM_CLASS_LATEST;

        s->credit_due = silent && !s->fin_received ? TDM_NEVER : now;
    }
    c->resume_received = true;
    if (believed)
        come_up(c);
    else
        tdm_channel_fail(c, "The other side remembers the session otherwise than it was.");
}

static void write_preface(struct tdm_channel *c, tdm_time now, struct tdm_channel_out *out)
{
    uint8_t body[128];
    struct tdm_writer w = tdm_writer_of(body, sizeof body);
    struct tdm_preface p = {
        .version_min = TDM_CHANNEL_VERSION,
        .version_max = TDM_CHANNEL_VERSION,
        .resumes = c->peer_known && !(c->preface_received && !c->resumed),
        .stream_window_bytes = c->config.stream_window_bytes,
    };

    memcpy(p.token, c->config.token, sizeof p.token);
    memcpy(p.resume_token, c->peer_token, sizeof p.resume_token);
    tdm_preface_write(&w, &p);
    assert(w.ok);
    struct tdm_record_head head = {.type = TDM_RECORD_PREFACE,
                                   .flags = TDM_RECORD_MUST_UNDERSTAND,
                                   .body_size = (uint32_t)tdm_writer_size(&w)};

    c->preface_sent = true;
    tdm_channel_write(c, now, &head, body, out);
    come_up(c);
}

static void write_resume(struct tdm_channel *c, tdm_time now, struct tdm_channel_out *out)
{
    uint8_t body[TDM_CHANNEL_STREAMS_MAX * 13 + 16];
    struct tdm_writer w = tdm_writer_of(body, sizeof body);
    struct tdm_resume resume = {.highest = c->highest_peer_id};

    for (int i = 0; i < TDM_CHANNEL_STREAMS_MAX; i++) {
        const struct tdm_channel_stream *s = &c->streams[i];

        if (s->used && !s->open_due)
            resume.entries[resume.count++] = (struct tdm_resume_entry){
                .stream = s->id, .fin = s->fin_received, .received = s->received};
    }
    tdm_resume_write(&w, &resume);
    assert(w.ok);
    struct tdm_record_head head = {.type = TDM_RECORD_RESUME,
                                   .flags = TDM_RECORD_MUST_UNDERSTAND,
                                   .body_size = (uint32_t)tdm_writer_size(&w)};

    c->resume_sent = true;
    tdm_channel_write(c, now, &head, body, out);
    come_up(c);
}

void tdm_channel_greet(struct tdm_channel *c, tdm_time now, struct tdm_channel_out *out)
{
    if (!c->preface_sent)
        write_preface(c, now, out);
    else if (c->preface_received && c->resumed && !c->resume_sent)
        write_resume(c, now, out);
}
