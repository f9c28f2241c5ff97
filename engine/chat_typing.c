/* SPDX-License-Identifier: MIT */
/* Who types, where texts go as SIP messages (RFC 3994). */
#include "engine/account.h"
#include "engine/chat_state.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <stdio.h>
#include <string.h>

/* --- They ------------------------------------------------------------------------------------- */

static void tell(struct tandem_chat *chat, const struct tdm_chat_typer *typer, bool on)
{
    struct tandem_chat_event event = {.kind = TANDEM_CHAT_TYPING, .on = on};

    (void)snprintf(event.who, sizeof event.who, "%s", typer->who);
    (void)snprintf(event.address, sizeof event.address, "%s", typer->address);
    tdm_chat_tell(chat, &event, NULL);
}

void tdm_chat_typed_there(struct tandem_chat *chat, const char *who, const char *address,
                          tdm_time until)
{
    struct tdm_chat_typer *typer = NULL;

    for (int i = 0; i < TDM_CHAT_TYPERS; i++) {
        struct tdm_chat_typer *at = &chat->typers[i];

        if (at->until && strcmp(at->who, who) == 0) {
            if (!until)
                tell(chat, at, false);
            at->until = until;
            return;
        }
        if (!at->until)
            typer = at;
    }
    if (!typer || !until)
        return;
    typer->until = until;
    (void)snprintf(typer->who, sizeof typer->who, "%s", who);
    (void)snprintf(typer->address, sizeof typer->address, "%s", address);
    tell(chat, typer, true);
}

static tdm_time forget_typers(struct tandem_chat *chat, tdm_time now)
{
    tdm_time wake = TDM_NEVER;

    for (int i = 0; i < TDM_CHAT_TYPERS; i++) {
        struct tdm_chat_typer *typer = &chat->typers[i];

        if (typer->until && typer->until <= now) {
            typer->until = 0;
            tell(chat, typer, false);
        } else if (typer->until) {
            wake = tdm_time_min(wake, typer->until);
        }
    }
    return wake;
}

/* --- We --------------------------------------------------------------------------------------- */

/* Control thread; the lock is held. */
static void say(struct tandem_chat *chat, struct tandem *engine)
{
    struct tdm_composing c = {.active = chat->composing.active, .refresh_s = TDM_COMPOSING_REFRESH};
    struct tdm_engine_way way;
    char xml[512];
    size_t size;

    if (chat->composing_refused || tdm_engine_open_sig(engine, NULL) != TDM_OK ||
        tdm_composing_write(&c, xml, sizeof xml, &size) != TDM_OK ||
        tdm_engine_find_way(engine, chat->composing_to, &way, NULL) != TDM_OK)
        return;
    (void)engine->sig_ops->message(engine->sig, way.account, way.to,
                                   &(struct tdm_sig_body){TDM_COMPOSING_TYPE, xml, size},
                                   &chat->composing_sig, NULL);
}

bool tdm_chat_composing_done(struct tandem_chat *chat, const struct tdm_sig_event *event)
{
    if (!event->id || event->id != chat->composing_sig)
        return false;
    chat->composing_sig = 0;
    /* Who knows nothing of it, or is not there, is not told again. */
    chat->composing_refused |= event->kind == TDM_SIG_FAILED || event->code >= 300;
    return true;
}

struct typed {
    struct tandem_chat *chat;
    const char *to;
    bool on;
};

static void typed(struct tandem *engine, void *arg)
{
    const struct typed *t = arg;
    struct tandem_chat *chat = t->chat;

    pthread_mutex_lock(&chat->lock);
    if (strcmp(chat->composing_to, t->to) != 0) {
        chat->composing = (struct tdm_composing_out){.active = false};
        chat->composing_refused = false;
        (void)snprintf(chat->composing_to, sizeof chat->composing_to, "%s", t->to);
    }
    if (tdm_composing_typed(&chat->composing, tdm_clock_now(), t->on))
        say(chat, engine);
    pthread_mutex_unlock(&chat->lock);
}

void tandem_chat_typing_to(struct tandem_chat *chat, struct tandem *engine, const char *to, bool on)
{
    struct typed t = {.chat = chat, .to = to, .on = on};
    bool here;

    pthread_mutex_lock(&chat->lock);
    here = chat->seat && !chat->refused && tdm_chat_is_peer(chat, to);
    pthread_mutex_unlock(&chat->lock);
    if (here)
        tandem_chat_typing(chat, on);
    else
        tdm_engine_request(engine, typed, &t);
}

tdm_time tdm_chat_run(struct tandem_chat *chat, struct tandem *engine, tdm_time now)
{
    tdm_time wake, idle_at;

    pthread_mutex_lock(&chat->lock);
    wake = forget_typers(chat, now);
    if (tdm_composing_step(&chat->composing, now, &idle_at))
        say(chat, engine);
    pthread_mutex_unlock(&chat->lock);
    return tdm_time_min(wake, idle_at);
}
