/* SPDX-License-Identifier: MIT */
#include "signalling/presence_self.h"

#include "signalling/rfc3339.h"
#include "signalling/text.h"

#include <stdio.h>
#include <string.h>

#define DAY_MINUTES  1440
#define WEEK_MINUTES (7 * DAY_MINUTES)
#define ALL_DAYS     0x7f

static const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* --- Rules as text ---------------------------------------------------------------------------- */

static int day_of(struct tdm_text word)
{
    for (int i = 0; i < 7; i++)
        if (tdm_text_equals(word, day_names[i]))
            return i;
    return -1;
}

/* "mon-fri", "sat,sun", "daily" */
static bool parse_days(struct tdm_text word, uint8_t *days)
{
    *days = tdm_text_equals(word, "daily") ? ALL_DAYS : 0;
    while (word.at < word.end && *days != ALL_DAYS) {
        struct tdm_text last = tdm_text_until(&word, ',');
        struct tdm_text first = tdm_text_until(&last, '-');
        int from = day_of(first), to = last.at < last.end ? day_of(last) : from;

        if (from < 0 || to < 0)
            return false;
        for (int day = from;; day = (day + 1) % 7) {
            *days = (uint8_t)(*days | 1u << day);
            if (day == to)
                break;
        }
    }
    return *days != 0;
}

/* "8:00" */
static bool parse_minute(struct tdm_text *t, uint16_t *minute)
{
    uint64_t hours, minutes;

    if (!tdm_text_number(t, 24, &hours) || t->at == t->end || *t->at++ != ':' ||
        !tdm_text_number(t, 59, &minutes))
        return false;
    *minute = (uint16_t)(hours * 60 + minutes);
    return *minute <= DAY_MINUTES;
}

static bool parse_span(struct tdm_text word, struct tdm_schedule_rule *rule)
{
    return parse_minute(&word, &rule->from) && word.at < word.end && *word.at++ == '-' &&
           parse_minute(&word, &rule->to) && word.at == word.end && rule->from < DAY_MINUTES &&
           rule->from != rule->to && rule->to > 0;
}

enum tdm_err tdm_schedule_parse(const char *text, size_t size, struct tdm_schedule_rule *rule,
                                struct tdm_cause *cause)
{
    struct tdm_text t = tdm_text_of(text, size);
    struct tdm_text days = tdm_text_word(&t), span = tdm_text_word(&t), state = tdm_text_word(&t);

    *rule = (struct tdm_schedule_rule){.open = true};
    if (!parse_days(days, &rule->days))
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "a rule begins with its days: mon-fri, sat,sun or daily");
    if (!parse_span(span, rule))
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "behind the days of a rule stands from when to when: 08:00-18:00");
    if (tdm_text_equals(state, "offline"))
        rule->open = false;
    else if (state.at < state.end &&
             !tdm_activity_of_name(state.at, tdm_text_size(state), &rule->activity))
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "a rule ends with a state, such as available, away, busy or offline");
    if (t.at < t.end)
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "a rule is days, a time and a state: mon-fri 08:00-18:00 available");
    return TDM_OK;
}

static void add(char *text, size_t capacity, const char *more)
{
    size_t used = strlen(text);

    (void)snprintf(text + used, capacity - used, "%s", more);
}

static void write_days(uint8_t days, char *text, size_t capacity)
{
    if (days == ALL_DAYS) {
        add(text, capacity, "daily");
        return;
    }
    for (int day = 0; day < 7; day++) {
        int last = day;

        if (!(days >> day & 1))
            continue;
        while (last < 6 && days >> (last + 1) & 1)
            last++;
        if (text[0])
            add(text, capacity, ",");
        add(text, capacity, day_names[day]);
        if (last > day) {
            add(text, capacity, last > day + 1 ? "-" : ",");
            add(text, capacity, day_names[last]);
        }
        day = last;
    }
}

void tdm_schedule_write(const struct tdm_schedule_rule *rule, char *text, size_t capacity)
{
    char span[64];

    text[0] = '\0';
    write_days(rule->days, text, capacity);
    (void)snprintf(span, sizeof span, " %02u:%02u-%02u:%02u %s", rule->from / 60u, rule->from % 60u,
                   rule->to / 60u, rule->to % 60u,
                   rule->open ? tdm_activity_name(rule->activity) : "offline");
    add(text, capacity, span);
}

/* --- The schedule at a time ------------------------------------------------------------------- */

/* Minutes from the rule's start on that day to its end. */
static uint32_t length_of(const struct tdm_schedule_rule *rule)
{
    return rule->to > rule->from ? (uint32_t)(rule->to - rule->from)
                                 : (uint32_t)(rule->to + DAY_MINUTES - rule->from);
}

/* Whether the rule covers a minute of the week, and for how many more. */
static bool covers(const struct tdm_schedule_rule *rule, uint32_t minute, uint32_t *left)
{
    for (uint32_t day = 0; day < 7; day++) {
        uint32_t since = (minute + WEEK_MINUTES - (day * DAY_MINUTES + rule->from)) % WEEK_MINUTES;

        if (!(rule->days >> day & 1) || since >= length_of(rule))
            continue;
        *left = length_of(rule) - since;
        return true;
    }
    return false;
}

/* How many minutes until a rule begins somewhere. */
static uint32_t until_begin(const struct tdm_schedule_rule *rule, uint32_t minute)
{
    uint32_t best = WEEK_MINUTES;

    for (uint32_t day = 0; day < 7; day++) {
        uint32_t in = (day * DAY_MINUTES + rule->from + WEEK_MINUTES - minute) % WEEK_MINUTES;

        if (rule->days >> day & 1 && in > 0 && in < best)
            best = in;
    }
    return best;
}

static const struct tdm_schedule_rule *rule_at(const struct tdm_presence_self *self,
                                               uint32_t minute)
{
    uint32_t left;

    for (uint32_t i = 0; i < self->rule_count; i++)
        if (covers(&self->rules[i], minute, &left))
            return &self->rules[i];
    return NULL;
}

/* Minutes until some rule begins or ends. */
static uint32_t until_edge(const struct tdm_presence_self *self, uint32_t minute)
{
    uint32_t best = WEEK_MINUTES;

    for (uint32_t i = 0; i < self->rule_count; i++) {
        uint32_t in = until_begin(&self->rules[i], minute), left;

        best = in < best ? in : best;
        if (covers(&self->rules[i], minute, &left) && left < best)
            best = left;
    }
    return best;
}

static bool open_at(const struct tdm_presence_self *self, uint32_t minute)
{
    const struct tdm_schedule_rule *rule = rule_at(self, minute);

    return !self->rule_count || (rule && rule->open);
}

/* Seconds until whether the device is open by its schedule becomes another; 0: it never does. */
static int64_t until_other(const struct tdm_presence_self *self, uint32_t minute, uint32_t second)
{
    bool open = open_at(self, minute);
    uint32_t passed = 0;

    while (self->rule_count && passed < WEEK_MINUTES) {
        passed += until_edge(self, (minute + passed) % WEEK_MINUTES);
        if (open_at(self, (minute + passed) % WEEK_MINUTES) != open)
            return (int64_t)passed * 60 - second;
    }
    return 0;
}

/* --- Composing -------------------------------------------------------------------------------- */

static bool is_set(const struct tdm_presence_self *self, int64_t unix_s)
{
    return self->set && (!self->set_until_s || unix_s < self->set_until_s);
}

static uint32_t second_of(int64_t unix_s, int32_t offset_s)
{
    return (uint32_t)(((unix_s + offset_s) % 60 + 60) % 60);
}

/* The periods to come, each open or not, as far as they fit. */
static void announce(const struct tdm_presence_self *self, int64_t unix_s, int32_t offset_s,
                     struct tdm_presence_tuple *tuple)
{
    int64_t at = unix_s;
    int64_t span = until_other(self, tdm_minute_of_week(at, offset_s), second_of(at, offset_s));

    while (span > 0 && tuple->timed_count < TDM_PIDF_TIMED_MAX) {
        struct tdm_timed_status *timed = &tuple->timed[tuple->timed_count++];

        at += span;
        span = until_other(self, tdm_minute_of_week(at, offset_s), second_of(at, offset_s));
        *timed = (struct tdm_timed_status){.open = open_at(self, tdm_minute_of_week(at, offset_s)),
                                           .from_s = at,
                                           .until_s = span > 0 ? at + span : 0};
    }
}

static void say_set(const struct tdm_presence_self *self, struct tdm_presence_tuple *tuple)
{
    tuple->open = self->set_open;
    tuple->activity = self->set_activity;
    tuple->since_s = self->set_since_s;
    tuple->until_s = self->set_until_s;
}

void tdm_presence_self_compose(const struct tdm_presence_self *self, int64_t unix_s,
                               int32_t offset_s, struct tdm_presence_tuple *tuple)
{
    uint32_t minute = tdm_minute_of_week(unix_s, offset_s);
    const struct tdm_schedule_rule *rule = rule_at(self, minute);
    bool by_hand = is_set(self, unix_s);

    *tuple = (struct tdm_presence_tuple){.open = true};
    (void)snprintf(tuple->id, sizeof tuple->id, "%s", self->device);
    if (by_hand && (!self->in_call || !self->set_open || self->set_activity)) {
        say_set(self, tuple);
    } else if (self->in_call) { /* "Available" is no more than a call. */
        tuple->activity = TDM_ACTIVITY_ON_THE_PHONE;
        tuple->since_s = self->call_since_s;
    } else if (self->rule_count) {
        tuple->open = rule && rule->open;
        tuple->activity = rule ? rule->activity : TDM_ACTIVITY_NONE;
    }
    if (self->idle && !self->in_call && !by_hand) {
        tuple->idle = true;
        tuple->idle_since_s = self->idle_since_s;
        if (tuple->open && tuple->activity == TDM_ACTIVITY_NONE) {
            tuple->activity = TDM_ACTIVITY_AWAY;
            tuple->since_s = self->idle_since_s;
        }
    }
    if (by_hand)
        memcpy(tuple->note, self->note, sizeof tuple->note);
    else /* What is set by hand holds over the schedule, and so it announces nothing. */
        announce(self, unix_s, offset_s, tuple);
}

int64_t tdm_presence_self_until(const struct tdm_presence_self *self, int64_t unix_s,
                                int32_t offset_s)
{
    int64_t until = INT64_MAX;

    if (is_set(self, unix_s) && self->set_until_s)
        until = self->set_until_s;
    if (self->rule_count) {
        int64_t edge = unix_s - second_of(unix_s, offset_s) +
                       60 * (int64_t)until_edge(self, tdm_minute_of_week(unix_s, offset_s));

        until = edge < until ? edge : until;
    }
    return until;
}
