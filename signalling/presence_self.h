/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_PRESENCE_SELF_H
#define TDM_SIGNALLING_PRESENCE_SELF_H

/*
 * What this device says of its person, composed from what was set by hand until a time, a schedule
 * by the time of day, a call, and hands off the keys. Pure: wall time and the offset from UTC are
 * arguments. Strongest first:
 *
 *   offline, set by hand | an activity set by hand | a call | the schedule | idle | available
 *
 * A schedule is a list of rules, the first that covers a time decides; with rules and none that
 * covers it, the device takes no calls.
 */

#include "signalling/pidf.h"

#define TDM_SCHEDULE_MAX 32

/** "mon-fri 08:00-18:00 available". `to` before `from`: over midnight. */
struct tdm_schedule_rule {
    uint8_t days;      /* Bit 0: Monday, of the day on which it begins. */
    uint16_t from, to; /* Minutes of the day; to at most 1440. */
    bool open;         /* false: offline. */
    enum tdm_activity activity;
};

struct tdm_presence_self {
    char device[40];
    /* Set by hand. */
    bool set, set_open;
    enum tdm_activity set_activity;
    char note[TDM_PIDF_NOTE_MAX];
    int64_t set_since_s, set_until_s; /* until 0: no end. */
    /* By themselves. */
    bool in_call, idle;
    int64_t call_since_s, idle_since_s;
    uint32_t rule_count;
    struct tdm_schedule_rule rules[TDM_SCHEDULE_MAX];
};

/** Parses "mon-fri 08:00-18:00 [STATE]", "sat,sun 22:00-06:00 away", "daily 0:00-24:00 offline". */
enum tdm_err tdm_schedule_parse(const char *text, size_t size, struct tdm_schedule_rule *rule,
                                struct tdm_cause *cause);
/** The same text back, as short as it can be said; `text` holds 96 bytes. */
void tdm_schedule_write(const struct tdm_schedule_rule *rule, char *text, size_t capacity);

/** This device's tuple at `unix_s`, with the periods that the schedule brings next. */
void tdm_presence_self_compose(const struct tdm_presence_self *self, int64_t unix_s,
                               int32_t offset_s, struct tdm_presence_tuple *tuple);
/** When that may be different by time alone; INT64_MAX: never. */
int64_t tdm_presence_self_until(const struct tdm_presence_self *self, int64_t unix_s,
                                int32_t offset_s);

#endif
