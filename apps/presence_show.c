/* SPDX-License-Identifier: MIT */
#include "apps/presence_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define RED    "\033[31m"
#define GREY   "\033[90m"
#define PLAIN  "\033[0m"

/* With the date when it is not of today. */
static void clock_text(int64_t unix_s, char *text, size_t capacity)
{
    time_t seconds = (time_t)unix_s, now = time(NULL);
    struct tm then, today;

    if (!localtime_r(&seconds, &then) || !localtime_r(&now, &today) ||
        strftime(text, capacity,
                 then.tm_year == today.tm_year && then.tm_yday == today.tm_yday ? "%H:%M"
                                                                                : "%Y-%m-%d %H:%M",
                 &then) == 0)
        (void)snprintf(text, capacity, "--:--");
}

static const char *colour_of(const struct tandem_presence_event *e)
{
    if (!e->known || !e->open)
        return GREY;
    if (strcmp(e->state, "available") == 0 || strcmp(e->state, "working") == 0)
        return GREEN;
    if (strcmp(e->state, "busy") == 0 || strcmp(e->state, "on-the-phone") == 0 ||
        strcmp(e->state, "meeting") == 0)
        return RED;
    return YELLOW;
}

/* What others wrote, on one line and without controls. */
static void put_text(FILE *to, const char *text)
{
    for (; *text; text++)
        fputc((unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text, to);
}

char *presence_show_line(const struct tandem_presence_event *e, bool colour)
{
    char *line = NULL, when[32];
    size_t size = 0;
    FILE *to = open_memstream(&line, &size);

    if (!to)
        return NULL;
    put_text(to, e->who);
    fprintf(to, "%*s  %s%s%s", (int)(strlen(e->who) < 24 ? 24 - strlen(e->who) : 0), "",
            colour ? colour_of(e) : "", e->state, colour ? PLAIN : "");
    if (e->since_s) {
        clock_text(e->since_s, when, sizeof when);
        fprintf(to, " since %s", when);
    }
    if (e->until_s) {
        clock_text(e->until_s, when, sizeof when);
        fprintf(to, " until %s", when);
    }
    if (e->devices > 1)
        fprintf(to, " (%u of %u devices)", e->open_devices, e->devices);
    if (e->note[0] || e->text[0]) {
        fputs(": ", to);
        put_text(to, e->note[0] ? e->note : e->text);
    }
    (void)fclose(to);
    return line;
}

json_t *presence_show_object(const struct tandem_presence_event *e)
{
    static const char *const kinds[] = {[TANDEM_PRESENCE_CHANGED] = "presence",
                                        [TANDEM_PRESENCE_ASKED] = "asked",
                                        [TANDEM_PRESENCE_OWN] = "own"};

    if (e->kind == TANDEM_PRESENCE_ASKED)
        return json_pack("{s:s, s:s}", "event", "asked", "who", e->who);
    return json_pack("{s:s, s:s, s:s, s:b, s:b, s:s, s:I, s:I, s:i, s:i, s:s}", "event",
                     kinds[e->kind], "who", e->who, "state", e->state, "known", e->known, "open",
                     e->open, "note", e->note, "since", (json_int_t)e->since_s, "until",
                     (json_int_t)e->until_s, "devices", (int)e->devices, "open_devices",
                     (int)e->open_devices, "reason", e->text);
}

int64_t presence_show_time_of(const char *text)
{
    static const char *const formats[] = {"%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"};
    time_t now = time(NULL);
    char *end;
    long number = strtol(text, &end, 10);

    if (number > 0 && number < 10000 && end > text && strchr("mhd", *end) && *end && !end[1])
        return now + number * (*end == 'm' ? 60 : *end == 'h' ? 3600 : 86400);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct tm then;
        const char *rest;

        if (!localtime_r(&now, &then))
            return 0;
        then.tm_sec = 0;
        rest = strptime(text, formats[i], &then);
        if (!rest || *rest)
            continue;
        then.tm_isdst = -1;
        time_t at = mktime(&then);

        if (i == 0 && at <= now) { /* That time tomorrow. */
            then.tm_mday++;
            then.tm_isdst = -1;
            at = mktime(&then);
        }
        return at > now ? (int64_t)at : 0;
    }
    return 0;
}
