/* SPDX-License-Identifier: MIT */
#include "apps/talk_share.h"

#include "apps/share_options.h"

#include <string.h>

#define CONTROL (TANDEM_SHARE_POINTER | TANDEM_SHARE_KEYBOARD)

enum tandem_status talk_share_open(struct talk_share *s, struct options *o,
                                   struct terminal *terminal, struct tandem_cause *cause)
{
    const struct tandem_share_offer offer = {.what = o->share, .unasked_view = true};
    enum tandem_status status;

    *s = (struct talk_share){.terminal = terminal, .o = o};
    if (!o->share && !o->assist)
        return TANDEM_OK;
    status = tandem_share_create(NULL, &s->share, cause);
    share_tell_choice(o->share);
    if (status == TANDEM_OK && o->share)
        status = tandem_share_give(s->share, &offer, cause);
    if (status != TANDEM_OK) {
        talk_share_close(s);
        return status;
    }
    o->media.channel = true;
    o->media.share = s->share;
    return TANDEM_OK;
}

void talk_share_close(struct talk_share *s)
{
    tandem_share_destroy(s->share);
    s->share = NULL;
}

int talk_share_fd(const struct talk_share *s)
{
    return s->share ? tandem_share_event_fd(s->share) : -1;
}

static void ask(struct talk_share *s, const struct tandem_share_event *e)
{
    char line[800], scopes[160];

    if (!s->terminal->keys) {
        (void)tandem_share_answer(s->share, s->allowed, 0, NULL);
        terminal_print(s->terminal, "control was asked for and refused: nobody can be asked here");
        return;
    }
    s->asked = e->scopes;
    terminal_forget_keys(s->terminal);
    (void)snprintf(line, sizeof line, "the other side asks for: %s. %s; y allows it, n refuses it",
                   share_scopes_text(e->scopes, scopes, sizeof scopes), e->text);
    terminal_print(s->terminal, line);
}

static void take_event(struct talk_share *s, const struct tandem_share_event *e)
{
    struct tandem_cause cause = {""};
    char line[800] = "", scopes[160];

    switch (e->kind) {
    case TANDEM_SHARE_ASKED:
        ask(s, e);
        return;
    case TANDEM_SHARE_ALLOWED:
    case TANDEM_SHARE_REVOKED:
        s->asked = 0;
        s->allowed = e->scopes;
        (void)snprintf(line, sizeof line, "screen: allowed now: %s; %s",
                       share_scopes_text(e->scopes, scopes, sizeof scopes), e->text);
        break;
    case TANDEM_SHARE_SHOWN:
        if (s->o->assist && tandem_share_open_window(s->share, "Tandem", &cause) != TANDEM_OK)
            (void)snprintf(line, sizeof line, "the screen cannot be shown: %s", cause.text);
        break;
    case TANDEM_SHARE_HIDDEN:
    case TANDEM_SHARE_CLOSED:
        tandem_share_close_window(s->share);
        (void)snprintf(line, sizeof line, "screen: %s", e->text);
        break;
    case TANDEM_SHARE_NOTICE:
    case TANDEM_SHARE_REFUSED:
        (void)snprintf(line, sizeof line, "screen: %s", e->text);
        break;
    default:
        break;
    }
    if (*line)
        terminal_print(s->terminal, line);
}

void talk_share_run(struct talk_share *s)
{
    struct tandem_share_event event;

    while (s->share && tandem_share_next_event(s->share, &event) == TANDEM_OK)
        take_event(s, &event);
}

bool talk_share_answer(struct talk_share *s, bool yes)
{
    unsigned asked = s->asked;

    if (!asked)
        return false;
    s->asked = yes ? asked : 0; /* A yes may come too early to count. */
    (void)tandem_share_answer(s->share, yes ? s->allowed | asked : s->allowed, 0, NULL);
    return true;
}

void talk_share_control(struct talk_share *s)
{
    if (!s->share)
        return;
    if (s->o->share)
        (void)tandem_share_answer(s->share, s->allowed & ~(unsigned)CONTROL, 0, NULL);
    else
        (void)tandem_share_ask(s->share, TANDEM_SHARE_VIEW | CONTROL);
}
