/* SPDX-License-Identifier: MIT */
/*
 * The thread `tdm-board`: moves operations, live values and images between the document and the
 * seat at the channel, has the journal written and the window painted. Each turn takes everything
 * that has come before it sends or paints, so that ink waits for one turn at most.
 */
#include "engine/board_state.h"

#include "engine/board_words.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void tdm_board_wake(struct tandem_board *b)
{
    tdm_wake_signal(b->wake);
}

static struct tdm_board *core_of(struct tandem_board *b)
{
    return tdm_board_doc_board(b->doc);
}

/* What is fresh stays so until the document takes it for the journal: only what is new of it. */
void tdm_board_send_fresh(struct tandem_board *b)
{
    size_t size = 0;
    const uint8_t *records = b->doc ? tdm_board_fresh(core_of(b), &size) : NULL;

    if (b->fresh_put > size)
        b->fresh_put = 0;
    /* Also while the connection is away: when it goes on, so does the link. */
    if (size > b->fresh_put && b->door.joined && !b->failed)
        tdm_board_link_put(b->link, records + b->fresh_put, size - b->fresh_put);
    b->fresh_put = size;
}

void tdm_board_fresh_goes(void *arg)
{
    struct tandem_board *b = arg;

    tdm_board_send_fresh(b);
    b->fresh_put = 0;
}

bool tdm_board_relieve(void *arg, enum tdm_err err)
{
    struct tandem_board *b = arg;

    if (err == TDM_E_SPACE)
        return tdm_board_doc_room(b->doc, tdm_board_room(core_of(b)) + TDM_BOARD_ROOM) == TDM_OK;
    /* What a full disk does not take waits in memory. */
    (void)!tdm_board_doc_save(b->doc, NULL);
    return b->fresh_put == 0;
}

void tdm_board_tell_changes(struct tandem_board *b, bool theirs)
{
    struct tandem_board_event event = {.kind = TANDEM_BOARD_CHANGED, .theirs = theirs};
    const struct tdm_board *core = b->doc ? core_of(b) : NULL;
    uint64_t mark = core ? tdm_board_mark(core) : b->told_mark;
    struct tdm_board_view view;

    if (mark == b->told_mark)
        return;
    b->dirty = true;
    for (const struct tdm_board_object *o = tdm_board_changed(core, b->told_mark, NULL); o;
         o = tdm_board_changed(core, b->told_mark, o)) {
        tdm_board_read(core, o, &view);
        tdm_board_id_text(view.id, event.object);
        event.on = !view.deleted;
        tdm_board_tell_event(b, &event);
        if (view.image && !tdm_board_image_link_need(&b->images, view.image)) {
            b->more_images = true;
            b->images_at = NULL;
        }
    }
    b->told_mark = mark;
}

/* More images are missing than are asked for at a time: once those are here, all objects are gone
 * through, so that each is asked for once. */
static void need_more_images(struct tandem_board *b)
{
    const struct tdm_board_object *o;
    struct tdm_board_view view;

    if (!b->more_images || b->images.wanted_count)
        return;
    while ((o = b->images_at ? tdm_board_next(b->images_at) : tdm_board_first(core_of(b)))) {
        tdm_board_read(core_of(b), o, &view);
        if (view.image && !tdm_board_image_link_need(&b->images, view.image))
            return;
        b->images_at = o;
    }
    b->more_images = false;
}

static void fail_link(struct tandem_board *b, const char *why)
{
    b->failed = true;
    tdm_board_tell(b, TANDEM_BOARD_NOTICE, why);
    (void)tdm_board_at_door(b, &(struct tdm_door_in){.kind = TDM_DOOR_LEAVE});
}

static void take_records(struct tandem_board *b, const uint8_t *records, size_t size)
{
    enum tdm_err err = tdm_board_doc_apply(b->doc, records, size);

    if (err == TDM_E_SPACE)
        fail_link(b, "the board is as large as boards may be: what the other side draws is not "
                     "shown any more");
    else if (err == TDM_E_DENIED)
        fail_link(b, "the other side writes in the name of others, or of too many: nothing more of "
                     "it is taken");
    else if (err == TDM_E_MALFORMED)
        fail_link(b, "the other side breaks the rules of boards: nothing of it is believed");
}

static void take_link_event(struct tandem_board *b, const struct tdm_board_link_out *out)
{
    switch (out->event) {
    case TDM_BOARD_EV_OPS:
        take_records(b, out->data, out->size);
        break;
    case TDM_BOARD_EV_SYNCED:
        tdm_board_tell(b, TANDEM_BOARD_SYNCED, b->who);
        break;
    case TDM_BOARD_EV_OTHER:
        fail_link(b, "the other side has another board open: nothing of it is mixed in");
        break;
    case TDM_BOARD_EV_BROKEN:
        fail_link(b, "the other side breaks the rules of boards: nothing of it is believed");
        break;
    default:
        break;
    }
}

/* Operations of the other side; behind its preface, once both have agreed. */
static void take_ops(struct tandem_board *b)
{
    struct tdm_share_bytes *in = &b->now[TDM_BOARD_LANE_OPS];
    struct tdm_board_link_out out;
    size_t before = tdm_share_bytes_size(in);

    if (!before)
        return;
    if (!b->door.heard) {
        const struct tdm_door_in bytes = {
            .kind = TDM_DOOR_BYTES, .data = in->data + in->at, .size = before};

        in->at += tdm_board_at_door(b, &bytes);
    }
    tdm_board_tell_changes(b, false);
    while (b->linked && !b->failed && tdm_share_bytes_size(in)) {
        size_t taken = tdm_board_link_take(b->link, core_of(b), in->data + in->at,
                                           tdm_share_bytes_size(in), &out);

        in->at += taken;
        take_link_event(b, &out);
        if (!taken && out.event == TDM_BOARD_EV_NONE)
            break;
    }
    if (b->failed || !b->door.opened)
        tdm_share_bytes_clear(in);
    tdm_board_seat_consumed(&b->seat, TDM_BOARD_LANE_OPS, before - tdm_share_bytes_size(in));
    tdm_board_tell_changes(b, true);
}

static void tell_live(struct tandem_board *b)
{
    const struct tdm_board_live *l = &b->their_live;
    struct tandem_board_event event = {.kind = TANDEM_BOARD_CURSOR,
                                       .on = l->cursor,
                                       .theirs = true,
                                       .x = tdm_board_px(l->x),
                                       .y = tdm_board_px(l->y)};

    tdm_board_id_text(l->page, event.object);
    (void)snprintf(event.text, sizeof event.text, "%s", l->name[0] ? l->name : b->who);
    tdm_board_tell_event(b, &event);
    if (l->laser_count) {
        event.kind = TANDEM_BOARD_LASER;
        event.x = tdm_board_px(l->laser[l->laser_count - 1].x);
        event.y = tdm_board_px(l->laser[l->laser_count - 1].y);
        tdm_board_tell_event(b, &event);
    }
    if (!l->view_w)
        return;
    event = (struct tandem_board_event){.kind = TANDEM_BOARD_VIEW,
                                        .theirs = true,
                                        .on = l->presenting,
                                        .x = tdm_board_px(l->view_x),
                                        .y = tdm_board_px(l->view_y),
                                        .width = tdm_board_px(l->view_w),
                                        .height = tdm_board_px(l->view_h)};
    tdm_board_id_text(l->page, event.object);
    tdm_board_tell_event(b, &event);
}

static void take_live(struct tandem_board *b, tdm_time now)
{
    struct tdm_share_bytes *in = &b->now[TDM_BOARD_LANE_LIVE];
    struct tdm_board_live live;
    bool any = false;

    while (tdm_share_bytes_size(in) >= 2) {
        const uint8_t *at = in->data + in->at;
        size_t size = (size_t)at[0] << 8 | at[1];

        any = b->linked && tdm_board_live_parse(&live, at + 2, size) == TDM_OK ? true : any;
        in->at += 2 + size;
    }
    if (!any)
        return;
    b->their_live = live;
    b->they_are_live = true;
    tell_live(b);
    tdm_board_pane_show(b, now);
}

static void image_arrived(void *arg, const uint8_t hash[TDM_BOARD_HASH_BYTES])
{
    struct tandem_board *b = arg;

    tdm_board_pane_image(b, hash);
}

static void take_blobs(struct tandem_board *b)
{
    struct tdm_share_bytes *in = &b->now[TDM_BOARD_LANE_BLOBS];
    size_t size = tdm_share_bytes_size(in);

    if (!size)
        return;
    if (b->linked && !b->failed &&
        !tdm_board_image_link_take(&b->images, in->data + in->at, size, image_arrived, b))
        fail_link(b, "the other side's images break the rules: nothing of it is believed");
    tdm_share_bytes_clear(in);
    tdm_board_seat_consumed(&b->seat, TDM_BOARD_LANE_BLOBS, size);
}

/* Who is there now is somebody else than before: as if the call were another one. */
static void meet(struct tandem_board *b, const struct tdm_board_word *word)
{
    bool same =
        b->peer_known == word->peer_known && memcmp(b->print, word->peer, sizeof b->print) == 0;
    bool wish = b->door.wish && !b->peer_known;

    if (same)
        return;
    if (b->peer_known)
        (void)tdm_board_at_door(b, &(struct tdm_door_in){.kind = TDM_DOOR_OVER});
    b->peer_known = word->peer_known;
    memcpy(b->print, word->peer, sizeof b->print);
    if (wish)
        (void)tdm_board_at_door(b, &(struct tdm_door_in){.kind = TDM_DOOR_INVITE});
}

static void take_words(struct tandem_board *b)
{
    static const enum tdm_door_input inputs[] = {
        [TDM_BOARD_WORD_UP] = TDM_DOOR_UP,       [TDM_BOARD_WORD_DOWN] = TDM_DOOR_DOWN,
        [TDM_BOARD_WORD_OVER] = TDM_DOOR_OVER,   [TDM_BOARD_WORD_OPENED] = TDM_DOOR_OPENED,
        [TDM_BOARD_WORD_RESET] = TDM_DOOR_RESET,
    };
    struct tdm_board_word word;

    while (tdm_board_seat_word(&b->seat, &word)) {
        bool anew = word.kind == TDM_BOARD_WORD_UP && !word.resumed;

        if (anew)
            meet(b, &word);
        if (anew || word.kind == TDM_BOARD_WORD_OVER || word.kind == TDM_BOARD_WORD_RESET)
            for (int i = 0; i < TDM_BOARD_LANES; i++)
                tdm_share_bytes_clear(&b->now[i]);
        (void)tdm_board_at_door(
            b, &(struct tdm_door_in){.kind = inputs[word.kind], .resumed = word.resumed});
        if (word.kind == TDM_BOARD_WORD_OVER) {
            b->peer_known = false;
            b->seated = false;
        }
    }
}

static void take_arrived(struct tandem_board *b, tdm_time now)
{
    tdm_time at = TDM_NEVER;

    take_words(b);
    for (int i = 0; i < TDM_BOARD_LANES; i++)
        if (!tdm_share_bytes_size(&b->now[i])) {
            tdm_time since;

            tdm_board_seat_take(&b->seat, (enum tdm_board_lane)i, &b->now[i], &since);
            if (tdm_share_bytes_size(&b->now[i]))
                at = tdm_time_min(at, since);
        }
    b->arrived_at = at;
    take_ops(b);
    take_live(b, now);
    take_blobs(b);
}

/* The seat keeps what it was given until the other side has it: the link need not. */
static size_t fill_ops(void *arg, uint8_t *room, size_t max)
{
    struct tandem_board *b = arg;
    size_t size = tdm_board_link_pull(b->link, core_of(b), room, max);

    b->link_pulled += size;
    tdm_board_link_acked(b->link, b->link_pulled);
    return size;
}

static size_t fill_blobs(void *arg, uint8_t *room, size_t max)
{
    struct tandem_board *b = arg;

    return tdm_board_image_link_fill(&b->images, room, max);
}

static void send_live(struct tandem_board *b)
{
    uint8_t value[TDM_BOARD_LIVE_MAX];

    if (!b->live_changed)
        return;
    b->live_changed = false;
    if (b->name)
        (void)snprintf(b->live.name, sizeof b->live.name, "%s", b->name);
    tdm_board_seat_live(&b->seat, value, tdm_board_live_write(&b->live, value));
}

static void send(struct tandem_board *b)
{
    tdm_board_send_fresh(b);
    if (!b->linked || b->failed)
        return;
    (void)tdm_board_seat_send(&b->seat, TDM_BOARD_LANE_OPS, fill_ops, b);
    send_live(b);
    (void)tdm_board_seat_send(&b->seat, TDM_BOARD_LANE_BLOBS, fill_blobs, b);
}

static void keep(struct tandem_board *b, tdm_time now)
{
    if (!b->doc)
        return;
    b->doc_wake = tdm_board_doc_step(b->doc, now);
    struct tdm_cause cause;
    bool trouble = tdm_board_doc_state(b->doc, &cause) != TDM_OK;

    if (trouble && !b->disk_trouble)
        tdm_board_tell(b, TANDEM_BOARD_NOTICE, cause.text);
    b->disk_trouble = trouble;
    tdm_board_pane_kept(b);
}

static tdm_time turn(struct tandem_board *b)
{
    tdm_time now = tdm_clock_now();

    take_words(b); /* What was asked for behind the end of a call is about the next one. */
    tdm_board_follow_orders(b);
    take_arrived(b, now);
    if (b->doc) {
        tdm_board_tell_changes(b, false);
        need_more_images(b);
        send(b);
        tdm_board_pane_step(b, now);
        tdm_board_tell_changes(b, false);
        send(b);
        keep(b, now);
        if (b->arrived_at != TDM_NEVER)
            tdm_histogram_add(&b->paint, tdm_clock_now() - b->arrived_at);
    } else if (b->orders & TDM_BOARD_ORDER_CLOSE_WINDOW) {
        tdm_board_pane_close(b);
        b->orders = 0;
    }
    return b->doc ? tdm_time_min(b->doc_wake, b->window ? b->window_wake : TDM_NEVER) : TDM_NEVER;
}

static void wait_for(int wake, int window, tdm_time until)
{
    struct pollfd fds[] = {{.fd = wake, .events = POLLIN}, {.fd = window, .events = POLLIN}};
    tdm_time now = tdm_clock_now();
    tdm_time left = until > now ? until - now : 0;
    struct timespec time = {.tv_sec = left / TDM_S, .tv_nsec = left % TDM_S};

    if (ppoll(fds, 2, until == TDM_NEVER ? NULL : &time, NULL) > 0 && fds[0].revents)
        tdm_wake_clear(wake);
}

void *tdm_board_run(void *arg)
{
    struct tandem_board *b = arg;

    pthread_mutex_lock(&b->lock);
    while (!b->stopping) {
        tdm_time until = turn(b);
        int window = tdm_board_pane_fd(b);

        pthread_cond_broadcast(&b->done);
        pthread_mutex_unlock(&b->lock);
        wait_for(b->wake, window, until);
        pthread_mutex_lock(&b->lock);
    }
    tdm_board_pane_close(b);
    pthread_cond_broadcast(&b->done);
    pthread_mutex_unlock(&b->lock);
    return NULL;
}
