/* SPDX-License-Identifier: MIT */
/*
 * WAL with synchronous=NORMAL: a commit is written to the log before the call returns, so that a
 * killed process loses nothing; only a machine that loses power may lose its last commits.
 */
#include "engine/io/server_store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUSY_MS        2000
#define NAME_MAX_BYTES 64

enum statement {
    PUT_ACCOUNT,
    DROP_ACCOUNT,
    DROP_MESSAGES,
    DROP_RECORDS,
    DROP_WATCHING,
    LOCK_ACCOUNT,
    REALM,
    PUT,
    REMOVE,
    KEEP,
    DELIVERED,
    OLDEST,
    VERSION,
    LIST_ACCOUNTS,
    LIST_RECORDS,
    LIST_WAITING,
    STATEMENTS
};

static const char *const texts[STATEMENTS] = {
    [PUT_ACCOUNT] = "INSERT INTO account(user, name, realm, md5, sha256, locked) "
                    "VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(user) DO UPDATE SET name = ?2, "
                    "realm = ?3, md5 = ?4, sha256 = ?5, locked = ?6",
    [DROP_ACCOUNT] = "DELETE FROM account WHERE user = ?1",
    [DROP_MESSAGES] = "DELETE FROM message WHERE user = ?1",
    [DROP_RECORDS] = "DELETE FROM record WHERE key IN ('b/' || ?1, 'r/' || ?1) "
                     "OR substr(key, 1, length(?1) + 3) = 'p/' || ?1 || '/'",
    [DROP_WATCHING] = "DELETE FROM record WHERE substr(key, 1, 2) = 's/' AND instr(data, ?1)",
    [LOCK_ACCOUNT] = "UPDATE account SET locked = ?2 WHERE user = ?1",
    [REALM] = "SELECT realm FROM account LIMIT 1",
    [PUT] = "INSERT INTO record(key, data, expires) VALUES(?1, ?2, ?3) "
            "ON CONFLICT(key) DO UPDATE SET data = ?2, expires = ?3",
    [REMOVE] = "DELETE FROM record WHERE key = ?1",
    [KEEP] = "INSERT OR IGNORE INTO message(user, id, sender, type, sent, data) "
             "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [DELIVERED] = "DELETE FROM message WHERE user = ?1 AND id = ?2",
    [OLDEST] = "SELECT id, sender, type, sent, data FROM message WHERE user = ?1 "
               "ORDER BY number LIMIT 1",
    [VERSION] = "PRAGMA data_version",
    [LIST_ACCOUNTS] = "SELECT user, name, realm, md5, sha256, locked FROM account",
    [LIST_RECORDS] = "SELECT key, data, expires FROM record WHERE expires > ?1",
    [LIST_WAITING] = "SELECT user, count(*), sum(length(data)) FROM message GROUP BY user",
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS account(user TEXT PRIMARY KEY, name TEXT NOT NULL, realm TEXT NOT "
    "NULL, md5 TEXT NOT NULL, sha256 TEXT NOT NULL, locked INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS record(key TEXT PRIMARY KEY, data BLOB NOT NULL, "
    "expires INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS message(number INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT "
    "NULL, id INTEGER NOT NULL, sender TEXT NOT NULL, type TEXT NOT NULL, sent INTEGER NOT NULL, "
    "data BLOB NOT NULL, UNIQUE(user, id));";

struct tdm_server_store {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    sqlite3_stmt *listing; /* One of them, or NULL. */
    int version;
};

static enum tdm_err failed(struct tdm_server_store *s, struct tdm_cause *cause)
{
    int code = sqlite3_errcode(s->db);

    return tdm_fail(cause, TDM_E_SYSTEM, "the server's store cannot be written (%s)%s",
                    sqlite3_errmsg(s->db),
                    code == SQLITE_FULL || code == SQLITE_IOERR ? ": the disk may be full" : "");
}

enum tdm_err tdm_server_store_open(struct tdm_server_store **store, const char *path,
                                   struct tdm_cause *cause)
{
    struct tdm_server_store *s = calloc(1, sizeof *s);
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

    *store = NULL;
    if (fd >= 0)
        (void)close(fd);
    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the server's store");
    int code = sqlite3_open_v2(
        path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

    if (code == SQLITE_OK) {
        (void)sqlite3_busy_timeout(s->db, BUSY_MS);
        code = sqlite3_exec(s->db,
                            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
                            "PRAGMA cache_size=-8192;",
                            NULL, NULL, NULL);
    }
    if (code == SQLITE_OK)
        code = sqlite3_exec(s->db, schema, NULL, NULL, NULL);
    for (int i = 0; i < STATEMENTS && code == SQLITE_OK; i++)
        code = sqlite3_prepare_v3(s->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i],
                                  NULL);
    if (code == SQLITE_OK) {
        *store = s;
        (void)tdm_server_store_changed(s);
        return TDM_OK;
    }
    enum tdm_err err =
        code == SQLITE_NOTADB || code == SQLITE_CORRUPT ? TDM_E_MALFORMED : TDM_E_SYSTEM;

    (void)tdm_fail(cause, err, "%.120s cannot be used as the server's store (%s): name another",
                   path, s->db ? sqlite3_errmsg(s->db) : "no memory");
    tdm_server_store_close(s);
    return err;
}

void tdm_server_store_close(struct tdm_server_store *store)
{
    if (!store)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        (void)sqlite3_finalize(store->statements[i]);
    (void)sqlite3_close(store->db);
    free(store);
}

/* Ready to be bound; what was listed with it ends. */
static sqlite3_stmt *begin(struct tdm_server_store *s, enum statement which)
{
    sqlite3_stmt *statement = s->statements[which];

    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return statement;
}

static void text(sqlite3_stmt *s, int at, const char *value)
{
    (void)sqlite3_bind_text(s, at, value, -1, SQLITE_STATIC);
}

static enum tdm_err run(struct tdm_server_store *s, sqlite3_stmt *statement,
                        struct tdm_cause *cause)
{
    int code = sqlite3_step(statement);
    enum tdm_err err = code == SQLITE_DONE ? TDM_OK : failed(s, cause);

    (void)sqlite3_reset(statement);
    return err;
}

static enum tdm_err run_on_one(struct tdm_server_store *s, sqlite3_stmt *statement,
                               const char *user, struct tdm_cause *cause)
{
    enum tdm_err err = run(s, statement, cause);

    if (err == TDM_OK && !sqlite3_changes(s->db))
        return tdm_fail(cause, TDM_E_GONE, "there is no account \"%.64s\"", user);
    return err;
}

enum tdm_err tdm_server_store_put_account(struct tdm_server_store *store,
                                          const struct tdm_server_account *account,
                                          struct tdm_cause *cause)
{
    sqlite3_stmt *s = begin(store, PUT_ACCOUNT);

    text(s, 1, account->user);
    text(s, 2, account->name);
    text(s, 3, account->realm);
    text(s, 4, account->ha1_md5);
    text(s, 5, account->ha1_sha256);
    (void)sqlite3_bind_int(s, 6, account->locked);
    return run(store, s, cause);
}

/* His name as it stands in records: behind its length (signalling/rendezvous_record.c). */
static void bind_name(sqlite3_stmt *s, int at, const char *user, uint8_t named[2 + NAME_MAX_BYTES])
{
    size_t size = strnlen(user, NAME_MAX_BYTES);

    named[0] = 0;
    named[1] = (uint8_t)size;
    memcpy(named + 2, user, size);
    (void)sqlite3_bind_blob(s, at, named, (int)size + 2, SQLITE_STATIC);
}

enum tdm_err tdm_server_store_drop_account(struct tdm_server_store *store, const char *user,
                                           struct tdm_cause *cause)
{
    static const enum statement rest[] = {DROP_MESSAGES, DROP_RECORDS, DROP_WATCHING};
    uint8_t named[2 + NAME_MAX_BYTES];
    sqlite3_stmt *s = begin(store, DROP_ACCOUNT);

    if (sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return failed(store, cause);
    text(s, 1, user);
    enum tdm_err err = run_on_one(store, s, user, cause);

    for (size_t i = 0; err == TDM_OK && i < sizeof rest / sizeof *rest; i++) {
        s = begin(store, rest[i]);
        if (rest[i] == DROP_WATCHING)
            bind_name(s, 1, user, named);
        else
            text(s, 1, user);
        err = run(store, s, cause);
    }
    if (err == TDM_OK && sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        err = failed(store, cause);
    if (err != TDM_OK)
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return err;
}

enum tdm_err tdm_server_store_lock_account(struct tdm_server_store *store, const char *user,
                                           bool locked, struct tdm_cause *cause)
{
    sqlite3_stmt *s = begin(store, LOCK_ACCOUNT);

    text(s, 1, user);
    (void)sqlite3_bind_int(s, 2, locked);
    return run_on_one(store, s, user, cause);
}

enum tdm_err tdm_server_store_realm(struct tdm_server_store *store, char *realm, size_t capacity)
{
    sqlite3_stmt *s = begin(store, REALM);
    bool found = sqlite3_step(s) == SQLITE_ROW;

    if (found)
        (void)snprintf(realm, capacity, "%s", (const char *)sqlite3_column_text(s, 0));
    (void)sqlite3_reset(s);
    return found ? TDM_OK : TDM_E_GONE;
}

enum tdm_err tdm_server_store_put(struct tdm_server_store *store, const char *key, const void *data,
                                  size_t size, int64_t expires_s, struct tdm_cause *cause)
{
    sqlite3_stmt *s = begin(store, PUT);

    text(s, 1, key);
    (void)sqlite3_bind_blob(s, 2, size ? data : "", (int)size, SQLITE_STATIC);
    (void)sqlite3_bind_int64(s, 3, expires_s);
    return run(store, s, cause);
}

enum tdm_err tdm_server_store_remove(struct tdm_server_store *store, const char *key,
                                     struct tdm_cause *cause)
{
    sqlite3_stmt *s = begin(store, REMOVE);

    text(s, 1, key);
    return run(store, s, cause);
}

enum tdm_err tdm_server_store_keep(struct tdm_server_store *store,
                                   const struct tdm_server_message *message,
                                   struct tdm_cause *cause)
{
    sqlite3_stmt *s = begin(store, KEEP);

    text(s, 1, message->user);
    (void)sqlite3_bind_int64(s, 2, (sqlite3_int64)message->id);
    text(s, 3, message->from);
    text(s, 4, message->type);
    (void)sqlite3_bind_int64(s, 5, message->sent_s);
    (void)sqlite3_bind_blob(s, 6, message->size ? message->data : "", (int)message->size,
                            SQLITE_STATIC);
    return run(store, s, cause);
}

enum tdm_err tdm_server_store_delivered(struct tdm_server_store *store, const char *user,
                                        uint64_t id, struct tdm_cause *cause)
{
    sqlite3_stmt *s = begin(store, DELIVERED);

    text(s, 1, user);
    (void)sqlite3_bind_int64(s, 2, (sqlite3_int64)id);
    return run(store, s, cause);
}

enum tdm_err tdm_server_store_oldest(struct tdm_server_store *store, const char *user,
                                     struct tdm_server_message *m)
{
    sqlite3_stmt *s = begin(store, OLDEST);

    text(s, 1, user);
    if (sqlite3_step(s) != SQLITE_ROW) {
        (void)sqlite3_reset(s);
        return TDM_E_GONE;
    }
    /* The statement is left where it is, so that what it shows stays. */
    *m = (struct tdm_server_message){.user = user,
                                     .id = (uint64_t)sqlite3_column_int64(s, 0),
                                     .from = (const char *)sqlite3_column_text(s, 1),
                                     .type = (const char *)sqlite3_column_text(s, 2),
                                     .sent_s = sqlite3_column_int64(s, 3),
                                     .data = sqlite3_column_blob(s, 4),
                                     .size = (size_t)sqlite3_column_bytes(s, 4)};
    return TDM_OK;
}

enum tdm_err tdm_server_store_list(struct tdm_server_store *store, enum tdm_server_list list,
                                   int64_t now_s, struct tdm_cause *cause)
{
    static const enum statement statements[] = {[TDM_SERVER_ACCOUNTS] = LIST_ACCOUNTS,
                                                [TDM_SERVER_RECORDS] = LIST_RECORDS,
                                                [TDM_SERVER_WAITING] = LIST_WAITING};
    char sql[80];

    if (list == TDM_SERVER_RECORDS) {
        (void)snprintf(sql, sizeof sql, "DELETE FROM record WHERE expires <= %lld",
                       (long long)now_s);
        if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
            return failed(store, cause);
    }
    store->listing = begin(store, statements[list]);
    if (list == TDM_SERVER_RECORDS)
        (void)sqlite3_bind_int64(store->listing, 1, now_s);
    return TDM_OK;
}

static const char *column(sqlite3_stmt *s, int at)
{
    const char *value = (const char *)sqlite3_column_text(s, at);

    return value ? value : "";
}

enum tdm_err tdm_server_store_next(struct tdm_server_store *store, struct tdm_server_row *row)
{
    sqlite3_stmt *s = store->listing;

    int code = s ? sqlite3_step(s) : SQLITE_DONE;

    if (code != SQLITE_ROW) {
        if (s)
            (void)sqlite3_reset(s);
        store->listing = NULL;
        return code == SQLITE_DONE ? TDM_E_GONE : TDM_E_SYSTEM;
    }
    *row = (struct tdm_server_row){.user = column(s, 0), .key = column(s, 0)};
    if (s == store->statements[LIST_ACCOUNTS]) {
        row->account = (struct tdm_server_account){.user = column(s, 0),
                                                   .name = column(s, 1),
                                                   .realm = column(s, 2),
                                                   .ha1_md5 = column(s, 3),
                                                   .ha1_sha256 = column(s, 4),
                                                   .locked = sqlite3_column_int(s, 5)};
    } else if (s == store->statements[LIST_RECORDS]) {
        row->data = sqlite3_column_blob(s, 1);
        row->size = (size_t)sqlite3_column_bytes(s, 1);
        row->expires_s = sqlite3_column_int64(s, 2);
    } else {
        row->count = (uint32_t)sqlite3_column_int(s, 1);
        row->size = (size_t)sqlite3_column_int64(s, 2);
    }
    return TDM_OK;
}

bool tdm_server_store_changed(struct tdm_server_store *store)
{
    sqlite3_stmt *s = begin(store, VERSION);
    int version = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int(s, 0) : store->version;
    bool changed = version != store->version;

    (void)sqlite3_reset(s);
    store->version = version;
    return changed;
}
