/* SPDX-License-Identifier: MIT */
/* Any bytes as vCards: each contact that comes out must be one that the address book can hold, and
 * come back from a card of ours. */
#include "signalling/vcard.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_vcard_walk walk = tdm_vcard_walk_of((const char *)data, size);
    struct tdm_contact contact, again;
    static char card[16384];
    size_t used;

    while (tdm_vcard_next(&walk, &contact)) {
        struct tdm_vcard_walk own;

        if (!tdm_contact_id_is_valid(contact.id) || !contact.address_count)
            abort();
        if (tdm_vcard_write(&contact, card, sizeof card, &used) != TDM_OK)
            abort();
        own = tdm_vcard_walk_of(card, used);
        if (!tdm_vcard_next(&own, &again) || strcmp(again.id, contact.id) != 0 ||
            again.address_count != contact.address_count)
            abort();
    }
    return 0;
}
