/* SPDX-License-Identifier: MIT */
/* include/tandem/files.h: the program's side of files. */
#include "engine/files_state.h"

#include "engine/engine.h"
#include "engine/io/entropy.h"
#include "engine/io/wake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES_MAX 100000
/* Numbers of transfers that the core has made; those of our own files are below. */
#define RECEIVED_BASE 0x40000000u

static enum tandem_status status_of(enum tdm_err err)
{
    return err == TDM_OK ? TANDEM_OK : err == TDM_E_SYSTEM ? TANDEM_FAILED : TANDEM_INVALID;
}

/* The disk's thread: whoever owns the core now shall look. */
static void wake(void *arg)
{
    struct tandem_files *f = arg;

    pthread_mutex_lock(&f->lock);
    if (f->seat)
        tdm_rider_wake(f->seat);
    else
        tdm_wake_signal(f->event_fd);
    pthread_mutex_unlock(&f->lock);
}

/* Each rule, ended by ';' or the end. `offer` NULL: only whether all mean something. */
static bool by_rules(const struct tandem_files *f, const struct tdm_file_offerer *offer,
                     struct tdm_cause *cause)
{
    char rule[256];

    for (const char *at = f->rules; at && *at;) {
        size_t size = strcspn(at, ";");

        (void)snprintf(rule, sizeof rule, "%.*s", (int)size, at);
        if (offer && tdm_file_rule_takes(rule, offer))
            return true;
        if (!offer && tdm_file_rule_check(rule, cause) != TDM_OK)
            return false;
        at += size + (at[size] == ';');
    }
    return !offer;
}

enum tandem_status tandem_files_create(const struct tandem_files_config *config,
                                       struct tandem_files **files, struct tandem_cause *cause)
{
    struct tandem_files *f = calloc(1, sizeof *f);
    struct tdm_cause why = {"no memory for files"};
    enum tdm_err err = TDM_E_SYSTEM;

    if (!f)
        return TANDEM_FAILED;
    (void)pthread_mutex_init(&f->lock, NULL);
    tdm_ring_init(&f->events, f->event_slots, sizeof *f->event_slots, TDM_FILES_EVENTS);
    f->event_fd = tdm_wake_open(&why);
    f->rules = strdup(config->accept ? config->accept : "");
    struct tdm_file_session_config session = {
        .store = {.dir = config->folder ? config->folder : ".",
                  .quota_bytes = config->quota_bytes,
                  .plain = config->plain,
                  .wake = wake,
                  .wake_arg = f},
        .core = {.seed = tdm_entropy_u64(),
                 .size_max = config->size_max,
                 .entries_max = config->entries_max ? config->entries_max : ENTRIES_MAX},
    };

    if (f->event_fd >= 0 && f->rules)
        err = by_rules(f, NULL, &why) ? tdm_file_session_create(&f->session, &session, &why)
                                      : TDM_E_MALFORMED;
    if (err != TDM_OK) {
        if (cause)
            (void)snprintf(cause->text, sizeof cause->text, "%s", why.text);
        tandem_files_destroy(f);
        return status_of(err);
    }
    *files = f;
    return TANDEM_OK;
}

void tandem_files_destroy(struct tandem_files *f)
{
    if (!f)
        return;
    assert(!f->seat);
    if (f->session)
        tdm_file_session_destroy(f->session);
    for (int i = 0; i < TDM_FILES_STREAMS; i++)
        free(f->held[i].bytes);
    if (f->event_fd >= 0)
        (void)close(f->event_fd);
    (void)pthread_mutex_destroy(&f->lock);
    free(f->rules);
    free(f);
}

static struct tdm_sent *sent_by_number(struct tandem_files *f, uint32_t number)
{
    for (int i = 0; number && i < TDM_FILES_SENT; i++)
        if (f->sent[i].number == number)
            return &f->sent[i];
    return NULL;
}

static struct tdm_sent *sent_by_transfer(struct tandem_files *f, uint32_t transfer)
{
    for (int i = 0; i < TDM_FILES_SENT; i++)
        if (f->sent[i].number && f->sent[i].transfer == transfer)
            return &f->sent[i];
    return NULL;
}

static uint32_t transfer_of(struct tandem_files *f, uint32_t number)
{
    struct tdm_sent *sent = sent_by_number(f, number);

    return sent ? sent->transfer : number > RECEIVED_BASE ? number - RECEIVED_BASE : 0;
}

enum tandem_status tandem_files_send(struct tandem_files *f, const char *path, uint32_t *number,
                                     struct tandem_cause *cause)
{
    enum tandem_status status = TANDEM_AGAIN;
    const char *slash = strrchr(path, '/');

    pthread_mutex_lock(&f->lock);
    for (int i = 0; status != TANDEM_OK && i < TDM_FILES_SENT; i++) {
        struct tdm_sent *sent = &f->sent[i];

        if ((sent->number && !sent->over) ||
            tdm_file_session_add(f->session, f->last_number + 1, path) != TDM_OK)
            continue;
        *sent = (struct tdm_sent){.number = ++f->last_number};
        tdm_file_name_clean(sent->name, slash && slash[1] ? slash + 1 : path,
                            strlen(slash && slash[1] ? slash + 1 : path));
        *number = sent->number;
        status = TANDEM_OK;
    }
    pthread_mutex_unlock(&f->lock);
    if (status != TANDEM_OK && cause)
        (void)snprintf(cause->text, sizeof cause->text, "%s waits: too many files are sent at once",
                       path);
    return status;
}

static enum tandem_status wish(struct tandem_files *f, enum tdm_files_input what, uint32_t number)
{
    pthread_mutex_lock(&f->lock);
    uint32_t transfer = transfer_of(f, number);

    if (transfer) {
        tdm_file_session_wish(f->session, what, transfer);
        if (f->seat)
            tdm_rider_wake(f->seat);
        else
            tdm_files_turn(f);
    }
    pthread_mutex_unlock(&f->lock);
    return transfer ? TANDEM_OK : TANDEM_INVALID;
}

enum tandem_status tandem_files_accept(struct tandem_files *f, uint32_t number)
{
    return wish(f, TDM_FILES_ACCEPT, number);
}

enum tandem_status tandem_files_refuse(struct tandem_files *f, uint32_t number)
{
    return wish(f, TDM_FILES_REFUSE, number);
}

enum tandem_status tandem_files_pause(struct tandem_files *f, uint32_t number, bool on)
{
    return wish(f, on ? TDM_FILES_PAUSE : TDM_FILES_RESUME, number);
}

enum tandem_status tandem_files_cancel(struct tandem_files *f, uint32_t number)
{
    return wish(f, TDM_FILES_CANCEL, number);
}

static void explain(const struct tdm_file_session_event *e, char *text, size_t room)
{
    if (e->cause.text[0])
        (void)snprintf(text, room, "%s", e->cause.text);
    else if (e->kind == TDM_FILE_SESSION_ENDED)
        (void)snprintf(text, room, "%s", tdm_file_end_name(e->end));
    else if (e->kind == TDM_FILE_SESSION_PAUSED)
        (void)snprintf(text, room, "%s",
                       e->pause == TDM_FILE_PAUSE_DISK_FULL
                           ? (e->by_peer ? "the receiver's disk is full"
                                         : "the disk is full: make room, then go on")
                       : e->by_peer ? "paused by the other side"
                                    : "paused");
}

void tdm_files_heard(struct tandem_files *f, const struct tdm_file_session_event *e)
{
    static const enum tandem_file_event_kind event_kinds[] = {
        [TDM_FILE_SESSION_OFFERED] = TANDEM_FILE_OFFERED,
        [TDM_FILE_SESSION_ADDED] = TANDEM_FILE_HASHED,
        [TDM_FILE_SESSION_ACCEPTED] = TANDEM_FILE_ACCEPTED,
        [TDM_FILE_SESSION_PAUSED] = TANDEM_FILE_PAUSED,
        [TDM_FILE_SESSION_RESUMED] = TANDEM_FILE_RESUMED,
        [TDM_FILE_SESSION_ENDED] = TANDEM_FILE_ENDED,
        [TDM_FILE_SESSION_NO_FILE] = TANDEM_FILE_ENDED,
    };
    struct tdm_file_offerer offer = {.address = f->peer, .desc = &e->desc};
    struct tdm_sent *sent =
        e->ticket ? sent_by_number(f, e->ticket) : sent_by_transfer(f, e->transfer);
    struct tandem_file_event event = {
        .kind = event_kinds[e->kind],
        .number = e->sending ? (sent ? sent->number : 0) : RECEIVED_BASE + e->transfer,
        .sending = e->sending,
        .done = e->kind == TDM_FILE_SESSION_ENDED && e->end == TDM_FILE_END_DONE};

    if (e->sending && sent) {
        sent->transfer = e->transfer;
        sent->over = event.kind == TANDEM_FILE_ENDED;
    }
    (void)snprintf(event.name, sizeof event.name, "%s",
                   e->name[0]        ? e->name
                   : e->desc.name[0] ? e->desc.name
                   : sent            ? sent->name
                                     : "");
    explain(e, event.text, sizeof event.text);
    if (e->kind == TDM_FILE_SESSION_OFFERED && by_rules(f, &offer, NULL)) {
        event.taken = true;
        tdm_file_session_wish(f->session, TDM_FILES_ACCEPT, e->transfer);
    }
    (void)tdm_ring_push(&f->events, &event);
    tdm_wake_signal(f->event_fd);
}

int tandem_files_event_fd(struct tandem_files *f)
{
    return f->event_fd;
}

enum tandem_status tandem_files_next_event(struct tandem_files *f, struct tandem_file_event *event)
{
    pthread_mutex_lock(&f->lock);
    if (!f->seat)
        tdm_files_turn(f);
    enum tdm_err err = tdm_ring_pop(&f->events, event);

    if (err != TDM_OK)
        tdm_wake_clear(f->event_fd);
    pthread_mutex_unlock(&f->lock);
    return err == TDM_OK ? TANDEM_OK : TANDEM_AGAIN;
}

static void describe(struct tandem_file_info *info, const struct tdm_files_progress *p)
{
    const struct tdm_file_desc *d = p->desc;

    *info = (struct tandem_file_info){
        .state = p->state == TDM_FILES_ENDED         ? TANDEM_FILE_OVER
                 : p->paused_here || p->paused_there ? TANDEM_FILE_STOPPED
                 : p->state == TDM_FILES_OFFERED     ? TANDEM_FILE_WAITING
                                                     : TANDEM_FILE_RUNNING,
        .sending = p->sending,
        .linked = p->linked,
        .folder = d->manifest_bytes > 0,
        .renamed = d->renamed,
        .program = tdm_file_name_is_program(d->name),
        .entries = d->entries,
        .size = d->size,
        .done_bytes = p->done_bytes,
        .resumed_bytes = p->resumed_bytes,
        .wire_bytes = p->wire_bytes,
        .wrong_blocks = p->wrong_blocks,
        .date_s = d->date_s,
    };
    (void)snprintf(info->name, sizeof info->name, "%s", d->name);
    (void)snprintf(info->type, sizeof info->type, "%s", d->type);
    for (size_t i = 0; i < sizeof d->root; i++)
        (void)snprintf(info->hash + 2 * i, 3, "%02x", d->root[i]);
}

enum tandem_status tandem_files_info(struct tandem_files *f, uint32_t number,
                                     struct tandem_file_info *info)
{
    struct tdm_files_progress progress;

    pthread_mutex_lock(&f->lock);
    struct tdm_sent *sent = sent_by_number(f, number);
    uint32_t transfer = transfer_of(f, number);
    bool known = transfer && tdm_file_session_progress(f->session, transfer, &progress);

    if (known) {
        describe(info, &progress);
    } else if (sent) {
        *info = (struct tandem_file_info){
            .sending = true, .state = sent->over ? TANDEM_FILE_OVER : TANDEM_FILE_HASHING};
        (void)snprintf(info->name, sizeof info->name, "%s", sent->name);
        if (!sent->over)
            tdm_file_session_hashing(f->session, &info->done_bytes, &info->size);
    }
    pthread_mutex_unlock(&f->lock);
    return known || sent ? TANDEM_OK : TANDEM_INVALID;
}
