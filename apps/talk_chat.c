/* SPDX-License-Identifier: MIT */
#include "apps/talk_chat.h"

#include "apps/chat_show.h"
#include "apps/folders.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SHOWN 70 /* Characters of the line that is being typed. */

void talk_chat_open(struct talk_chat *c, struct options *o, struct terminal *terminal)
{
    struct tandem_cause cause = {""};

    *c = (struct talk_chat){0};
    if (!folders_data("chat.db", c->kept, sizeof c->kept))
        c->kept[0] = '\0';
    if (tandem_chat_create(&(struct tandem_chat_config){c->kept[0] ? c->kept : NULL}, &c->chat,
                           &cause) != TANDEM_OK) {
        terminal_print(terminal, cause.text);
        c->chat = NULL;
    }
    o->engine.chat = c->chat;
    o->media.chat = c->chat;
}

void talk_chat_close(struct talk_chat *c)
{
    tandem_chat_destroy(c->chat);
    line_free(&c->line);
    c->chat = NULL;
}

int talk_chat_fd(const struct talk_chat *c)
{
    return c->chat ? tandem_chat_event_fd(c->chat) : -1;
}

static void show(struct terminal *terminal, const char *mark, const struct tandem_chat_event *e)
{
    char *line = chat_show_text(e->sent_ms, e->who, mark, e->text, e->cut);

    if (line)
        terminal_print(terminal, line);
    free(line);
}

void talk_chat_run(struct talk_chat *c, struct terminal *terminal)
{
    struct tandem_chat_event e;
    char line[1200];

    while (c->chat && tandem_chat_next_event(c->chat, &e) == TANDEM_OK) {
        switch (e.kind) {
        case TANDEM_CHAT_RECEIVED:
            show(terminal, "", &e);
            if (terminal->keys)
                tandem_chat_read(c->chat, e.id);
            break;
        case TANDEM_CHAT_EDITED:
            show(terminal, " (changed)", &e);
            break;
        case TANDEM_CHAT_FAILED:
            (void)snprintf(line, sizeof line, "not delivered: %s", e.text);
            terminal_print(terminal, line);
            break;
        default:
            break;
        }
    }
}

static void show_line(const struct talk_chat *c, struct terminal *terminal)
{
    char text[6 * SHOWN];

    (void)snprintf(text, sizeof text, "say: %s", line_tail(&c->line, SHOWN));
    terminal_line(terminal, text);
}

static void say_it(struct talk_chat *c, struct terminal *terminal, struct tandem *engine,
                   const char *to)
{
    struct tandem_cause cause = {""};
    char *line = chat_show_text(time(NULL) * 1000, "me", "", line_text(&c->line), false);

    if (line)
        terminal_print(terminal, line);
    free(line);
    if (tandem_chat_say(c->chat, engine, to, line_text(&c->line), NULL, &cause) != TANDEM_OK)
        terminal_print(terminal, cause.text);
}

void talk_chat_key(struct talk_chat *c, struct terminal *terminal, struct tandem *engine,
                   const char *to, int key)
{
    enum line_state state = line_key(&c->line, (unsigned char)key);

    if (state == LINE_WHOLE || state == LINE_END) {
        if (c->line.size)
            say_it(c, terminal, engine, to);
        line_clear(&c->line);
        c->typing = false;
        return;
    }
    if (state == LINE_CHANGED)
        show_line(c, terminal);
}
