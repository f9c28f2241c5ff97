/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_CONTACTS_TEXT_H
#define TDM_SIGNALLING_CONTACTS_TEXT_H

/* Lines of the address book, for the files that read and write it. */

#include "signalling/contacts.h"
#include "signalling/text.h"

enum tdm_contacts_field {
    TDM_FIELD_NONE, /* A comment, a blank line, or a key of somebody else's. */
    TDM_FIELD_NAME,
    TDM_FIELD_ADDRESS,
    TDM_FIELD_GROUP,
    TDM_FIELD_ANSWER,
    TDM_FIELD_POLICY,
    TDM_FIELD_WATCH,
    TDM_FIELD_NOTE,
    TDM_FIELD_COUNT
};

/** Takes the next line, without its end. */
struct tdm_text tdm_contacts_line(struct tdm_text *rest);
/** "[paul]"; an id that is too long becomes "". */
bool tdm_contacts_is_header(struct tdm_text line, char *id, size_t capacity);
enum tdm_contacts_field tdm_contacts_field_of(struct tdm_text line, struct tdm_text *value);

#endif
