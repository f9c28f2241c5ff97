/* SPDX-License-Identifier: MIT */
#include "engine/io/entropy.h"
#include "signalling/sip_state.h"
#include "signalling/sip_words.h"

#include <stdio.h>
#include <string.h>

#define TRIES_MAX 4 /* Passwords that one request may be asked for. */

/* --- What we say ------------------------------------------------------------------------------ */

static int write_one(const struct tdm_sip_account *account, struct tdm_sip_realm *realm,
                     const char *method, const char *uri, struct mbuf *mb)
{
    char value[TDM_DIGEST_HEADER_MAX], cnonce[24];
    struct tdm_digest_request request = {
        .user = account->auth_user,
        .password = account->password,
        .method = method,
        .uri = uri,
        .cnonce = cnonce,
        .nc = realm->nc + 1,
    };

    (void)snprintf(cnonce, sizeof cnonce, "%016llx", (unsigned long long)tdm_entropy_u64());
    if (tdm_digest_answer(&realm->challenge, &request, value, sizeof value) != TDM_OK)
        return 0; /* Then it is asked for again, and that fails with words. */
    realm->nc++;
    return mbuf_printf(mb, "%s: %s\r\n", realm->proxy ? "Proxy-Authorization" : "Authorization",
                       value);
}

int tdm_sip_auth_write(struct tdm_sip_account *account, const char *method, const char *uri,
                       struct mbuf *mb)
{
    /* An ACK says what its INVITE said (RFC 3261 section 22.1), and nobody challenges a CANCEL. */
    const char *as = strcmp(method, "ACK") == 0 ? "INVITE" : method;
    int err = 0;

    for (size_t i = 0; !err && i < TDM_SIP_REALMS_MAX; i++)
        if (account->realms[i].challenge.realm[0])
            err = write_one(account, &account->realms[i], as, uri, mb);
    return err;
}

/* --- What they ask ---------------------------------------------------------------------------- */

struct asked {
    struct tdm_digest_challenge best;
    bool any, readable; /* A challenge came; one that we know. */
};

static bool take_header(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
    struct tdm_digest_challenge challenge;
    struct asked *asked = arg;

    (void)msg;
    asked->any = true;
    if (tdm_digest_parse_challenge(hdr->val.p, hdr->val.l, &challenge) != TDM_OK)
        return false;
    if (!asked->readable || tdm_digest_is_better(&challenge, &asked->best))
        asked->best = challenge;
    asked->readable = true;
    return false;
}

/* A callee far away that asks for a password gets none: it could guess at its leisure what made the
 * answer. Only the account's own service may ask. */
static bool may_ask(struct tdm_sip_account *account, uint64_t try, const char *realm)
{
    if (!account->realm[0] || try == account->try)
        (void)snprintf(account->realm, sizeof account->realm, "%s", realm);
    return strcmp(account->realm, realm) == 0 || strcmp(account->aor.host, realm) == 0;
}

static struct tdm_sip_realm *realm_of(struct tdm_sip_account *account, const char *name, bool proxy)
{
    struct tdm_sip_realm *oldest = &account->realms[0];

    for (size_t i = 0; i < TDM_SIP_REALMS_MAX; i++) {
        struct tdm_sip_realm *realm = &account->realms[i];

        if (realm->proxy == proxy && strcmp(realm->challenge.realm, name) == 0)
            return realm;
        if (!realm->challenge.realm[0] || realm->fresh_for < oldest->fresh_for)
            oldest = realm;
    }
    memset(oldest, 0, sizeof *oldest);
    return oldest;
}

static enum tdm_account_challenge take_kind(struct tdm_sip_account *account, uint64_t try,
                                            const struct sip_msg *msg, bool proxy)
{
    struct asked asked = {.any = false};
    struct tdm_sip_realm *realm;

    (void)sip_msg_hdr_apply(msg, true,
                            proxy ? SIP_HDR_PROXY_AUTHENTICATE : SIP_HDR_WWW_AUTHENTICATE,
                            take_header, &asked);
    if (!asked.any)
        return TDM_ACCOUNT_NO_CHALLENGE;
    if (!asked.readable)
        return TDM_ACCOUNT_CANNOT_ANSWER;
    if (!account->password[0])
        return TDM_ACCOUNT_NO_PASSWORD;
    if (!may_ask(account, try, asked.best.realm))
        return TDM_ACCOUNT_CANNOT_ANSWER;
    realm = realm_of(account, asked.best.realm, proxy);
    if (realm->challenge.realm[0] && realm->fresh_for == try && !asked.best.stale) {
        memset(realm, 0, sizeof *realm);
        return TDM_ACCOUNT_WRONG_PASSWORD;
    }
    *realm = (struct tdm_sip_realm){.challenge = asked.best, .proxy = proxy, .fresh_for = try};
    return TDM_ACCOUNT_CAN_ANSWER;
}

enum tdm_account_challenge tdm_sip_auth_take(struct tdm_sip_account *account, uint64_t try,
                                             const struct sip_msg *msg)
{
    enum tdm_account_challenge www = take_kind(account, try, msg, false);
    enum tdm_account_challenge proxy = take_kind(account, try, msg, true);

    if (www == TDM_ACCOUNT_NO_CHALLENGE)
        return proxy == TDM_ACCOUNT_NO_CHALLENGE ? TDM_ACCOUNT_CANNOT_ANSWER : proxy;
    if (proxy == TDM_ACCOUNT_NO_CHALLENGE)
        return www;
    return www == TDM_ACCOUNT_CAN_ANSWER ? proxy : www;
}

bool tdm_sip_auth_again(struct tdm_sip_call *call, const struct sip_msg *msg)
{
    if (!call->account || (msg->scode != 401 && msg->scode != 407)) {
        call->try_count = 0;
        return false;
    }
    call->challenge = tdm_sip_auth_take(call->account, call->try, msg);
    if (++call->try_count < TRIES_MAX && call->challenge == TDM_ACCOUNT_CAN_ANSWER)
        return true;
    call->try_count = 0;
    return false;
}

const char *tdm_sip_refusal(const struct tdm_sip_call *call, uint16_t code)
{
    if (!call->account || (code != 401 && code != 407))
        return tdm_sip_words(code);
    switch (call->challenge) {
    case TDM_ACCOUNT_NO_PASSWORD:
        return "the server asks for a password, and the account has none";
    case TDM_ACCOUNT_CANNOT_ANSWER:
        return "the other side asks for a password that the account's is not for";
    default:
        return "the server does not take the user name or the password of the account";
    }
}
