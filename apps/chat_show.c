/* SPDX-License-Identifier: MIT */
#include "apps/chat_show.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SET_IN "         "

/* With the date when it is not of today. */
static void clock_text(int64_t ms, char *text, size_t capacity)
{
    time_t seconds = (time_t)(ms / 1000), now = time(NULL);
    struct tm then, today;

    if (!localtime_r(&seconds, &then) || !localtime_r(&now, &today) ||
        strftime(text, capacity,
                 then.tm_year == today.tm_year && then.tm_yday == today.tm_yday ? "%H:%M"
                                                                                : "%Y-%m-%d %H:%M",
                 &then) == 0)
        (void)snprintf(text, capacity, "--:--");
}

char *chat_show_text(int64_t sent_ms, const char *name, const char *mark, const char *text,
                     bool cut)
{
    char when[32], *shown = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&shown, &size);

    if (!to)
        return NULL;
    clock_text(sent_ms, when, sizeof when);
    fprintf(to, "%s  %s%s: ", when, name, mark);
    for (; *text; text++) {
        fputc(*text, to);
        if (*text == '\n')
            fputs(SET_IN, to);
    }
    if (cut)
        fputs("... (all of it: tandem chat --history)", to);
    (void)fclose(to);
    return shown;
}

static const char *text_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));

    return text ? text : "";
}

void chat_show_history(const char *json)
{
    json_t *list = json_loads(json, 0, NULL);
    const json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry)
    {
        const char *state = text_of(entry, "state");
        bool ours = strcmp(state, "received") != 0;
        char name[200], mark[40];

        (void)snprintf(name, sizeof name, "%s%s", ours ? "to " : "", text_of(entry, "who"));
        (void)snprintf(mark, sizeof mark, "%s%s%s%s", ours ? " (" : "", ours ? state : "",
                       ours ? ")" : "",
                       json_is_true(json_object_get(entry, "edited")) ? " (changed)" : "");
        char *line = chat_show_text(json_integer_value(json_object_get(entry, "sent_ms")), name,
                                    mark, text_of(entry, "text"), false);

        if (line)
            puts(line);
        free(line);
    }
    json_decref(list);
}

json_t *chat_show_event(const struct tandem_chat_event *e)
{
    static const char *const names[] = {
        [TANDEM_CHAT_LINKED] = "session", [TANDEM_CHAT_RECEIVED] = "received",
        [TANDEM_CHAT_EDITED] = "edited",  [TANDEM_CHAT_DELIVERED] = "delivered",
        [TANDEM_CHAT_WAS_READ] = "read",  [TANDEM_CHAT_FAILED] = "failed",
        [TANDEM_CHAT_TYPING] = "typing",  [TANDEM_CHAT_STORED] = "stored",
    };
    json_t *object =
        json_pack("{s:s, s:s, s:s}", "event", names[e->kind], "who", e->who, "address", e->address);

    if (e->kind == TANDEM_CHAT_LINKED || e->kind == TANDEM_CHAT_TYPING)
        (void)json_object_set_new(object, "on", json_boolean(e->on));
    else
        (void)json_object_set_new(object, "id", json_integer((json_int_t)e->id));
    if (e->kind == TANDEM_CHAT_RECEIVED || e->kind == TANDEM_CHAT_EDITED) {
        (void)json_object_set_new(object, "sent_ms", json_integer(e->sent_ms));
        (void)json_object_set_new(object, "text", json_string(e->text));
        (void)json_object_set_new(object, "cut", json_boolean(e->cut));
    } else if (e->kind == TANDEM_CHAT_FAILED) {
        (void)json_object_set_new(object, "reason", json_string(e->text));
    }
    return object;
}

void chat_show_object(json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    (void)fflush(stdout);
    json_decref(object);
}
