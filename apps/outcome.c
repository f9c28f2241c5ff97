/* SPDX-License-Identifier: MIT */
#include "apps/outcome.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void print_json_text(const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text >= 0x20)
            putchar(*text);
    }
}

void outcome_print_json(const char *peer, enum exit_code code, const char *reason,
                        const char *call_report)
{
    printf("{\"peer\": \"");
    print_json_text(peer);
    printf("\", \"exit\": %d, \"reason\": \"", (int)code);
    print_json_text(reason);
    printf("\", \"report\": %s}\n", call_report ? call_report : "null");
}

static bool can_write(const char *path)
{
    bool was_there = path && access(path, F_OK) == 0;
    FILE *file = path ? fopen(path, "a") : NULL;

    if (file)
        (void)fclose(file);
    if (file && !was_there)
        (void)unlink(path);
    return !path || file;
}

const char *outcome_unwritable(const struct options *o)
{
    const char *const paths[] = {o->report, o->trace, o->snapshot};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (!can_write(paths[i]))
            return paths[i];
    return NULL;
}

int outcome_give_up(const struct options *o, const char *verb, enum exit_code code,
                    const char *reason)
{
    fprintf(stderr, "tandem %s: %s\n", verb, reason);
    if (o->json)
        outcome_print_json(o->to ? o->to : "", code, reason, NULL);
    return (int)code;
}

int outcome_give_up_path(const struct options *o, const char *verb, const char *path)
{
    char text[400];

    (void)snprintf(text, sizeof text,
                   "cannot write %.300s (%s): name a file in a folder that is there and yours",
                   path, strerrordesc_np(errno));
    return outcome_give_up(o, verb, EXIT_FAILED, text);
}
