/* SPDX-License-Identifier: MIT */
#include "engine/io/environment.h"
#include "engine/io/server_store.h"
#include "engine/rendezvous.h"
#include "signalling/digest_auth.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PASSWORD_MIN 6
#define PASSWORD_MAX 120

bool tdm_server_state_path(const char *name, char *path, size_t capacity)
{
    const char *state = tdm_environment("XDG_STATE_HOME");
    const char *home = tdm_environment("HOME");
    bool said = state && *state;
    int size = snprintf(path, capacity, "%s%s/tandem/%s",
                        said   ? state
                        : home ? home
                               : "",
                        said ? "" : "/.local/state", name);

    if (size < 0 || (size_t)size >= capacity || (!said && !home))
        return false;
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    return true;
}

static enum tandem_status end(enum tdm_err err, const struct tdm_cause *why,
                              struct tandem_cause *cause)
{
    if (err != TDM_OK && cause)
        (void)snprintf(cause->text, sizeof cause->text, "%s", why->text);
    return err == TDM_OK                                 ? TANDEM_OK
           : err == TDM_E_MALFORMED || err == TDM_E_GONE ? TANDEM_INVALID
                                                         : TANDEM_FAILED;
}

static enum tdm_err open_store(const char *path, struct tdm_server_store **store,
                               struct tdm_cause *cause)
{
    char chosen[PATH_MAX];

    *store = NULL;
    if (!path && !tdm_server_state_path("serve.db", chosen, sizeof chosen))
        return tdm_fail(cause, TDM_E_SYSTEM, "no home folder: name a file for the accounts");
    return tdm_server_store_open(store, path ? path : chosen, cause);
}

static bool is_user(const char *user)
{
    size_t size =
        strspn(user, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+");

    return size && size < 64 && !user[size] && strcmp(user, "directory") != 0;
}

static bool is_domain(const char *domain)
{
    size_t size =
        strspn(domain, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");

    return size && size < 128 && !domain[size];
}

static bool is_name(const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < size; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
            return false;
    return size < 64;
}

static enum tdm_err put_account(struct tdm_server_store *store,
                                const struct tandem_server_account *a, struct tdm_cause *cause)
{
    char realm[128] = "tandem", md5[TDM_DIGEST_HEX_MAX], sha256[TDM_DIGEST_HEX_MAX];
    size_t size = strlen(a->password);

    if (!is_user(a->user))
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "\"%.64s\" cannot be a user: up to 63 letters, digits and . _ - +",
                        a->user);
    if (size < PASSWORD_MIN || size > PASSWORD_MAX)
        return tdm_fail(cause, TDM_E_MALFORMED, "a password has %d to %d characters", PASSWORD_MIN,
                        PASSWORD_MAX);
    if ((a->domain && !is_domain(a->domain)) || (a->name && !is_name(a->name)))
        return tdm_fail(cause, TDM_E_MALFORMED, "the domain or the name cannot be used");
    if (a->domain)
        (void)snprintf(realm, sizeof realm, "%s", a->domain);
    else
        (void)tdm_server_store_realm(store, realm, sizeof realm);
    tdm_digest_ha1(TDM_DIGEST_MD5, a->user, realm, a->password, md5);
    tdm_digest_ha1(TDM_DIGEST_SHA256, a->user, realm, a->password, sha256);
    return tdm_server_store_put_account(store,
                                        &(struct tdm_server_account){.user = a->user,
                                                                     .name = a->name ? a->name : "",
                                                                     .realm = realm,
                                                                     .ha1_md5 = md5,
                                                                     .ha1_sha256 = sha256},
                                        cause);
}

enum tandem_status tandem_server_put_account(const char *store_path,
                                             const struct tandem_server_account *account,
                                             struct tandem_cause *cause)
{
    struct tdm_server_store *store;
    struct tdm_cause why = {""};
    enum tdm_err err = open_store(store_path, &store, &why);

    if (err == TDM_OK)
        err = put_account(store, account, &why);
    tdm_server_store_close(store);
    return end(err, &why, cause);
}

enum tandem_status tandem_server_drop_account(const char *store_path, const char *user,
                                              struct tandem_cause *cause)
{
    struct tdm_server_store *store;
    struct tdm_cause why = {""};
    enum tdm_err err = open_store(store_path, &store, &why);

    if (err == TDM_OK)
        err = tdm_server_store_drop_account(store, user, &why);
    tdm_server_store_close(store);
    return end(err, &why, cause);
}

enum tandem_status tandem_server_lock_account(const char *store_path, const char *user, bool locked,
                                              struct tandem_cause *cause)
{
    struct tdm_server_store *store;
    struct tdm_cause why = {""};
    enum tdm_err err = open_store(store_path, &store, &why);

    if (err == TDM_OK)
        err = tdm_server_store_lock_account(store, user, locked, &why);
    tdm_server_store_close(store);
    return end(err, &why, cause);
}

enum tandem_status tandem_server_list_account(const char *store_path, uint32_t index,
                                              struct tandem_server_person *person,
                                              struct tandem_cause *cause)
{
    struct tdm_server_store *store;
    struct tdm_server_row row;
    struct tdm_cause why = {""};
    enum tdm_err err = open_store(store_path, &store, &why);
    bool found = false;

    if (err == TDM_OK)
        err = tdm_server_store_list(store, TDM_SERVER_ACCOUNTS, 0, &why);
    while (err == TDM_OK && !found && tdm_server_store_next(store, &row) == TDM_OK)
        found = index-- == 0;
    if (found) {
        *person = (struct tandem_server_person){.locked = row.account.locked};
        (void)snprintf(person->user, sizeof person->user, "%s", row.account.user);
        (void)snprintf(person->name, sizeof person->name, "%s", row.account.name);
        (void)snprintf(person->domain, sizeof person->domain, "%s", row.account.realm);
    }
    tdm_server_store_close(store);
    return err != TDM_OK ? end(err, &why, cause) : found ? TANDEM_OK : TANDEM_AGAIN;
}
