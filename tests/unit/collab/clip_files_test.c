/* SPDX-License-Identifier: MIT */
#include "collab/clip_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_lists(void **state)
{
    static const struct {
        const char *list;
        const char *paths[3];
    } rows[] = {
        {"file:///srv/a/x.txt\r\n", {"/srv/a/x.txt"}},
        {"# copied\r\nfile:///a%20b/%C3%A9.png\r\nfile://localhost/c\r\n", {"/a b/é.png", "/c"}},
        {"FILE:/one/slash\nfile:///last", {"/one/slash", "/last"}},
        {"http://example.org/x\r\nfile://elsewhere/x\r\nfile:///y\r\n", {"/y"}},
        {"file:///\r\nfile:///a%\r\nfile:///a%zz\r\nfile:///a%00b\r\n\r\nfile://\n", {NULL}},
        {"", {NULL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t at = 0, size = strlen(rows[i].list);
        char path[TDM_CLIP_FILE_PATH_MAX];
        int count = 0;

        while (tdm_clip_files_next_path((const uint8_t *)rows[i].list, size, &at, path)) {
            assert_non_null(rows[i].paths[count]);
            assert_string_equal(path, rows[i].paths[count]);
            count++;
        }
        assert_null(rows[i].paths[count]);
        assert_int_equal(at, size);
    }
}

static void test_a_list_of_ours_reads_back(void **state)
{
    static const char path[] = "/tmp/x y/\x01%\"é/'#?";
    char line[256], back[TDM_CLIP_FILE_PATH_MAX];
    size_t size = tdm_clip_files_write_uri(path, line, sizeof line), at = 0;

    (void)state;
    assert_true(size > 0);
    assert_memory_equal(line + size - 2, "\r\n", 2);
    assert_true(tdm_clip_files_next_path((uint8_t *)line, size, &at, back));
    assert_string_equal(back, path);
    for (size_t room = 0; room < size; room++)
        assert_in_range(tdm_clip_files_write_uri(path, line, room), 0, room);
}

static size_t add(uint8_t *to, size_t used, const char *name, const char *data)
{
    used += tdm_clip_files_write_head(name, (uint32_t)strlen(data), to + used);
    memcpy(to + used, data, strlen(data));
    return used + strlen(data);
}

static void test_contents(void **state)
{
    uint8_t content[1024];
    size_t size = add(content, 0, "a.txt", "hello"), at = 0;
    struct tdm_clip_file file;

    (void)state;
    size = add(content, size, "empty", "");
    size = add(content, size, "../../etc/passwd", "x");
    assert_int_equal(tdm_clip_files_next(content, size, &at, &file), TDM_OK);
    assert_string_equal(file.name, "a.txt");
    assert_int_equal(file.size, 5);
    assert_memory_equal(file.data, "hello", 5);
    assert_int_equal(tdm_clip_files_next(content, size, &at, &file), TDM_OK);
    assert_string_equal(file.name, "empty");
    assert_int_equal(file.size, 0);
    assert_int_equal(tdm_clip_files_next(content, size, &at, &file), TDM_OK);
    assert_null(strchr(file.name, '/')); /* What comes is one harmless name. */
    assert_int_not_equal(file.name[0], '.');
    assert_int_equal(tdm_clip_files_next(content, size, &at, &file), TDM_E_AGAIN);
}

/* Cut short anywhere but between files, it is malformed. */
static void test_truncated(void **state)
{
    uint8_t content[64];
    size_t size = add(content, 0, "a", "hello");
    struct tdm_clip_file file;

    (void)state;
    for (size_t cut = 1; cut < size; cut++) {
        uint8_t *exact = malloc(cut);
        size_t at = 0;

        assert_non_null(exact);
        memcpy(exact, content, cut);
        assert_int_equal(tdm_clip_files_next(exact, cut, &at, &file), TDM_E_MALFORMED);
        assert_int_equal(at, 0);
        free(exact);
    }
    content[0] = 0; /* Without a name. */
    size_t at = 0;

    assert_int_equal(tdm_clip_files_next(content, size, &at, &file), TDM_E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_a_list_of_ours_reads_back),
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_truncated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
