/* SPDX-License-Identifier: MIT */
#include "engine/io/history.h"

#include <sqlite3.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct tdm_history *history;
static struct tdm_cause cause;
static char path[] = "/tmp/tandem-history-XXXXXX";

static void add(const char *contact, uint64_t id, int64_t at, enum tdm_history_state state,
                const char *text)
{
    struct tdm_history_entry e = {
        .contact = contact, .id = id, .sent_ms = at, .state = state, .text = text};

    assert_int_equal(tdm_history_add(history, &e, NULL, &cause), TDM_OK);
}

/* The texts found, with '|' between them. */
static const char *found(const char *contact, const char *words, int state, uint32_t limit)
{
    static char all[512];
    struct tdm_history_rows rows;

    assert_int_equal(tdm_history_find(history, contact, false, words, state, limit, &rows, &cause),
                     TDM_OK);
    all[0] = '\0';
    for (uint32_t i = 0; i < rows.count; i++)
        (void)snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? "|" : "",
                       rows.entries[i].text);
    tdm_history_free(&rows);
    return all;
}

static int open_memory(void **state)
{
    (void)state;
    return tdm_history_open(&history, NULL, &cause) != TDM_OK;
}

static int close_it(void **state)
{
    (void)state;
    tdm_history_close(history);
    return 0;
}

static void test_found_by_contact_words_and_state(void **state)
{
    (void)state;
    add("paul@a", 1, 10, TDM_HISTORY_RECEIVED, "the first thing");
    add("paul@a", 1, 30, TDM_HISTORY_WAITING, "our own 1"); /* Ids of two authors may be equal. */
    add("anna@b", 2, 20, TDM_HISTORY_WAITING, "100% of a_b");
    assert_string_equal(found(NULL, NULL, -1, 10), "the first thing|100% of a_b|our own 1");
    assert_string_equal(found("paul@a", NULL, -1, 10), "the first thing|our own 1");
    assert_string_equal(found(NULL, NULL, -1, 2), "100% of a_b|our own 1");
    assert_string_equal(found(NULL, NULL, TDM_HISTORY_WAITING, 9), "100% of a_b|our own 1");
    assert_string_equal(found(NULL, "THING  first", -1, 9), "the first thing");
    assert_string_equal(found(NULL, "first own", -1, 9), "");
    assert_string_equal(found(NULL, "0%", -1, 9), "100% of a_b");
    assert_string_equal(found(NULL, "a%b", -1, 9), "");
    assert_string_equal(found("'; DROP TABLE message; --", "' OR 1=1", -1, 9), "");
}

static void test_a_text_comes_once(void **state)
{
    struct tdm_history_entry e = {
        .contact = "p", .id = UINT64_MAX, .state = TDM_HISTORY_RECEIVED, .text = "x"};
    bool known;

    (void)state;
    assert_int_equal(tdm_history_add(history, &e, &known, &cause), TDM_OK);
    assert_false(known);
    e.text = "another";
    assert_int_equal(tdm_history_add(history, &e, &known, &cause), TDM_OK);
    assert_true(known);
    assert_string_equal(found(NULL, NULL, -1, 9), "x");
}

static void test_states_go_forwards(void **state)
{
    (void)state;
    add("p", 5, 1, TDM_HISTORY_WAITING, "t");
    assert_int_equal(tdm_history_mark(history, "p", 6, TDM_HISTORY_READ), TDM_E_GONE);
    assert_int_equal(tdm_history_mark(history, "q", 5, TDM_HISTORY_READ), TDM_E_GONE);
    assert_int_equal(tdm_history_mark(history, "p", 5, TDM_HISTORY_FAILED), TDM_OK);
    assert_int_equal(tdm_history_mark(history, "p", 5, TDM_HISTORY_DELIVERED), TDM_OK);
    assert_int_equal(tdm_history_mark(history, "p", 5, TDM_HISTORY_FAILED), TDM_E_GONE);
    assert_int_equal(tdm_history_mark(history, "p", 5, TDM_HISTORY_READ), TDM_OK);
    assert_int_equal(tdm_history_mark(history, "p", 5, TDM_HISTORY_DELIVERED), TDM_E_GONE);
    assert_string_equal(found("p", NULL, TDM_HISTORY_READ, 9), "t");
}

static void test_edits(void **state)
{
    (void)state;
    add("p", 5, 1, TDM_HISTORY_WAITING, "ours");
    add("p", 5, 2, TDM_HISTORY_RECEIVED, "theirs");
    assert_int_equal(tdm_history_edit(history, "p", 5, false, "changed"), TDM_OK);
    assert_string_equal(found("p", NULL, -1, 9), "ours|changed");
    assert_int_equal(tdm_history_edit(history, "p", 7, false, "none"), TDM_E_GONE);
}

static void test_a_file_that_is_none_of_ours(void **state)
{
    struct tdm_history *other;
    FILE *file = fopen(path, "w");

    (void)state;
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        (void)fputs("this is a letter, not a database\n", file);
    (void)fclose(file);
    assert_int_equal(tdm_history_open(&other, path, &cause), TDM_E_MALFORMED);
    assert_non_null(strstr(cause.text, "move it away"));
    assert_int_equal(tdm_history_open(&other, "/nowhere/at/all", &cause), TDM_E_SYSTEM);
    assert_int_equal(unlink(path), 0);
}

static void test_kept_on_disk_for_its_owner(void **state)
{
    struct stat info;
    char log[64];

    (void)state;
    tdm_history_close(history);
    assert_int_equal(tdm_history_open(&history, path, &cause), TDM_OK);
    add("p", 1, 1, TDM_HISTORY_RECEIVED, "kept");
    (void)snprintf(log, sizeof log, "%s-wal", path);
    assert_int_equal(stat(log, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    tdm_history_close(history);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(tdm_history_open(&history, path, &cause), TDM_OK);
    assert_string_equal(found(NULL, NULL, -1, 9), "kept");
    assert_int_equal(unlink(path), 0);
}

/* A history of before has no certificates; it gets room for them and keeps its texts. */
static void test_older_file(void **state)
{
    char file[sizeof path];
    struct tdm_history_rows rows;
    sqlite3 *db;
    int fd;

    (void)state;
    memcpy(file, "/tmp/tandem-history-XXXXXX", sizeof file);
    assert_true((fd = mkstemp(file)) >= 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "CREATE TABLE message(contact TEXT NOT NULL, ours INTEGER NOT NULL, id "
                     "INTEGER NOT NULL, sent_ms INTEGER NOT NULL, state INTEGER NOT NULL, edited "
                     "INTEGER NOT NULL DEFAULT 0, file INTEGER NOT NULL DEFAULT 0, text TEXT NOT "
                     "NULL, PRIMARY KEY(contact, ours, id));"
                     "INSERT INTO message VALUES('p', 1, 7, 1, 1, 0, 0, 'old')",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tdm_history_open(&history, file, &cause), TDM_OK);
        if (i == 0) {
            struct tdm_history_entry e = {
                .contact = "p", .id = 8, .sent_ms = 2, .state = TDM_HISTORY_WAITING, .text = "new"};

            e.peer_known = true;
            memset(e.peer, 0xa5, sizeof e.peer);
            assert_int_equal(tdm_history_add(history, &e, NULL, &cause), TDM_OK);
        }
        assert_int_equal(tdm_history_find(history, "p", true, NULL, -1, 9, &rows, &cause), TDM_OK);
        assert_int_equal(rows.count, 2);
        assert_false(rows.entries[0].peer_known);
        assert_true(rows.entries[1].peer_known && rows.entries[1].peer[31] == 0xa5);
        tdm_history_free(&rows);
        tdm_history_close(history);
    }
    assert_int_equal(unlink(file), 0);
    history = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_found_by_contact_words_and_state, open_memory,
                                        close_it),
        cmocka_unit_test_setup_teardown(test_a_text_comes_once, open_memory, close_it),
        cmocka_unit_test_setup_teardown(test_states_go_forwards, open_memory, close_it),
        cmocka_unit_test_setup_teardown(test_edits, open_memory, close_it),
        cmocka_unit_test(test_a_file_that_is_none_of_ours),
        cmocka_unit_test_setup_teardown(test_kept_on_disk_for_its_owner, open_memory, close_it),
        cmocka_unit_test(test_older_file),
    };
    int fd = mkstemp(path);

    if (fd >= 0)
        (void)close(fd);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
