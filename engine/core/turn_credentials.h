/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_TURN_CREDENTIALS_H
#define TDM_CORE_TURN_CREDENTIALS_H

/*
 * Time-limited TURN credentials (the "TURN REST API" scheme that coturn, libwebrtc's services and
 * we share): the user is "EXPIRY:NAME" with the expiry in seconds of Unix time, the password is
 * base64(HMAC-SHA-1(secret, user)). Whoever has the secret makes them, and the server keeps none.
 */

#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define TDM_TURN_USER_MAX           128 /* With the terminator. */
#define TDM_TURN_REST_PASSWORD_SIZE 29  /* With the terminator. */

/** "EXPIRY:NAME". TDM_E_SPACE when the name is too long. */
enum tdm_err tdm_turn_rest_user(char user[TDM_TURN_USER_MAX], int64_t expiry_s, const char *name);

void tdm_turn_rest_password(char password[TDM_TURN_REST_PASSWORD_SIZE], const char *secret,
                            const char *user);

/** When the user's credential expires; TDM_E_MALFORMED when it does not start with a number and
 *  (unless it is all) a colon. */
enum tdm_err tdm_turn_rest_expiry(const char *user, int64_t *expiry_s);

/** The part that names a person: behind the colon; all of it when there is no expiry. */
const char *tdm_turn_rest_name(const char *user);

#endif
