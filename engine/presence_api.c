/* SPDX-License-Identifier: MIT */
/* include/tandem/presence.h: the program's side. */
#include "engine/presence_state.h"

#include "engine/io/entropy.h"
#include "engine/io/wake.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define FILE_MAX ((size_t)1 << 18)
#define TRIES    20 /* When an editor writes at the same time. */

static enum tandem_status fail(struct tandem_cause *cause, enum tandem_status status,
                               const char *words)
{
    if (cause)
        (void)snprintf(cause->text, sizeof cause->text, "%s", words);
    return status;
}

const char *tandem_presence_states(void)
{
    return "available, away, busy, on-the-phone, meeting, meal, vacation, travel, sleeping, "
           "working, offline";
}

static void wake(struct tandem_presence *p)
{
    p->look_at = 0;
    if (p->engine)
        tdm_wake_signal(p->engine->wake);
}

static void make_device(struct tdm_presence_self *self)
{
    if (!self->device[0])
        (void)snprintf(self->device, sizeof self->device, "t%08x",
                       (unsigned)(tdm_entropy_u64() & 0xffffffff));
}

enum tandem_status tandem_presence_create(const struct tandem_presence_config *config,
                                          struct tandem_presence **out, struct tandem_cause *cause)
{
    struct tandem_presence *p = calloc(1, sizeof *p);
    struct tdm_cause why = {"no memory for presence"};

    if (!p)
        return fail(cause, TANDEM_FAILED, why.text);
    (void)pthread_mutex_init(&p->lock, NULL);
    p->stamp.size = -2; /* None yet. */
    (void)snprintf(p->path, sizeof p->path, "%s", config->path ? config->path : "");
    p->contacts = config->contacts;
    p->event_fd = tdm_wake_open(&why);
    if (p->event_fd < 0) {
        tandem_presence_destroy(p);
        return fail(cause, TANDEM_FAILED, why.text);
    }
    make_device(&p->file.self);
    (void)tdm_presence_reload(p);
    *out = p;
    return TANDEM_OK;
}

void tandem_presence_destroy(struct tandem_presence *p)
{
    if (!p)
        return;
    if (p->event_fd >= 0)
        (void)close(p->event_fd);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}

/* --- Changes of the file ---------------------------------------------------------------------- */

/* What to change; a cause when it cannot be. */
typedef enum tdm_err change_fn(struct tdm_presence_file *file, const void *arg,
                               struct tdm_cause *why);

/* In the file as it is now, under its lock. */
static enum tdm_err change_file(struct tandem_presence *p, change_fn *change, const void *arg,
                                struct tdm_cause *why)
{
    struct tdm_presence_file *file = malloc(sizeof *file);
    char *text = malloc(FILE_MAX);
    enum tdm_err err = file && text ? TDM_E_AGAIN : TDM_E_SYSTEM;

    for (int i = 0; i < TRIES && err == TDM_E_AGAIN; i++) {
        struct tdm_settings_edit edit;
        size_t size;

        err = tdm_settings_begin(&edit, p->path, why);
        if (err != TDM_OK)
            break;
        tdm_presence_file_read(file, edit.text, edit.size);
        if (!file->self.device[0])
            memcpy(file->self.device, p->file.self.device, sizeof file->self.device);
        err = change(file, arg, why);
        if (err == TDM_OK)
            err = tdm_presence_file_write(file, edit.text, edit.size, text, FILE_MAX, &size);
        if (err == TDM_OK)
            err = tdm_settings_commit(&edit, text, size, why);
        else
            tdm_settings_abandon(&edit);
    }
    free(file);
    free(text);
    return err;
}

static enum tandem_status apply(struct tandem_presence *p, change_fn *change, const void *arg,
                                struct tandem_cause *cause)
{
    struct tdm_cause why = {"there is no more room"};
    enum tdm_err err;

    (void)pthread_mutex_lock(&p->lock);
    if (p->path[0]) {
        err = change_file(p, change, arg, &why);
        (void)tdm_presence_reload(p);
    } else {
        err = change(&p->file, arg, &why);
    }
    wake(p);
    (void)pthread_mutex_unlock(&p->lock);
    if (err == TDM_OK)
        return TANDEM_OK;
    return fail(cause, err == TDM_E_MALFORMED ? TANDEM_INVALID : TANDEM_FAILED, why.text);
}

struct set {
    const char *state, *note;
    int64_t until_s;
};

static enum tdm_err set_state(struct tdm_presence_file *file, const void *arg,
                              struct tdm_cause *why)
{
    const struct set *set = arg;
    struct tdm_presence_self *self = &file->self;
    enum tdm_activity activity = TDM_ACTIVITY_NONE;
    bool offline = set->state && strcasecmp(set->state, "offline") == 0;

    if (set->state && !offline && !tdm_activity_of_name(set->state, strlen(set->state), &activity))
        return tdm_fail(why, TDM_E_MALFORMED, "there is no state \"%.40s\": one of %s", set->state,
                        tandem_presence_states());
    self->set = set->state != NULL;
    self->set_open = set->state && !offline;
    self->set_activity = activity;
    self->set_since_s = set->state ? tdm_presence_unix() : 0;
    self->set_until_s = set->state ? set->until_s : 0;
    (void)snprintf(self->note, sizeof self->note, "%s", set->state && set->note ? set->note : "");
    return TDM_OK;
}

enum tandem_status tandem_presence_set(struct tandem_presence *p, const char *state,
                                       const char *note, int64_t until_s,
                                       struct tandem_cause *cause)
{
    struct set set = {.state = state, .note = note, .until_s = until_s};

    if (until_s && until_s <= tdm_presence_unix())
        return fail(cause, TANDEM_INVALID, "that time has passed already");
    return apply(p, set_state, &set, cause);
}

static enum tdm_err add_rule(struct tdm_presence_file *file, const void *arg, struct tdm_cause *why)
{
    struct tdm_presence_self *self = &file->self;
    enum tdm_err err;

    if (self->rule_count == TDM_SCHEDULE_MAX)
        return tdm_fail(why, TDM_E_MALFORMED, "a schedule has at most %d rules", TDM_SCHEDULE_MAX);
    err = tdm_schedule_parse(arg, strlen(arg), &self->rules[self->rule_count], why);
    self->rule_count += err == TDM_OK;
    return err;
}

enum tandem_status tandem_presence_schedule_add(struct tandem_presence *p, const char *rule,
                                                struct tandem_cause *cause)
{
    return apply(p, add_rule, rule, cause);
}

static enum tdm_err remove_rule(struct tdm_presence_file *file, const void *arg,
                                struct tdm_cause *why)
{
    struct tdm_presence_self *self = &file->self;
    uint32_t number = *(const uint32_t *)arg;

    if (number < 1 || number > self->rule_count)
        return tdm_fail(why, TDM_E_MALFORMED, "there is no rule %u: tandem presence schedule list",
                        number);
    self->rule_count--;
    memmove(&self->rules[number - 1], &self->rules[number],
            (self->rule_count - (number - 1)) * sizeof *self->rules);
    return TDM_OK;
}

enum tandem_status tandem_presence_schedule_remove(struct tandem_presence *p, uint32_t number,
                                                   struct tandem_cause *cause)
{
    return apply(p, remove_rule, &number, cause);
}

struct decide {
    const char *who;
    enum tdm_watch_policy policy;
};

static enum tdm_err decide(struct tdm_presence_file *file, const void *arg, struct tdm_cause *why)
{
    const struct decide *d = arg;
    enum tdm_err err = tdm_presence_file_decide(file, d->who, d->policy);

    return err ? tdm_fail(why, err, "\"%.60s\" is no address, or there are too many decisions",
                          d->who)
               : TDM_OK;
}

enum tandem_status tandem_presence_decide(struct tandem_presence *p, const char *who,
                                          enum tandem_policy policy, struct tandem_cause *cause)
{
    char address[256];
    struct decide d = {.who = who, .policy = (enum tdm_watch_policy)policy};
    enum tandem_status status = TANDEM_OK;

    if (p->contacts) {
        status = tandem_contacts_resolve(p->contacts, who, address, NULL, cause);
        d.who = address;
    }
    return status == TANDEM_OK ? apply(p, decide, &d, cause) : status;
}

void tandem_presence_idle(struct tandem_presence *p, bool idle)
{
    (void)pthread_mutex_lock(&p->lock);
    if (idle && !p->idle)
        p->idle_since_s = tdm_presence_unix();
    p->idle = idle;
    wake(p);
    (void)pthread_mutex_unlock(&p->lock);
}

/* --- Others ----------------------------------------------------------------------------------- */

static struct tdm_presence_watch *find(struct tandem_presence *p, const char *who)
{
    for (uint32_t i = 0; i < TDM_PRESENCE_WATCHES; i++)
        if (p->watches[i].used && strcmp(p->watches[i].who, who) == 0)
            return &p->watches[i];
    return NULL;
}

static struct tdm_presence_watch *find_free(struct tandem_presence *p)
{
    for (uint32_t i = 0; i < TDM_PRESENCE_WATCHES; i++)
        if (!p->watches[i].used)
            return &p->watches[i];
    return NULL;
}

enum tandem_status tandem_presence_watch(struct tandem_presence *p, const char *who,
                                         const char *account, struct tandem_cause *cause)
{
    char address[256], by[64] = "";
    enum tandem_status status = TANDEM_OK;
    struct tdm_presence_watch *watch;

    (void)snprintf(address, sizeof address, "%s", who);
    if (p->contacts)
        status = tandem_contacts_resolve(p->contacts, who, address, by, cause);
    if (status != TANDEM_OK)
        return status;
    (void)pthread_mutex_lock(&p->lock);
    watch = find(p, who);
    if (!watch) {
        watch = find_free(p);
        if (watch) {
            memset(watch, 0, sizeof *watch);
            watch->used = true;
            watch->until_s = INT64_MAX;
            (void)snprintf(watch->who, sizeof watch->who, "%s", who);
            (void)snprintf(watch->uri, sizeof watch->uri, "%s", address);
            (void)snprintf(watch->account, sizeof watch->account, "%s", account ? account : by);
            (void)snprintf(watch->why, sizeof watch->why, "asked");
        }
    }
    if (watch)
        watch->wanted = true;
    wake(p);
    (void)pthread_mutex_unlock(&p->lock);
    return watch ? TANDEM_OK
                 : fail(cause, TANDEM_FAILED, "too many people are watched: leave one first");
}

void tandem_presence_unwatch(struct tandem_presence *p, const char *who)
{
    struct tdm_presence_watch *watch;

    (void)pthread_mutex_lock(&p->lock);
    watch = find(p, who);
    if (watch) {
        watch->wanted = false;
        watch->used = watch->sig != 0; /* Else nothing is left to do. */
    }
    wake(p);
    (void)pthread_mutex_unlock(&p->lock);
}

/* --- Events ----------------------------------------------------------------------------------- */

int tandem_presence_event_fd(struct tandem_presence *p)
{
    return p->event_fd;
}

static const char *state_name(bool open, enum tdm_activity activity)
{
    return open ? tdm_activity_name(activity) : "offline";
}

static void event_of_watch(const struct tdm_presence_watch *watch, struct tandem_presence_event *e)
{
    const struct tdm_presence_view *v = &watch->view;

    *e = (struct tandem_presence_event){.kind = TANDEM_PRESENCE_CHANGED,
                                        .known = watch->known,
                                        .open = v->open,
                                        .since_s = v->since_s,
                                        .until_s = v->until_s,
                                        .devices = v->devices,
                                        .open_devices = v->open_devices};
    (void)snprintf(e->who, sizeof e->who, "%s", watch->who);
    (void)snprintf(e->state, sizeof e->state, "%s",
                   watch->known ? state_name(v->open, v->activity) : "unknown");
    (void)snprintf(e->note, sizeof e->note, "%s", v->note);
    (void)snprintf(e->text, sizeof e->text, "%s", watch->why);
}

static void event_of_own(const struct tdm_presence_tuple *own, struct tandem_presence_event *e)
{
    *e = (struct tandem_presence_event){.kind = TANDEM_PRESENCE_OWN,
                                        .known = true,
                                        .open = own->open,
                                        .since_s = own->since_s,
                                        .until_s = own->until_s,
                                        .devices = 1,
                                        .open_devices = own->open};
    (void)snprintf(e->who, sizeof e->who, "%s", own->id);
    (void)snprintf(e->state, sizeof e->state, "%s", state_name(own->open, own->activity));
    (void)snprintf(e->note, sizeof e->note, "%s", own->note);
}

static bool next_event(struct tandem_presence *p, struct tandem_presence_event *e)
{
    if (p->asked_count) {
        *e = (struct tandem_presence_event){.kind = TANDEM_PRESENCE_ASKED};
        memcpy(e->who, p->asked[0], sizeof e->who);
        memmove(p->asked[0], p->asked[1], --p->asked_count * sizeof p->asked[0]);
        return true;
    }
    if (p->own_news) {
        p->own_news = false;
        event_of_own(&p->own, e);
        return true;
    }
    for (uint32_t i = 0; i < TDM_PRESENCE_WATCHES; i++)
        if (p->watches[i].used && p->watches[i].news) {
            p->watches[i].news = false;
            event_of_watch(&p->watches[i], e);
            return true;
        }
    return false;
}

enum tandem_status tandem_presence_next_event(struct tandem_presence *p,
                                              struct tandem_presence_event *event)
{
    bool any;

    (void)pthread_mutex_lock(&p->lock);
    any = next_event(p, event);
    if (!any)
        tdm_wake_clear(p->event_fd);
    (void)pthread_mutex_unlock(&p->lock);
    return any ? TANDEM_OK : TANDEM_AGAIN;
}

void tandem_presence_own(struct tandem_presence *p, struct tandem_presence_event *own)
{
    struct tdm_presence_tuple tuple;

    (void)pthread_mutex_lock(&p->lock);
    (void)tdm_presence_reload(p);
    tdm_presence_compose_own(p, tdm_presence_unix(), &tuple);
    event_of_own(&tuple, own);
    (void)pthread_mutex_unlock(&p->lock);
}

static json_t *object_of(const struct tandem_presence_event *e)
{
    return json_pack("{s:s, s:s, s:b, s:b, s:s, s:I, s:I, s:i, s:i, s:s}", "who", e->who, "state",
                     e->state, "known", e->known, "open", e->open, "note", e->note, "since",
                     (json_int_t)e->since_s, "until", (json_int_t)e->until_s, "devices",
                     (int)e->devices, "open_devices", (int)e->open_devices, "reason", e->text);
}

char *tandem_presence_report(struct tandem_presence *p)
{
    static const char *const policies[] = {"ask", "allow", "polite", "block"};
    struct tandem_presence_event e;
    json_t *schedule = json_array(), *watched = json_array(), *decisions = json_array(), *all;
    char *text;

    tandem_presence_own(p, &e);
    (void)pthread_mutex_lock(&p->lock);
    for (uint32_t i = 0; i < p->file.self.rule_count; i++) {
        char rule[96];

        tdm_schedule_write(&p->file.self.rules[i], rule, sizeof rule);
        json_array_append_new(schedule, json_string(rule));
    }
    for (uint32_t i = 0; i < p->file.decision_count; i++)
        json_array_append_new(decisions,
                              json_pack("{s:s, s:s}", "who", p->file.decisions[i].who, "policy",
                                        policies[p->file.decisions[i].policy]));
    all = json_pack("{s:o}", "own", object_of(&e));
    for (uint32_t i = 0; i < TDM_PRESENCE_WATCHES; i++)
        if (p->watches[i].used) {
            event_of_watch(&p->watches[i], &e);
            json_array_append_new(watched, object_of(&e));
        }
    (void)pthread_mutex_unlock(&p->lock);
    (void)json_object_set_new(all, "schedule", schedule);
    (void)json_object_set_new(all, "decisions", decisions);
    (void)json_object_set_new(all, "watched", watched);
    text = json_dumps(all, JSON_INDENT(2));
    json_decref(all);
    return text;
}
