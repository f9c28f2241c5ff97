/* SPDX-License-Identifier: MIT */
#include "engine/rendezvous_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEOPLE_MAX 1000

struct figure {
    const char *name, *help;
    bool gauge;
    uint64_t value;
};

#define FIGURES 34

static uint32_t list(const struct tdm_rdv_stats *s, uint32_t links, struct figure f[FIGURES])
{
    const struct figure all[] = {
        {"accounts", "accounts", true, s->accounts},
        {"devices", "registered devices", true, s->bindings},
        {"connections", "TCP and TLS connections", true, links},
        {"subscriptions", "subscriptions", true, s->subscriptions},
        {"publications", "published documents", true, s->publications},
        {"transactions", "requests being handled or remembered", true, s->transactions},
        {"branches", "requests sent on and not settled", true, s->branches},
        {"blocks", "blocks of memory for messages", true, s->store_blocks},
        {"blocks_free", "of those, free", true, s->store_blocks_free},
        {"requests_total", "requests", false, s->requests},
        {"responses_total", "answers", false, s->responses},
        {"malformed_total", "messages that could not be read", false, s->malformed},
        {"challenged_total", "requests asked for a password", false, s->challenged},
        {"wrong_passwords_total", "wrong passwords", false, s->wrong_passwords},
        {"spoofed_total", "requests in another's name", false, s->spoofed},
        {"replayed_total", "credentials that were used before", false, s->replayed},
        {"limited_source_total", "dropped: too much from one address", false, s->limited_source},
        {"limited_total_total", "dropped: too much in all", false, s->limited_total},
        {"limited_failures_total", "refused after wrong passwords", false, s->limited_failures},
        {"full_total", "refused: a table was full", false, s->full},
        {"evicted_total", "old transactions that gave way", false, s->evicted},
        {"registers_total", "REGISTER requests", false, s->registers},
        {"calls_total", "calls", false, s->calls},
        {"calls_answered_total", "calls that were answered", false, s->calls_answered},
        {"messages_total", "messages", false, s->messages},
        {"messages_delivered_total", "messages that a device took", false, s->messages_delivered},
        {"messages_kept_total", "messages kept for somebody away", false, s->messages_kept},
        {"messages_handed_over_total", "of those, handed over", false, s->messages_handed_over},
        {"publishes_total", "PUBLISH requests", false, s->publishes},
        {"subscribes_total", "SUBSCRIBE requests", false, s->subscribes},
        {"notifies_total", "NOTIFY requests sent", false, s->notifies},
        {"loops_total", "loops", false, s->loops},
        {"store_failures_total", "writes that failed", false, s->store_failures},
        {"retransmitted_total", "copies sent because nobody answered", false, s->retransmitted},
    };

    _Static_assert(sizeof all / sizeof *all == FIGURES, "room for each");
    memcpy(f, all, sizeof all);
    return FIGURES;
}

static char *metrics(const struct figure *f, uint32_t count)
{
    size_t room = (size_t)count * 320, used = 0;
    char *text = malloc(room);

    for (uint32_t i = 0; text && i < count; i++)
        used += (size_t)snprintf(text + used, room - used,
                                 "# HELP tandem_sip_%s %s\n# TYPE tandem_sip_%s %s\n"
                                 "tandem_sip_%s %" PRIu64 "\n",
                                 f[i].name, f[i].help, f[i].name, f[i].gauge ? "gauge" : "counter",
                                 f[i].name, f[i].value);
    return text;
}

static char *status(const struct figure *f, uint32_t count, const struct tdm_rdv *core,
                    const char *domain)
{
    json_t *figures = json_object(), *people = json_array();
    struct tdm_rdv_person p;
    uint32_t at = 0;

    for (uint32_t i = 0; i < count; i++)
        (void)json_object_set_new(figures, f[i].name, json_integer((json_int_t)f[i].value));
    while (json_array_size(people) < PEOPLE_MAX && tdm_rdv_next_person(core, &at, &p))
        (void)json_array_append_new(people, json_pack("{s:s, s:s, s:b, s:i, s:i}", "user", p.user,
                                                      "name", p.name, "locked", p.locked, "devices",
                                                      (int)p.bindings, "kept", (int)p.kept));
    json_t *all =
        json_pack("{s:s, s:o, s:o}", "domain", domain, "figures", figures, "people", people);
    char *text = all ? json_dumps(all, JSON_INDENT(1)) : NULL;

    json_decref(all);
    return text;
}

void tdm_rendezvous_report(struct tdm_http *http, const struct tdm_http_request *request,
                           const struct tdm_rdv *core, const char *domain, uint32_t links)
{
    struct tdm_http_response response = {.status = 404};
    struct figure figures[FIGURES];
    uint32_t count = list(tdm_rdv_stats_of(core), links, figures);
    char *text = NULL;

    if (request->method != TDM_HTTP_GET) {
        response.status = 405;
    } else if (strcmp(request->path, "/metrics") == 0) {
        text = metrics(figures, count);
        response.content_type = "text/plain; version=0.0.4";
    } else if (strcmp(request->path, "/status") == 0) {
        text = status(figures, count, core, domain);
        response.content_type = "application/json";
    }
    if (text) {
        response.status = 200;
        response.body = text;
        response.body_size = strlen(text);
    }
    (void)tdm_http_answer(http, request->id, &response);
    free(text);
}
