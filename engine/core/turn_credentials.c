/* SPDX-License-Identifier: MIT */
#include "engine/core/turn_credentials.h"

#include "engine/base/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define EXPIRY_DIGITS_MAX 18

enum tdm_err tdm_turn_rest_user(char user[TDM_TURN_USER_MAX], int64_t expiry_s, const char *name)
{
    int size = snprintf(user, TDM_TURN_USER_MAX, "%" PRId64 ":%s", expiry_s, name);

    return size > 0 && size < TDM_TURN_USER_MAX ? TDM_OK : TDM_E_SPACE;
}

/* RFC 4648 section 4. */
static void base64(char *text, const uint8_t *bytes, size_t size)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < size; i += 3) {
        uint32_t word = (uint32_t)bytes[i] << 16;

        word |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        word |= i + 2 < size ? bytes[i + 2] : 0;
        *text++ = letters[word >> 18];
        *text++ = letters[word >> 12 & 63];
        *text++ = i + 1 < size ? letters[word >> 6 & 63] : '=';
        *text++ = i + 2 < size ? letters[word & 63] : '=';
    }
    *text = '\0';
}

void tdm_turn_rest_password(char password[TDM_TURN_REST_PASSWORD_SIZE], const char *secret,
                            const char *user)
{
    uint8_t digest[TDM_SHA1_BYTES];

    tdm_hmac_sha1(secret, strlen(secret), user, strlen(user), digest);
    base64(password, digest, sizeof digest);
}

static size_t digits_of(const char *user)
{
    return strspn(user, "0123456789");
}

enum tdm_err tdm_turn_rest_expiry(const char *user, int64_t *expiry_s)
{
    size_t digits = digits_of(user);

    *expiry_s = 0;
    if (!digits || digits > EXPIRY_DIGITS_MAX || (user[digits] != ':' && user[digits] != '\0'))
        return TDM_E_MALFORMED;
    for (size_t i = 0; i < digits; i++)
        *expiry_s = *expiry_s * 10 + (user[i] - '0');
    return TDM_OK;
}

const char *tdm_turn_rest_name(const char *user)
{
    size_t digits = digits_of(user);

    return digits && user[digits] == ':' ? user + digits + 1 : user;
}
