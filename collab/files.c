/* SPDX-License-Identifier: MIT */
#include "collab/files_state.h"

#include <string.h>

size_t tdm_files_bytes(void)
{
    return sizeof(struct tdm_files);
}

struct tdm_files *tdm_files_init(void *storage, const struct tdm_files_config *config)
{
    struct tdm_files *f = storage;

    memset(f, 0, sizeof *f);
    f->config = *config;
    f->rng = tdm_rng_of(config->seed);
    return f;
}

struct tdm_transfer *tdm_files_find(struct tdm_files *f, uint32_t number)
{
    for (int i = 0; number && i < TDM_FILES_TRANSFERS_MAX; i++)
        if (f->transfers[i].number == number)
            return &f->transfers[i];
    return NULL;
}

struct tdm_transfer *tdm_files_find_id(struct tdm_files *f, uint64_t id, bool sending)
{
    for (int i = 0; i < TDM_FILES_TRANSFERS_MAX; i++) {
        struct tdm_transfer *t = &f->transfers[i];

        if (t->number && t->here && t->id == id && t->sending == sending)
            return t;
    }
    return NULL;
}

/* Ended, with nothing left to tell, to do or to wait for. */
static bool is_past(const struct tdm_files *f, const struct tdm_transfer *t)
{
    return t->state == TDM_FILES_ENDED && !t->jobs && !t->ask_close && !t->tell_end &&
           !t->tell_offered && !(t->say_end && f->up && t->here && (t->sending || t->linked));
}

/* The first peer that a transfer is linked with is its only one. */
static void bind_to_peer(const struct tdm_files *f, struct tdm_transfer *t)
{
    if (f->up && !t->bound) {
        t->bound = true;
        memcpy(t->peer, f->peer, sizeof t->peer);
    }
    t->here = f->up && memcmp(t->peer, f->peer, sizeof t->peer) == 0;
}

/* Unfinished ones of peers that are gone give way to those of one that is there, the oldest first;
 * what came of them stays on the disk. */
static void make_room(struct tdm_files *f)
{
    struct tdm_transfer *oldest = NULL;
    int open = 0;

    for (int i = 0; i < TDM_FILES_TRANSFERS_MAX; i++) {
        struct tdm_transfer *t = &f->transfers[i];

        if (!t->number || t->sending || t->state == TDM_FILES_ENDED)
            continue;
        open++;
        if (!t->linked && (!oldest || t->number < oldest->number))
            oldest = t;
    }
    if (oldest && open >= TDM_FILES_OFFERS_MAX)
        tdm_files_end(oldest, TDM_FILE_END_TOO_MANY, false);
}

/* A free place, or that of the transfer that ended longest ago. */
struct tdm_transfer *tdm_files_new(struct tdm_files *f, bool sending)
{
    struct tdm_transfer *place = NULL;
    int open = 0;

    if (!sending)
        make_room(f);
    for (int i = 0; i < TDM_FILES_TRANSFERS_MAX; i++) {
        struct tdm_transfer *t = &f->transfers[i];

        open += t->number && t->sending == sending && t->state != TDM_FILES_ENDED;
        if (!t->number ? !place || place->number
                       : is_past(f, t) && (!place || t->number < place->number))
            place = t;
    }
    if (!place || open >= TDM_FILES_OFFERS_MAX)
        return NULL;
    memset(place, 0, sizeof *place);
    place->number = ++f->last_number;
    place->sending = sending;
    bind_to_peer(f, place);
    return place;
}

struct tdm_slot *tdm_files_free_slot(struct tdm_slot slots[TDM_FILES_SLOTS])
{
    for (int i = 0; i < TDM_FILES_SLOTS; i++)
        if (slots[i].state == TDM_SLOT_FREE)
            return &slots[i];
    return NULL;
}

/* What the other side of it is good for another day: not when it is known to be another file. */
static bool worth_keeping(enum tdm_file_end end)
{
    return end != TDM_FILE_END_CHANGED && end != TDM_FILE_END_WRONG &&
           end != TDM_FILE_END_MANIFEST && end != TDM_FILE_END_TOO_BIG;
}

void tdm_files_end(struct tdm_transfer *t, enum tdm_file_end end, bool by_peer)
{
    if (t->state == TDM_FILES_ENDED)
        return;
    t->keep = worth_keeping(end);
    t->state = TDM_FILES_ENDED;
    t->end = end;
    t->ended_by_peer = by_peer;
    t->say_end = !by_peer;
    t->tell_end = true;
    t->ask_close = t->sending || t->open || t->jobs;
    t->ask_open = t->ask_finish = t->ask_space = false;
    t->say_offer = t->say_accept = t->say_pause = false;
    t->want_count = t->out_count = t->out_said = t->retry_count = 0;
}

void tdm_files_fail(struct tdm_files *f, const char *why)
{
    f->failed = true;
    f->why = why;
}

void tdm_files_set_pause(struct tdm_transfer *t, enum tdm_file_pause pause, bool by_peer)
{
    enum tdm_file_pause *which = by_peer ? &t->pause_there : &t->pause_here;

    if (*which == pause || t->state == TDM_FILES_ENDED)
        return;
    *which = pause;
    t->tell_pause = true;
    t->pause_is_peers = by_peer;
    t->say_pause = t->say_pause || !by_peer;
    t->rounds_vain = 0;
}

void tdm_files_resume(struct tdm_transfer *t)
{
    bool was_disk = t->pause_here == TDM_FILE_PAUSE_DISK_FULL;

    tdm_files_set_pause(t, TDM_FILE_GOES_ON, false);
    if (was_disk && !t->open && t->state == TDM_FILES_OPENING)
        t->ask_open = true;
    if (was_disk && t->state == TDM_FILES_FINISHING)
        t->ask_finish = true;
}

/* What the disk has read for the old link, and the block that came in half. */
static void drop_slots(struct tdm_files *f)
{
    for (int i = 0; i < TDM_FILES_SLOTS; i++) {
        struct tdm_transfer *t = tdm_files_find(f, f->rx[i].transfer);

        if (f->tx[i].state == TDM_SLOT_DISK)
            f->tx[i].stale = true;
        else
            f->tx[i].state = TDM_SLOT_FREE;
        if (f->rx[i].state != TDM_SLOT_FILLING)
            continue;
        f->rx[i].state = TDM_SLOT_FREE;
        if (t && !t->sending)
            t->writing--;
    }
}

/* The receiver's disk and the sender's offers are what remains. */
static void forget_link(struct tdm_files *f)
{
    f->said_hello = f->heard_hello = f->failed = false;
    f->refused_count = f->offers_max = 0;
    f->control_out_size = f->control_out_at = f->control_in_size = f->control_skip = 0;
    f->sending = f->receiving = NULL;
    f->head_size = f->data_skip = 0;
    drop_slots(f);
    for (int i = 0; i < TDM_FILES_TRANSFERS_MAX; i++) {
        struct tdm_transfer *t = &f->transfers[i];

        bind_to_peer(f, t);
        t->linked = false;
        t->out_count = t->out_said = t->retry_count = t->want_count = 0;
        t->cursor = 0;
        t->plan_stale = t->planning;
        t->round_over = false;
        t->pause_there = TDM_FILE_GOES_ON;
        t->chunks_due = t->chunks_seen = t->chunks_learned = t->chunks_said = 0;
        t->say_offer = t->sending && t->state != TDM_FILES_ENDED;
        t->say_end = t->sending && t->state == TDM_FILES_ENDED && !t->ended_by_peer;
        t->say_accept = false;
        t->say_pause = t->pause_here != TDM_FILE_GOES_ON;
    }
}

static void offer(struct tdm_files *f, const struct tdm_file_desc *desc, struct tdm_files_out *out)
{
    struct tdm_transfer *t = tdm_files_new(f, true);

    if (!t)
        return;
    t->id = tdm_rng_u64(&f->rng);
    t->desc = *desc;
    t->say_offer = true;
    out->transfer = t->number;
}

static void wish(struct tdm_files *f, const struct tdm_files_in *in)
{
    struct tdm_transfer *t = tdm_files_find(f, in->transfer);

    if (!t || t->state == TDM_FILES_ENDED)
        return;
    if (in->kind == TDM_FILES_ACCEPT && !t->sending && t->state == TDM_FILES_OFFERED) {
        t->state = TDM_FILES_OPENING;
        t->ask_open = true;
    } else if (in->kind == TDM_FILES_REFUSE && !t->sending && t->state == TDM_FILES_OFFERED) {
        tdm_files_end(t, TDM_FILE_END_REFUSED, false);
    } else if (in->kind == TDM_FILES_PAUSE) {
        tdm_files_set_pause(t, TDM_FILE_PAUSE_USER, false);
    } else if (in->kind == TDM_FILES_RESUME) {
        tdm_files_resume(t);
    } else if (in->kind == TDM_FILES_CANCEL) {
        tdm_files_end(t, TDM_FILE_END_CANCELLED, false);
        t->keep = in->keep;
    }
}

static void take(struct tdm_files *f, const struct tdm_files_in *in, struct tdm_files_out *out)
{
    switch (in->kind) {
    case TDM_FILES_LINK_UP:
    case TDM_FILES_LINK_DOWN:
        f->up = in->kind == TDM_FILES_LINK_UP;
        if (f->up)
            memcpy(f->peer, in->peer, sizeof f->peer);
        forget_link(f);
        break;
    case TDM_FILES_CONTROL:
        out->consumed = f->up && !f->failed ? tdm_files_take_control(f, in->data, in->size) : 0;
        break;
    case TDM_FILES_DATA:
        out->consumed = f->up && !f->failed ? tdm_files_take_data(f, in->data, in->size) : 0;
        break;
    case TDM_FILES_PULL_CONTROL:
        out->filled = f->up ? tdm_files_fill_control(f, in->room, in->size) : 0;
        break;
    case TDM_FILES_PULL_DATA:
        out->filled = f->up ? tdm_files_fill_data(f, in->room, in->size) : 0;
        break;
    case TDM_FILES_DONE:
        tdm_files_job_done(f, in->done);
        break;
    case TDM_FILES_OFFER:
        offer(f, in->desc, out);
        break;
    default:
        wish(f, in);
        break;
    }
}

/* A round over what is missing is over when all that was wanted has come and is written. */
static void settle(struct tdm_transfer *t)
{
    if (!t->number || t->sending || t->state != TDM_FILES_RUNNING || t->writing)
        return;
    if (t->have_blocks >= tdm_file_block_count(t->desc.size)) {
        t->state = TDM_FILES_FINISHING;
        t->ask_finish = true;
        return;
    }
    if (!t->round_over || t->out_count || t->retry_count || t->planning || t->pause_here)
        return;
    t->rounds_vain = t->round_fresh ? 0 : t->rounds_vain + 1;
    t->round_over = t->round_fresh = false;
    t->cursor = 0;
    if (t->rounds_vain >= TDM_FILES_VAIN_MAX)
        tdm_files_end(t, TDM_FILE_END_WRONG, false);
}

/* When a full disk is to be looked at next; those whose time has come are. */
static tdm_time look_for_space(struct tdm_transfer *t, tdm_time now)
{
    if (!t->number || t->state == TDM_FILES_ENDED || t->pause_here != TDM_FILE_PAUSE_DISK_FULL) {
        t->try_at = 0;
        return TDM_NEVER;
    }
    if (t->trying)
        return TDM_NEVER; /* The answer comes first. */
    if (t->try_at && now >= t->try_at)
        t->ask_space = t->trying = true;
    if (!t->try_at || t->trying)
        t->try_at = now + TDM_FILES_SPACE_EVERY;
    return t->try_at;
}

static bool next_event(struct tdm_transfer *t, struct tdm_files_out *out)
{
    out->transfer = t->number;
    if (t->tell_offered) {
        t->tell_offered = false;
        out->event = TDM_FILES_EV_OFFERED;
    } else if (t->tell_accepted) {
        t->tell_accepted = false;
        out->event = TDM_FILES_EV_ACCEPTED;
    } else if (t->tell_pause) {
        t->tell_pause = false;
        out->by_peer = t->pause_is_peers;
        out->pause = out->by_peer ? t->pause_there : t->pause_here;
        out->event = out->pause ? TDM_FILES_EV_PAUSED : TDM_FILES_EV_RESUMED;
    } else if (t->tell_end) {
        t->tell_end = false;
        out->event = TDM_FILES_EV_ENDED;
        out->end = t->end;
        out->by_peer = t->ended_by_peer;
    }
    return out->event != TDM_FILES_EV_NONE;
}

void tdm_files_step(struct tdm_files *f, tdm_time now, const struct tdm_files_in *in,
                    struct tdm_files_out *out)
{
    tdm_time wake_at = TDM_NEVER;

    memset(out, 0, sizeof *out);
    if (in)
        take(f, in, out);
    if (f->up && !f->failed && f->head_size == TDM_FILE_FRAME_HEAD)
        (void)tdm_files_take_data(f, NULL, 0); /* It waited for a slot. */
    for (int i = 0; i < TDM_FILES_TRANSFERS_MAX; i++) {
        settle(&f->transfers[i]);
        tdm_time try_at = look_for_space(&f->transfers[i], now);

        wake_at = try_at < wake_at ? try_at : wake_at;
    }
    /* An offer of ours has its number in the same field. */
    for (int i = 0; !out->transfer && i < TDM_FILES_TRANSFERS_MAX; i++)
        if (f->transfers[i].number && !next_event(&f->transfers[i], out))
            out->transfer = 0;
    tdm_files_next_job(f, &out->job);
    out->control_ready = f->up && tdm_files_has_control(f);
    out->data_ready = f->up && tdm_files_has_data(f);
    out->failed = f->failed;
    out->why = f->why;
    out->wake_at =
        out->event || out->job.kind || (in && in->kind == TDM_FILES_OFFER) ? now : wake_at;
}

bool tdm_files_progress(const struct tdm_files *f, uint32_t transfer,
                        struct tdm_files_progress *progress)
{
    const struct tdm_transfer *t = NULL;

    for (int i = 0; transfer && i < TDM_FILES_TRANSFERS_MAX; i++)
        if (f->transfers[i].number == transfer)
            t = &f->transfers[i];
    if (!t)
        return false;
    uint64_t blocks = t->sending ? t->sent_blocks : t->have_blocks;
    uint64_t done = blocks * TDM_FILE_BLOCK_BYTES,
             before = (uint64_t)t->resumed_blocks * TDM_FILE_BLOCK_BYTES;
    bool whole = t->end == TDM_FILE_END_DONE;

    *progress = (struct tdm_files_progress){
        .state = t->state,
        .sending = t->sending,
        .linked = t->linked,
        .paused_here = t->pause_here != TDM_FILE_GOES_ON,
        .paused_there = t->pause_there != TDM_FILE_GOES_ON,
        .pause = t->pause_here ? t->pause_here : t->pause_there,
        .end = t->end,
        .done_bytes = whole || done > t->desc.size ? t->desc.size : done,
        .resumed_bytes = before > t->desc.size ? t->desc.size : before,
        .wire_bytes = t->wire_bytes,
        .wrong_blocks = t->wrong_blocks,
        .desc = &t->desc,
    };
    return true;
}

const char *tdm_file_end_name(enum tdm_file_end end)
{
    static const char *const names[TDM_FILE_END_COUNT] = {
        [TDM_FILE_END_NONE] = "not ended",
        [TDM_FILE_END_DONE] = "done",
        [TDM_FILE_END_REFUSED] = "refused",
        [TDM_FILE_END_CANCELLED] = "cancelled",
        [TDM_FILE_END_CHANGED] = "the file changed while it was sent",
        [TDM_FILE_END_UNREADABLE] = "the sender cannot read the file",
        [TDM_FILE_END_WRONG] = "what came is not what was offered",
        [TDM_FILE_END_TOO_BIG] = "more than the receiver allows",
        [TDM_FILE_END_TOO_MANY] = "too many offers at once",
        [TDM_FILE_END_MANIFEST] = "the folder's list of files cannot be followed",
        [TDM_FILE_END_DISK] = "the receiver cannot write",
        [TDM_FILE_END_PROTOCOL] = "the other side breaks the protocol",
    };

    return end < TDM_FILE_END_COUNT ? names[end] : "unknown";
}
