/* SPDX-License-Identifier: MIT */
/* A board's file and the images beside it: one writer, a full disk, a new journal in the old one's
 * place. */
#include "engine/io/board_blobs.h"
#include "engine/io/board_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[96];

static int make_place(void **state)
{
    const char *under = getenv("TMPDIR");

    (void)state;
    (void)snprintf(folder, sizeof folder, "%.40s/board-file-XXXXXX", under ? under : "/tmp");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/a.board", folder);
    return 0;
}

static int leave_place(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static struct tdm_board_file *open_board(bool read_only)
{
    struct tdm_board_file_config config = {
        .path = path, .create = !read_only, .read_only = read_only, .head = {.begun_ms = 7}};
    struct tdm_board_file *file = NULL;
    struct tdm_cause cause = {""};

    if (tdm_board_file_open(&file, &config, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return file;
}

static enum tdm_err append(struct tdm_board_file *file, const char *text, struct tdm_cause *cause)
{
    return tdm_board_file_append(file,
                                 &(struct tdm_journal_record){.kind = TDM_JOURNAL_OPS,
                                                              .wall_ms = 1,
                                                              .data = (const uint8_t *)text,
                                                              .size = strlen(text)},
                                 cause);
}

/* All texts of the file in a row, as a new reader finds them. */
static const char *texts_of(bool *torn)
{
    static char all[4096];
    struct tdm_board_file *file = open_board(true);
    struct tdm_journal_scan scan = tdm_board_file_scan(file);
    struct tdm_journal_record record;
    size_t size = 0;

    while (tdm_journal_scan_next(&scan, &record)) {
        assert_true(size + record.size < sizeof all);
        memcpy(all + size, record.data, record.size);
        size += record.size;
    }
    all[size] = '\0';
    *torn = scan.torn || scan.holes;
    tdm_board_file_close(file);
    return all;
}

static void test_one_writer(void **state)
{
    struct tdm_board_file *file = open_board(false), *second = NULL;
    struct tdm_board_file_config config = {.path = path, .create = true};
    struct tdm_cause cause = {""};
    bool torn;

    (void)state;
    assert_int_equal(append(file, "one ", &cause), TDM_OK);
    assert_int_equal(tdm_board_file_open(&second, &config, &cause), TDM_E_DENIED);
    assert_non_null(strstr(cause.text, "another Tandem"));
    assert_string_equal(texts_of(&torn), "one "); /* Who reads only, may. */
    tdm_board_file_close(file);
    file = open_board(false);
    assert_int_equal(append(file, "two", &cause), TDM_OK);
    assert_int_equal(tdm_board_file_sync(file, &cause), TDM_OK);
    tdm_board_file_close(file);
    assert_string_equal(texts_of(&torn), "one two");
    assert_false(torn);
}

/* A limit of the file's size takes part of a record and refuses the rest, as a full disk does. */
/* Who only looked leaves nothing behind where that is asked for; what is there stays. */
static void test_begun_for_nothing(void **state)
{
    const struct tdm_board_file_config config = {.path = path, .create = true, .drop = true};
    struct tdm_board_file *file = NULL;
    struct tdm_cause cause;

    (void)state;
    assert_int_equal(tdm_board_file_open(&file, &config, &cause), TDM_OK);
    assert_int_equal(access(path, F_OK), 0);
    tdm_board_file_close(file);
    assert_int_not_equal(access(path, F_OK), 0);
    int fd = open(path, O_WRONLY | O_CREAT, 0600); /* As mktemp does. */

    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(tdm_board_file_open(&file, &config, &cause), TDM_OK);
    tdm_board_file_close(file);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(tdm_board_file_open(&file, &config, &cause), TDM_OK);
    tdm_board_file_close(file);
    assert_int_equal(access(path, F_OK), 0);
}

static void test_full_disk(void **state)
{
    struct tdm_board_file *file = open_board(false);
    struct tdm_cause cause = {""};
    struct rlimit before, small;
    char large[2000];
    bool torn;

    (void)state;
    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = '\0';
    assert_int_equal(append(file, "kept ", &cause), TDM_OK);
    uint64_t size = tdm_board_file_size(file);

    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){1000, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum tdm_err refused = append(file, large, &cause);
    enum tdm_err replaced = tdm_board_file_replace(
        file,
        &(struct tdm_journal_record){
            .kind = TDM_JOURNAL_OPS, .data = (const uint8_t *)large, .size = strlen(large)},
        1, &cause);

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(refused, TDM_E_SPACE);
    assert_int_equal(replaced, TDM_E_SPACE);
    assert_int_equal(tdm_board_file_size(file), size);
    assert_string_equal(texts_of(&torn), "kept ");
    assert_false(torn); /* Nothing is left of the half record. */

    assert_int_equal(append(file, "and on", &cause), TDM_OK);
    tdm_board_file_close(file);
    assert_string_equal(texts_of(&torn), "kept and on");
    assert_false(torn);
}

static void test_replaced(void **state)
{
    struct tdm_board_file *file = open_board(false), *second = NULL;
    struct tdm_board_file_config config = {.path = path, .create = true};
    struct tdm_journal_record all = {
        .kind = TDM_JOURNAL_SNAPSHOT, .data = (const uint8_t *)"all", .size = 3};
    struct tdm_cause cause = {""};
    uint64_t place = tdm_board_file_place(file);
    bool torn;

    (void)state;
    assert_int_equal(append(file, "much", &cause), TDM_OK);
    assert_int_equal(tdm_board_file_replace(file, &all, 1, &cause), TDM_OK);
    assert_int_equal(append(file, " and more", &cause), TDM_OK);
    assert_string_equal(texts_of(&torn), "all and more");
    assert_true(tdm_board_file_place(file) != place);
    assert_int_equal(tdm_board_file_head(file)->begun_ms, 7);
    /* The lock went over to the new file. */
    assert_int_equal(tdm_board_file_open(&second, &config, &cause), TDM_E_DENIED);
    tdm_board_file_close(file);
}

static void write_text(const char *to, const char *text)
{
    FILE *file = fopen(to, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_no_board(void **state)
{
    struct tdm_board_file_config config = {.path = path};
    struct tdm_board_file *file = NULL;
    struct tdm_cause cause = {""};
    struct stat after;

    (void)state;
    assert_int_equal(tdm_board_file_open(&file, &config, &cause), TDM_E_GONE);
    write_text(path, "TDMB"); /* A birth that was interrupted: as good as none. */
    assert_int_equal(tdm_board_file_open(&file, &config, &cause), TDM_E_MALFORMED);
    tdm_board_file_close(open_board(false));
    write_text(path, "a letter of somebody, which is longer than the head of a board");
    config.create = true;
    assert_int_equal(tdm_board_file_open(&file, &config, &cause), TDM_E_MALFORMED);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_size, 62);
    config.path = folder;
    assert_int_not_equal(tdm_board_file_open(&file, &config, &cause), TDM_OK);
}

/* --- Images ----------------------------------------------------------------------------------- */

static bool wants(void *arg, const uint8_t hash[TDM_SHA256_BYTES])
{
    return arg && memcmp(arg, hash, TDM_SHA256_BYTES) == 0;
}

static void test_blobs(void **state)
{
    struct tdm_board_blobs blobs;
    struct tdm_cause cause = {""};
    uint8_t hash[TDM_SHA256_BYTES], other[TDM_SHA256_BYTES], *data;
    char name[2 * TDM_SHA256_BYTES + 1], file[256];
    size_t size;

    (void)state;
    assert_int_equal(tdm_board_blobs_init(&blobs, path, &cause), TDM_OK);
    assert_int_equal(tdm_board_blobs_put(&blobs, "pixels", 6, hash, &cause), TDM_OK);
    assert_int_equal(tdm_board_blobs_put(&blobs, "pixels", 6, hash, &cause), TDM_OK);
    assert_int_equal(tdm_board_blobs_put(&blobs, "others", 6, other, &cause), TDM_OK);
    assert_int_equal(tdm_board_blobs_put(&blobs, "", 0, other, &cause), TDM_E_SPACE);
    assert_int_equal(tdm_board_blobs_get(&blobs, hash, &data, &size, &cause), TDM_OK);
    assert_int_equal(size, 6);
    assert_memory_equal(data, "pixels", 6);
    free(data);

    /* Spoiled on the disk: not given, and gone, so that it is asked for anew. */
    for (size_t i = 0; i < sizeof hash; i++)
        (void)snprintf(name + 2 * i, 3, "%02x", hash[i]);
    (void)snprintf(file, sizeof file, "%s.blobs/%s", path, name);
    write_text(file, "pixeln");
    assert_int_equal(tdm_board_blobs_get(&blobs, hash, &data, &size, &cause), TDM_E_MALFORMED);
    assert_null(data);
    assert_false(tdm_board_blobs_has(&blobs, hash));
    assert_int_equal(tdm_board_blobs_get(&blobs, hash, &data, &size, &cause), TDM_E_GONE);

    assert_int_equal(tdm_board_blobs_put(&blobs, "pixels", 6, hash, &cause), TDM_OK);
    assert_int_equal(tdm_board_blobs_sweep(&blobs, wants, hash), 1);
    assert_true(tdm_board_blobs_has(&blobs, hash));
    assert_false(tdm_board_blobs_has(&blobs, other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_writer, make_place, leave_place),
        cmocka_unit_test_setup_teardown(test_begun_for_nothing, make_place, leave_place),
        cmocka_unit_test_setup_teardown(test_full_disk, make_place, leave_place),
        cmocka_unit_test_setup_teardown(test_replaced, make_place, leave_place),
        cmocka_unit_test_setup_teardown(test_no_board, make_place, leave_place),
        cmocka_unit_test_setup_teardown(test_blobs, make_place, leave_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
