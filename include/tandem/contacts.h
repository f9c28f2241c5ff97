/* SPDX-License-Identifier: MIT */
#ifndef TANDEM_CONTACTS_H
#define TANDEM_CONTACTS_H

/*
 * The address book: one file that people read and edit, several programs may change at once, and no
 * crash can spoil. Every change reads the file anew under a lock, changes only what it says, and
 * replaces the file in one step; comments and keys that are not known here stay. docs/contacts.md
 * has the format.
 *
 * Any thread may call.
 */

#include "tandem/tandem.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tandem_contacts;

/** Opens the file, which need not be there yet. TANDEM_FAILED when it cannot be read. */
TANDEM_API enum tandem_status tandem_contacts_open(const char *path,
                                                   struct tandem_contacts **contacts,
                                                   struct tandem_cause *cause);
TANDEM_API void tandem_contacts_close(struct tandem_contacts *contacts);

enum tandem_contact_answer { TANDEM_ANSWER_ASK, TANDEM_ANSWER_AUTO, TANDEM_ANSWER_REFUSE };

/** Who may see our presence. */
enum tandem_policy {
    TANDEM_POLICY_ASK, /* The user is asked. */
    TANDEM_POLICY_ALLOW,
    TANDEM_POLICY_POLITE, /* Sees us offline, always. */
    TANDEM_POLICY_BLOCK,
};

#define TANDEM_CONTACT_ADDRESSES 8
#define TANDEM_CONTACT_GROUPS    8

struct tandem_contact_entry {
    char id[64]; /* The word that one types; made from the name when it is "". */
    char name[128];
    char note[200];
    uint32_t address_count, group_count;
    struct {
        char uri[200];
        char account[64]; /* By which account; "" = any that fits. */
    } addresses[TANDEM_CONTACT_ADDRESSES];
    char groups[TANDEM_CONTACT_GROUPS][64];
    enum tandem_contact_answer answer;
    enum tandem_policy policy;
    bool policy_set; /* Else the engine's own choice holds for who is in the book: allow. */
    bool unwatched;  /* Do not ask for their presence. */
};

/** The contact with this word, name or address. TANDEM_INVALID: nobody, or several; the cause says
 *  which. */
TANDEM_API enum tandem_status tandem_contacts_find(struct tandem_contacts *contacts,
                                                   const char *who,
                                                   struct tandem_contact_entry *contact,
                                                   struct tandem_cause *cause);
/** The index-th contact of the file; TANDEM_AGAIN: there are no more. */
TANDEM_API enum tandem_status tandem_contacts_at(struct tandem_contacts *contacts, uint32_t index,
                                                 struct tandem_contact_entry *contact);

/** Adds, or changes the contact of that word. */
TANDEM_API enum tandem_status tandem_contacts_put(struct tandem_contacts *contacts,
                                                  const struct tandem_contact_entry *contact,
                                                  struct tandem_cause *cause);
/** By word, name or address. */
TANDEM_API enum tandem_status tandem_contacts_remove(struct tandem_contacts *contacts,
                                                     const char *who, struct tandem_cause *cause);
/** Into a group, or out of it. */
TANDEM_API enum tandem_status tandem_contacts_group(struct tandem_contacts *contacts,
                                                    const char *who, const char *group, bool in,
                                                    struct tandem_cause *cause);

struct tandem_contacts_imported {
    uint32_t added, merged, skipped;
};

/** Takes the vCards of a file (NULL: standard input is the program's business). Who is there
 *  already, by word and address, gets what is new. */
TANDEM_API enum tandem_status tandem_contacts_import(struct tandem_contacts *contacts,
                                                     const char *vcards, size_t size,
                                                     struct tandem_contacts_imported *imported,
                                                     struct tandem_cause *cause);
/** All contacts, or those of `group`, as vCards of version 4. Free with tandem_free. */
TANDEM_API char *tandem_contacts_export(struct tandem_contacts *contacts, const char *group,
                                        struct tandem_cause *cause);

/**
 * Whom `who` means: a contact's first address, or what was typed when it is nobody in the book.
 *
 * @param account  The account that the book names for it, or "". May be NULL.
 *
 * TANDEM_INVALID: the name fits several, or a contact without an address.
 */
TANDEM_API enum tandem_status tandem_contacts_resolve(struct tandem_contacts *contacts,
                                                      const char *who, char address[256],
                                                      char account[64], struct tandem_cause *cause);

#ifdef __cplusplus
}
#endif

#endif
