/* SPDX-License-Identifier: MIT */
#include "engine/account.h"

#include "engine/base/digest.h"
#include "signalling/sip_uri.h"
#include "signalling/tel_uri.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum tandem_status tdm_account_finish(enum tdm_err err, const struct tdm_cause *why,
                                      struct tandem_cause *cause)
{
    if (cause && err != TDM_OK)
        (void)snprintf(cause->text, sizeof cause->text, "%s", why->text);
    return err == TDM_E_MALFORMED ? TANDEM_INVALID : tdm_engine_status(err);
}

const char *tandem_account_state_name(enum tandem_account_state state)
{
    static const char *const names[] = {
        [TANDEM_ACCOUNT_OFF] = "off",
        [TANDEM_ACCOUNT_REGISTERING] = "registering",
        [TANDEM_ACCOUNT_REGISTERED] = "registered",
        [TANDEM_ACCOUNT_WAITING] = "waiting to try again",
        [TANDEM_ACCOUNT_REFUSED] = "refused",
        [TANDEM_ACCOUNT_LEAVING] = "leaving",
    };

    return names[state];
}

/* --- Which way -------------------------------------------------------------------------------- */

const struct tdm_engine_account *tdm_engine_account_find(const struct tandem *engine, tdm_sig_id id)
{
    for (uint32_t i = 0; i < engine->accounts.count; i++)
        if (engine->accounts.list[i].id == id)
            return &engine->accounts.list[i];
    return NULL;
}

/* For telephone numbers: the preferred one, else a gateway, else the first. */
static const struct tdm_engine_account *for_numbers(const struct tandem *engine)
{
    const struct tdm_engine_accounts *accounts = &engine->accounts;

    for (uint32_t i = 0; i < accounts->count; i++)
        if (accounts->list[i].preferred)
            return &accounts->list[i];
    for (uint32_t i = 0; i < accounts->count; i++)
        if (accounts->list[i].gateway)
            return &accounts->list[i];
    return accounts->count ? &accounts->list[0] : NULL;
}

static const struct tdm_engine_account *of_domain(const struct tandem *engine, const char *domain)
{
    for (uint32_t i = 0; i < engine->accounts.count; i++)
        if (strcasecmp(engine->accounts.list[i].domain, domain) == 0)
            return &engine->accounts.list[i];
    return NULL;
}

static void go_over(struct tdm_engine_way *way, const struct tdm_engine_account *account)
{
    if (!account)
        return;
    way->account = account->id;
    way->confidential = account->confidential;
    (void)snprintf(way->route, sizeof way->route, "%s", account->route);
}

static enum tdm_err way_of_number(const struct tandem *engine, const char *to,
                                  const struct tdm_engine_account *chosen,
                                  struct tdm_engine_way *way, struct tdm_cause *cause)
{
    const struct tdm_engine_account *account = chosen ? chosen : for_numbers(engine);
    char number[TDM_TEL_MAX];
    enum tdm_err err = tdm_tel_parse(to, number, cause);

    if (err == TDM_OK && !account)
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "%.60s is a telephone number, and there is no account to call it over: see "
                        "tandem account add --gateway",
                        to);
    if (err == TDM_OK) {
        go_over(way, account);
        (void)snprintf(way->to, sizeof way->to, "sip:%s@%s;user=phone", number, account->domain);
    }
    return err;
}

enum tdm_err tdm_engine_find_way(const struct tandem *engine, const char *to,
                                 struct tdm_engine_way *way, struct tdm_cause *cause)
{
    const struct tdm_engine_account *account =
        tdm_engine_account_find(engine, engine->accounts.chosen);
    struct tdm_sip_uri uri;
    enum tdm_err err;

    *way = (struct tdm_engine_way){.account = 0};
    if (tdm_tel_is(to))
        return way_of_number(engine, to, account, way, cause);
    err = tdm_sip_uri_parse(to, &uri, cause);
    if (err != TDM_OK)
        return err;
    (void)snprintf(way->to, sizeof way->to, "%s", to);
    (void)snprintf(way->route, sizeof way->route, "%s", to);
    way->confidential = uri.tls;
    if (account && !uri.user[0]) /* "paul" means one of its own. */
        (void)snprintf(way->to, sizeof way->to, "sip:%.100s@%.100s", uri.host, account->domain);
    if (!account && uri.user[0] && !uri.port)
        account = of_domain(engine, uri.host);
    go_over(way, account);
    return TDM_OK;
}

/* --- Adding ----------------------------------------------------------------------------------- */

static enum tdm_err password_of_command(const char *command, char *password, size_t capacity,
                                        struct tdm_cause *cause)
{
    FILE *pipe = popen(command, "re");
    bool good = pipe && fgets(password, (int)capacity, pipe);

    if (pipe)
        good = pclose(pipe) == 0 && good;
    if (!good)
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "the account's password command (%.80s) printed none, or failed", command);
    password[strcspn(password, "\r\n")] = '\0';
    return TDM_OK;
}

static enum tdm_err find_password(const struct tandem_account *settings, char *password,
                                  size_t capacity, struct tdm_cause *cause)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in the engine sets the environment. */
    const char *held = settings->password_variable[0] ? getenv(settings->password_variable) : NULL;

    if (settings->password_command[0])
        return password_of_command(settings->password_command, password, capacity, cause);
    if (settings->password_variable[0] && !held)
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "the account's password should be in the variable %.60s, which is not set",
                        settings->password_variable);
    (void)snprintf(password, capacity, "%s", held ? held : settings->password);
    return TDM_OK;
}

struct add_request {
    const struct tandem_account *settings;
    bool only_out;
    char password[128], instance[64];
    uint32_t account;
    enum tdm_err err;
    struct tdm_cause cause;
};

/* Another one each time that the engine starts would leave bindings of the ones before behind: it
 * is made from what stays the same, the certificate, where there is a file of it. */
static void make_instance(const struct tandem *engine, const char *address, char *text,
                          size_t capacity)
{
    struct tdm_sha256_stream hash;
    uint8_t id[TDM_SHA256_BYTES];

    tdm_sha256_init(&hash);
    tdm_sha256_update(&hash, tdm_identity_fingerprint(engine->reach.identity),
                      TDM_FINGERPRINT_BYTES);
    tdm_sha256_update(&hash, address, strlen(address));
    tdm_sha256_final(&hash, id);
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x80); /* Version 8 of RFC 9562: our own. */
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
    (void)snprintf(text, capacity,
                   "urn:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                   id[0], id[1], id[2], id[3], id[4], id[5], id[6], id[7], id[8], id[9], id[10],
                   id[11], id[12], id[13], id[14], id[15]);
}

static void keep(struct tdm_engine_account *kept, const struct tandem_account *settings,
                 tdm_sig_id id, bool only_out)
{
    const char *way = settings->proxy[0]    ? settings->proxy
                      : settings->server[0] ? settings->server
                                            : settings->address;
    struct tdm_sip_uri uri;

    *kept = (struct tdm_engine_account){
        .id = id,
        .gateway = settings->gateway,
        .preferred = settings->preferred,
        .only_out = only_out,
        .info = {.account = id, .state = TANDEM_ACCOUNT_REGISTERING},
    };
    (void)snprintf(kept->info.name, sizeof kept->info.name, "%s",
                   settings->name[0] ? settings->name : settings->address);
    (void)snprintf(kept->info.address, sizeof kept->info.address, "%s", settings->address);
    if (tdm_sip_uri_parse(settings->address, &uri, NULL) == TDM_OK) {
        (void)snprintf(kept->domain, sizeof kept->domain, "%s", uri.host);
        kept->confidential = uri.tls;
    }
    if (tdm_sip_uri_parse(way, &uri, NULL) == TDM_OK) {
        kept->confidential |= uri.tls;
        (void)snprintf(kept->route, sizeof kept->route, uri.ipv6 ? "[%s]" : "%s", uri.host);
    }
    kept->confidential |= settings->transport == TANDEM_TRANSPORT_TLS;
}

static void add(struct tandem *engine, void *arg)
{
    struct add_request *r = arg;
    const struct tandem_account *s = r->settings;
    struct tdm_engine_accounts *accounts = &engine->accounts;
    static const enum tdm_sig_transport transports[] = {
        [TANDEM_TRANSPORT_AUTO] = 0,
        [TANDEM_TRANSPORT_UDP] = TDM_SIG_UDP,
        [TANDEM_TRANSPORT_TCP] = TDM_SIG_TCP,
        [TANDEM_TRANSPORT_TLS] = TDM_SIG_TLS,
    };

    if (accounts->count == TANDEM_ACCOUNTS_MAX) {
        r->err = tdm_fail(&r->cause, TDM_E_SPACE, "there can be %d accounts: remove one first",
                          TANDEM_ACCOUNTS_MAX);
        return;
    }
    r->err = tdm_engine_open_sig(engine, &r->cause);
    if (r->err != TDM_OK)
        return;
    make_instance(engine, s->address, r->instance, sizeof r->instance);
    r->err = engine->sig_ops->account_add(
        engine->sig,
        &(struct tdm_sig_account){.aor = s->address,
                                  .auth_user = s->user,
                                  .password = r->password,
                                  .display_name = s->display_name,
                                  .registrar = s->server,
                                  .proxy = s->proxy,
                                  .transport = transports[s->transport],
                                  .instance = r->instance,
                                  .ca_file = s->ca_file,
                                  .fingerprint = s->fingerprint,
                                  .expires_s = s->expires_s,
                                  .no_register = s->gateway || r->only_out},
        &r->account, &r->cause);
    if (r->err == TDM_OK)
        keep(&accounts->list[accounts->count++], s, r->account, r->only_out);
}

enum tandem_status tandem_account_add(struct tandem *engine, const struct tandem_account *settings,
                                      bool only_out, uint32_t *account, struct tandem_cause *cause)
{
    struct add_request r = {.settings = settings, .only_out = only_out};

    r.err = find_password(settings, r.password, sizeof r.password, &r.cause);
    if (r.err == TDM_OK)
        tdm_engine_request(engine, add, &r);
    memset(r.password, 0, sizeof r.password);
    if (r.err == TDM_OK)
        *account = r.account;
    return tdm_account_finish(r.err, &r.cause, cause);
}

/* --- Afterwards ------------------------------------------------------------------------------- */

void tdm_engine_account_event(struct tandem *engine, const struct tdm_sig_event *event)
{
    static const enum tandem_account_state states[] = {
        [TDM_SIG_ACCOUNT_OFF] = TANDEM_ACCOUNT_OFF,
        [TDM_SIG_ACCOUNT_REGISTERING] = TANDEM_ACCOUNT_REGISTERING,
        [TDM_SIG_ACCOUNT_REGISTERED] = TANDEM_ACCOUNT_REGISTERED,
        [TDM_SIG_ACCOUNT_BACKING_OFF] = TANDEM_ACCOUNT_WAITING,
        [TDM_SIG_ACCOUNT_REFUSED] = TANDEM_ACCOUNT_REFUSED,
        [TDM_SIG_ACCOUNT_UNREGISTERING] = TANDEM_ACCOUNT_LEAVING,
    };
    struct tdm_engine_account *account =
        (struct tdm_engine_account *)(uintptr_t)tdm_engine_account_find(engine, event->account);
    struct tandem_account_info *info = account ? &account->info : NULL;

    if (!info)
        return;
    info->state = states[event->registration];
    info->code = event->code;
    info->seconds = event->expires_s;
    (void)snprintf(info->reason, sizeof info->reason, "%s", event->reason);
    tdm_engine_tell(
        engine, NULL, TANDEM_EVENT_ACCOUNT, (int)info->account, "%.60s: %s%s%s", info->name,
        (account->gateway || account->only_out) && info->state == TANDEM_ACCOUNT_REGISTERED
            ? "ready"
            : tandem_account_state_name(info->state),
        info->reason[0] ? ": " : "", info->reason);
}

struct account_request {
    uint32_t account;
    const char *to;
    struct tandem_account_info *info;
    size_t capacity, count;
    enum tdm_err err;
};

static void remove_account(struct tandem *engine, void *arg)
{
    struct account_request *r = arg;
    struct tdm_engine_accounts *accounts = &engine->accounts;
    const struct tdm_engine_account *account =
        r->account ? tdm_engine_account_find(engine, r->account) : NULL;
    size_t at = account ? (size_t)(account - accounts->list) : 0;

    r->err = account ? engine->sig_ops->account_remove(engine->sig, r->account) : TDM_E_MALFORMED;
    if (r->err != TDM_OK)
        return;
    accounts->count--;
    memmove(&accounts->list[at], &accounts->list[at + 1],
            (accounts->count - at) * sizeof *accounts->list);
    if (accounts->chosen == r->account)
        accounts->chosen = 0;
}

enum tandem_status tandem_account_remove(struct tandem *engine, uint32_t account)
{
    struct account_request r = {.account = account};

    tdm_engine_request(engine, remove_account, &r);
    return tdm_account_finish(r.err, &(struct tdm_cause){""}, NULL);
}

static void retry(struct tandem *engine, void *arg)
{
    struct account_request *r = arg;

    r->err =
        engine->accounts.count ? engine->sig_ops->account_retry(engine->sig, r->account) : TDM_OK;
}

enum tandem_status tandem_account_retry(struct tandem *engine, uint32_t account)
{
    struct account_request r = {.account = account};

    tdm_engine_request(engine, retry, &r);
    return tdm_account_finish(r.err, &(struct tdm_cause){""}, NULL);
}

static void list(struct tandem *engine, void *arg)
{
    struct account_request *r = arg;

    r->count = engine->accounts.count;
    for (size_t i = 0; r->info && i < r->count && i < r->capacity; i++)
        r->info[i] = engine->accounts.list[i].info;
}

size_t tandem_account_list(struct tandem *engine, struct tandem_account_info *info, size_t capacity)
{
    struct account_request r = {.info = info, .capacity = capacity};

    tdm_engine_request(engine, list, &r);
    return r.count;
}

static void find_for(struct tandem *engine, void *arg)
{
    struct account_request *r = arg;
    struct tdm_engine_way way;

    r->err = tdm_engine_find_way(engine, r->to, &way, NULL);
    r->account = r->err == TDM_OK ? way.account : 0;
}

uint32_t tandem_account_for(struct tandem *engine, const char *to)
{
    struct account_request r = {.to = to};

    tdm_engine_request(engine, find_for, &r);
    return r.account;
}

static void choose(struct tandem *engine, void *arg)
{
    struct account_request *r = arg;

    r->err = !r->account || tdm_engine_account_find(engine, r->account) ? TDM_OK : TDM_E_MALFORMED;
    if (r->err == TDM_OK)
        engine->accounts.chosen = r->account;
}

enum tandem_status tandem_account_use(struct tandem *engine, uint32_t account)
{
    struct account_request r = {.account = account};

    tdm_engine_request(engine, choose, &r);
    return tdm_account_finish(r.err, &(struct tdm_cause){""}, NULL);
}
