/* SPDX-License-Identifier: MIT */
#include "engine/share_hand_state.h"

#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define POLLS 4

void tdm_hand_send(struct tdm_share_hand *h, const struct tdm_control_record *rec)
{
    int stream = rec->kind == TDM_CONTROL_CLIP_DATA;

    pthread_mutex_lock(&h->lock);
    bool fits = tdm_control_pipe_put(&h->out[stream], rec) == TDM_OK;

    h->figures.sent += fits;
    pthread_mutex_unlock(&h->lock);
    h->config.wake(h->config.arg);
}

void tdm_hand_publish(struct tdm_share_hand *h, uint16_t scopes, tdm_time until)
{
    pthread_mutex_lock(&h->lock);
    bool old = h->link_news && h->link_up && !h->link_resumed; /* Of who was there before. */
    bool news = !old && h->scopes != scopes;

    h->scopes = old ? h->scopes : scopes;
    h->until = old ? h->until : until;
    pthread_mutex_unlock(&h->lock);
    if (news)
        h->config.wake(h->config.arg);
}

void tdm_hand_tell(struct tdm_share_hand *h, enum tdm_hand_event_kind kind, uint16_t scopes,
                   uint32_t seconds, const char *text)
{
    struct tdm_hand_event event = {.kind = kind, .scopes = scopes, .seconds = seconds};

    (void)snprintf(event.text, sizeof event.text, "%s", text);
    h->config.tell(h->config.arg, &event);
}

/* Files come whole before a program here gets their paths. */
static void perform_files(struct tdm_share_hand *h, tdm_time now, struct tdm_clipboard_out *out)
{
    struct tdm_share_bytes *b = &h->files_in;
    struct tdm_cause why = {""};

    if (out->offset == 0)
        tdm_share_bytes_clear(b);
    bool fits = tdm_share_bytes_put(b, out->data, out->size);

    if (fits && !out->fin)
        return;
    enum tdm_err err = fits ? tdm_clip_files_keep(&h->files_folder, b->data + b->at,
                                                  tdm_share_bytes_size(b), &h->files_list, &why)
                            : TDM_E_SYSTEM;

    tdm_share_bytes_free(b);
    if (err != TDM_OK)
        tdm_hand_tell(h, TDM_HAND_NOTICE, 0, 0, why.text);
    out->desk = err == TDM_OK ? TDM_CLIPBOARD_DESK_PIECE : TDM_CLIPBOARD_DESK_NEVER;
    out->offset = 0;
    out->data = h->files_list.data + h->files_list.at;
    out->size = (uint32_t)tdm_share_bytes_size(&h->files_list);
    tdm_desk_clipboard_perform(h->desk, now, out);
}

static void perform(struct tdm_share_hand *h, tdm_time now, struct tdm_clipboard_out *out)
{
    if (out->desk == TDM_CLIPBOARD_DESK_PIECE && out->format == TDM_CLIP_FILES) {
        perform_files(h, now, out);
        return;
    }
    if (out->desk == TDM_CLIPBOARD_DESK_DONE || out->desk == TDM_CLIPBOARD_DESK_FETCH)
        tdm_share_bytes_free(&h->files_out);
    if (out->desk != TDM_CLIPBOARD_DESK_NONE)
        tdm_desk_clipboard_perform(h->desk, now, out);
}

/* What a program here calls files are their paths; what goes is what stands in them. */
static void collect_files(struct tdm_share_hand *h, struct tdm_clipboard_in *in)
{
    struct tdm_cause why = {""};

    if (!in->content)
        return;
    enum tdm_err err = tdm_clip_files_collect(in->content, in->size, TDM_CLIPBOARD_BYTES_DEFAULT,
                                              &h->files_out, &why);

    if (err != TDM_OK)
        tdm_hand_tell(h, TDM_HAND_NOTICE, 0, 0, why.text);
    in->content = err == TDM_OK ? h->files_out.data + h->files_out.at : NULL;
    in->size = err == TDM_OK ? (uint32_t)tdm_share_bytes_size(&h->files_out) : 0;
}

void tdm_hand_clipboard(struct tdm_share_hand *h, tdm_time now, const struct tdm_clipboard_in *in)
{
    struct tdm_clipboard_out out;
    struct tdm_clipboard_rights rights = {.scopes = h->view.scopes, .seq = h->view.seq};
    const struct tdm_clipboard_in room = {.kind = TDM_CLIPBOARD_ROOM};
    bool more;

    if (!h->desk)
        return;
    if (h->config.host)
        rights = (struct tdm_clipboard_rights){.scopes = tdm_hand_host_scopes(h, now),
                                               .seq = h->host.consent.seq};
    do {
        tdm_clipboard_step(&h->clipboard, now, &rights, in, &out);
        h->clipboard_wake = out.wake_at;
        if (out.send && h->up)
            tdm_hand_send(h, &out.record);
        perform(h, now, &out);
        pthread_mutex_lock(&h->lock);
        bool room_left = tdm_control_pipe_room(&h->out[1]) >= TDM_CONTROL_RECORD_MAX;

        pthread_mutex_unlock(&h->lock);
        bool again = out.wake_at <= now;

        more = again || (out.more && room_left);
        in = again ? NULL : &room;
    } while (more);
}

/* The rest of a content that is under way, when the other side has taken some. */
static void go_on_giving(struct tdm_share_hand *h, tdm_time now)
{
    pthread_mutex_lock(&h->lock);
    bool room = tdm_control_pipe_room(&h->out[1]) >= TDM_CONTROL_RECORD_MAX;

    pthread_mutex_unlock(&h->lock);
    if (room && h->clipboard.wanted && h->clipboard.want_content)
        tdm_hand_clipboard(h, now, &(struct tdm_clipboard_in){.kind = TDM_CLIPBOARD_ROOM});
}

static void take_clipboard(struct tdm_share_hand *h, tdm_time now)
{
    struct tdm_clipboard_in in;

    go_on_giving(h, now);
    for (;;) {
        enum tdm_desk_clipboard_event event =
            h->desk ? tdm_desk_clipboard_next(h->desk, now, &in) : TDM_DESK_CLIPBOARD_NOTHING;

        if (event == TDM_DESK_CLIPBOARD_NOTHING)
            return;
        if (event == TDM_DESK_CLIPBOARD_GONE) {
            tdm_desk_clipboard_destroy(h->desk);
            h->desk = NULL;
            return;
        }
        if (event == TDM_DESK_CLIPBOARD_CONTENT && in.format == TDM_CLIP_FILES)
            collect_files(h, &in);
        tdm_hand_clipboard(h, now, &in);
    }
}

static void take_record(struct tdm_share_hand *h, tdm_time now,
                        const struct tdm_control_record *rec)
{
    if (rec->kind >= TDM_CONTROL_CLIP_OFFER && rec->kind <= TDM_CONTROL_CLIP_NONE) {
        struct tdm_clipboard_in in = {.kind = TDM_CLIPBOARD_RECORD, .record = rec};

        tdm_hand_clipboard(h, now, &in);
    } else if (h->config.host) {
        tdm_hand_host_record(h, now, rec);
    } else if (rec->kind != TDM_CONTROL_OTHER) {
        struct tdm_control_view_in in = {.kind = TDM_VIEW_RECORD, .record = *rec};

        tdm_hand_view_step(h, now, &in);
    }
}

static void take_bytes(struct tdm_share_hand *h, tdm_time now)
{
    struct tdm_control_record rec;

    for (int i = 0; i < TDM_HAND_STREAMS; i++) {
        struct tdm_share_bytes *b = &h->now[i];

        while (tdm_share_bytes_size(b) && !(i == 0 && h->config.host && h->host_out.busy)) {
            b->at +=
                tdm_control_pipe_take(&h->in[i], b->data + b->at, tdm_share_bytes_size(b), &rec);
            if (rec.kind != TDM_CONTROL_OTHER)
                take_record(h, now, &rec);
        }
    }
}

static void link_changed(struct tdm_share_hand *h, tdm_time now, bool resumed)
{
    const struct tdm_clipboard_config clipboard = {.host = h->config.host,
                                                   .origin = tdm_entropy_u64()};

    for (int i = 0; i < TDM_HAND_STREAMS && h->up && !resumed; i++)
        tdm_control_pipe_init(&h->in[i]);
    if (h->up && !resumed)
        tdm_clipboard_init(&h->clipboard, &clipboard, now);
    if (!h->up)
        tdm_hand_clipboard(h, now, &(struct tdm_clipboard_in){.kind = TDM_CLIPBOARD_DOWN});
    if (h->config.host)
        tdm_hand_host_link(h, now, resumed);
    else
        tdm_hand_view_link(h, now, resumed);
}

/* What the other threads have left, in the order of what it may cause. */
static void take_words(struct tdm_share_hand *h, tdm_time now)
{
    struct tdm_control_surface areas[TDM_CONTROL_SURFACES_MAX];
    struct tdm_hand_act act;
    struct tdm_hand_input input;

    pthread_mutex_lock(&h->lock);
    bool link = h->link_news, resumed = h->link_resumed, areas_news = h->areas_news;
    bool known = h->known && (h->known_news || link);

    h->link_news = h->areas_news = h->known_news = false;
    h->locked = h->lock_on;
    if (link) {
        h->up = h->link_up;
        (void)snprintf(h->peer, sizeof h->peer, "%s", h->link_peer);
    }
    memcpy(areas, h->areas, sizeof areas);
    for (int i = 0; i < TDM_HAND_STREAMS; i++) {
        if (link && h->up && !resumed)
            tdm_share_bytes_clear(&h->now[i]);
        if (tdm_share_bytes_size(&h->now[i]))
            continue; /* They wait for text that is being typed. */
        tdm_share_bytes_swap(&h->now[i], &h->arrived[i]);
        h->consumed[i] += tdm_share_bytes_size(&h->now[i]);
    }
    bool much = h->consumed[0] >= TDM_SHARE_TELL_BYTES || h->consumed[1] >= TDM_SHARE_TELL_BYTES;

    pthread_mutex_unlock(&h->lock);
    if (much)
        h->config.wake(h->config.arg);
    if (link)
        link_changed(h, now, resumed);
    if (known && h->up && h->config.host)
        tdm_hand_host_act(h, now, &(struct tdm_hand_act){.act = {.kind = TDM_CONSENT_IN_KNOWN}});
    if (areas_news && h->config.host)
        tdm_hand_host_areas(h, now, areas);
    while (tdm_ring_pop(&h->acts, &act) == TDM_OK)
        tdm_hand_host_act(h, now, &act);
    while (tdm_ring_pop(&h->inputs, &input) == TDM_OK) {
        if (input.in.kind == TDM_VIEW_KEY)
            input.in.key.text = input.text;
        else if (input.in.kind == TDM_VIEW_TEXT)
            input.in.record.data = (const uint8_t *)input.text;
        tdm_hand_view_step(h, now, &input.in);
    }
    take_bytes(h, now);
}

static void wait_for(struct tdm_share_hand *h, tdm_time until)
{
    struct pollfd fds[POLLS] = {
        {.fd = h->wake, .events = POLLIN},
        {.fd = h->input ? h->input_ops->fd(h->input) : -1, .events = POLLIN},
        {.fd = h->desk ? tdm_desk_clipboard_fd(h->desk) : -1, .events = POLLIN},
        {.fd = h->indicator ? tdm_indicator_fd(h->indicator) : -1, .events = POLLIN}};
    tdm_time now = tdm_clock_now();
    tdm_time left = until > now ? until - now : 0;
    struct timespec time = {.tv_sec = left / TDM_S, .tv_nsec = left % TDM_S};

    if (ppoll(fds, POLLS, until == TDM_NEVER ? NULL : &time, NULL) > 0 && fds[0].revents)
        tdm_wake_clear(h->wake);
}

static void *run(void *arg)
{
    struct tdm_share_hand *h = arg;

    while (!atomic_load(&h->stopping)) {
        tdm_time now = tdm_clock_now();
        tdm_time wake = TDM_NEVER;

        take_words(h, now);
        take_clipboard(h, now);
        if (now >= h->clipboard_wake)
            tdm_hand_clipboard(h, now, NULL);
        if (h->config.host) {
            wake = tdm_hand_host_run(h, now);
        } else {
            if (now >= h->view_wake)
                tdm_hand_view_step(h, now, NULL);
            wake = h->view_wake;
        }
        wait_for(h, tdm_time_min(wake, h->clipboard_wake));
    }
    return NULL;
}

static const char *keep(char *to, size_t capacity, const char *from)
{
    if (from)
        (void)snprintf(to, capacity, "%s", from);
    return from ? to : NULL;
}

enum tdm_err tdm_share_hand_create(struct tdm_share_hand **hand,
                                   const struct tdm_share_hand_config *config,
                                   struct tdm_cause *cause)
{
    struct tdm_share_hand *h = calloc(1, sizeof *h);

    *hand = NULL;
    if (!h)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for remote control");
    h->config = *config;
    h->config.display = keep(h->display, sizeof h->display, config->display);
    h->config.revoke_key = keep(h->revoke_key, sizeof h->revoke_key, config->revoke_key);
    h->log_path = config->log_path ? strdup(config->log_path) : NULL;
    h->clipboard_wake = h->host_wake = h->indicator_wake = h->view_wake = TDM_NEVER;
    h->until = TDM_NEVER;
    (void)pthread_mutex_init(&h->lock, NULL);
    tdm_ring_init(&h->acts, h->act_slots, sizeof *h->act_slots, TDM_HAND_ACTS);
    tdm_ring_init(&h->inputs, h->input_slots, sizeof *h->input_slots, TDM_HAND_INPUTS);
    for (int i = 0; i < TDM_HAND_STREAMS; i++) {
        tdm_control_pipe_init(&h->in[i]);
        tdm_control_pipe_init(&h->out[i]);
    }
    tdm_clipboard_init(&h->clipboard, &(struct tdm_clipboard_config){.host = config->host},
                       tdm_clock_now());
    if (!config->host)
        (void)tdm_input_layout_name(h->config.display, h->layout);
    tdm_control_view_init(&h->view, h->layout, tdm_clock_now());
    h->wake = tdm_wake_open(cause);
    enum tdm_err err = h->wake < 0 ? TDM_E_SYSTEM : TDM_OK;

    if (err == TDM_OK && config->host)
        err = tdm_hand_host_open(h, cause);
    /* Without a clipboard the rest is of use. */
    if (err == TDM_OK && !config->no_display &&
        tdm_desk_clipboard_create(h->config.display, TDM_CLIPBOARD_BYTES_DEFAULT, &h->desk, NULL) !=
            TDM_OK)
        h->desk = NULL;
    if (err == TDM_OK)
        err = tdm_thread_start(&h->thread, "tdm-hand", TDM_PRIORITY_NORMAL, run, h, NULL, cause);
    h->running = err == TDM_OK;
    if (err != TDM_OK)
        tdm_share_hand_destroy(h);
    else
        *hand = h;
    return err;
}

void tdm_share_hand_destroy(struct tdm_share_hand *h)
{
    if (!h)
        return;
    if (h->running) {
        atomic_store(&h->stopping, true);
        tdm_wake_signal(h->wake);
        (void)pthread_join(h->thread, NULL);
    }
    if (h->config.host)
        tdm_hand_host_close(h);
    if (h->desk)
        tdm_desk_clipboard_destroy(h->desk);
    tdm_clip_folder_remove(&h->files_folder);
    tdm_share_bytes_free(&h->files_out);
    tdm_share_bytes_free(&h->files_in);
    tdm_share_bytes_free(&h->files_list);
    for (int i = 0; i < TDM_HAND_STREAMS; i++) {
        tdm_share_bytes_free(&h->now[i]);
        tdm_share_bytes_free(&h->arrived[i]);
    }
    if (h->wake >= 0)
        (void)close(h->wake);
    (void)pthread_mutex_destroy(&h->lock);
    free(h->log_path);
    free(h);
}

static void tell_link(struct tdm_share_hand *h, const char *peer, bool up, bool resumed)
{
    pthread_mutex_lock(&h->lock);
    /* A break that was not looked at yet and then nothing resumed is a beginning. */
    h->link_resumed = resumed && !(h->link_news && h->link_up && !h->link_resumed);
    h->link_news = true;
    h->link_up = up;
    if (peer)
        (void)snprintf(h->link_peer, sizeof h->link_peer, "%s", peer);
    if (up && !resumed) {
        h->scopes = 0; /* For who asks before the thread has looked. */
        h->until = TDM_NEVER;
        for (int i = 0; i < TDM_HAND_STREAMS; i++) {
            tdm_share_bytes_clear(&h->arrived[i]);
            h->consumed[i] = 0;
            tdm_control_pipe_init(&h->out[i]);
        }
    }
    pthread_mutex_unlock(&h->lock);
    tdm_wake_signal(h->wake);
}

void tdm_share_hand_up(struct tdm_share_hand *h, const char *peer, bool resumed)
{
    tell_link(h, peer, true, resumed);
}

void tdm_share_hand_down(struct tdm_share_hand *h)
{
    tell_link(h, NULL, false, false);
}

bool tdm_share_hand_bytes(struct tdm_share_hand *h, int stream, const uint8_t *data, size_t size)
{
    pthread_mutex_lock(&h->lock);
    bool fits = tdm_share_bytes_put(&h->arrived[stream], data, size);

    pthread_mutex_unlock(&h->lock);
    tdm_wake_signal(h->wake);
    return fits;
}

void tdm_share_hand_consumed(struct tdm_share_hand *h, size_t sizes[TDM_HAND_STREAMS])
{
    pthread_mutex_lock(&h->lock);
    memcpy(sizes, h->consumed, sizeof h->consumed);
    memset(h->consumed, 0, sizeof h->consumed);
    pthread_mutex_unlock(&h->lock);
}

size_t tdm_share_hand_pull(struct tdm_share_hand *h, int stream, uint8_t *room, size_t max,
                           bool *more)
{
    pthread_mutex_lock(&h->lock);
    size_t size = tdm_control_pipe_pull(&h->out[stream], room, max);

    *more = tdm_control_pipe_has(&h->out[stream]);
    pthread_mutex_unlock(&h->lock);
    return size;
}

void tdm_share_hand_acked(struct tdm_share_hand *h, int stream, uint64_t offset)
{
    pthread_mutex_lock(&h->lock);
    tdm_control_pipe_acked(&h->out[stream], offset);
    pthread_mutex_unlock(&h->lock);
    if (stream == 1)
        tdm_wake_signal(h->wake); /* Room for more of a content. */
}

void tdm_share_hand_rewind(struct tdm_share_hand *h, int stream, uint64_t offset)
{
    pthread_mutex_lock(&h->lock);
    tdm_control_pipe_rewind(&h->out[stream], offset);
    pthread_mutex_unlock(&h->lock);
}

uint32_t tdm_share_hand_ready(struct tdm_share_hand *h)
{
    uint32_t ready = 0;

    pthread_mutex_lock(&h->lock);
    for (int i = 0; i < TDM_HAND_STREAMS; i++)
        ready |= tdm_control_pipe_has(&h->out[i]) ? 1u << i : 0;
    pthread_mutex_unlock(&h->lock);
    return ready;
}

uint16_t tdm_share_hand_scopes(struct tdm_share_hand *h, uint32_t *seconds)
{
    tdm_time now = tdm_clock_now();

    pthread_mutex_lock(&h->lock);
    uint16_t scopes = h->scopes;
    tdm_time left = h->until == TDM_NEVER ? 0 : h->until - now;

    pthread_mutex_unlock(&h->lock);
    *seconds = left > 0 ? (uint32_t)((left + TDM_S - 1) / TDM_S) : 0;
    return scopes;
}

static bool push_act(struct tdm_share_hand *h, const struct tdm_hand_act *act)
{
    pthread_mutex_lock(&h->lock);
    bool fits = tdm_ring_push(&h->acts, act) == TDM_OK;

    pthread_mutex_unlock(&h->lock);
    tdm_wake_signal(h->wake);
    return fits;
}

bool tdm_share_hand_act(struct tdm_share_hand *h, const struct tdm_consent_in *act)
{
    return push_act(h, &(struct tdm_hand_act){.act = *act});
}

void tdm_share_hand_known(struct tdm_share_hand *h, bool known)
{
    pthread_mutex_lock(&h->lock);
    h->known = known;
    h->known_news = true;
    pthread_mutex_unlock(&h->lock);
    tdm_wake_signal(h->wake);
}

bool tdm_share_hand_answer(struct tdm_share_hand *h, uint16_t scopes, uint32_t seconds)
{
    return push_act(
        h, &(struct tdm_hand_act){.answer = true, .act = {.scopes = scopes, .seconds = seconds}});
}

void tdm_share_hand_areas(struct tdm_share_hand *h,
                          const struct tdm_control_surface areas[TDM_CONTROL_SURFACES_MAX])
{
    pthread_mutex_lock(&h->lock);
    memcpy(h->areas, areas, sizeof h->areas);
    h->areas_news = true;
    pthread_mutex_unlock(&h->lock);
    tdm_wake_signal(h->wake);
}

void tdm_share_hand_lock(struct tdm_share_hand *h, bool locked)
{
    pthread_mutex_lock(&h->lock);
    h->lock_on = locked;
    pthread_mutex_unlock(&h->lock);
    tdm_wake_signal(h->wake);
}

bool tdm_share_hand_input(struct tdm_share_hand *h, const struct tdm_control_view_in *in)
{
    const char *text = in->kind == TDM_VIEW_KEY    ? in->key.text
                       : in->kind == TDM_VIEW_TEXT ? (const char *)in->record.data
                                                   : NULL;
    uint32_t size = !text ? 0 : in->kind == TDM_VIEW_KEY ? in->key.size : in->record.size;

    if (size > TDM_HAND_TEXT_MAX)
        return false;
    pthread_mutex_lock(&h->lock);
    struct tdm_hand_input *slot = tdm_ring_reserve(&h->inputs);

    if (slot) {
        slot->in = *in;
        if (size)
            memcpy(slot->text, text, size);
        tdm_ring_commit(&h->inputs);
    }
    pthread_mutex_unlock(&h->lock);
    tdm_wake_signal(h->wake);
    return slot;
}

void tdm_share_hand_figures(struct tdm_share_hand *h, struct tdm_hand_figures *figures)
{
    pthread_mutex_lock(&h->lock);
    *figures = h->figures;
    pthread_mutex_unlock(&h->lock);
}
