/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_CONSENT_H
#define TDM_COLLAB_CONSENT_H

/*
 * What the person at the machine has allowed one helper, and until when: none, view, asked,
 * granted, revoked. Pure; lives at the host alone, whose word is the only one that counts.
 *
 * It decides who may change what (the helper can ask and give back, nothing else), when a question
 * may be answered with yes (a helper who was never here before: after a pause, with a warning), how
 * often one may ask, and when a grant ends. Each change has a number; what a helper sends carries
 * the number that it knew, and tdm_consent_allows refuses what was made under an older one. Every
 * change comes out as an entry for the log.
 *
 *            OFFER / ALLOW                ASK                ALLOW
 *     none ----------------> view <--------------> asked ------------> granted
 *       ^                     ^  DENY, no answer     |                    |
 *       |                     |<-- TAKE_BACK, LEAVE, expiry, DOWN --------+
 *       |                  any, by END               v
 *       +--- OFFER ------- revoked <-----------------+
 */

#include "collab/control_wire.h"
#include "engine/base/time.h"

#define TDM_CONSENT_SECONDS_DEFAULT 900          /* Of a grant: a quarter of an hour. */
#define TDM_CONSENT_SECONDS_MAX     (8u * 3600)  /* None is without end. */
#define TDM_CONSENT_DOWN            (60 * TDM_S) /* A longer break ends control. */
#define TDM_CONSENT_REST            (60 * TDM_S) /* After three questions without a yes. */
#define TDM_CONSENT_ENTRIES_MAX     4            /* Of one step. */

struct tdm_consent_config {
    bool known;              /* The helper is no stranger: he was allowed to control here before,
                                or he is a contact whose certificate is remembered. */
    bool never_control;      /* --control never: questions for control are refused unseen. */
    uint32_t pause_seconds;  /* Before a stranger's question can be answered with yes. [10] */
    uint32_t answer_seconds; /* A question that nobody answers is refused after these. [120] */
    uint32_t seq;            /* Numbers of grants go up from here; seeded by the caller. */
};

enum tdm_consent_input {
    TDM_CONSENT_IN_OFFER,     /* host: share of own accord: scopes out of TDM_SCOPES_SEEN */
    TDM_CONSENT_IN_ALLOW,     /* host: yes, to scopes out of those asked, for seconds (0: as asked,
                                 at most the default). Refused while a stranger's pause runs. */
    TDM_CONSENT_IN_DENY,      /* host: no; what held before holds on. */
    TDM_CONSENT_IN_TAKE_BACK, /* host: these scopes; VIEW among them ends it all */
    TDM_CONSENT_IN_EXTEND,    /* host: seconds more from now on, for what is granted */
    TDM_CONSENT_IN_END,       /* host: the revoke key */
    TDM_CONSENT_IN_ASK,       /* helper: scopes, seconds */
    TDM_CONSENT_IN_LEAVE,     /* helper */
    TDM_CONSENT_IN_DOWN,      /* The connection broke: nothing is allowed until UP. */
    TDM_CONSENT_IN_UP,        /* It stands again: what is left holds under a new number. */
    TDM_CONSENT_IN_KNOWN,     /* The driver has found out that the helper is known: no pause, from
                                 now on. */
};

struct tdm_consent_in {
    enum tdm_consent_input kind;
    uint16_t scopes; /* enum tdm_scope */
    uint32_t seconds;
};

/** One line of the log. A question that came too often is told once a rest, and changes nothing. */
struct tdm_consent_entry {
    tdm_time at;
    enum tdm_consent_state from, to;
    enum tdm_consent_cause cause;
    uint16_t scopes_before, scopes_after; /* That hold. */
    uint16_t asked;                       /* Of the question, if there is one. */
    uint32_t seq;
    tdm_time until; /* TDM_NEVER: control is not granted. */
};

struct tdm_consent_out {
    /* What changed: for the log. With any, the helper is to be told (tdm_consent_tell). */
    uint32_t count;
    struct tdm_consent_entry entries[TDM_CONSENT_ENTRIES_MAX];
    bool refused; /* The input was not allowed now and changed nothing. */
    tdm_time wake_at;
};

struct tdm_consent {
    struct tdm_consent_config config;
    enum tdm_consent_state state;
    uint16_t scopes; /* That hold, whether a question waits or not; while the connection stands. */
    bool down;
    tdm_time down_until;
    tdm_time until; /* Of the control scopes. */
    uint32_t seq;
    uint16_t asked; /* The question. */
    uint32_t asked_seconds;
    tdm_time answer_from, answer_until;
    enum tdm_consent_cause cause; /* Of the last change. */
    /* Questions: at most three in a row without a yes, then a minute's rest. */
    uint32_t asked_count;
    tdm_time rest_until;
    bool rest_told;
};

void tdm_consent_init(struct tdm_consent *c, const struct tdm_consent_config *config);
/** `in` NULL: time has passed. */
void tdm_consent_step(struct tdm_consent *c, tdm_time now, const struct tdm_consent_in *in,
                      struct tdm_consent_out *out);

/** Scopes that hold at this moment: the only question that enforcement asks. */
uint16_t tdm_consent_scopes(const struct tdm_consent *c, tdm_time now);
/** Whether something made under the grant `seq` may happen now. */
bool tdm_consent_allows(const struct tdm_consent *c, tdm_time now, uint16_t scope, uint32_t seq);
/** The GRANT record that tells the helper how things are. */
void tdm_consent_tell(const struct tdm_consent *c, tdm_time now, struct tdm_control_record *rec);

/** From when on a yes counts; for the window with the question. */
static inline tdm_time tdm_consent_answer_from(const struct tdm_consent *c)
{
    return c->answer_from;
}

/** What to show with a question, in plain words: who asks for what. For strangers it warns. */
const char *tdm_consent_warning(const struct tdm_consent *c);
/** Names for logs, JSON and --help: "view", "host-took-back", "pointer". */
const char *tdm_consent_state_name(enum tdm_consent_state state);
const char *tdm_consent_cause_name(enum tdm_consent_cause cause);
const char *tdm_scope_name(enum tdm_scope scope);
/** Writes "pointer, keyboard" ("nothing" for 0); cut when there is no room. @return text */
const char *tdm_scopes_text(uint16_t scopes, char *text, size_t capacity);

#endif
