/* SPDX-License-Identifier: MIT */
/* The file of accounts (include/tandem/account.h), in JSON for people to read and to change. */
#include "engine/account.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct text_member {
    const char *name;
    size_t at, capacity;
};

#define TEXT(field)                                                                                \
    {                                                                                              \
#field, offsetof(struct tandem_account, field),                                            \
            sizeof(((struct tandem_account *)0)->field)                                            \
    }

static const struct text_member texts[] = {
    TEXT(name),         TEXT(address),          TEXT(user),
    TEXT(password),     TEXT(password_command), TEXT(password_variable),
    TEXT(display_name), TEXT(server),           TEXT(proxy),
    TEXT(ca_file),      TEXT(fingerprint),
};

#define TEXTS (sizeof texts / sizeof *texts)

static const char *const transports[] = {
    [TANDEM_TRANSPORT_AUTO] = "auto",
    [TANDEM_TRANSPORT_UDP] = "udp",
    [TANDEM_TRANSPORT_TCP] = "tcp",
    [TANDEM_TRANSPORT_TLS] = "tls",
};

#define TRANSPORTS (sizeof transports / sizeof *transports)

static bool read_text(struct tandem_account *account, const char *name, const json_t *value)
{
    for (size_t i = 0; i < TEXTS; i++)
        if (strcmp(texts[i].name, name) == 0) {
            const char *text = json_string_value(value);

            if (!text || strlen(text) >= texts[i].capacity)
                return false;
            (void)snprintf((char *)account + texts[i].at, texts[i].capacity, "%s", text);
            return true;
        }
    return false;
}

static bool read_transport(struct tandem_account *account, const json_t *value)
{
    for (size_t i = 0; i < TRANSPORTS && json_is_string(value); i++)
        if (strcmp(json_string_value(value), transports[i]) == 0) {
            account->transport = (enum tandem_transport)i;
            return true;
        }
    return false;
}

static bool read_member(struct tandem_account *account, const char *name, const json_t *value)
{
    if (strcmp(name, "transport") == 0)
        return read_transport(account, value);
    if (strcmp(name, "expires_s") == 0) {
        json_int_t number = json_integer_value(value);

        account->expires_s = number > 0 && number <= 86400 ? (uint32_t)number : 0;
        return account->expires_s != 0;
    }
    if (strcmp(name, "gateway") == 0) {
        account->gateway = json_is_true(value);
        return json_is_boolean(value);
    }
    if (strcmp(name, "preferred") == 0) {
        account->preferred = json_is_true(value);
        return json_is_boolean(value);
    }
    return read_text(account, name, value);
}

static enum tdm_err read_account(struct tandem_account *account, json_t *object, size_t index,
                                 const char *path, struct tdm_cause *cause)
{
    const char *name;
    json_t *value;

    memset(account, 0, sizeof *account);
    if (!json_is_object(object))
        return tdm_fail(cause, TDM_E_MALFORMED, "%.120s: account %zu is no object", path,
                        index + 1);
    json_object_foreach(object, name, value)
    {
        if (!read_member(account, name, value))
            return tdm_fail(cause, TDM_E_MALFORMED,
                            "%.120s: account %zu: \"%.40s\" is unknown, or its value is none", path,
                            index + 1, name);
    }
    if (!account->address[0])
        return tdm_fail(cause, TDM_E_MALFORMED, "%.120s: account %zu has no \"address\"", path,
                        index + 1);
    if (!account->name[0])
        (void)snprintf(account->name, sizeof account->name, "%.63s", account->address);
    return TDM_OK;
}

static enum tdm_err load(FILE *file, const char *path, struct tandem_account *accounts,
                         size_t capacity, size_t *count, struct tdm_cause *cause)
{
    json_error_t error;
    json_t *root = json_loadf(file, JSON_REJECT_DUPLICATES, &error), *list;
    enum tdm_err err = TDM_OK;

    if (!root)
        return tdm_fail(cause, TDM_E_MALFORMED, "%.120s, line %d: %.80s", path, error.line,
                        error.text);
    list = json_object_get(root, "accounts");
    if (!json_is_array(list))
        err = tdm_fail(cause, TDM_E_MALFORMED, "%.120s has no list \"accounts\"", path);
    else if (json_array_size(list) > capacity)
        err = tdm_fail(cause, TDM_E_MALFORMED, "%.120s has more than %zu accounts", path, capacity);
    for (size_t i = 0; err == TDM_OK && i < json_array_size(list); i++)
        err = read_account(&accounts[i], json_array_get(list, i), i, path, cause);
    if (err == TDM_OK)
        *count = json_array_size(list);
    json_decref(root);
    return err;
}

enum tandem_status tandem_accounts_load(const char *path, struct tandem_account *accounts,
                                        size_t capacity, size_t *count, struct tandem_cause *cause)
{
    FILE *file = fopen(path, "re");
    struct tdm_cause why = {""};
    enum tdm_err err;
    struct stat found;

    *count = 0;
    if (!file && errno == ENOENT)
        return TANDEM_OK;
    if (!file || fstat(fileno(file), &found))
        err =
            tdm_fail(&why, TDM_E_SYSTEM, "%.120s cannot be read: look at its owner and mode", path);
    else if (found.st_mode & 077)
        err = tdm_fail(&why, TDM_E_SYSTEM,
                       "others may read %.120s, which has passwords: say chmod 600", path);
    else
        err = load(file, path, accounts, capacity, count, &why);
    if (file)
        (void)fclose(file);
    return tdm_account_finish(err, &why, cause);
}

static json_t *write_account(const struct tandem_account *account)
{
    json_t *object = json_object();
    int bad = object ? 0 : -1;

    for (size_t i = 0; i < TEXTS; i++) {
        const char *text = (const char *)account + texts[i].at;

        if (text[0])
            bad |= json_object_set_new(object, texts[i].name, json_string(text));
    }
    if (account->transport != TANDEM_TRANSPORT_AUTO)
        bad |=
            json_object_set_new(object, "transport", json_string(transports[account->transport]));
    if (account->expires_s)
        bad |= json_object_set_new(object, "expires_s", json_integer(account->expires_s));
    if (account->gateway)
        bad |= json_object_set_new(object, "gateway", json_true());
    if (account->preferred)
        bad |= json_object_set_new(object, "preferred", json_true());
    if (bad) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static bool save(FILE *file, const struct tandem_account *accounts, size_t count)
{
    json_t *root = json_object(), *list = json_array();
    bool good = json_object_set_new(root, "accounts", list) == 0;

    for (size_t i = 0; good && i < count; i++)
        good = json_array_append_new(list, write_account(&accounts[i])) == 0;
    good = good && json_dumpf(root, file, JSON_INDENT(4)) == 0 && fputc('\n', file) != EOF &&
           fflush(file) == 0 && fsync(fileno(file)) == 0;
    json_decref(root);
    return good;
}

enum tandem_status tandem_accounts_save(const char *path, const struct tandem_account *accounts,
                                        size_t count, struct tandem_cause *cause)
{
    struct tdm_cause why = {""};
    char beside[4096];
    FILE *file;
    bool good;
    int fd;

    (void)snprintf(beside, sizeof beside, "%.4000s.XXXXXX", path);
    fd = mkstemp(beside); /* Mode 0600. */
    file = fd >= 0 ? fdopen(fd, "w") : NULL;
    good = file && save(file, accounts, count);
    if (file)
        good &= fclose(file) == 0;
    else if (fd >= 0)
        (void)close(fd);
    good = good && rename(beside, path) == 0;
    if (!good && fd >= 0)
        (void)unlink(beside);
    return tdm_account_finish(good ? TDM_OK
                                   : tdm_fail(&why, TDM_E_SYSTEM,
                                              "%.120s cannot be written: is the disk full, or the "
                                              "folder not yours?",
                                              path),
                              &why, cause);
}
