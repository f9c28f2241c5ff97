/* SPDX-License-Identifier: MIT */
#include "engine/directory.h"

#include "collab/chat_wire.h"
#include "engine/account.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* --- The question ----------------------------------------------------------------------------- */

struct search {
    uint32_t account;
    const char *words;
    enum tdm_err err;
    struct tdm_cause cause;
};

static void search(struct tandem *engine, void *arg)
{
    struct search *s = arg;
    const struct tdm_engine_account *account = tdm_engine_account_find(engine, s->account);
    struct tdm_sig_body body = {"text/plain", s->words, strlen(s->words)};
    char uri[TDM_SIG_ADDRESS_MAX];

    if (!account) {
        s->err = tdm_fail(&s->cause, TDM_E_MALFORMED, "there is no such account");
        return;
    }
    (void)snprintf(uri, sizeof uri, "sip:directory@%.200s", account->domain);
    engine->directory.count = 0;
    s->err = engine->sig_ops->options(engine->sig, account->id, uri, &body,
                                      &engine->directory.asked, &s->cause);
}

enum tandem_status tandem_directory_search(struct tandem *engine, uint32_t account,
                                           const char *words, struct tandem_cause *cause)
{
    struct search s = {.account = account, .words = words};

    tdm_engine_request(engine, search, &s);
    return tdm_account_finish(s.err, &s.cause, cause);
}

/* --- The answer ------------------------------------------------------------------------------- */

/* What a server says is shown on a terminal: in one line, and without its control characters. */
static void take_text(char *to, size_t capacity, const json_t *text)
{
    size_t size = tdm_chat_clean(text ? json_string_value(text) : "",
                                 text ? json_string_length(text) : 0, to, capacity - 1);

    to[size] = '\0';
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)to[i] < ' ')
            to[i] = ' ';
}

static bool take_people(struct tdm_directory *d, const struct tdm_sig_event *event)
{
    json_t *list = json_loadb((const char *)event->body, event->body_size, 0, NULL);
    bool good = json_is_array(list);
    size_t i;
    json_t *row;

    json_array_foreach(list, i, row)
    {
        json_t *user = json_object_get(row, "user"), *name = json_object_get(row, "name");
        struct tandem_directory_person *person = &d->people[d->count];

        if (d->count == TANDEM_DIRECTORY_MAX || !json_is_string(user))
            continue;
        take_text(person->user, sizeof person->user, user);
        take_text(person->name, sizeof person->name, json_is_string(name) ? name : NULL);
        person->registered = json_is_true(json_object_get(row, "registered"));
        d->count++;
    }
    json_decref(list);
    return good;
}

bool tdm_directory_take(struct tandem *engine, const struct tdm_sig_event *event)
{
    struct tdm_directory *d = &engine->directory;

    if (!d->asked || event->id != d->asked ||
        (event->kind != TDM_SIG_OPTIONS_ANSWERED && event->kind != TDM_SIG_FAILED))
        return false;
    d->asked = 0;
    if (event->kind == TDM_SIG_FAILED)
        tdm_engine_tell(engine, NULL, TANDEM_EVENT_DIRECTORY, -1, "%s", event->reason);
    else if (event->code / 100 == 2 && take_people(d, event))
        tdm_engine_tell(engine, NULL, TANDEM_EVENT_DIRECTORY, (int)d->count, "%s", "");
    else
        tdm_engine_tell(engine, NULL, TANDEM_EVENT_DIRECTORY, -1,
                        "this server has no directory (it says %d)", event->code);
    return true;
}

struct listing {
    struct tandem_directory_person *people;
    size_t capacity, count;
};

static void list(struct tandem *engine, void *arg)
{
    struct listing *l = arg;

    l->count = engine->directory.count;
    for (size_t i = 0; i < l->count && i < l->capacity; i++)
        l->people[i] = engine->directory.people[i];
}

size_t tandem_directory_list(struct tandem *engine, struct tandem_directory_person *people,
                             size_t capacity)
{
    struct listing l = {.people = people, .capacity = people ? capacity : 0};

    tdm_engine_request(engine, list, &l);
    return l.count;
}
