/* SPDX-License-Identifier: MIT */
#include "engine/io/history.h"

#include <sqlite3.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORDS_MAX 8 /* Their parameters are ?4 to ?11. */
#define SELECT    "SELECT contact, id, sent_ms, state, edited, file, text, peer FROM message WHERE "
#define BUSY_MS   2000 /* Another Tandem of this user writes. */

struct tdm_history {
    sqlite3 *db;
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS message(contact TEXT NOT NULL, ours INTEGER NOT NULL, id INTEGER "
    "NOT "
    "NULL, sent_ms INTEGER NOT NULL, state INTEGER NOT NULL, edited INTEGER NOT NULL DEFAULT 0, "
    "file "
    "INTEGER NOT NULL DEFAULT 0, text TEXT NOT NULL, peer BLOB, PRIMARY KEY(contact, ours, id));"
    "CREATE INDEX IF NOT EXISTS by_time ON message(contact, sent_ms);"
    "CREATE INDEX IF NOT EXISTS by_id ON message(id);";

static enum tdm_err failed(struct tdm_history *h, struct tdm_cause *cause)
{
    return tdm_fail(cause, TDM_E_SYSTEM, "the history cannot be used: %s",
                    h->db ? sqlite3_errmsg(h->db) : "no memory");
}

/* A history of the time before `peer` gets it. */
static int add_peer(sqlite3 *db)
{
    sqlite3_stmt *s = NULL;
    bool there = sqlite3_prepare_v2(db, "SELECT peer FROM message", -1, &s, NULL) == SQLITE_OK;

    (void)sqlite3_finalize(s);
    return there ? SQLITE_OK
                 : sqlite3_exec(db, "ALTER TABLE message ADD COLUMN peer BLOB", NULL, NULL, NULL);
}

/* SQLite gives its log, which holds texts too, the mode that the file has. */
static void private_file(const char *path)
{
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;

    if (fd < 0)
        return; /* SQLite says why. */
    (void)fchmod(fd, 0600);
    (void)close(fd);
}

enum tdm_err tdm_history_open(struct tdm_history **history, const char *path,
                              struct tdm_cause *cause)
{
    struct tdm_history *h = calloc(1, sizeof *h);

    if (!h)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the history");
    private_file(path);
    int code =
        sqlite3_open_v2(path ? path : ":memory:", &h->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL);

    if (code == SQLITE_OK) {
        (void)sqlite3_busy_timeout(h->db, BUSY_MS);
        (void)sqlite3_exec(h->db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;", NULL, NULL,
                           NULL);
        code = sqlite3_exec(h->db, schema, NULL, NULL, NULL);
        if (code == SQLITE_OK)
            code = add_peer(h->db);
    }
    if (code != SQLITE_OK) {
        enum tdm_err err =
            code == SQLITE_NOTADB || code == SQLITE_CORRUPT ? TDM_E_MALFORMED : TDM_E_SYSTEM;

        (void)tdm_fail(cause, err,
                       "%s cannot be used as history (%s): move it away or name another",
                       path ? path : "memory", h->db ? sqlite3_errmsg(h->db) : "no memory");
        tdm_history_close(h);
        return err;
    }
    *history = h;
    return TDM_OK;
}

void tdm_history_close(struct tdm_history *h)
{
    if (!h)
        return;
    (void)sqlite3_close(h->db);
    free(h);
}

/* A statement with the contact as ?1, whether it is ours as ?2, the id as ?3. */
static sqlite3_stmt *prepare(struct tdm_history *h, const char *sql, const char *contact, bool ours,
                             uint64_t id)
{
    sqlite3_stmt *s = NULL;

    if (sqlite3_prepare_v2(h->db, sql, -1, &s, NULL) != SQLITE_OK)
        return NULL;
    (void)sqlite3_bind_text(s, 1, contact, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(s, 2, ours);
    (void)sqlite3_bind_int64(s, 3, (sqlite3_int64)id);
    return s;
}

static enum tdm_err finish(struct tdm_history *h, sqlite3_stmt *s)
{
    int code = s ? sqlite3_step(s) : SQLITE_ERROR;

    (void)sqlite3_finalize(s);
    if (code != SQLITE_DONE)
        return TDM_E_SYSTEM;
    return sqlite3_changes(h->db) ? TDM_OK : TDM_E_GONE;
}

enum tdm_err tdm_history_add(struct tdm_history *h, const struct tdm_history_entry *e, bool *known,
                             struct tdm_cause *cause)
{
    sqlite3_stmt *s =
        prepare(h,
                "INSERT OR IGNORE INTO message(contact, ours, id, sent_ms, state, file, "
                "text, peer) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                e->contact, e->state != TDM_HISTORY_RECEIVED, e->id);

    if (s) {
        (void)sqlite3_bind_int64(s, 4, e->sent_ms);
        (void)sqlite3_bind_int(s, 5, (int)e->state);
        (void)sqlite3_bind_int(s, 6, e->file);
        (void)sqlite3_bind_text(s, 7, e->text, -1, SQLITE_STATIC);
        if (e->peer_known)
            (void)sqlite3_bind_blob(s, 8, e->peer, sizeof e->peer, SQLITE_STATIC);
    }
    enum tdm_err err = finish(h, s);

    if (known)
        *known = err == TDM_E_GONE;
    return err == TDM_E_SYSTEM ? failed(h, cause) : TDM_OK;
}

enum tdm_err tdm_history_mark(struct tdm_history *h, const char *contact, uint64_t id,
                              enum tdm_history_state state)
{
    /* FAILED may be overcome by a later delivery, and does not undo one. */
    sqlite3_stmt *s =
        prepare(h,
                "UPDATE message SET state = ?4 WHERE contact = ?1 AND ours = ?2 AND id "
                "= ?3 AND (state < ?4 OR state >= 4) AND NOT (?4 >= 4 AND state IN (2, 3))",
                contact, true, id);

    if (s)
        (void)sqlite3_bind_int(s, 4, (int)state);
    return finish(h, s);
}

enum tdm_err tdm_history_edit(struct tdm_history *h, const char *contact, uint64_t id, bool ours,
                              const char *text)
{
    sqlite3_stmt *s =
        prepare(h,
                "UPDATE message SET text = ?4, edited = 1 WHERE contact = ?1 AND ours = "
                "?2 AND id = ?3 AND file = 0",
                contact, ours, id);

    if (s)
        (void)sqlite3_bind_text(s, 4, text, -1, SQLITE_STATIC);
    return finish(h, s);
}

/* "%word%" with the wildcards of LIKE taken literally. */
static void like(const char *word, size_t size, char *pattern, size_t capacity)
{
    size_t out = 0;

    pattern[out++] = '%';
    for (size_t i = 0; i < size && out + 4 < capacity; i++) {
        if (word[i] == '%' || word[i] == '_' || word[i] == '\\')
            pattern[out++] = '\\';
        pattern[out++] = word[i];
    }
    pattern[out++] = '%';
    pattern[out] = '\0';
}

static sqlite3_stmt *query(struct tdm_history *h, const char *contact, bool exact,
                           const char *words, int state, uint32_t limit)
{
    char sql[768] = SELECT "(?1 IS NULL OR contact = ?1 OR (?12 AND substr(contact, "
                           "instr(contact, '@') + 1) = ?1)) AND (?2 < 0 OR state = ?2)";
    char patterns[WORDS_MAX][256];
    sqlite3_stmt *s = NULL;
    int count = 0;

    for (const char *at = words; at && count < WORDS_MAX;) {
        at += strspn(at, " ");
        size_t size = strcspn(at, " ");
        size_t used = strlen(sql);

        if (!size)
            break;
        like(at, size, patterns[count], sizeof patterns[count]);
        (void)snprintf(sql + used, sizeof sql - used, " AND text LIKE ?%d ESCAPE '\\'",
                       4 + count++);
        at += size;
    }
    (void)snprintf(sql + strlen(sql), sizeof sql - strlen(sql),
                   " ORDER BY sent_ms DESC, rowid DESC LIMIT ?3");
    if (sqlite3_prepare_v2(h->db, sql, -1, &s, NULL) != SQLITE_OK)
        return NULL;
    if (contact)
        (void)sqlite3_bind_text(s, 1, contact, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_int(s, 2, state);
    (void)sqlite3_bind_int64(s, 3, limit);
    (void)sqlite3_bind_int(s, 4 + WORDS_MAX, !exact);
    for (int i = 0; i < count; i++)
        (void)sqlite3_bind_text(s, 4 + i, patterns[i], -1, SQLITE_TRANSIENT);
    return s;
}

static bool take_row(sqlite3_stmt *s, struct tdm_history_entry *e)
{
    *e = (struct tdm_history_entry){
        .contact = strdup((const char *)sqlite3_column_text(s, 0)),
        .id = (uint64_t)sqlite3_column_int64(s, 1),
        .sent_ms = sqlite3_column_int64(s, 2),
        .state = (enum tdm_history_state)sqlite3_column_int(s, 3),
        .edited = sqlite3_column_int(s, 4),
        .file = sqlite3_column_int(s, 5),
        .text = strdup((const char *)sqlite3_column_text(s, 6)),
        .peer_known = sqlite3_column_bytes(s, 7) == sizeof e->peer,
    };
    if (e->peer_known)
        memcpy(e->peer, sqlite3_column_blob(s, 7), sizeof e->peer);
    return e->contact && e->text;
}

/* All rows of a statement, which ends here. */
static bool take_rows(sqlite3_stmt *s, struct tdm_history_rows *rows)
{
    bool good = true;

    while (good && sqlite3_step(s) == SQLITE_ROW) {
        struct tdm_history_entry *more =
            realloc(rows->entries, (rows->count + 1) * sizeof *rows->entries);

        good = more != NULL;
        if (good)
            rows->entries = more;
        good = good && take_row(s, &rows->entries[rows->count++]);
    }
    (void)sqlite3_finalize(s);
    if (!good)
        tdm_history_free(rows);
    return good;
}

enum tdm_err tdm_history_get(struct tdm_history *h, uint64_t id, struct tdm_history_rows *rows)
{
    sqlite3_stmt *s = NULL;

    *rows = (struct tdm_history_rows){0};
    if (sqlite3_prepare_v2(h->db, SELECT "ours = 1 AND id = ?1 LIMIT 1", -1, &s, NULL) != SQLITE_OK)
        return TDM_E_SYSTEM;
    (void)sqlite3_bind_int64(s, 1, (sqlite3_int64)id);
    return take_rows(s, rows) ? TDM_OK : TDM_E_SYSTEM;
}

enum tdm_err tdm_history_find(struct tdm_history *h, const char *contact, bool exact,
                              const char *words, int state, uint32_t limit,
                              struct tdm_history_rows *rows, struct tdm_cause *cause)
{
    sqlite3_stmt *s = query(h, contact, exact, words, state, limit);

    *rows = (struct tdm_history_rows){0};
    if (!s)
        return failed(h, cause);
    if (!take_rows(s, rows))
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for the history");
    for (uint32_t i = 0; i < rows->count / 2; i++) { /* They came newest first. */
        struct tdm_history_entry e = rows->entries[i];

        rows->entries[i] = rows->entries[rows->count - 1 - i];
        rows->entries[rows->count - 1 - i] = e;
    }
    return TDM_OK;
}

void tdm_history_free(struct tdm_history_rows *rows)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        free((char *)rows->entries[i].contact);
        free((char *)rows->entries[i].text);
    }
    free(rows->entries);
    *rows = (struct tdm_history_rows){0};
}
