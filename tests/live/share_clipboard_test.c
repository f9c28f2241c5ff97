/* SPDX-License-Identifier: MIT */
/*
 * What is copied on one of two displays is pasted on the other, by programs that know nothing of
 * each other: text, HTML, pictures, files; both ways, and only what was allowed.
 */
#include "tests/live/sharer.h"
#include "tests/unit/x_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_MS 30000
#define LARGE       300000 /* More than goes at once. */
#define CLIPBOARD   (TANDEM_SHARE_CLIPBOARD_IN | TANDEM_SHARE_CLIPBOARD_OUT)

static struct x_server ours, theirs; /* The host's display, the viewer's. */

static void write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static size_t read_file(const char *path, char *data, size_t room)
{
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(data, 1, room, file) : 0;

    if (file)
        assert_int_equal(fclose(file), 0);
    return size;
}

/* A program on `display` that has `data` to give as `target`. */
static void copy(const struct x_server *display, const char *target, const void *data, size_t size)
{
    char path[256], command[512];

    write_file(pair_file("copied", path, sizeof path), data, size);
    (void)snprintf(command, sizeof command,
                   "xclip -display %s -selection clipboard -t %s -i '%s' >/dev/null 2>&1",
                   display->display, target, path);
    assert_int_equal(system(command), 0);
}

/* One that asks for it. @return bytes; 0: there is none. */
static size_t paste(const struct x_server *display, const char *target, char *data, size_t room)
{
    char path[256], command[512];

    (void)snprintf(command, sizeof command,
                   "timeout 30 xclip -display %s -selection clipboard -t %s -o >'%s' 2>/dev/null",
                   display->display, target, pair_file("pasted", path, sizeof path));
    return system(command) == 0 ? read_file(path, data, room) : 0;
}

static void pass_over(const struct x_server *from, const struct x_server *to, const char *target,
                      const char *data, size_t size)
{
    static char got[LARGE + 1];
    int64_t now = sharer_now_ms(), until = now + PATIENCE_MS, copied = 0;

    while (paste(to, target, got, sizeof got) != size || memcmp(got, data, size) != 0) {
        now = sharer_now_ms();
        if (now > until)
            fail_msg("%s did not arrive", target);
        /* Who copies at once after something came counts as a manager of clipboards. */
        if (now - copied > 3000)
            copy(from, target, data, size);
        copied = now - copied > 3000 ? now : copied;
        sharers_wait();
    }
}

static void begin(unsigned scopes)
{
    char desktop[32];
    const struct tandem_share_event *e;

    if (access("/usr/bin/xclip", X_OK) != 0 || !x_server_start(&ours, "640x480x24") ||
        !x_server_start(&theirs, "640x480x24")) {
        printf("SKIP: needs Xvfb and xclip\n");
        exit(77);
    }
    (void)snprintf(desktop, sizeof desktop, "x11%s", ours.display);
    (void)setenv("DISPLAY", theirs.display, 1);
    sharers_start(desktop, &(struct tandem_share_offer){.unasked_view = true,
                                                        .allow = TANDEM_SHARE_VIEW | scopes});
    do
        e = sharer_next(&viewer, TANDEM_SHARE_ALLOWED);
    while ((e->scopes & scopes) != scopes);
}

static void end(void)
{
    sharers_stop();
    x_server_stop(&ours);
    x_server_stop(&theirs);
}

static void test_text_and_pictures(void **state)
{
    static const char text[] = "Grüße, \"Welt\"\n\xe2\x82\xac";
    static const char html[] = "<p>bold <b>\xc3\xa9</b></p>";
    static char picture[LARGE] = "\x89PNG\r\n\x1a\n";

    (void)state;
    for (size_t i = 8; i < LARGE; i++)
        picture[i] = (char)(i * 2654435761u >> 13);
    begin(CLIPBOARD);
    pass_over(&theirs, &ours, "UTF8_STRING", text, strlen(text));
    pass_over(&ours, &theirs, "UTF8_STRING", html, strlen(html));
    pass_over(&theirs, &ours, "text/html", html, strlen(html));
    pass_over(&ours, &theirs, "image/png", picture, sizeof picture);
    end();
}

/* The list of their paths, for a program that pastes files. */
static size_t list_of(const char *const paths[2], char *list, size_t room)
{
    int size = snprintf(list, room, "file://%s\r\nfile://%s\r\n", paths[0], paths[1]);

    assert_true(size > 0 && (size_t)size < room);
    return (size_t)size;
}

static void check_file(char *line, const char *name, const char *data, size_t size)
{
    static char got[LARGE + 1];
    struct stat s;

    assert_int_equal(strncmp(line, "file:///", 8), 0);
    assert_string_equal(strrchr(line, '/') + 1, name);
    assert_int_equal(stat(line + 7, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    assert_int_equal(read_file(line + 7, got, sizeof got), size);
    assert_memory_equal(got, data, size);
}

/* Copied at the viewer, pasted at the host: the same bytes under the same names, elsewhere. Gone
 * with the share. */
static void test_files(void **state)
{
    static char large[LARGE];
    char first[256], second[256], list[1024], got[1024];
    const char *const paths[2] = {pair_file("one.txt", first, sizeof first),
                                  pair_file("two.bin", second, sizeof second)};
    int64_t until = sharer_now_ms() + PATIENCE_MS;
    size_t size = 0;

    (void)state;
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (char)(i * 40503u >> 7);
    write_file(first, "hello", 5);
    write_file(second, large, sizeof large);
    begin(CLIPBOARD | TANDEM_SHARE_FILES);
    copy(&theirs, "text/uri-list", list, list_of(paths, list, sizeof list));
    while (!(size = paste(&ours, "text/uri-list", got, sizeof got - 1))) {
        if (sharer_now_ms() > until)
            fail_msg("no files arrived");
        sharers_wait();
    }
    got[size] = 0;
    char *end_of_first = strstr(got, "\r\n"), *end_of_second;

    assert_non_null(end_of_first);
    end_of_second = strstr(end_of_first + 2, "\r\n");
    assert_non_null(end_of_second);
    *end_of_first = *end_of_second = 0;
    assert_null(strstr(got, first));
    check_file(got, "one.txt", "hello", 5);
    check_file(end_of_first + 2, "two.bin", large, sizeof large);
    end();
    assert_int_not_equal(access(got + 7, F_OK), 0);
}

/* Without leave for files only the text beside them passes. */
static void test_files_not_allowed(void **state)
{
    char path[256], list[1024], got[1024];
    const char *const paths[2] = {pair_file("one.txt", path, sizeof path), path};

    (void)state;
    write_file(path, "hello", 5);
    begin(CLIPBOARD);
    copy(&theirs, "text/uri-list", list, list_of(paths, list, sizeof list));
    pass_over(&theirs, &ours, "UTF8_STRING", "later", 5); /* Told after it. */
    copy(&theirs, "text/uri-list", list, list_of(paths, list, sizeof list));
    assert_int_equal(paste(&ours, "text/uri-list", got, sizeof got), 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_text_and_pictures, pair_files_remove),
        cmocka_unit_test_teardown(test_files, pair_files_remove),
        cmocka_unit_test_teardown(test_files_not_allowed, pair_files_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
