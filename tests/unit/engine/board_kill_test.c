/* SPDX-License-Identifier: MIT */
/*
 * A program that draws is killed again and again. Checked each time: the board opens without a
 * hole, has everything that was saved and everything older than a second of the program's time, and
 * of the rest the first part without a gap.
 */
#include "engine/board_doc.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define ROUNDS    10
#define RUN_MAX   4000 /* Edits of one run; then it waits for its end. */
#define EDITS_MAX (ROUNDS * RUN_MAX)
#define PATIENCE  30000 /* Looks, a millisecond apart. */

extern char **environ;

/* What the program that draws tells; it outlives it. */
struct progress {
    atomic_uint made, saved;
    _Atomic int64_t stepped; /* The time of the last step that returned. */
    int64_t when[EDITS_MAX]; /* Of each edit. */
};

static struct progress *map_progress(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *at = fd >= 0 && ftruncate(fd, sizeof(struct progress)) == 0
                   ? mmap(NULL, sizeof(struct progress), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                   : MAP_FAILED;

    if (fd >= 0)
        (void)close(fd);
    return at == MAP_FAILED ? NULL : at;
}

/* --- The program that is killed --------------------------------------------------------------- */

static bool draw_one(struct tdm_board_doc *doc, unsigned number)
{
    const struct tdm_board_value values[] = {tdm_board_ref(TDM_PROP_PAGE, TDM_BOARD_FIRST_PAGE),
                                             tdm_board_int(TDM_PROP_X, number)};
    struct tdm_board_id id;

    return tdm_board_doc_room(doc, TDM_BOARD_ROOM) == TDM_OK &&
           tdm_board_add(tdm_board_doc_board(doc), TDM_BOARD_RECTANGLE, values, 2, &id) == TDM_OK;
}

/* Its time runs faster than the clock: 7 ms an edit, so that much is journaled in a short test. */
static int draw(const char *path, const char *progress, bool saves)
{
    struct progress *p = map_progress(progress);
    struct tdm_board_doc *doc = NULL;
    tdm_time now;

    if (!p || tdm_board_doc_open(&doc, &(struct tdm_board_doc_config){.path = path}, NULL, NULL) !=
                  TDM_OK)
        return 1;
    now = atomic_load(&p->stepped);
    for (unsigned begin = atomic_load(&p->made), i = begin; i < begin + RUN_MAX; i++) {
        now += 7 * TDM_MS;
        if (!draw_one(doc, i))
            return 1;
        p->when[i] = now;
        atomic_store(&p->made, i + 1);
        (void)tdm_board_doc_step(doc, now);
        atomic_store(&p->stepped, now);
        if (saves && i % 97 == 0 && tdm_board_doc_save(doc, NULL) == TDM_OK)
            atomic_store(&p->saved, i + 1);
    }
    for (;;) /* Only the signal ends it. */
        (void)pause();
}

/* --- Who kills it ----------------------------------------------------------------------------- */

static char folder[64], path[96], progress_path[96];

/* How many of the edits 0, 1, 2, ... are there; fails when one is that should not, or twice. */
static unsigned count_prefix(struct tdm_board_doc *doc)
{
    const struct tdm_board *b = tdm_board_doc_board(doc);
    struct tdm_board_view view;
    unsigned count = 0;

    for (const struct tdm_board_object *o = tdm_board_lowest(b, TDM_BOARD_FIRST_PAGE); o;
         o = tdm_board_above(o)) {
        tdm_board_read(b, o, &view);
        assert_int_equal(view.x, count);
        count++;
    }
    return count;
}

static void kill_when(struct progress *p, pid_t pid, unsigned made)
{
    int looks = 0;

    while (atomic_load(&p->made) < made && looks++ < PATIENCE)
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_true(atomic_load(&p->made) >= made);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static unsigned look(struct progress *p)
{
    struct tdm_board_doc_found found;
    struct tdm_board_doc *doc = NULL;
    struct tdm_cause cause = {""};
    unsigned old = 0, count;

    if (tdm_board_doc_open(&doc, &(struct tdm_board_doc_config){.path = path, .read_only = true},
                           &found, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    assert_int_equal(found.holes + found.refused, 0);
    assert_true(found.was_open);
    count = count_prefix(doc);
    tdm_board_doc_close(doc);
    while (old < atomic_load(&p->made) && p->when[old] <= atomic_load(&p->stepped) - TDM_S)
        old++;
    assert_true(count >= old);
    assert_true(count >= atomic_load(&p->saved));
    /* The edit that was under way may be there before it was told. */
    assert_true(count <= atomic_load(&p->made) + 1);
    return count;
}

static void test_killed_again_and_again(void **state)
{
    char *words[] = {"/proc/self/exe", "draw", path, progress_path, NULL, NULL};
    struct progress *p = map_progress(progress_path);
    struct tdm_board_doc *doc = NULL;
    unsigned count = 0;

    (void)state;
    assert_non_null(p);
    assert_int_equal(
        tdm_board_doc_open(&doc, &(struct tdm_board_doc_config){.path = path, .create = true}, NULL,
                           NULL),
        TDM_OK);
    tdm_board_doc_close(doc);
    for (unsigned round = 0; round < ROUNDS; round++) {
        pid_t pid;

        words[4] = round % 2 ? "steps" : "saves";
        assert_int_equal(posix_spawn(&pid, words[0], NULL, NULL, words, environ), 0);
        kill_when(p, pid, count + 300 + 161 * round);
        count = look(p);
        /* What was lost is drawn again. */
        atomic_store(&p->made, count);
    }
    assert_true(count > 300);
    (void)munmap(p, sizeof *p);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_killed_again_and_again)};
    const char *under = getenv("TMPDIR");
    char command[128];

    if (argc == 5 && strcmp(argv[1], "draw") == 0)
        return draw(argv[2], argv[3], strcmp(argv[4], "saves") == 0);
    (void)snprintf(folder, sizeof folder, "%.40s/board-kill-XXXXXX", under ? under : "/tmp");
    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(path, sizeof path, "%s/a.board", folder);
    (void)snprintf(progress_path, sizeof progress_path, "%s/progress", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) != 0 || failed;
}
