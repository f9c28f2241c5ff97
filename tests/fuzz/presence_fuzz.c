/* SPDX-License-Identifier: MIT */
/* Bytes become events and time for a publication, a subscription and a watcher: none wakes in the
 * past, asks for two things at once, or asks without end in no time. And any text as a schedule. */
#include "signalling/presence_publish.h"
#include "signalling/presence_self.h"
#include "signalling/presence_watch.h"
#include "signalling/presence_watcher.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IN_NO_TIME                                                                                 \
    64 /* Requests that may follow each other at one instant, as by ever later 423. */

static const uint16_t codes[] = {0,   200, 202, 401, 403, 404, 408,
                                 412, 423, 481, 489, 500, 503, 603};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void schedule(const uint8_t *data, size_t size)
{
    struct tdm_schedule_rule rule, again;
    struct tdm_presence_self self = {.device = "x", .rule_count = 1};
    struct tdm_presence_tuple tuple;
    char text[96];

    if (tdm_schedule_parse((const char *)data, size, &rule, NULL) != TDM_OK)
        return;
    tdm_schedule_write(&rule, text, sizeof text);
    must(tdm_schedule_parse(text, strlen(text), &again, NULL) == TDM_OK);
    must(rule.days == again.days && rule.from == again.from && rule.to == again.to &&
         rule.open == again.open && rule.activity == again.activity);
    self.rules[0] = rule;
    tdm_presence_self_compose(&self, 1795435200, 3600, &tuple);
    must(tdm_presence_self_until(&self, 1795435200, 3600) > 1795435200);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_publish publish;
    struct tdm_watch watch;
    struct tdm_watcher watcher;
    tdm_time now = 0;
    int at_once = 0;

    schedule(data, size);
    tdm_publish_init(&publish, 1);
    tdm_watch_init(&watch, 2);
    tdm_watcher_init(&watcher);
    for (size_t i = 0; i + 4 <= size; i += 4) {
        uint16_t code = codes[data[i + 1] % (sizeof codes / sizeof *codes)];
        uint32_t seconds = (uint32_t)data[i + 2] << (data[i + 3] & 15);
        struct tdm_publish_out p;
        struct tdm_watch_out w;
        struct tdm_watcher_out n;

        if (data[i + 3] & 0x80) {
            now += data[i + 2] * TDM_S;
            at_once = 0;
        }
        bool user = data[i] % 6 >= 1 && data[i] % 6 <= 4; /* Not by what the other side does. */

        tdm_publish_step(&publish, now,
                         &(struct tdm_publish_in){.kind = (enum tdm_publish_kind)(data[i] % 6),
                                                  .code = code,
                                                  .etag = data[i] & 0x40 ? "tag" : NULL,
                                                  .expires_s = seconds,
                                                  .min_expires_s = seconds,
                                                  .retry_after_s = seconds / 2},
                         &p);
        must(p.wake_at > now || p.what == TDM_PUBLISH_NOTHING);
        must((p.what == TDM_PUBLISH_REFRESH || p.what == TDM_PUBLISH_REMOVE) <= (p.etag[0] != 0));
        at_once = user ? 0 : at_once + (p.what != TDM_PUBLISH_NOTHING);
        must(at_once < IN_NO_TIME);
        tdm_watch_step(&watch, now,
                       &(struct tdm_watch_in){.kind = (enum tdm_watch_kind)(data[i] % 6),
                                              .code = code,
                                              .state = (enum tdm_watch_state)(data[i + 3] >> 4 & 3),
                                              .reason = (enum tdm_watch_reason)(data[i + 1] % 7),
                                              .expires_s = seconds,
                                              .min_expires_s = seconds,
                                              .retry_after_s = seconds / 2},
                       &w);
        must(w.what == TDM_WATCH_NOTHING || w.wake_at == TDM_NEVER);
        tdm_watcher_step(
            &watcher, now,
            &(struct tdm_watcher_in){.kind = (enum tdm_watcher_kind)(data[i] % 6),
                                     .policy = (enum tdm_watch_policy)(data[i + 1] & 3),
                                     .expires_s = seconds,
                                     .code = code},
            &n);
        must(n.notify != TDM_WATCHER_REAL || watcher.policy == TDM_POLICY_ALLOW);
        must(!n.terminated || n.over);
        must(n.notify == TDM_WATCHER_NOTHING || !n.pending || !n.terminated);
    }
    return 0;
}
