/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_VCARD_H
#define TDM_SIGNALLING_VCARD_H

/*
 * Contacts as vCards (RFC 6350, version 4; 3 and 2.1 are read too): FN, N, NICKNAME, IMPP and TEL
 * with sip:, EMAIL only as a last resort for a name, CATEGORIES, NOTE, and what is ours as
 * X-TANDEM-* properties. Folded lines, escapes, groups, parameters and quoted-printable are read.
 * Pure.
 */

#include "signalling/contacts.h"

#define TDM_VCARD_LINE_MAX 2048 /* An unfolded line; more of it (a photo) is stepped over. */

struct tdm_vcard_walk {
    const char *at, *end;
    uint32_t skipped; /* Cards without a name or an address that Tandem can reach. */
};

struct tdm_vcard_walk tdm_vcard_walk_of(const char *text, size_t size);
/** The next card as a contact; its word is made from nickname or name. False at the end. */
bool tdm_vcard_next(struct tdm_vcard_walk *walk, struct tdm_contact *contact);

/** One card, version 4, with CRLF and lines folded at 75 bytes. TDM_E_SPACE when it does not fit.
 *  *size without the terminator. */
enum tdm_err tdm_vcard_write(const struct tdm_contact *contact, char *text, size_t capacity,
                             size_t *size);

#endif
