/* SPDX-License-Identifier: MIT */
/* Any bytes as an address book: putting back what was read changes nothing, a change is there
 * afterwards, and nobody else has changed. */
#include "signalling/contacts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM ((size_t)1 << 16)

static uint32_t count_others(const char *text, size_t size, const char *id)
{
    struct tdm_contacts_walk walk = tdm_contacts_walk_of(text, size);
    struct tdm_contact contact;
    uint32_t count = 0;

    while (tdm_contacts_next(&walk, &contact))
        count += strcasecmp(contact.id, id) != 0;
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char out[ROOM];
    const char *text = (const char *)data;
    struct tdm_contacts_walk walk = tdm_contacts_walk_of(text, size);
    struct tdm_contact contact, first;
    size_t used = 0;

    if (size > ROOM / 2 || !tdm_contacts_next(&walk, &first))
        return 0;
    if (tdm_contacts_put(text, size, first.id, &first, out, sizeof out, &used) != TDM_OK)
        abort();
    /* At most a last line without an end got one. */
    if (used < size || used > size + 1 ||
        count_others(out, used, "") != count_others(text, size, ""))
        abort();
    memset(first.note, 0, sizeof first.note);
    (void)snprintf(first.note, sizeof first.note, "changed");
    first.address_count = 0;
    if (tdm_contacts_put(text, size, first.id, &first, out, sizeof out, &used) != TDM_OK ||
        tdm_contacts_find(out, used, first.id, &contact, NULL) != TDM_OK ||
        strcmp(contact.note, "changed") != 0 || contact.address_count != 0 ||
        count_others(out, used, first.id) != count_others(text, size, first.id))
        abort();
    if (tdm_contacts_put(text, size, first.id, NULL, out, sizeof out, &used) != TDM_OK ||
        count_others(out, used, first.id) != count_others(text, size, first.id))
        abort();
    return 0;
}
