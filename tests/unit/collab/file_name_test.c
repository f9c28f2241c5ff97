/* SPDX-License-Identifier: MIT */
/* Names as strangers send them, and what becomes of them. */
#include "collab/file_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_names(void **state)
{
    static const struct {
        const char *raw, *clean;
    } rows[] = {
        {"photo.jpg", "photo.jpg"},
        {"Jahresbericht März 2026.pdf", "Jahresbericht März 2026.pdf"},
        {"写真.png", "写真.png"},
        {"archive.tar.gz", "archive.tar.gz"},
        /* Ways out of the folder. */
        {"../../etc/passwd", "_._.._etc_passwd"},
        {"..", "file"},
        {".", "file"},
        {"/etc/shadow", "_etc_shadow"},
        {"C:\\Windows\\win.ini", "C__Windows_win.ini"},
        {"a\xe2\x88\x95"
         "b",
         "a_b"}, /* U+2215, division slash. */
        {"a\xef\xbc\x8f"
         "b",
         "a_b"}, /* U+FF0F, full-width slash. */
        {"a\xc0\xaf"
         "b",
         "a__b"}, /* '/' in two bytes: no UTF-8. */
        /* Hidden, or an option of a command. */
        {".bashrc", "_bashrc"},
        {"...", "file"},
        {"-rf", "_rf"},
        {"~root", "_root"},
        {" .profile", "_profile"},
        /* What nobody sees, and what turns the text: the true extension is at the end. */
        {"invoice\xe2\x80\xae"
         "fdp.exe",
         "invoicefdp.exe"},
        {"photo\xe2\x81\xa6"
         ".jpg",
         "photo.jpg"},
        {"a\xe2\x80\x8b"
         "b\xef\xbb\xbf"
         "c",
         "abc"},
        {"report.pdf                                        .exe", "report.pdf .exe"},
        {"report.pdf\xe3\x80\x80\xe3\x80\x80.exe", "report.pdf .exe"},
        {"tag\xf3\xa0\x81\x81", "tag"},
        {"\xe2\x80\xae\xe2\x80\xad", "file"},
        /* Controls, and no characters. */
        {"a\nb\tc", "a_b_c"},
        {"\x1b[2Jx", "_[2Jx"},
        {"a\xc2\x9b"
         "b",
         "a_b"},
        {"a\xff"
         "b",
         "a_b"},
        {"a\xed\xa0\x80"
         "b",
         "a_b"}, /* A surrogate. */
        {"a\xef\xbf\xbf", "a_"},
        {"a\xf4\x90\x80\x80", "a____"}, /* Above U+10FFFF. */
        {"half\xe2\x82", "half__"},
        /* Reserved elsewhere. */
        {"CON", "_CON"},
        {"con.txt", "_con.txt"},
        {"Lpt9.tar.gz", "_Lpt9.tar.gz"},
        {"com\xc2\xb9.log", "_com\xc2\xb9.log"},
        {"nul .txt", "_nul .txt"},
        {"console", "console"},
        {"a<b>c|d?e*f\"g", "a_b_c_d_e_f_g"},
        {"trailing. . .", "trailing"},
        {"", "file"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[TDM_FILE_NAME_MAX];
        bool changed = tdm_file_name_clean(name, rows[i].raw, strlen(rows[i].raw));

        assert_string_equal(name, rows[i].clean);
        assert_int_equal(changed, strcmp(rows[i].raw, rows[i].clean) != 0);
        /* What is clean stays as it is. */
        assert_false(tdm_file_name_clean(name, rows[i].clean, strlen(rows[i].clean)));
    }
}

static void test_zero_byte(void **state)
{
    char name[TDM_FILE_NAME_MAX];

    (void)state;
    assert_true(tdm_file_name_clean(name, "a.exe\0.txt", 10));
    assert_string_equal(name, "a.exe_.txt");
}

static void test_long(void **state)
{
    char raw[600], name[TDM_FILE_NAME_MAX];

    (void)state;
    memset(raw, 'a', sizeof raw);
    memcpy(raw + 300, ".jpeg", 5);
    assert_true(tdm_file_name_clean(name, raw, 305));
    assert_int_equal(strlen(name), TDM_FILE_NAME_MAX - 1);
    assert_string_equal(tdm_file_name_extension(name), "jpeg");

    /* An extension that is too long is none; no character is cut in two. */
    for (int i = 0; i < 300; i += 3)
        memcpy(raw + i, "\xe2\x82\xac", 3);
    assert_true(tdm_file_name_clean(name, raw, 300));
    assert_int_equal(strlen(name), (TDM_FILE_NAME_MAX - 1) / 3 * 3);
    memset(raw, 'x', sizeof raw);
    raw[10] = '.';
    assert_true(tdm_file_name_clean(name, raw, 500));
    assert_int_equal(strlen(name), TDM_FILE_NAME_MAX - 1);
}

static void test_paths(void **state)
{
    static const struct {
        const char *raw, *clean; /* NULL: refused. */
    } rows[] = {
        {"a/b/c.txt", "a/b/c.txt"},
        {"/a//b/./c", "a/b/c"},
        {"../x", "file/x"},
        {"a/../../x", "a/file/file/x"},
        {"a/.git/config", "a/_git/config"},
        {"", NULL},
        {"/", NULL},
        {"./.", NULL},
        {"1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[TDM_FILE_PATH_MAX];
        enum tdm_err err = tdm_file_name_clean_path(path, rows[i].raw, strlen(rows[i].raw));

        assert_int_equal(err, rows[i].clean ? TDM_OK : TDM_E_MALFORMED);
        if (rows[i].clean)
            assert_string_equal(path, rows[i].clean);
    }
}

static void test_extensions(void **state)
{
    char name[300];

    (void)state;
    assert_string_equal(tdm_file_name_extension("a.b.c"), "c");
    assert_string_equal(tdm_file_name_extension("none"), "");
    assert_string_equal(tdm_file_name_extension("dot."), "");
    assert_true(tdm_file_name_is_program("holiday.jpg.EXE"));
    assert_true(tdm_file_name_is_program("x.desktop"));
    assert_false(tdm_file_name_is_program("x.jpg"));
    assert_false(tdm_file_name_is_program("exe"));
    tdm_file_name_numbered(name, sizeof name, "photo.jpg", 2);
    assert_string_equal(name, "photo (2).jpg");
    tdm_file_name_numbered(name, sizeof name, "folder", 3);
    assert_string_equal(name, "folder (3)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),      cmocka_unit_test(test_zero_byte),
        cmocka_unit_test(test_long),       cmocka_unit_test(test_paths),
        cmocka_unit_test(test_extensions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
