/* SPDX-License-Identifier: MIT */
/* include/tandem/contacts.h: the address book as a file. */
#include "signalling/contacts.h"
#include "engine/engine.h"
#include "engine/io/settings_file.h"
#include "signalling/vcard.h"
#include "tandem/contacts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TRIES     20             /* When an editor writes at the same time. */
#define CARD_MAX  8192           /* Of one contact. */
#define ADDED_MAX ((size_t)8192) /* What one contact may add to the text. */

struct tandem_contacts {
    char path[512];
};

static enum tandem_status fail(struct tandem_cause *cause, enum tandem_status status,
                               const char *words)
{
    if (cause)
        (void)snprintf(cause->text, sizeof cause->text, "%s", words);
    return status;
}

static enum tandem_status status_of(enum tdm_err err, const struct tdm_cause *why,
                                    struct tandem_cause *cause)
{
    if (err == TDM_OK)
        return TANDEM_OK;
    return fail(cause, err == TDM_E_GONE || err == TDM_E_MALFORMED ? TANDEM_INVALID : TANDEM_FAILED,
                why->text);
}

enum tandem_status tandem_contacts_open(const char *path, struct tandem_contacts **out,
                                        struct tandem_cause *cause)
{
    struct tandem_contacts *contacts = calloc(1, sizeof *contacts);
    struct tdm_cause why = {""};
    char *text = NULL;
    size_t size;
    enum tdm_err err;

    if (!contacts)
        return fail(cause, TANDEM_FAILED, "no memory for the address book");
    (void)snprintf(contacts->path, sizeof contacts->path, "%s", path);
    err = tdm_settings_read(contacts->path, &text, &size, NULL, &why);
    free(text);
    if (err != TDM_OK) {
        free(contacts);
        return status_of(err, &why, cause);
    }
    *out = contacts;
    return TANDEM_OK;
}

void tandem_contacts_close(struct tandem_contacts *contacts)
{
    free(contacts);
}

/* --- Between the two shapes ------------------------------------------------------------------- */

static void to_public(const struct tdm_contact *from, struct tandem_contact_entry *to)
{
    memset(to, 0, sizeof *to);
    memcpy(to->id, from->id, sizeof to->id);
    memcpy(to->name, from->name, sizeof to->name);
    memcpy(to->note, from->note, sizeof to->note);
    to->address_count = from->address_count;
    for (uint32_t i = 0; i < from->address_count; i++) {
        memcpy(to->addresses[i].uri, from->addresses[i].uri, sizeof to->addresses[i].uri);
        memcpy(to->addresses[i].account, from->addresses[i].account,
               sizeof to->addresses[i].account);
    }
    to->group_count = from->group_count;
    memcpy(to->groups, from->groups, sizeof to->groups);
    to->answer = (enum tandem_contact_answer)from->answer;
    to->policy = (enum tandem_policy)from->policy;
    to->policy_set = from->policy_set;
    to->unwatched = from->unwatched;
}

static void copy(char *to, size_t capacity, const char *from)
{
    (void)snprintf(to, capacity, "%s", from);
}

static void to_inner(const struct tandem_contact_entry *from, struct tdm_contact *to)
{
    memset(to, 0, sizeof *to);
    copy(to->id, sizeof to->id, from->id);
    copy(to->name, sizeof to->name, from->name);
    copy(to->note, sizeof to->note, from->note);
    for (uint32_t i = 0; i < from->address_count && i < TDM_CONTACT_ADDRESSES; i++) {
        copy(to->addresses[i].uri, sizeof to->addresses[i].uri, from->addresses[i].uri);
        copy(to->addresses[i].account, sizeof to->addresses[i].account, from->addresses[i].account);
        to->address_count++;
    }
    for (uint32_t i = 0; i < from->group_count && i < TDM_CONTACT_GROUPS; i++)
        copy(to->groups[to->group_count++], sizeof to->groups[0], from->groups[i]);
    to->answer = (enum tdm_contact_answer)from->answer;
    to->policy = (enum tdm_watch_policy)from->policy;
    to->policy_set = from->policy_set;
    to->unwatched = from->unwatched;
}

/* --- Reading ---------------------------------------------------------------------------------- */

static enum tdm_err find(struct tandem_contacts *contacts, const char *who,
                         struct tdm_contact *found, struct tdm_cause *why)
{
    char *text = NULL;
    size_t size;
    enum tdm_err err = tdm_settings_read(contacts->path, &text, &size, NULL, why);

    if (err == TDM_OK)
        err = tdm_contacts_find(text, size, who, found, why);
    free(text);
    return err;
}

enum tandem_status tandem_contacts_find(struct tandem_contacts *contacts, const char *who,
                                        struct tandem_contact_entry *contact,
                                        struct tandem_cause *cause)
{
    struct tdm_cause why = {""};
    struct tdm_contact found;
    enum tdm_err err = find(contacts, who, &found, &why);

    if (err == TDM_OK)
        to_public(&found, contact);
    return status_of(err, &why, cause);
}

enum tandem_status tandem_contacts_at(struct tandem_contacts *contacts, uint32_t index,
                                      struct tandem_contact_entry *contact)
{
    struct tdm_contacts_walk walk;
    struct tdm_contact found;
    char *text = NULL;
    size_t size;
    bool there = false;

    if (tdm_settings_read(contacts->path, &text, &size, NULL, NULL) != TDM_OK)
        return TANDEM_AGAIN;
    walk = tdm_contacts_walk_of(text, size);
    do
        there = tdm_contacts_next(&walk, &found);
    while (there && index--);
    if (there)
        to_public(&found, contact);
    free(text);
    return there ? TANDEM_OK : TANDEM_AGAIN;
}

enum tandem_status tandem_contacts_resolve(struct tandem_contacts *contacts, const char *who,
                                           char address[256], char account[64],
                                           struct tandem_cause *cause)
{
    struct tdm_cause why = {""};
    struct tdm_contact found;
    enum tdm_err err = find(contacts, who, &found, &why);

    if (account)
        account[0] = '\0';
    if (err == TDM_E_GONE) {
        (void)snprintf(address, 256, "%s", who);
        return TANDEM_OK;
    }
    if (err != TDM_OK)
        return status_of(err, &why, cause);
    if (!found.address_count) {
        (void)tdm_fail(&why, TDM_E_MALFORMED,
                       "%.60s has no address: tandem contacts add %.60s ADDRESS", who, found.id);
        return status_of(TDM_E_MALFORMED, &why, cause);
    }
    (void)snprintf(address, 256, "%s", found.addresses[0].uri);
    if (account)
        (void)snprintf(account, 64, "%s", found.addresses[0].account);
    return TANDEM_OK;
}

/* --- Changing --------------------------------------------------------------------------------- */

/* Makes the new text of one change: `out` has room. */
typedef enum tdm_err change_fn(void *arg, const char *text, size_t size, char *out, size_t capacity,
                               size_t *out_size, struct tdm_cause *why);

/* Under the lock, on the text as it is then; again when an editor wrote meanwhile. */
static enum tandem_status change(struct tandem_contacts *contacts, change_fn *make, void *arg,
                                 size_t added, struct tandem_cause *cause)
{
    struct tdm_cause why = {""};
    enum tdm_err err = TDM_E_AGAIN;

    for (int i = 0; i < TRIES && err == TDM_E_AGAIN; i++) {
        struct tdm_settings_edit edit;
        size_t size = 0, capacity;
        char *out;

        err = tdm_settings_begin(&edit, contacts->path, &why);
        if (err != TDM_OK)
            break;
        capacity = edit.size + added;
        out = malloc(capacity);
        err = out ? make(arg, edit.text, edit.size, out, capacity, &size, &why)
                  : tdm_fail(&why, TDM_E_SYSTEM, "no memory for the address book");
        if (err != TDM_OK)
            tdm_settings_abandon(&edit);
        else
            err = tdm_settings_commit(&edit, out, size, &why);
        free(out);
    }
    return status_of(err, &why, cause);
}

static enum tdm_err put_entry(void *arg, const char *text, size_t size, char *out, size_t capacity,
                              size_t *out_size, struct tdm_cause *why)
{
    const struct tdm_contact *contact = arg;
    enum tdm_err err = tdm_contacts_put(text, size, contact->id, contact, out, capacity, out_size);

    return err ? tdm_fail(why, err, "the address book is full") : TDM_OK;
}

enum tandem_status tandem_contacts_put(struct tandem_contacts *contacts,
                                       const struct tandem_contact_entry *contact,
                                       struct tandem_cause *cause)
{
    struct tdm_contact inner;

    to_inner(contact, &inner);
    if (!tdm_contact_id_is_valid(inner.id))
        return fail(cause, TANDEM_INVALID,
                    "the word for a contact has no spaces, brackets, @, : or /");
    return change(contacts, put_entry, &inner, ADDED_MAX, cause);
}

static enum tdm_err remove_entry(void *arg, const char *text, size_t size, char *out,
                                 size_t capacity, size_t *out_size, struct tdm_cause *why)
{
    struct tdm_contact found;
    enum tdm_err err = tdm_contacts_find(text, size, arg, &found, why);

    return err ? err : tdm_contacts_put(text, size, found.id, NULL, out, capacity, out_size);
}

enum tandem_status tandem_contacts_remove(struct tandem_contacts *contacts, const char *who,
                                          struct tandem_cause *cause)
{
    char word[256];

    (void)snprintf(word, sizeof word, "%s", who);
    return change(contacts, remove_entry, word, ADDED_MAX, cause);
}

struct grouping {
    const char *who, *group;
    bool in;
};

static enum tdm_err regroup(void *arg, const char *text, size_t size, char *out, size_t capacity,
                            size_t *out_size, struct tdm_cause *why)
{
    const struct grouping *g = arg;
    struct tdm_contact c;
    enum tdm_err err = tdm_contacts_find(text, size, g->who, &c, why);
    uint32_t at = 0;

    if (err)
        return err;
    while (at < c.group_count && strcasecmp(c.groups[at], g->group) != 0)
        at++;
    if (g->in && at == TDM_CONTACT_GROUPS)
        return tdm_fail(why, TDM_E_MALFORMED, "%.60s is in %d groups already", c.id,
                        TDM_CONTACT_GROUPS);
    if (!g->in && at == c.group_count)
        return tdm_fail(why, TDM_E_GONE, "%.60s is not in the group %.60s", c.id, g->group);
    if (!g->in) {
        c.group_count--;
        memmove(c.groups[at], c.groups[at + 1], (c.group_count - at) * sizeof c.groups[0]);
    } else if (at == c.group_count) {
        copy(c.groups[c.group_count++], sizeof c.groups[0], g->group);
    }
    return tdm_contacts_put(text, size, c.id, &c, out, capacity, out_size);
}

enum tandem_status tandem_contacts_group(struct tandem_contacts *contacts, const char *who,
                                         const char *group, bool in, struct tandem_cause *cause)
{
    struct grouping g = {.who = who, .group = group, .in = in};

    if (!group[0])
        return fail(cause, TANDEM_INVALID, "a group needs a name");
    return change(contacts, regroup, &g, ADDED_MAX, cause);
}

/* --- vCards ----------------------------------------------------------------------------------- */

struct import {
    const char *cards;
    size_t size;
    struct tandem_contacts_imported count;
};

static bool has_uri(const struct tdm_contact *c, const char *uri)
{
    for (uint32_t i = 0; i < c->address_count; i++)
        if (strcasecmp(c->addresses[i].uri, uri) == 0)
            return true;
    return false;
}

static bool has_group(const struct tdm_contact *c, const char *group)
{
    for (uint32_t i = 0; i < c->group_count; i++)
        if (strcasecmp(c->groups[i], group) == 0)
            return true;
    return false;
}

/* What the card says and the contact does not. */
static void merge(struct tdm_contact *c, const struct tdm_contact *card)
{
    for (uint32_t i = 0; i < card->address_count; i++)
        if (c->address_count < TDM_CONTACT_ADDRESSES && !has_uri(c, card->addresses[i].uri))
            c->addresses[c->address_count++] = card->addresses[i];
    for (uint32_t i = 0; i < card->group_count; i++)
        if (c->group_count < TDM_CONTACT_GROUPS && !has_group(c, card->groups[i]))
            memcpy(c->groups[c->group_count++], card->groups[i], sizeof c->groups[0]);
    if (!c->name[0])
        memcpy(c->name, card->name, sizeof c->name);
    if (!c->note[0])
        memcpy(c->note, card->note, sizeof c->note);
}

/* The same person by an address; of the same word but with no address in common, another: then the
 * card gets a word of its own. */
static bool is_known(const char *text, size_t size, struct tdm_contact *card,
                     struct tdm_contact *found)
{
    struct tdm_contacts_walk walk = tdm_contacts_walk_of(text, size);
    bool word_taken = false;

    while (tdm_contacts_next(&walk, found)) {
        for (uint32_t i = 0; i < card->address_count; i++)
            if (has_uri(found, card->addresses[i].uri))
                return true;
        if (strcasecmp(found->id, card->id) == 0) {
            if (!found->address_count)
                return true;
            word_taken = true;
        }
    }
    if (word_taken) {
        char word[sizeof card->id];

        memcpy(word, card->id, sizeof word);
        for (int n = 2; n < 1000; n++) {
            (void)snprintf(card->id, sizeof card->id, "%.56s-%d", word, n);
            if (tdm_contacts_find(text, size, card->id, found, NULL) != TDM_OK)
                break;
        }
    }
    return false;
}

static enum tdm_err import_cards(void *arg, const char *text, size_t size, char *out,
                                 size_t capacity, size_t *out_size, struct tdm_cause *why)
{
    struct import *import = arg;
    struct tdm_vcard_walk walk = tdm_vcard_walk_of(import->cards, import->size);
    struct tdm_contact card, found;
    char *now = malloc(capacity);
    size_t used = size;
    enum tdm_err err = now ? TDM_OK : TDM_E_SYSTEM;

    import->count = (struct tandem_contacts_imported){0};
    if (now && size)
        memcpy(now, text, size);
    while (err == TDM_OK && tdm_vcard_next(&walk, &card)) {
        bool known = is_known(now, used, &card, &found);

        if (known)
            merge(&found, &card);
        err = tdm_contacts_put(now, used, known ? found.id : card.id, known ? &found : &card, out,
                               capacity, &used);
        if (err == TDM_OK)
            memcpy(now, out, used);
        import->count.merged += known;
        import->count.added += !known;
    }
    import->count.skipped = walk.skipped;
    if (err == TDM_OK && used)
        memcpy(out, now, used);
    *out_size = used;
    free(now);
    return err ? tdm_fail(why, err, "no room for so many contacts") : TDM_OK;
}

enum tandem_status tandem_contacts_import(struct tandem_contacts *contacts, const char *vcards,
                                          size_t size, struct tandem_contacts_imported *imported,
                                          struct tandem_cause *cause)
{
    struct import import = {.cards = vcards, .size = size};
    /* What a card says takes up to twice its bytes: "address = " before each. */
    enum tandem_status status =
        change(contacts, import_cards, &import, 2 * size + ADDED_MAX, cause);

    if (imported)
        *imported = import.count;
    return status;
}

char *tandem_contacts_export(struct tandem_contacts *contacts, const char *group,
                             struct tandem_cause *cause)
{
    struct tdm_contacts_walk walk;
    struct tdm_cause why = {""};
    struct tdm_contact c;
    char *text = NULL, *cards = NULL, card[CARD_MAX];
    size_t size, used = 0;
    FILE *to;

    if (tdm_settings_read(contacts->path, &text, &size, NULL, &why) != TDM_OK) {
        (void)fail(cause, TANDEM_FAILED, why.text);
        return NULL;
    }
    to = open_memstream(&cards, &used);
    walk = tdm_contacts_walk_of(text, size);
    while (to && tdm_contacts_next(&walk, &c))
        if ((!group || has_group(&c, group)) &&
            tdm_vcard_write(&c, card, sizeof card, &size) == TDM_OK)
            (void)fwrite(card, 1, size, to);
    free(text);
    if (!to || fclose(to) != 0) {
        (void)fail(cause, TANDEM_FAILED, "no memory for the cards");
        return NULL;
    }
    return cards;
}
