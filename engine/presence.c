/* SPDX-License-Identifier: MIT */
#include "engine/presence_state.h"

#include "engine/account.h"
#include "engine/base/digest.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"
#include "signalling/contacts.h"
#include "signalling/presence_watch.h"
#include "tandem/contacts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define LOOK_EVERY (1 * TDM_S) /* At the file, for what another program changed. */

int64_t tdm_presence_unix(void)
{
    return (tdm_clock_now() + tdm_clock_wall_offset()) / TDM_S;
}

int32_t tdm_presence_offset(int64_t unix_s)
{
    time_t at = (time_t)unix_s;
    struct tm local;

    return localtime_r(&at, &local) ? (int32_t)local.tm_gmtoff : 0;
}

void tdm_presence_compose_own(const struct tandem_presence *p, int64_t unix_s,
                              struct tdm_presence_tuple *tuple)
{
    struct tdm_presence_self self = p->file.self;

    self.in_call = p->in_call;
    self.call_since_s = p->call_since_s;
    self.idle = p->idle;
    self.idle_since_s = p->idle_since_s;
    tdm_presence_self_compose(&self, unix_s, tdm_presence_offset(unix_s), tuple);
}

bool tdm_presence_reload(struct tandem_presence *p)
{
    struct tdm_settings_stamp stamp = tdm_settings_look(p->path);
    char *text = NULL;
    size_t size;

    if (!p->path[0] || tdm_settings_same(&stamp, &p->stamp))
        return false;
    if (tdm_settings_read(p->path, &text, &size, &p->stamp, NULL) != TDM_OK)
        return false;
    char device[sizeof p->file.self.device];

    memcpy(device, p->file.self.device, sizeof device);
    tdm_presence_file_read(&p->file, text, size);
    if (!p->file.self.device[0])
        memcpy(p->file.self.device, device, sizeof device);
    free(text);
    return true;
}

/* --- Our own ---------------------------------------------------------------------------------- */

/* The document about `entity`, as it is or as somebody sees who may not. */
static size_t write_own(const struct tandem_presence *p, const char *entity, bool real,
                        int64_t unix_s, char *xml, size_t capacity)
{
    struct tdm_pidf *pidf = calloc(1, sizeof *pidf);
    size_t size = 0;

    if (!pidf)
        return 0;
    (void)snprintf(pidf->entity, sizeof pidf->entity, "%s%s",
                   strncasecmp(entity, "sip", 3) == 0 ? "" : "sip:", entity);
    pidf->tuple_count = 1;
    if (real) {
        pidf->tuples[0] = p->own;
        pidf->tuples[0].timestamp_s = unix_s;
    } else {
        memcpy(pidf->tuples[0].id, p->own.id, sizeof p->own.id);
    }
    if (tdm_pidf_write(pidf, xml, capacity, &size) != TDM_OK)
        size = 0;
    free(pidf);
    return size;
}

static void publish(struct tandem_presence *p, struct tandem *engine, uint32_t index,
                    const char *address, int64_t unix_s)
{
    struct tdm_presence_publication *publication = &p->publications[index];
    char xml[4096];
    size_t size = write_own(p, address, true, unix_s, xml, sizeof xml);
    struct tdm_sig_body body = {TDM_PIDF_TYPE, xml, size};

    if (size)
        (void)engine->sig_ops->publish(engine->sig, publication->account, "presence", &body, 0,
                                       &publication->sig, NULL);
}

/* Who of an account's own domain may see us, in the words of `tandem serve` (docs/server.md). */
static size_t write_rules(const struct tandem_presence *p, const char *address, char *text,
                          size_t capacity)
{
    const char *domain = strchr(address, '@');
    size_t size = 0;

    for (uint32_t i = 0; domain && i < p->file.decision_count; i++) {
        const struct tdm_decision *d = &p->file.decisions[i];
        const char *at = strchr(d->who, '@');

        if (!at || strcasecmp(at, domain) != 0)
            continue;
        int more = snprintf(text + size, capacity - size, "%s %.*s\n", tdm_policy_name(d->policy),
                            (int)(at - d->who), d->who);

        if (more < 0 || (size_t)more >= capacity - size)
            break;
        size += (size_t)more;
    }
    return size;
}

/* Tells a server who may see us there, once there is somebody about whom the user has decided.
 * Other servers know no such event and refuse it, which changes nothing. */
static void publish_rules(struct tandem_presence *p, struct tandem *engine, uint32_t index,
                          const char *address)
{
    struct tdm_presence_publication *rules = &p->rules[index];
    char text[4096];
    size_t size = write_rules(p, address, text, sizeof text);

    if (!size && !rules->sig)
        return;
    if (!size)
        size = (size_t)snprintf(text, sizeof text, "default allow\n");
    struct tdm_sig_body body = {"text/plain", text, size};
    uint32_t sum = tdm_crc32(text, size);

    if (rules->sig && sum == p->rules_sum[index])
        return;
    p->rules_sum[index] = sum;
    rules->account = p->publications[index].account;
    (void)engine->sig_ops->publish(engine->sig, rules->account, "tandem-rules", &body, 0,
                                   &rules->sig, NULL);
}

/* One publication for each account that is registered here; they outlast its troubles. */
static void publish_all(struct tandem_presence *p, struct tandem *engine, bool changed,
                        int64_t unix_s)
{
    for (uint32_t i = 0; i < TANDEM_ACCOUNTS_MAX; i++) {
        const struct tdm_engine_account *account = &engine->accounts.list[i];
        struct tdm_presence_publication *publication = &p->publications[i];
        bool fits = i < engine->accounts.count && !account->gateway && !account->only_out &&
                    account->info.state == TANDEM_ACCOUNT_REGISTERED;

        if (publication->sig &&
            (i >= engine->accounts.count || publication->account != account->id)) {
            (void)engine->sig_ops->release(engine->sig, publication->sig);
            *publication = (struct tdm_presence_publication){0};
            if (p->rules[i].sig)
                (void)engine->sig_ops->release(engine->sig, p->rules[i].sig);
            p->rules[i] = (struct tdm_presence_publication){0};
        }
        if ((fits && !publication->sig) || (publication->sig && changed)) {
            publication->account = account->id;
            publish(p, engine, i, account->info.address, unix_s);
        }
        if (fits)
            publish_rules(p, engine, i, account->info.address);
    }
}

static bool says_the_same(const struct tdm_presence_tuple *a, const struct tdm_presence_tuple *b)
{
    return a->open == b->open && a->activity == b->activity && a->since_s == b->since_s &&
           a->until_s == b->until_s && a->idle == b->idle && a->timed_count == b->timed_count &&
           memcmp(a->timed, b->timed, a->timed_count * sizeof *a->timed) == 0 &&
           strcmp(a->note, b->note) == 0;
}

static bool look_at_own(struct tandem_presence *p, const struct tandem *engine, int64_t unix_s)
{
    struct tdm_presence_tuple now;
    bool in_call = false;

    for (const struct tandem_call *call = engine->calls; call; call = call->next)
        in_call |= call->machine.state == TDM_CALL_UP;
    if (in_call && !p->in_call)
        p->call_since_s = unix_s;
    p->in_call = in_call;
    tdm_presence_compose_own(p, unix_s, &now);
    if (p->own_known && says_the_same(&now, &p->own))
        return false;
    p->own = now;
    p->own_known = p->own_news = true;
    tdm_wake_signal(p->event_fd);
    return true;
}

/* --- Who watches us --------------------------------------------------------------------------- */

/* By a decision, else by the address book, whose people may, else nobody has decided. */
static enum tdm_watch_policy policy_of(const struct tandem_presence *p, const char *from)
{
    const struct tdm_decision *decision = tdm_presence_file_find(&p->file, from);
    struct tandem_contact_entry contact;

    if (decision)
        return decision->policy;
    if (p->contacts && tandem_contacts_find(p->contacts, from, &contact, NULL) == TANDEM_OK)
        return contact.policy_set ? (enum tdm_watch_policy)contact.policy : TDM_POLICY_ALLOW;
    return TDM_POLICY_ASK;
}

static void ask(struct tandem_presence *p, const char *from)
{
    for (uint32_t i = 0; i < p->asked_count; i++)
        if (strcmp(p->asked[i], from) == 0)
            return;
    if (p->asked_count == TDM_PRESENCE_ASKED)
        return;
    (void)snprintf(p->asked[p->asked_count++], sizeof p->asked[0], "%s", from);
    tdm_wake_signal(p->event_fd);
}

static void step_viewer(struct tandem_presence *p, struct tandem *engine,
                        struct tdm_presence_viewer *viewer, tdm_time now,
                        const struct tdm_watcher_in *in)
{
    struct tdm_watcher_out out;
    char xml[4096];

    tdm_watcher_step(&viewer->core, now, in, &out);
    if (out.ask)
        ask(p, viewer->from);
    if (out.code == 403)
        (void)engine->sig_ops->notify(engine->sig, viewer->sig, TDM_SIG_SUBSCRIPTION_TERMINATED,
                                      "rejected", NULL);
    if (out.notify != TDM_WATCHER_NOTHING) {
        struct tdm_sig_body body = {TDM_PIDF_TYPE, xml, 0};

        if (!out.pending)
            body.size = write_own(p, viewer->to, out.notify == TDM_WATCHER_REAL,
                                  tdm_presence_unix(), xml, sizeof xml);
        (void)engine->sig_ops->notify(engine->sig, viewer->sig,
                                      out.terminated ? TDM_SIG_SUBSCRIPTION_TERMINATED
                                      : out.pending  ? TDM_SIG_SUBSCRIPTION_PENDING
                                                     : TDM_SIG_SUBSCRIPTION_ACTIVE,
                                      out.reason, &body);
        /* Signalling sends one after the other, and says when nobody hears. */
        tdm_watcher_step(&viewer->core, now,
                         &(struct tdm_watcher_in){.kind = TDM_WATCHER_NOTIFIED, .code = 200},
                         &(struct tdm_watcher_out){0});
    }
    tdm_watcher_step(&viewer->core, now, NULL, &out);
    viewer->wake = out.wake_at;
    if (!viewer->core.on)
        viewer->sig = 0;
}

static struct tdm_presence_viewer *viewer_of(struct tandem_presence *p, tdm_sig_id sig)
{
    for (uint32_t i = 0; i < TDM_PRESENCE_WATCHERS; i++)
        if (p->viewers[i].sig == sig)
            return &p->viewers[i];
    return NULL;
}

static void watcher_in(struct tandem_presence *p, struct tandem *engine,
                       const struct tdm_sig_event *event)
{
    struct tdm_presence_viewer *viewer = viewer_of(p, event->id);
    struct tdm_watcher_in in = {.kind = TDM_WATCHER_ASKS,
                                .policy = policy_of(p, event->from),
                                .expires_s = event->expires_s};

    if (!viewer) {
        viewer = viewer_of(p, 0);
        if (!viewer) {
            (void)engine->sig_ops->notify(engine->sig, event->id, TDM_SIG_SUBSCRIPTION_TERMINATED,
                                          "probation", NULL);
            return;
        }
        *viewer = (struct tdm_presence_viewer){.sig = event->id};
        tdm_watcher_init(&viewer->core);
        (void)snprintf(viewer->from, sizeof viewer->from, "%s", event->from);
        (void)snprintf(viewer->to, sizeof viewer->to, "%s", event->to);
    }
    step_viewer(p, engine, viewer, tdm_clock_now(), &in);
    /* Who looks for us is there: whom we look for in vain may be the same. */
    p->look_at = 0;
}

/* --- Whom we watch ---------------------------------------------------------------------------- */

static void news(struct tandem_presence *p, struct tdm_presence_watch *watch)
{
    watch->news = true;
    tdm_wake_signal(p->event_fd);
}

static bool looks_the_same(const struct tdm_presence_view *a, const struct tdm_presence_view *b)
{
    return a->open == b->open && a->activity == b->activity && a->since_s == b->since_s &&
           a->until_s == b->until_s && a->devices == b->devices &&
           a->open_devices == b->open_devices && strcmp(a->note, b->note) == 0;
}

static void look_at_view(struct tandem_presence *p, struct tdm_presence_watch *watch,
                         int64_t unix_s)
{
    struct tdm_presence_view view;

    tdm_presence_compose(&watch->pidf, unix_s, &view);
    watch->until_s = tdm_presence_view_until(&watch->pidf, unix_s);
    if (watch->known && looks_the_same(&view, &watch->view))
        return;
    watch->view = view;
    watch->known = true;
    watch->why[0] = '\0';
    news(p, watch);
}

static void unknown(struct tandem_presence *p, struct tdm_presence_watch *watch, const char *why)
{
    if (!watch->known && strcmp(watch->why, why) == 0)
        return;
    watch->known = false;
    watch->until_s = INT64_MAX;
    memset(&watch->view, 0, sizeof watch->view);
    (void)snprintf(watch->why, sizeof watch->why, "%s", why);
    news(p, watch);
}

static void notified(struct tandem_presence *p, struct tdm_presence_watch *watch,
                     const struct tdm_sig_event *event)
{
    struct tdm_pidf *pidf;

    /* Who is refused may get a document all the same, of nobody there. */
    if (!event->body_size ||
        (event->subscription == TDM_SIG_SUBSCRIPTION_TERMINATED && event->reason[0])) {
        if (event->subscription == TDM_SIG_SUBSCRIPTION_PENDING)
            unknown(p, watch, "waits until they allow it");
        else if (event->subscription == TDM_SIG_SUBSCRIPTION_TERMINATED)
            unknown(p, watch, event->reason[0] ? event->reason : "they are not there");
        return;
    }
    pidf = calloc(1, sizeof *pidf);
    if (pidf && tdm_pidf_parse(pidf, event->body, event->body_size) == TDM_OK) {
        watch->pidf = *pidf;
        if (event->subscription == TDM_SIG_SUBSCRIPTION_PENDING)
            unknown(p, watch, "waits until they allow it");
        else
            look_at_view(p, watch, tdm_presence_unix());
    }
    free(pidf);
}

static void begin_watch(struct tandem_presence *p, struct tandem *engine,
                        struct tdm_presence_watch *watch)
{
    struct tdm_cause cause = {""};
    struct tdm_engine_way way;
    enum tdm_err err = tdm_engine_open_sig(engine, &cause);

    if (err == TDM_OK)
        err = tdm_engine_find_way(engine, watch->uri, &way, &cause);
    for (uint32_t i = 0; err == TDM_OK && watch->account[0] && i < engine->accounts.count; i++)
        if (strcasecmp(engine->accounts.list[i].info.name, watch->account) == 0)
            way.account = engine->accounts.list[i].id;
    if (err == TDM_OK)
        err = engine->sig_ops->subscribe(engine->sig, way.account, way.to, "presence",
                                         TDM_WATCH_EXPIRES, &watch->sig, &cause);
    if (err != TDM_OK) {
        watch->wanted = false;
        unknown(p, watch, cause.text);
    }
}

static void run_watches(struct tandem_presence *p, struct tandem *engine, int64_t unix_s)
{
    for (uint32_t i = 0; i < TDM_PRESENCE_WATCHES; i++) {
        struct tdm_presence_watch *watch = &p->watches[i];

        if (!watch->used)
            continue;
        if (watch->wanted && !watch->sig)
            begin_watch(p, engine, watch);
        if (!watch->wanted && watch->sig) {
            (void)engine->sig_ops->release(engine->sig, watch->sig);
            watch->sig = 0;
            watch->used = false;
        } else if (watch->known && watch->until_s <= unix_s) {
            look_at_view(p, watch, unix_s);
        }
    }
}

static struct tdm_presence_watch *watch_of(struct tandem_presence *p, tdm_sig_id sig)
{
    for (uint32_t i = 0; sig && i < TDM_PRESENCE_WATCHES; i++)
        if (p->watches[i].used && p->watches[i].sig == sig)
            return &p->watches[i];
    return NULL;
}

/* --- The control thread ----------------------------------------------------------------------- */

static bool take(struct tandem_presence *p, struct tandem *engine,
                 const struct tdm_sig_event *event)
{
    struct tdm_presence_watch *watch = watch_of(p, event->id);
    struct tdm_presence_viewer *viewer;

    switch (event->kind) {
    case TDM_SIG_NOTIFIED:
        if (watch)
            notified(p, watch, event);
        return true;
    case TDM_SIG_SUBSCRIPTION_WAITS:
        if (watch)
            unknown(p, watch, event->reason);
        return true;
    case TDM_SIG_SUBSCRIPTION_ENDED:
        if (watch) {
            watch->sig = 0;
            watch->wanted = false;
        }
        return true;
    case TDM_SIG_WATCHER_IN:
        watcher_in(p, engine, event);
        return true;
    case TDM_SIG_WATCHER_ENDED:
        viewer = viewer_of(p, event->id);
        if (viewer)
            viewer->sig = 0;
        return true;
    case TDM_SIG_SUBSCRIBED:
    case TDM_SIG_PUBLISHED:
    case TDM_SIG_PUBLICATION_WAITS:
    case TDM_SIG_PUBLICATION_ENDED:
        return true;
    default:
        return false;
    }
}

bool tdm_presence_take(struct tandem_presence *p, struct tandem *engine,
                       const struct tdm_sig_event *event)
{
    bool ours;

    (void)pthread_mutex_lock(&p->lock);
    ours = take(p, engine, event);
    (void)pthread_mutex_unlock(&p->lock);
    return ours;
}

/* When the wall shows that time. */
static tdm_time at_wall(int64_t unix_s)
{
    return unix_s == INT64_MAX ? TDM_NEVER : unix_s * TDM_S - tdm_clock_wall_offset();
}

static tdm_time wake_of(const struct tandem_presence *p, int64_t unix_s)
{
    tdm_time wake =
        at_wall(tdm_presence_self_until(&p->file.self, unix_s, tdm_presence_offset(unix_s)));

    for (uint32_t i = 0; i < TDM_PRESENCE_WATCHES; i++)
        if (p->watches[i].used && p->watches[i].known)
            wake = tdm_time_min(wake, at_wall(p->watches[i].until_s));
    for (uint32_t i = 0; i < TDM_PRESENCE_WATCHERS; i++)
        if (p->viewers[i].sig)
            wake = tdm_time_min(wake, p->viewers[i].wake);
    return p->path[0] ? tdm_time_min(wake, p->look_at) : wake;
}

static void run_viewers(struct tandem_presence *p, struct tandem *engine, tdm_time now,
                        bool changed, bool decided)
{
    for (uint32_t i = 0; i < TDM_PRESENCE_WATCHERS; i++) {
        struct tdm_presence_viewer *viewer = &p->viewers[i];
        struct tdm_watcher_in in = {.kind = TDM_WATCHER_DECIDED};

        if (viewer->sig && decided) {
            in.policy = policy_of(p, viewer->from);
            step_viewer(p, engine, viewer, now, &in);
        }
        in.kind = TDM_WATCHER_CHANGED;
        if (viewer->sig && (changed || viewer->wake <= now))
            step_viewer(p, engine, viewer, now, changed ? &in : NULL);
    }
}

tdm_time tdm_presence_run(struct tandem_presence *p, struct tandem *engine, tdm_time now)
{
    int64_t unix_s = tdm_presence_unix();
    bool decided = false, changed;
    tdm_time wake;

    (void)pthread_mutex_lock(&p->lock);
    p->engine = engine;
    if (now >= p->look_at) {
        (void)tdm_presence_reload(p);
        decided = true; /* The address book may be another, too. */
        p->look_at = now + LOOK_EVERY;
    }
    changed = look_at_own(p, engine, unix_s);
    run_watches(p, engine, unix_s);
    if (engine->sig) {
        publish_all(p, engine, changed, unix_s);
        run_viewers(p, engine, now, changed, decided);
    }
    wake = wake_of(p, unix_s);
    (void)pthread_mutex_unlock(&p->lock);
    return wake;
}

void tdm_presence_stop(struct tandem_presence *p, struct tandem *engine)
{
    (void)pthread_mutex_lock(&p->lock);
    for (uint32_t i = 0; engine->sig && i < TDM_PRESENCE_WATCHES; i++)
        if (p->watches[i].sig)
            (void)engine->sig_ops->release(engine->sig, p->watches[i].sig);
    for (uint32_t i = 0; engine->sig && i < TANDEM_ACCOUNTS_MAX; i++) {
        if (p->publications[i].sig)
            (void)engine->sig_ops->release(engine->sig, p->publications[i].sig);
        if (p->rules[i].sig)
            (void)engine->sig_ops->release(engine->sig, p->rules[i].sig);
    }
    for (uint32_t i = 0; i < TDM_PRESENCE_WATCHES; i++)
        p->watches[i].sig = 0;
    memset(p->publications, 0, sizeof p->publications);
    memset(p->rules, 0, sizeof p->rules);
    memset(p->viewers, 0, sizeof p->viewers); /* Signalling says good-bye to them. */
    p->engine = NULL;
    (void)pthread_mutex_unlock(&p->lock);
}
