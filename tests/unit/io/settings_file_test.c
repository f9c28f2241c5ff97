/* SPDX-License-Identifier: MIT */
/* Files that people edit: changed by several at once, by an editor that knows no lock, and by
 * programs that are killed. */
#include "engine/io/settings_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[128];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/tandem-settings-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/book", folder);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"book", "book.lock", "book.new",
                                        "link", "target",    "target.lock"};
    char name[160];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        (void)unlink(name);
    }
    return rmdir(folder);
}

static void write_plainly(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* One more line at the end. */
static enum tdm_err add_line(const char *line)
{
    enum tdm_err err = TDM_E_AGAIN;

    while (err == TDM_E_AGAIN) {
        struct tdm_settings_edit edit;
        char text[16384];
        int size;

        err = tdm_settings_begin(&edit, path, NULL);
        if (err)
            return err;
        size = snprintf(text, sizeof text, "%s%s\n", edit.text, line);
        err = tdm_settings_commit(&edit, text, (size_t)size, NULL);
    }
    return err;
}

static char *content(size_t *size)
{
    char *text = NULL;

    assert_int_equal(tdm_settings_read(path, &text, size, NULL, NULL), TDM_OK);
    return text;
}

static void read_and_changed(void **state)
{
    struct tdm_settings_stamp before = tdm_settings_look(path), after;
    struct stat s;
    size_t size;
    char *text = content(&size);

    (void)state;
    assert_int_equal(size, 0); /* There is no file yet. */
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(add_line("one"), TDM_OK);
    after = tdm_settings_look(path);
    assert_false(tdm_settings_same(&before, &after));
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(add_line("two"), TDM_OK);
    text = content(&size);
    assert_string_equal(text, "one\ntwo\n");
    free(text);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0640);
}

static void an_editor_in_between(void **state)
{
    struct tdm_settings_edit edit;
    size_t size;
    char *text;

    (void)state;
    assert_int_equal(add_line("one"), TDM_OK);
    assert_int_equal(tdm_settings_begin(&edit, path, NULL), TDM_OK);
    write_plainly(path, "by hand\n");
    assert_int_equal(tdm_settings_commit(&edit, "lost\n", 5, NULL), TDM_E_AGAIN);
    assert_int_equal(add_line("two"), TDM_OK);
    text = content(&size);
    assert_string_equal(text, "by hand\ntwo\n");
    free(text);
}

static void a_link_stays_one(void **state)
{
    char link_name[160], target[160];
    struct tdm_settings_edit edit;
    struct stat s;

    (void)state;
    (void)snprintf(link_name, sizeof link_name, "%s/link", folder);
    (void)snprintf(target, sizeof target, "%s/target", folder);
    write_plainly(target, "x");
    assert_int_equal(symlink(target, link_name), 0);
    assert_int_equal(tdm_settings_begin(&edit, link_name, NULL), TDM_OK);
    assert_int_equal(tdm_settings_commit(&edit, "y", 1, NULL), TDM_OK);
    assert_int_equal(lstat(link_name, &s), 0);
    assert_true(S_ISLNK(s.st_mode));
}

/* Each of several processes adds its lines; none of them is lost. */
static void many_at_once(void **state)
{
    enum { PROCESSES = 4, LINES = 25 };
    pid_t pids[PROCESSES];
    size_t size;

    (void)state;
    for (int p = 0; p < PROCESSES; p++) {
        pids[p] = fork();
        assert_true(pids[p] >= 0);
        if (pids[p] == 0) {
            char line[32];

            for (int i = 0; i < LINES; i++) {
                (void)snprintf(line, sizeof line, "<%d-%d>", p, i);
                if (add_line(line) != TDM_OK)
                    _exit(1);
            }
            _exit(0);
        }
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;

        assert_int_equal(waitpid(pids[p], &status, 0), pids[p]);
        assert_int_equal(status, 0);
    }
    char *text = content(&size);

    for (int p = 0; p < PROCESSES; p++)
        for (int i = 0; i < LINES; i++) {
            char line[32];

            (void)snprintf(line, sizeof line, "<%d-%d>\n", p, i);
            assert_non_null(strstr(text, line));
        }
    free(text);
}

/* Killed anywhere: each line that was confirmed is there, and each line is whole. */
static void killed(void **state)
{
    int confirmed = 0;

    (void)state;
    for (int round = 0; round < 8; round++) {
        int pipes[2], number = 0, last = -1;
        char line[32];
        pid_t pid;
        size_t size;
        char *text;

        assert_int_equal(pipe(pipes), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            for (int i = 0;; i++) {
                (void)snprintf(line, sizeof line, "<%d-%d>", round, i);
                if (add_line(line) != TDM_OK || write(pipes[1], &i, sizeof i) != sizeof i)
                    _exit(1);
            }
        }
        (void)close(pipes[1]);
        for (int i = 0; i <= round && read(pipes[0], &number, sizeof number) == sizeof number; i++)
            last = number;
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        while (read(pipes[0], &number, sizeof number) == sizeof number)
            last = number;
        (void)close(pipes[0]);
        assert_true(last >= round);
        confirmed += last + 1;
        text = content(&size);
        (void)snprintf(line, sizeof line, "<%d-%d>\n", round, last);
        assert_non_null(strstr(text, line));
        assert_true(size > 0 && text[size - 1] == '\n' && text[0] == '<');
        free(text);
    }
    assert_true(confirmed >= 36);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(read_and_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_editor_in_between, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_stays_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(killed, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
