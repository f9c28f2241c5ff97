/* SPDX-License-Identifier: MIT */
#include "apps/talk_files.h"

#include "apps/folders.h"
#include "apps/progress.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum tandem_status talk_files_open(struct talk_files *f, struct options *o,
                                   struct terminal *terminal, struct tandem_cause *cause)
{
    struct tandem_files_config config = {.folder = o->get, .accept = o->rules[0] ? o->rules : NULL};
    uint32_t number;

    *f = (struct talk_files){.terminal = terminal, .receiving = o->get != NULL};
    if (!o->send_count && !o->get)
        return TANDEM_OK;
    enum tandem_status status = tandem_files_create(&config, &f->files, cause);

    if (status == TANDEM_OK && o->get && !folders_writable(o->get)) {
        (void)snprintf(cause->text, sizeof cause->text,
                       "cannot write to %.150s (%s): name another folder with --get", o->get,
                       strerrordesc_np(errno));
        status = TANDEM_INVALID;
    }

    for (int i = 0; i < o->send_count && status == TANDEM_OK; i++) {
        if (access(o->send[i], R_OK) != 0) {
            (void)snprintf(cause->text, sizeof cause->text, "%.200s: %s", o->send[i],
                           strerrordesc_np(errno));
            status = TANDEM_INVALID;
            break;
        }
        status = tandem_files_send(f->files, o->send[i], &number, cause);
    }
    if (status != TANDEM_OK) {
        talk_files_close(f);
        return status;
    }
    f->open_count = o->send_count;
    o->media.channel = true;
    o->media.files = f->files;
    return TANDEM_OK;
}

void talk_files_close(struct talk_files *f)
{
    tandem_files_destroy(f->files);
    f->files = NULL;
}

int talk_files_fd(const struct talk_files *f)
{
    return f->files ? tandem_files_event_fd(f->files) : -1;
}

static void refuse(struct talk_files *f, const struct tandem_file_event *e, const char *why)
{
    char line[400];

    (void)tandem_files_refuse(f->files, e->number);
    (void)snprintf(line, sizeof line, "%.200s is refused: %s", e->name, why);
    terminal_print(f->terminal, line);
}

static void offered(struct talk_files *f, const struct tandem_file_event *e)
{
    struct tandem_file_info info = {.size = 0};
    char line[700], size[24];

    (void)tandem_files_info(f->files, e->number, &info);
    if (!f->receiving) {
        refuse(f, e, "there is no --get DIR");
        return;
    }
    if (!e->taken && (!f->terminal->keys || f->offer_count == TALK_OFFERS_MAX)) {
        refuse(f, e, "nobody can be asked here; see --auto-accept");
        return;
    }
    (void)snprintf(line, sizeof line, "offered: %.255s (%s, %.60s)%s%s; %s", e->name,
                   progress_size(size, sizeof size, info.size), info.type,
                   info.renamed ? ", whose name was not safe and has been changed" : "",
                   info.program ? ", A PROGRAM: opening it starts it" : "",
                   e->taken ? "taken by rule" : "press y to take it, n to refuse it");
    if (!e->taken && f->offer_count == 0)
        terminal_forget_keys(f->terminal);
    terminal_print(f->terminal, line);
    if (!e->taken)
        f->offers[f->offer_count++] = e->number;
}

static void forget_offer(struct talk_files *f, uint32_t number)
{
    int kept = 0;

    for (int i = 0; i < f->offer_count; i++)
        if (f->offers[i] != number)
            f->offers[kept++] = f->offers[i];
    f->offer_count = kept;
}

static void take_event(struct talk_files *f, const struct tandem_file_event *e)
{
    char line[600];

    switch (e->kind) {
    case TANDEM_FILE_OFFERED:
        offered(f, e);
        return;
    case TANDEM_FILE_HASHED:
    case TANDEM_FILE_PAUSED:
        if (!e->text[0])
            return;
        (void)snprintf(line, sizeof line, "%.255s: %.255s", e->name, e->text);
        break;
    case TANDEM_FILE_ENDED:
        forget_offer(f, e->number);
        f->open_count -= e->sending;
        (void)snprintf(line, sizeof line, "%.255s: %.255s", e->name,
                       !e->done     ? e->text
                       : e->sending ? "sent and verified there"
                                    : "received and verified");
        break;
    default:
        return;
    }
    terminal_print(f->terminal, line);
}

void talk_files_run(struct talk_files *f)
{
    struct tandem_file_event event;

    while (f->files && tandem_files_next_event(f->files, &event) == TANDEM_OK)
        take_event(f, &event);
}

bool talk_files_answer(struct talk_files *f, bool yes)
{
    if (f->offer_count == 0)
        return false;
    uint32_t number = f->offers[0];

    forget_offer(f, number);
    if (yes)
        (void)tandem_files_accept(f->files, number);
    else
        (void)tandem_files_refuse(f->files, number);
    return true;
}

void talk_files_ended(struct talk_files *f)
{
    char line[160];

    talk_files_run(f);
    if (f->open_count <= 0)
        return;
    (void)snprintf(line, sizeof line,
                   "%d of the files are not there whole; the next call, or tandem send, goes on",
                   f->open_count);
    terminal_print(f->terminal, line);
}
