/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_CONTACTS_H
#define TDM_SIGNALLING_CONTACTS_H

/*
 * The address book as text that people edit. Pure: text in, contacts out; a change in, text out.
 * Comments, blank lines, order and keys that this version does not know stay as they are.
 *
 *     # family
 *     [paul]
 *     name = Paul Okafor
 *     address = paul@reskit.test by work      the account that reaches him there
 *     address = 10.0.0.7
 *     group = family
 *     answer = auto                           ask, auto, refuse
 *     presence = allow                        ask, allow, polite, block
 *     note = plays the cello
 *
 * A line that is none of this is kept and skipped. The word in brackets is what one types: `tandem
 * call paul`.
 */

#include "engine/base/err.h"
#include "signalling/presence_watcher.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_CONTACTS_FILE_MAX (4u << 20)
#define TDM_CONTACT_ADDRESSES 8
#define TDM_CONTACT_GROUPS    8

enum tdm_contact_answer { TDM_ANSWER_ASK, TDM_ANSWER_AUTO, TDM_ANSWER_REFUSE };

struct tdm_contact_address {
    char uri[200];
    char account[64]; /* "" = any that fits. */
};

struct tdm_contact {
    char id[64]; /* The word that one types: no spaces, brackets, '@', ':' or '/'. */
    char name[128];
    char note[200];
    uint32_t address_count, group_count;
    struct tdm_contact_address addresses[TDM_CONTACT_ADDRESSES];
    char groups[TDM_CONTACT_GROUPS][64];
    enum tdm_contact_answer answer;
    bool policy_set;
    enum tdm_watch_policy policy;
    bool unwatched; /* "watch = no": their presence is not asked for. */
};

const char *tdm_policy_name(enum tdm_watch_policy policy);
bool tdm_policy_of_name(const char *name, enum tdm_watch_policy *policy);
const char *tdm_answer_name(enum tdm_contact_answer answer);
bool tdm_answer_of_name(const char *name, enum tdm_contact_answer *answer);

/** Whether it may be the word of a contact. */
bool tdm_contact_id_is_valid(const char *id);

/** A walk through the contacts of a text. */
struct tdm_contacts_walk {
    const char *at, *end;
    const char *start; /* Where the contact that came last begins. */
};

struct tdm_contacts_walk tdm_contacts_walk_of(const char *text, size_t size);
/** False at the end. What exceeds the bounds of a contact is left out. */
bool tdm_contacts_next(struct tdm_contacts_walk *walk, struct tdm_contact *contact);

/** By the word, a unique name or an address, without regard to case. TDM_E_GONE: nobody;
 *  TDM_E_MALFORMED: several, and the cause names them. */
enum tdm_err tdm_contacts_find(const char *text, size_t size, const char *who,
                               struct tdm_contact *contact, struct tdm_cause *cause);

/**
 * Puts a contact into the text, or over the one with its word: lines that say the same stay, as do
 * comments and unknown keys. NULL `contact`: takes the one called `id` out.
 *
 * @return TDM_E_SPACE when it does not fit, TDM_E_GONE when there is none to take out.
 */
enum tdm_err tdm_contacts_put(const char *text, size_t size, const char *id,
                              const struct tdm_contact *contact, char *out, size_t capacity,
                              size_t *out_size);

#endif
