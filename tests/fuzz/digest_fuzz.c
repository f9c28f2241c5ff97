/* SPDX-License-Identifier: MIT */
/* A header of any bytes, as challenge and as credentials: what parses can be answered, and the
 * answer is read back and proves the password. */
#include "signalling/digest_auth.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_digest_challenge challenge;
    struct tdm_digest_credentials credentials;
    char value[TDM_DIGEST_HEADER_MAX], ha1[TDM_DIGEST_HEX_MAX];
    const char *text = (const char *)data;

    if (tdm_digest_parse_credentials(text, size, &credentials) == TDM_OK)
        (void)tdm_digest_check(&credentials, "REGISTER", "00");
    if (tdm_digest_parse_challenge(text, size, &challenge) != TDM_OK)
        return 0;

    struct tdm_digest_request request = {.user = "bob",
                                         .password = "secret",
                                         .method = "REGISTER",
                                         .uri = "sip:example.org",
                                         .cnonce = "0011223344556677",
                                         .nc = 1};

    if (tdm_digest_answer(&challenge, &request, value, sizeof value) != TDM_OK ||
        tdm_digest_parse_credentials(value, strlen(value), &credentials) != TDM_OK)
        abort();
    tdm_digest_ha1(challenge.algorithm, "bob", challenge.realm, "secret", ha1);
    if (!tdm_digest_check(&credentials, "REGISTER", ha1) ||
        tdm_digest_check(&credentials, "INVITE", ha1))
        abort();
    return 0;
}
