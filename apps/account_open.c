/* SPDX-License-Identifier: MIT */
#include "apps/account_open.h"

#include "apps/folders.h"

#include <stdio.h>
#include <string.h>

#define READY_MS 20000
#define TICK_MS  500

bool account_path(char *path, size_t capacity)
{
    return folders_settings("accounts.json", path, capacity);
}

bool account_read(const char *file, struct tandem_account accounts[TANDEM_ACCOUNTS_MAX],
                  size_t *count, struct tandem_cause *cause)
{
    char path[300];

    *count = 0;
    if (!file && !account_path(path, sizeof path))
        return true;
    return tandem_accounts_load(file ? file : path, accounts, TANDEM_ACCOUNTS_MAX, count, cause) ==
           TANDEM_OK;
}

bool account_open_all(struct tandem *engine, const char *file, size_t *count,
                      struct tandem_cause *cause)
{
    static struct tandem_account accounts[TANDEM_ACCOUNTS_MAX];
    uint32_t account;

    if (!account_read(file, accounts, count, cause))
        return false;
    for (size_t i = 0; i < *count; i++)
        if (tandem_account_add(engine, &accounts[i], false, &account, cause) != TANDEM_OK)
            return false;
    return true;
}

static bool state_of(struct tandem *engine, uint32_t account, struct tandem_account_info *info)
{
    static struct tandem_account_info infos[TANDEM_ACCOUNTS_MAX];
    size_t count = tandem_account_list(engine, infos, TANDEM_ACCOUNTS_MAX);

    for (size_t i = 0; i < count; i++)
        if (infos[i].account == account) {
            *info = infos[i];
            return true;
        }
    return false;
}

bool account_settling(struct tandem *engine, const char *to)
{
    struct tandem_account_info info;

    return state_of(engine, tandem_account_for(engine, to), &info) &&
           info.state == TANDEM_ACCOUNT_REGISTERING;
}

static bool wait_until_ready(struct tandem *engine, uint32_t account, struct tandem_cause *cause)
{
    struct tandem_account_info info = {.reason = "it is gone"};
    struct tandem_event event;

    for (int ms = 0; ms < READY_MS && state_of(engine, account, &info); ms += TICK_MS) {
        if (info.state == TANDEM_ACCOUNT_REGISTERED)
            return true;
        if (info.state == TANDEM_ACCOUNT_REFUSED || info.state == TANDEM_ACCOUNT_WAITING)
            break;
        (void)tandem_wait_event(engine, TICK_MS, &event);
    }
    (void)snprintf(cause->text, sizeof cause->text, "account %.60s cannot be used: %.150s",
                   info.name, info.reason[0] ? info.reason : "its server does not answer");
    return false;
}

bool account_open_out(struct tandem *engine, const char *file, const char *name, const char *to,
                      bool *invalid, struct tandem_cause *cause)
{
    static struct tandem_account accounts[TANDEM_ACCOUNTS_MAX];
    uint32_t account = 0, chosen = 0;
    size_t count;

    *invalid = true;
    if (!account_read(file, accounts, &count, cause))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool named =
            name && (strcmp(accounts[i].name, name) == 0 || strcmp(accounts[i].address, name) == 0);

        if (name && !named)
            continue;
        if (tandem_account_add(engine, &accounts[i], true, &account, cause) != TANDEM_OK)
            return false;
        if (named)
            chosen = account;
    }
    if (name && !chosen) {
        (void)snprintf(cause->text, sizeof cause->text,
                       "there is no account \"%.60s\": see tandem account list", name);
        return false;
    }
    if (chosen && tandem_account_use(engine, chosen) != TANDEM_OK)
        return false;
    *invalid = false;
    account = to ? tandem_account_for(engine, to) : 0;
    return !account || wait_until_ready(engine, account, cause);
}
