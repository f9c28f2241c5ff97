/* SPDX-License-Identifier: MIT */
/* What a folder shows to choose from. */
#include "render/board_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* After the four headers that it needs. */
#include <cmocka.h>

static const char *const pictures[] = {".png", ".jpeg", NULL};
static const char *const files[] = {"b.PNG", "a.jpeg", "c.txt", ".hidden.png", ".png"};
static char place[] = "/tmp/board_folder_XXXXXX";

static void in_place(const char *name, char path[TDM_FOLDER_PATH_MAX])
{
    (void)snprintf(path, TDM_FOLDER_PATH_MAX, "%s/%s", place, name);
}

static int make(void **state)
{
    char path[TDM_FOLDER_PATH_MAX];

    (void)state;
    assert_non_null(mkdtemp(place));
    in_place("Zoo", path);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        in_place(files[i], path);
        FILE *f = fopen(path, "w");

        assert_non_null(f);
        assert_int_equal(fputs("12345", f) < 0, 0);
        assert_int_equal(fclose(f), 0);
    }
    return 0;
}

static int unmake(void **state)
{
    char path[TDM_FOLDER_PATH_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        in_place(files[i], path);
        (void)unlink(path);
    }
    in_place("Zoo", path);
    (void)rmdir(path);
    return rmdir(place);
}

/* Folders, then files of the kinds that are wanted, whatever their case; in and out again. */
static void test_folder(void **state)
{
    struct tdm_board_folder f = {.count = 0};
    struct tdm_cause cause;
    char path[TDM_FOLDER_PATH_MAX];

    (void)state;
    assert_int_equal(tdm_board_folder_read(&f, place, pictures, &cause), TDM_OK);
    assert_int_equal(f.count, 3);
    assert_string_equal(f.entries[0].name, "Zoo");
    assert_true(f.entries[0].folder);
    assert_string_equal(f.entries[1].name, "a.jpeg");
    assert_string_equal(f.entries[2].name, "b.PNG");
    assert_int_equal(f.entries[2].size, 5);
    assert_int_equal(tdm_board_folder_read(&f, "Zoo", pictures, &cause), TDM_OK);
    assert_int_equal(f.count, 0);
    assert_int_equal(tdm_board_folder_read(&f, "..", pictures, &cause), TDM_OK);
    assert_int_equal(f.count, 3);
    /* What cannot be opened leaves it as it was. */
    assert_int_equal(tdm_board_folder_read(&f, "nowhere", pictures, &cause), TDM_E_SYSTEM);
    assert_int_equal(tdm_board_folder_read(&f, "a.jpeg", pictures, &cause), TDM_E_SYSTEM);
    assert_int_equal(f.count, 3);
    assert_true(tdm_board_folder_path(&f, "b.PNG", path));
    assert_int_equal(access(path, R_OK), 0);
    tdm_board_folder_free(&f);
}

static void test_root(void **state)
{
    struct tdm_board_folder f = {.count = 0};
    struct tdm_cause cause;
    char path[TDM_FOLDER_PATH_MAX], name[TDM_FOLDER_PATH_MAX];

    (void)state;
    assert_int_equal(tdm_board_folder_read(&f, "/", pictures, &cause), TDM_OK);
    assert_true(tdm_board_folder_path(&f, "etc", path));
    assert_string_equal(path, "/etc");
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = 0;
    assert_false(tdm_board_folder_path(&f, name, path));
    tdm_board_folder_free(&f);
    assert_false(tdm_board_folder_ends(".png", ".png"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_folder), cmocka_unit_test(test_root)};

    return cmocka_run_group_tests(tests, make, unmake);
}
