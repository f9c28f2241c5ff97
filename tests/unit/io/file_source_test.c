/* SPDX-License-Identifier: MIT */
#include "engine/io/file_source.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define DEPTH 6

static char folder[64];

static void write_file(int dir, const char *name)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, name, strlen(name)), (ssize_t)strlen(name));
    (void)close(fd);
}

static int begin(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/file_source.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command); /* NOLINT(cert-env33-c,concurrency-mt-unsafe) */
}

static void what_is_no_file_is_counted(void **state)
{
    struct tdm_file_source *source;
    struct tdm_cause cause = {""};
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    write_file(dir, "one");
    assert_int_equal(mkdirat(dir, "below", 0700), 0);
    write_file(dir, "below/two");
    assert_int_equal(symlinkat("one", dir, "link"), 0);
    assert_int_equal(mkfifoat(dir, "below/fifo", 0600), 0);
    assert_int_equal(symlinkat("nothing", dir, "below/dangling"), 0);
    (void)close(dir);

    assert_int_equal(tdm_file_source_open(&source, folder, &cause), TDM_OK);
    assert_int_equal(tdm_file_source_desc(source)->entries, 2);
    assert_int_equal(tdm_file_source_skipped(source), 3);
    tdm_file_source_close(source);
}

/* Root may read all, so what fails here is that no more descriptors are to be had. */
static void a_folder_that_cannot_be_read_fails_the_whole(void **state)
{
    struct tdm_file_source *source;
    struct tdm_cause cause = {""};
    struct rlimit before, few;
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int first = dir;

    (void)state;
    for (int i = 0; i < DEPTH; i++) {
        write_file(dir, "file");
        assert_int_equal(mkdirat(dir, "deeper", 0700), 0);
        int next = openat(dir, "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        (void)close(dir);
        dir = next;
    }
    (void)close(dir);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = (rlim_t)first + 4;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    enum tdm_err err = tdm_file_source_open(&source, folder, &cause);

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(err, TDM_E_GONE);
    assert_non_null(strstr(cause.text, "deeper"));
    assert_int_equal(tdm_file_source_open(&source, folder, &cause), TDM_OK);
    tdm_file_source_close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_no_file_is_counted, begin, end),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_read_fails_the_whole, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
