/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_BOARD_PEOPLE_H
#define TDM_ENGINE_BOARD_PEOPLE_H

/*
 * The folder of boards: a folder for each contact, named by the fingerprint of its certificate, in
 * it the board of the two, boards that the contact showed, and a file "contact" that says how it is
 * called and what its rule is. A certificate that was never seen has no folder, and no rule but to
 * ask.
 */

#include "collab/board_door.h"
#include "engine/base/err.h"
#include "engine/io/identity.h"

#define TDM_BOARD_PATH_MAX 512
#define TDM_BOARD_WHO_MAX  128

struct tdm_board_person {
    char who[TDM_BOARD_WHO_MAX]; /* "user@host"; "" = not known. */
    enum tdm_door_rule rule;
};

/** What is known of a certificate; nothing: asks. `folder` NULL: nothing is. */
void tdm_board_person_read(const char *folder, const uint8_t peer[TDM_FINGERPRINT_BYTES],
                           struct tdm_board_person *person);
enum tdm_err tdm_board_person_write(const char *folder, const uint8_t peer[TDM_FINGERPRINT_BYTES],
                                    const struct tdm_board_person *person, struct tdm_cause *cause);
/** The certificate of who was called so last; false: nobody. */
bool tdm_board_person_find(const char *folder, const char *who,
                           uint8_t peer[TDM_FINGERPRINT_BYTES]);

/** Where a board of the contact lies: the two's own (`document` NULL), or one by its number. The
 *  contact's folder is made. */
enum tdm_err tdm_board_person_path(const char *folder, const uint8_t peer[TDM_FINGERPRINT_BYTES],
                                   const uint8_t *document, char path[TDM_BOARD_PATH_MAX],
                                   struct tdm_cause *cause);

#endif
