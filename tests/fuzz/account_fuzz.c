/* SPDX-License-Identifier: MIT */
/* Bytes become inputs and time deltas of one account: no wake in the past, one request out at a
 * time, addresses in range, at rest when off. */
#include "signalling/account.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct tdm_account *a, const struct tdm_account_out *out, tdm_time now)
{
    if (out->wake_at < now || (out->action == TDM_ACCOUNT_DO_SEND &&
                               (!a->sending || a->looking_up || out->attempt != a->attempt ||
                                out->address_index >= a->address_count)))
        abort();
    if (a->state == TDM_SIG_ACCOUNT_OFF && (a->sending || out->wake_at != TDM_NEVER))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t codes[] = {200, 401, 403, 404, 407, 423, 480, 500, 503, 600, 302, 100};
    struct tdm_account account;
    struct tdm_account_out out = {.attempt = 0};
    tdm_time now = 0;

    if (size < 2)
        return 0;
    tdm_account_init(&account, &(struct tdm_account_config){.seed = data[0],
                                                            .expires_s = data[1] & 0x7f,
                                                            .keepalive_s = data[1] & 3,
                                                            .probe = data[1] >> 7});
    for (size_t i = 2; i + 4 <= size; i += 4) {
        const uint8_t *at = data + i;
        struct tdm_account_in in = {
            .kind = (enum tdm_account_in_kind)(at[0] % (TDM_ACCOUNT_LOST + 1)),
            .attempt = out.attempt - (at[0] >> 7),
            .address_count = at[1] % 12,
            .code = codes[at[1] % (sizeof codes / sizeof *codes)],
            .challenge = (enum tdm_account_challenge)(at[2] % (TDM_ACCOUNT_CANNOT_ANSWER + 1)),
            .expires_s = at[2],
            .min_expires_s = at[2] * 400u,
            .retry_after_s = at[2] == 255 ? UINT32_MAX : at[2],
            .contact_moved = at[3] & 1,
            .hopeless = at[3] & 2,
            .reason = "why",
        };

        now = at[3] & 4 && out.wake_at != TDM_NEVER ? out.wake_at : now + (at[3] >> 3) * TDM_S;
        tdm_account_step(&account, now, at[3] & 4 ? NULL : &in, &out);
        check(&account, &out, now);
    }
    return 0;
}
