/* SPDX-License-Identifier: MIT */
#include "apps/contacts_show.h"

#include "apps/account_open.h"
#include "apps/options.h"
#include "apps/presence.h"
#include "apps/presence_show.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define ENTRIES_MAX 1000
#define PATIENCE_S  3.0 /* For who does not answer. */

struct entry {
    struct tandem_contact_entry contact;
    struct tandem_presence_event presence;
    bool watched;
};

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool is_in(const struct tandem_contact_entry *c, const char *group)
{
    for (uint32_t i = 0; group && i < c->group_count; i++)
        if (strcasecmp(c->groups[i], group) == 0)
            return true;
    return !group;
}

static struct entry *read_all(struct tandem_contacts *contacts, const char *group, size_t *count)
{
    struct entry *entries = calloc(ENTRIES_MAX, sizeof *entries);

    *count = 0;
    for (uint32_t i = 0; entries && *count < ENTRIES_MAX; i++) {
        struct entry *e = &entries[*count];

        if (tandem_contacts_at(contacts, i, &e->contact) != TANDEM_OK)
            break;
        *count += is_in(&e->contact, group);
    }
    return entries;
}

/* An account that is being registered, or who cannot be reached now, may still answer. */
static bool is_answer(const struct tandem_presence_event *event)
{
    return event->who[0] && strcmp(event->state, "unknown") != 0;
}

static bool take_events(struct tandem_presence *presence, struct entry *entries, size_t count)
{
    struct tandem_presence_event event;
    bool all = true;

    while (tandem_presence_next_event(presence, &event) == TANDEM_OK)
        for (size_t i = 0; event.kind == TANDEM_PRESENCE_CHANGED && i < count; i++)
            if (strcmp(entries[i].contact.id, event.who) == 0)
                entries[i].presence = event;
    for (size_t i = 0; i < count; i++)
        all &= !entries[i].watched || is_answer(&entries[i].presence);
    return all;
}

/* Asks for all of them at once. */
static void ask(struct tandem_contacts *contacts, struct entry *entries, size_t count)
{
    struct tandem_presence *presence = presence_open("contacts", contacts);
    struct tandem_config config = {.sip_port_may_change = true, .presence = presence};
    struct tandem *engine = NULL;
    struct tandem_cause cause = {""};
    double until = now_s() + PATIENCE_S;
    bool invalid;

    if (!presence || tandem_create(&config, &engine, &cause) != TANDEM_OK) {
        tandem_presence_destroy(presence);
        return;
    }
    (void)account_open_out(engine, NULL, NULL, NULL, &invalid, &cause);
    for (size_t i = 0; i < count; i++)
        entries[i].watched =
            entries[i].contact.address_count && !entries[i].contact.unwatched &&
            tandem_presence_watch(presence, entries[i].contact.id, NULL, NULL) == TANDEM_OK;
    while (!take_events(presence, entries, count) && now_s() < until) {
        struct pollfd fd = {.fd = tandem_presence_event_fd(presence), .events = POLLIN};

        (void)poll(&fd, 1, (int)((until - now_s()) * 1000) + 1);
    }
    tandem_destroy(engine);
    tandem_presence_destroy(presence);
}

static json_t *object_of(const struct entry *e)
{
    static const char *const answers[] = {"ask", "auto", "refuse"};
    static const char *const policies[] = {"ask", "allow", "polite", "block"};
    const struct tandem_contact_entry *c = &e->contact;
    json_t *addresses = json_array(), *groups = json_array(), *object;

    for (uint32_t i = 0; i < c->address_count; i++)
        json_array_append_new(addresses, json_pack("{s:s, s:s}", "uri", c->addresses[i].uri,
                                                   "account", c->addresses[i].account));
    for (uint32_t i = 0; i < c->group_count; i++)
        json_array_append_new(groups, json_string(c->groups[i]));
    object =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:s}", "id", c->id, "name", c->name, "note",
                  c->note, "addresses", addresses, "groups", groups, "answer", answers[c->answer],
                  "presence_policy", c->policy_set ? policies[c->policy] : "allow");
    if (e->presence.who[0])
        (void)json_object_set_new(object, "presence", presence_show_object(&e->presence));
    return object;
}

static void print_entry(const struct entry *e, bool colour)
{
    const struct tandem_contact_entry *c = &e->contact;
    struct tandem_presence_event event = e->presence;
    char *line;

    (void)snprintf(event.who, sizeof event.who, "%s%s%s%s", c->id, c->name[0] ? " (" : "", c->name,
                   c->name[0] ? ")" : "");
    if (e->watched && !e->presence.who[0])
        (void)snprintf(event.state, sizeof event.state, "no answer");
    line = presence_show_line(&event, colour);
    printf("%s\n", line ? line : c->id);
    free(line);
    for (uint32_t i = 0; i < c->address_count; i++)
        printf("    %s%s%s\n", c->addresses[i].uri, c->addresses[i].account[0] ? " by " : "",
               c->addresses[i].account);
    for (uint32_t i = 0; i < c->group_count; i++)
        printf("%s%s%s", i ? ", " : "    in ", c->groups[i], i + 1 < c->group_count ? "" : "\n");
}

int contacts_show(struct tandem_contacts *contacts, const char *group, bool json, bool presence)
{
    size_t count;
    struct entry *entries = read_all(contacts, group, &count);

    if (!entries)
        return EXIT_FAILED;
    if (presence && count)
        ask(contacts, entries, count);
    if (json) {
        json_t *list = json_array();

        for (size_t i = 0; i < count; i++)
            json_array_append_new(list, object_of(&entries[i]));
        (void)json_dumpf(list, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(list);
    } else {
        for (size_t i = 0; i < count; i++)
            print_entry(&entries[i], isatty(STDOUT_FILENO));
        if (!count)
            puts("nobody: tandem contacts add WORD ADDRESS");
    }
    free(entries);
    return EXIT_DONE;
}
