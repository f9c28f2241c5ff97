/* SPDX-License-Identifier: MIT */
/* A shared screen on the data channel. Channel thread, but for attach and detach. */
#include "engine/share_state.h"

#include "engine/io/wake.h"

#include <stdio.h>
#include <string.h>

#define LINK_EVERY (200 * TDM_MS) /* The channel's figures are no newer. */

static const enum tdm_channel_kind kinds[] = {TDM_KIND_SCREEN, TDM_KIND_INPUT, 0};
static const struct {
    enum tdm_channel_kind kind;
    enum tdm_channel_class cls;
} streams[TDM_SHARE_STREAMS] = {
    [TDM_SHARE_SCREEN] = {TDM_KIND_SCREEN, TDM_CLASS_SCREEN},
    [TDM_SHARE_REFINE] = {TDM_KIND_SCREEN, TDM_CLASS_REFINE},
    [TDM_SHARE_LATEST] = {TDM_KIND_SCREEN, TDM_CLASS_LATEST},
    [TDM_SHARE_INK] = {TDM_KIND_SCREEN, TDM_CLASS_BOARD},
    [TDM_SHARE_CONTROL] = {TDM_KIND_INPUT, TDM_CLASS_INPUT},
    [TDM_SHARE_CLIPS] = {TDM_KIND_INPUT, TDM_CLASS_BULK},
};

static int which(const uint32_t ids[TDM_SHARE_STREAMS], uint32_t stream)
{
    for (int i = 0; stream && i < TDM_SHARE_STREAMS; i++)
        if (ids[i] == stream)
            return i;
    return -1;
}

/* By kind and class; -1: nothing that we know. */
static int which_new(const struct tdm_rider_stream *stream)
{
    for (int i = 0; i < TDM_SHARE_STREAMS; i++)
        if (streams[i].kind == stream->kind && streams[i].cls == stream->cls)
            return i;
    return -1;
}

bool tdm_share_meet(struct tandem_share *s, const char *peer)
{
    pthread_mutex_lock(&s->lock);
    bool is_free = !s->seat;

    if (is_free) {
        (void)snprintf(s->peer, sizeof s->peer, "%s", peer);
        s->known = false;
        if (s->host)
            tdm_share_hand_known(s->host, false);
    }
    pthread_mutex_unlock(&s->lock);
    return is_free;
}

void tdm_share_known(struct tandem_share *s)
{
    pthread_mutex_lock(&s->lock);
    s->known = true;
    if (s->host)
        tdm_share_hand_known(s->host, true);
    pthread_mutex_unlock(&s->lock);
}

enum tdm_direction tdm_share_regions(struct tandem_share *s)
{
    pthread_mutex_lock(&s->lock);
    unsigned direction = s->up && s->shown ? TDM_RECVONLY : 0;

    if (s->up && s->give && atomic_load(&s->media.wanted))
        direction |= TDM_SENDONLY;
    pthread_mutex_unlock(&s->lock);
    return (enum tdm_direction)direction;
}

void tdm_share_join_rtp(struct tandem_share *s, struct tdm_link *link, bool sends)
{
    tdm_share_media_join(&s->media, link, sends, tdm_share_watch_wake(s->watch));
}

void tdm_share_leave_rtp(struct tandem_share *s)
{
    tdm_share_media_leave(&s->media);
}

void tdm_share_wake(void *arg)
{
    struct tandem_share *s = arg;

    pthread_mutex_lock(&s->lock);
    if (s->seat)
        tdm_rider_wake(s->seat);
    pthread_mutex_unlock(&s->lock);
}

static void open_streams(struct tandem_share *s, int from, int to)
{
    for (int i = from; i <= to; i++)
        (void)tdm_rider_open(s->seat, streams[i].kind, streams[i].cls,
                             s->epoch * TDM_SHARE_STREAMS + (uint64_t)i);
}

/* Annotations begin anew: what is under way of them is of no use. */
static void close_ink(struct tandem_share *s)
{
    if (s->ours[TDM_SHARE_INK])
        (void)tdm_rider_reset(s->seat, s->ours[TDM_SHARE_INK]);
    s->ours[TDM_SHARE_INK] = 0;
    s->asked_ink = false;
    tdm_share_ink_link(s->host_ink, false);
}

static void close_screen(struct tandem_share *s)
{
    close_ink(s);
    for (int i = TDM_SHARE_SCREEN; i <= TDM_SHARE_LATEST; i++) {
        if (s->ours[i])
            (void)tdm_rider_reset(s->seat, s->ours[i]);
        s->ours[i] = 0;
    }
    s->epoch++;
    s->asked_screen = false;
    if (s->give)
        tdm_share_give_stop(s->give);
}

/* Gives up the streams of control in `ids`. */
static void close_control(struct tandem_share *s, uint32_t ids[TDM_SHARE_STREAMS])
{
    for (int i = TDM_SHARE_CONTROL; i <= TDM_SHARE_CLIPS; i++) {
        if (ids[i])
            (void)tdm_rider_reset(s->seat, ids[i]);
        ids[i] = 0;
    }
}

/* What the viewer has drawn and is under way when it may no longer is dropped with its stream. */
static void follow_ink(struct tandem_share *s, unsigned scopes)
{
    bool may = scopes & TDM_SCOPE_ANNOTATE;
    uint32_t seconds;

    if (s->may_annotate && !may)
        close_ink(s);
    s->may_annotate = may;
    tdm_share_ink_allow(s->host_ink, may);
    if (tdm_share_ink_broken(s->host_ink)) {
        s->ink_relinks++;
        close_ink(s);
    }
    if (s->ours[TDM_SHARE_SCREEN] && !s->asked_ink && s->ink_relinks < TDM_SHARE_RELINKS) {
        s->asked_ink = true;
        open_streams(s, TDM_SHARE_INK, TDM_SHARE_INK);
    }
    tdm_share_ink_allow(s->view_ink, tdm_share_hand_scopes(s->view, &seconds) & TDM_SCOPE_ANNOTATE);
}

/* The screen's streams are there as long as the other side may see. */
static void follow_consent(struct tandem_share *s)
{
    uint32_t seconds;
    unsigned scopes = s->give && s->host ? tdm_share_hand_scopes(s->host, &seconds) : 0;
    bool may = scopes & TDM_SCOPE_VIEW && s->relinks < TDM_SHARE_RELINKS;

    if (s->ended) { /* What is given now, if anything, begins anew. */
        close_screen(s);
        close_control(s, s->their);
        s->ended = false;
    }
    if (may && !s->asked_screen) {
        s->asked_screen = true;
        open_streams(s, TDM_SHARE_SCREEN, TDM_SHARE_LATEST);
    } else if (!may && s->asked_screen) {
        close_screen(s);
    }
    follow_ink(s, scopes);
    if ((s->wish || s->their[TDM_SHARE_SCREEN]) && !s->asked_control) {
        s->asked_control = true;
        open_streams(s, TDM_SHARE_CONTROL, TDM_SHARE_CLIPS);
    }
}

static void say_ready(struct tandem_share *s, uint32_t bits, uint32_t first, uint32_t second)
{
    if (bits & 1 && first)
        (void)tdm_rider_ready(s->seat, first);
    if (bits & 2 && second)
        (void)tdm_rider_ready(s->seat, second);
}

static void say_consumed(struct tandem_share *s, const size_t sizes[2], uint32_t first,
                         uint32_t second)
{
    if (sizes[0] && first)
        (void)tdm_rider_consumed(s->seat, first, sizes[0]);
    if (sizes[1] && second)
        (void)tdm_rider_consumed(s->seat, second, sizes[1]);
}

static void flow_hand(struct tandem_share *s, struct tdm_share_hand *hand, const uint32_t *ids)
{
    size_t sizes[2];

    if (!hand)
        return;
    tdm_share_hand_consumed(hand, sizes);
    say_consumed(s, sizes, ids[TDM_SHARE_CONTROL], ids[TDM_SHARE_CLIPS]);
    say_ready(s, tdm_share_hand_ready(hand), ids[TDM_SHARE_CONTROL], ids[TDM_SHARE_CLIPS]);
}

static void flow_give(struct tandem_share *s)
{
    const uint32_t *ours = s->ours;

    if (!s->give || !ours[TDM_SHARE_SCREEN])
        return;
    say_consumed(s, (size_t[]){tdm_share_give_consumed(s->give), 0}, ours[TDM_SHARE_SCREEN], 0);
    say_ready(s, tdm_share_give_ready(s->give), ours[TDM_SHARE_SCREEN], ours[TDM_SHARE_REFINE]);
    say_ready(s, s->pointer_news, ours[TDM_SHARE_LATEST], 0);
}

static void flow_ink(struct tandem_share *s, struct tdm_share_ink *ink, uint32_t stream)
{
    size_t consumed = stream ? tdm_share_ink_consumed(ink) : 0;

    say_consumed(s, (size_t[]){consumed, 0}, stream, 0);
    say_ready(s, stream && tdm_share_ink_ready(ink), stream, 0);
}

/* The host breaks the rules of annotations: its screen is seen without them. */
static void give_up_ink(struct tandem_share *s)
{
    if (s->their[TDM_SHARE_INK])
        (void)tdm_rider_reset(s->seat, s->their[TDM_SHARE_INK]);
    s->their[TDM_SHARE_INK] = 0;
    tdm_share_ink_link(s->view_ink, false);
}

static void flow(struct tandem_share *s)
{
    size_t sizes[2];

    if (!s->seat || !s->up)
        return;
    follow_consent(s);
    flow_give(s);
    tdm_share_watch_consumed(s->watch, sizes);
    say_consumed(s, sizes, s->their[TDM_SHARE_SCREEN], s->their[TDM_SHARE_REFINE]);
    say_ready(s, tdm_share_watch_ready(s->watch), s->their[TDM_SHARE_SCREEN], 0);
    flow_hand(s, s->view, s->ours);
    flow_hand(s, s->host, s->their);
    if (tdm_share_ink_broken(s->view_ink))
        give_up_ink(s);
    flow_ink(s, s->host_ink, s->ours[TDM_SHARE_INK]);
    flow_ink(s, s->view_ink, s->their[TDM_SHARE_INK]);
}

/* What the host's thread has to say. */
static void take_give_news(struct tandem_share *s)
{
    struct tdm_control_surface areas[TDM_CONTROL_SURFACES_MAX];
    uint32_t news = s->give ? tdm_share_give_news(s->give) : 0;
    struct tdm_cause why;
    bool lost;

    if (news & TDM_SHARE_NEWS_POINTER)
        s->pointer_news = true;
    if (news & TDM_SHARE_NEWS_SURFACES) {
        tdm_share_give_areas(s->give, areas);
        tdm_share_hand_areas(s->host, areas);
        tdm_share_tell(s, TANDEM_SHARE_CHANGED, 0, 0, "");
    }
    if (news & TDM_SHARE_NEWS_STATE) {
        static const char *const texts[] = {
            [TDM_DESKTOP_SHOWN] = "the screen is shown",
            [TDM_DESKTOP_LOCKED] = "the screen is locked: it is shown so, and takes no input",
            [TDM_DESKTOP_ASLEEP] = "the screen is asleep",
            [TDM_DESKTOP_HIDDEN] = "the window is minimised: it is shown grey",
            [TDM_DESKTOP_NOTHING] = "what was shown is not there any more",
        };
        enum tdm_desktop_state state = tdm_share_give_state(s->give, &lost, &why);

        tdm_share_hand_lock(s->host, state == TDM_DESKTOP_LOCKED || lost);
        tdm_share_tell(s, TANDEM_SHARE_NOTICE, 0, 0, lost ? why.text : texts[state]);
        if (lost)
            (void)tdm_share_hand_act(s->host, &(struct tdm_consent_in){.kind = TDM_CONSENT_IN_END});
    }
    if (news & TDM_SHARE_NEWS_FAILED && s->asked_screen) {
        s->relinks++;
        close_screen(s);
    }
}

static void give_up_watching(struct tandem_share *s, const char *why)
{
    give_up_ink(s);
    for (int i = TDM_SHARE_SCREEN; i <= TDM_SHARE_LATEST; i++) {
        if (s->their[i])
            (void)tdm_rider_reset(s->seat, s->their[i]);
        s->their[i] = 0;
    }
    if (s->shown)
        tdm_share_tell(s, TANDEM_SHARE_HIDDEN, 0, 0, why);
    s->shown = false;
}

static void take_watch_news(struct tandem_share *s)
{
    char why[160];
    uint32_t news = tdm_share_watch_news(s->watch, why);

    if (news & TDM_WATCH_NEWS_SURFACES)
        tdm_share_tell(s, TANDEM_SHARE_CHANGED, 0, 0, "");
    if (news & TDM_WATCH_NEWS_FIRST && s->their[TDM_SHARE_SCREEN]) {
        if (!s->shown)
            tdm_share_tell(s, TANDEM_SHARE_SHOWN, 0, 0, s->peer);
        s->shown = true;
    }
    if (news & TDM_WATCH_NEWS_FAILED && s->their[TDM_SHARE_SCREEN])
        give_up_watching(s, why);
}

static void turn(struct tandem_share *s)
{
    take_give_news(s);
    take_watch_news(s);
    flow(s);
}

static void attach(void *rider, struct tdm_rider_seat *seat)
{
    struct tandem_share *s = rider;

    pthread_mutex_lock(&s->lock);
    s->seat = seat;
    s->relinks = s->ink_relinks = 0;
    pthread_mutex_unlock(&s->lock);
}

static void forget_streams(struct tandem_share *s)
{
    memset(s->ours, 0, sizeof s->ours);
    memset(s->their, 0, sizeof s->their);
    s->asked_screen = s->asked_control = s->asked_ink = false;
    tdm_share_ink_link(s->host_ink, false);
    tdm_share_ink_link(s->view_ink, false);
    s->epoch++;
}

static void link_down(struct tandem_share *s)
{
    s->up = false;
    if (s->host)
        tdm_share_hand_down(s->host);
    tdm_share_hand_down(s->view);
}

static void detach(void *rider)
{
    struct tandem_share *s = rider;

    pthread_mutex_lock(&s->lock);
    s->seat = NULL;
    link_down(s);
    forget_streams(s);
    if (s->give)
        tdm_share_give_stop(s->give);
    if (s->shown)
        tdm_share_tell(s, TANDEM_SHARE_HIDDEN, 0, 0, "the call is over");
    s->shown = false;
    pthread_mutex_unlock(&s->lock);
}

static void up(void *rider, tdm_time now, bool resumed)
{
    struct tandem_share *s = rider;

    (void)now;
    pthread_mutex_lock(&s->lock);
    s->up = true;
    if (!resumed)
        forget_streams(s);
    else if (s->asked_screen)
        close_screen(
            s); /* What of it was under way is of no use; the tiles' hashes say the rest. */
    if (s->host)
        tdm_share_hand_up(s->host, s->peer, resumed);
    tdm_share_hand_up(s->view, s->peer, resumed);
    if (s->wish && !resumed)
        (void)tdm_share_hand_input(
            s->view,
            &(struct tdm_control_view_in){.kind = TDM_VIEW_ASK,
                                          .record = {.kind = TDM_CONTROL_ASK, .scopes = s->wish}});
    flow(s);
    pthread_mutex_unlock(&s->lock);
}

static void down(void *rider, tdm_time now)
{
    struct tandem_share *s = rider;

    (void)now;
    pthread_mutex_lock(&s->lock);
    link_down(s);
    pthread_mutex_unlock(&s->lock);
}

static void opened_here(struct tandem_share *s, const struct tdm_rider_stream *stream)
{
    int i = (int)(stream->tag % TDM_SHARE_STREAMS);

    if (stream->id && i <= TDM_SHARE_INK && stream->tag / TDM_SHARE_STREAMS != s->epoch) {
        (void)tdm_rider_reset(s->seat, stream->id);
        return;
    }
    if (i == TDM_SHARE_INK && s->ours[i] && stream->id) { /* Asked for twice. */
        (void)tdm_rider_reset(s->seat, stream->id);
        return;
    }
    s->ours[i] = stream->id;
    if (i == TDM_SHARE_LATEST && s->ours[TDM_SHARE_SCREEN] && s->give) {
        s->pointer_news = true;
        tdm_share_give_restart(s->give);
    }
    if (i == TDM_SHARE_INK)
        tdm_share_ink_link(s->host_ink, stream->id != 0);
}

static void opened_there(struct tandem_share *s, const struct tdm_rider_stream *stream)
{
    int i = which_new(stream);

    /* Nobody gives: nobody can be asked. */
    if (i < 0 || (i >= TDM_SHARE_CONTROL && !s->host)) {
        (void)tdm_rider_reset(s->seat, stream->id);
        return;
    }
    s->their[i] = stream->id;
    if (i == TDM_SHARE_SCREEN)
        tdm_share_watch_restart(s->watch);
    else if (i == TDM_SHARE_INK)
        tdm_share_ink_link(s->view_ink, true);
}

static void opened(void *rider, tdm_time now, const struct tdm_rider_stream *stream)
{
    struct tandem_share *s = rider;

    (void)now;
    pthread_mutex_lock(&s->lock);
    /* Tags of ours begin above zero, as epochs do. */
    if (stream->tag)
        opened_here(s, stream);
    else
        opened_there(s, stream);
    flow(s);
    pthread_mutex_unlock(&s->lock);
}

static void take_record(struct tandem_share *s, uint32_t stream, const uint8_t *data, size_t size)
{
    int there = which(s->their, stream), here = which(s->ours, stream);
    bool fits = true;

    if (there == TDM_SHARE_SCREEN || there == TDM_SHARE_REFINE)
        fits = tdm_share_watch_bytes(s->watch, there, data, size);
    else if (there == TDM_SHARE_LATEST)
        tdm_share_watch_pointer(s->watch, data, size);
    else if (there == TDM_SHARE_INK)
        fits = tdm_share_ink_bytes(s->view_ink, data, size);
    else if (here == TDM_SHARE_INK)
        fits = tdm_share_ink_bytes(s->host_ink, data, size);
    else if (there >= 0 && s->host)
        fits = tdm_share_hand_bytes(s->host, there - TDM_SHARE_CONTROL, data, size);
    else if (here == TDM_SHARE_SCREEN && s->give)
        fits = tdm_share_give_answer(s->give, data, size);
    else if (here >= TDM_SHARE_CONTROL)
        fits = tdm_share_hand_bytes(s->view, here - TDM_SHARE_CONTROL, data, size);
    else
        (void)tdm_rider_consumed(s->seat, stream, size);
    if (!fits)
        (void)tdm_rider_reset(s->seat, stream);
}

static void record(void *rider, tdm_time now, uint32_t stream, const uint8_t *data, size_t size,
                   bool fin)
{
    struct tandem_share *s = rider;

    (void)now;
    (void)fin;
    pthread_mutex_lock(&s->lock);
    take_record(s, stream, data, size);
    pthread_mutex_unlock(&s->lock);
}

static size_t pull(void *rider, tdm_time now, uint32_t stream, uint8_t *room, size_t max,
                   bool *more, bool *fin)
{
    struct tandem_share *s = rider;
    size_t filled = 0;

    (void)now;
    *more = *fin = false;
    pthread_mutex_lock(&s->lock);
    int here = which(s->ours, stream), there = which(s->their, stream);

    if (here == TDM_SHARE_LATEST && s->give && max >= TDM_SCREEN_POINTER_BYTES) {
        s->pointer_news = false;
        filled = tdm_share_give_pointer(s->give, room);
    } else if ((here == TDM_SHARE_SCREEN || here == TDM_SHARE_REFINE) && s->give) {
        filled = tdm_share_give_pull(s->give, here == TDM_SHARE_REFINE, room, max, more);
    } else if (here == TDM_SHARE_INK || there == TDM_SHARE_INK) {
        filled =
            tdm_share_ink_pull(here == TDM_SHARE_INK ? s->host_ink : s->view_ink, room, max, more);
    } else if (here >= TDM_SHARE_CONTROL) {
        filled = tdm_share_hand_pull(s->view, here - TDM_SHARE_CONTROL, room, max, more);
    } else if (there == TDM_SHARE_SCREEN) {
        filled = tdm_share_watch_pull(s->watch, room, max, more);
    } else if (there >= TDM_SHARE_CONTROL && s->host) {
        filled = tdm_share_hand_pull(s->host, there - TDM_SHARE_CONTROL, room, max, more);
    }
    pthread_mutex_unlock(&s->lock);
    return filled;
}

/* The hand of a stream of control; NULL: it is none. */
static struct tdm_share_hand *hand_of(struct tandem_share *s, uint32_t stream, int *which_one)
{
    int here = which(s->ours, stream), there = which(s->their, stream);

    *which_one = (here >= 0 ? here : there) - TDM_SHARE_CONTROL;
    return *which_one < 0 ? NULL : here >= 0 ? s->view : s->host;
}

static void acked(void *rider, tdm_time now, uint32_t stream, uint64_t offset, bool fin)
{
    struct tandem_share *s = rider;
    int i;

    (void)now;
    (void)fin;
    pthread_mutex_lock(&s->lock);
    struct tdm_share_hand *hand = hand_of(s, stream, &i);

    if (hand)
        tdm_share_hand_acked(hand, i, offset);
    pthread_mutex_unlock(&s->lock);
}

static void rewind_to(void *rider, tdm_time now, uint32_t stream, uint64_t offset)
{
    struct tandem_share *s = rider;
    int i;

    (void)now;
    pthread_mutex_lock(&s->lock);
    struct tdm_share_hand *hand = hand_of(s, stream, &i);

    if (hand)
        tdm_share_hand_rewind(hand, i, offset);
    pthread_mutex_unlock(&s->lock);
}

/* The host ended it, or never was one. */
static void nobody_gives(struct tandem_share *s)
{
    uint32_t seconds;

    if (tdm_share_hand_scopes(s->view, &seconds))
        tdm_share_tell(s, TANDEM_SHARE_REVOKED, 0, 0, "the other side ended it");
    else
        tdm_share_tell(s, TANDEM_SHARE_REFUSED, 0, 0,
                       "the other side gives no screen: it starts `tandem share` for that");
    s->wish = 0;
    s->asked_control = false;
    close_control(s, s->ours);
    tdm_share_hand_up(s->view, s->peer, false);
}

static void reset(void *rider, tdm_time now, uint32_t stream)
{
    struct tandem_share *s = rider;

    (void)now;
    pthread_mutex_lock(&s->lock);
    take_watch_news(s); /* What was shown is told before it is hidden. */
    int here = which(s->ours, stream), there = which(s->their, stream);

    if (here >= 0)
        s->ours[here] = 0;
    if (there >= 0)
        s->their[there] = 0;
    if (here == TDM_SHARE_SCREEN) {
        /* The viewer will not, or cannot go on with this one. */
        s->relinks++;
        close_screen(s);
    } else if (there == TDM_SHARE_SCREEN) {
        give_up_watching(s, "the other side shows nothing any more");
    } else if (here == TDM_SHARE_INK) {
        tdm_share_ink_link(s->host_ink, false); /* A viewer that knows no annotations. */
    } else if (there == TDM_SHARE_INK) {
        tdm_share_ink_link(s->view_ink, false);
    } else if (here == TDM_SHARE_CONTROL) {
        nobody_gives(s);
    } else if (there == TDM_SHARE_CONTROL && s->host) {
        (void)tdm_share_hand_act(s->host, &(struct tdm_consent_in){.kind = TDM_CONSENT_IN_LEAVE});
    }
    flow(s);
    pthread_mutex_unlock(&s->lock);
}

static tdm_time run(void *rider, tdm_time now)
{
    struct tandem_share *s = rider;
    struct tdm_channel_stats stats;
    bool giving;

    pthread_mutex_lock(&s->lock);
    turn(s);
    giving = s->give && s->ours[TDM_SHARE_SCREEN];
    if (giving) {
        tdm_rider_stats(s->seat, &stats);
        tdm_share_give_link(s->give, stats.rate_bps, stats.rtt_min);
    }
    pthread_mutex_unlock(&s->lock);
    return giving ? now + LINK_EVERY : TDM_NEVER;
}

const struct tdm_rider_ops tdm_share_rider = {
    .name = "share",
    .kinds = kinds,
    .attach = attach,
    .detach = detach,
    .up = up,
    .down = down,
    .opened = opened,
    .record = record,
    .pull = pull,
    .acked = acked,
    .rewind = rewind_to,
    .reset = reset,
    .run = run,
};
