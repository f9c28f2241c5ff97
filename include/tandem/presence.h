/* SPDX-License-Identifier: MIT */
#ifndef TANDEM_PRESENCE_H
#define TANDEM_PRESENCE_H

/*
 * Who is there, and for whom: our own state, which is published to the servers of our accounts and
 * told to those who ask this device itself; and the states of others. docs/presence.md says how.
 *
 *     struct tandem_presence *presence;
 *     tandem_presence_create(&(struct tandem_presence_config){.path = "presence.conf"}, &presence,
 *                            &cause);
 *     config.presence = presence;             in struct tandem_config
 *     tandem_presence_watch(presence, "paul@reskit.test", NULL, &cause);
 *     ... poll tandem_presence_event_fd, tandem_presence_next_event ...
 *
 * Own state, schedule and decisions lie in one file that people may edit; every program that has it
 * open follows its changes. Any thread may call; nothing is called back.
 */

#include "tandem/contacts.h"
#include "tandem/tandem.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tandem_presence;

struct tandem_presence_config {
    const char *path;                 /* NULL: in memory only. */
    struct tandem_contacts *contacts; /* Whose policies hold; outlives it. NULL: none. */
};

TANDEM_API enum tandem_status tandem_presence_create(const struct tandem_presence_config *config,
                                                     struct tandem_presence **presence,
                                                     struct tandem_cause *cause);
/** After the engine that named it was destroyed. */
TANDEM_API void tandem_presence_destroy(struct tandem_presence *presence);

/** States by the names that people type: "available", "away", "busy", "on-the-phone", "meeting",
 *  "meal", "vacation", "travel", "sleeping", "working", "offline". */
TANDEM_API const char *tandem_presence_states(void);

/** Sets our state by hand until `until_s` (Unix time; 0: until the next). `state` NULL: nothing is
 *  set any more, and schedule, calls and keys decide. `note` NULL: none. */
TANDEM_API enum tandem_status tandem_presence_set(struct tandem_presence *presence,
                                                  const char *state, const char *note,
                                                  int64_t until_s, struct tandem_cause *cause);
/** Tells that nobody touches this machine, or somebody does again. */
TANDEM_API void tandem_presence_idle(struct tandem_presence *presence, bool idle);

/** Adds "mon-fri 08:00-18:00 available" to this device's schedule, behind what is there. */
TANDEM_API enum tandem_status tandem_presence_schedule_add(struct tandem_presence *presence,
                                                           const char *rule,
                                                           struct tandem_cause *cause);
/** Takes the rule of that number (from 1) away. */
TANDEM_API enum tandem_status tandem_presence_schedule_remove(struct tandem_presence *presence,
                                                              uint32_t number,
                                                              struct tandem_cause *cause);

/** Decides who may see us. Kept. */
TANDEM_API enum tandem_status tandem_presence_decide(struct tandem_presence *presence,
                                                     const char *who, enum tandem_policy policy,
                                                     struct tandem_cause *cause);

/** Watches somebody from now on; `account` NULL: the one that fits, or none. */
TANDEM_API enum tandem_status tandem_presence_watch(struct tandem_presence *presence,
                                                    const char *who, const char *account,
                                                    struct tandem_cause *cause);
TANDEM_API void tandem_presence_unwatch(struct tandem_presence *presence, const char *who);

enum tandem_presence_event_kind {
    TANDEM_PRESENCE_CHANGED, /* `who` is now as said. */
    TANDEM_PRESENCE_ASKED,   /* `who` wants to see us: tandem_presence_decide. */
    TANDEM_PRESENCE_OWN,     /* Our own state is another. */
};

struct tandem_presence_event {
    enum tandem_presence_event_kind kind;
    char who[256];  /* As it was said to tandem_presence_watch; ASKED: the address. */
    bool known;     /* Something was heard of them; else text says why not. */
    bool open;      /* Can be reached now. */
    char state[32]; /* One of tandem_presence_states. */
    char note[200];
    int64_t since_s, until_s; /* Unix time; 0: not said. */
    uint32_t devices, open_devices;
    char text[256]; /* Why nothing is known: "waits for an answer", "nobody there"... */
};

TANDEM_API int tandem_presence_event_fd(struct tandem_presence *presence);
/** Takes the oldest event; TANDEM_AGAIN when there is none. Of several changes of one person only
 *  the last is kept. */
TANDEM_API enum tandem_status tandem_presence_next_event(struct tandem_presence *presence,
                                                         struct tandem_presence_event *event);

/** Our own state as it is now; `device` (may be NULL): the id of this device. */
TANDEM_API void tandem_presence_own(struct tandem_presence *presence,
                                    struct tandem_presence_event *own);
/** Own state, schedule, who is watched and who watches, as JSON. Free with tandem_free. */
TANDEM_API char *tandem_presence_report(struct tandem_presence *presence);

#ifdef __cplusplus
}
#endif

#endif
