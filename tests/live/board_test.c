/* SPDX-License-Identifier: MIT */
/*
 * The board inside a call between two engines: asked for in a call without a data channel, refused
 * and never asked again, drawn on while the connection is away, and there again in the next call.
 */
#include "tandem/board.h"
#include "tests/live/pair.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOG_MAX 4096

static const struct tandem_media alone = {.video_source = "off",
                                          .video_sink = "off",
                                          .audio_source = "off",
                                          .audio_sink = "off",
                                          .channel = true};

/* One side's board, and what its events said. */
struct drawer {
    struct tandem_board *board;
    struct tandem_board_event log[LOG_MAX];
    uint32_t count, seen;
};

static struct pair p;
static struct drawer a, b;

static char place[64]; /* The folders of both, of this test. */

static int make_place(void **state)
{
    (void)state;
    (void)snprintf(place, sizeof place, "/tmp/tandem-board-XXXXXX");
    return mkdtemp(place) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *at)
{
    (void)about;
    (void)kind;
    (void)at;
    return remove(path);
}

static int remove_place(void **state)
{
    (void)state;
    return nftw(place, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void open_drawer(struct drawer *d, const char *name)
{
    char folder[128];
    struct tandem_cause cause = {""};

    memset(d, 0, sizeof *d);
    (void)snprintf(folder, sizeof folder, "%s/%s", place, name);
    (void)mkdir(folder, 0700);
    if (tandem_board_create(&(struct tandem_board_config){.folder = folder}, &d->board, &cause) !=
        TANDEM_OK)
        fail_msg("%s", cause.text);
}

static void open_both(void)
{
    open_drawer(&a, "a");
    open_drawer(&b, "b");
    pair_open(&p);
}

static void call_with(const struct tandem_media *of_a, const struct tandem_media *of_b)
{
    struct tandem_media with_a = *of_a, with_b = *of_b;

    with_a.board = a.board;
    with_b.board = b.board;
    pair_call(&p, &with_a, &with_b);
}

static void close_both(void)
{
    pair_hang_up(&p);
    pair_close(&p);
    tandem_board_destroy(a.board);
    tandem_board_destroy(b.board);
}

static void drain(struct drawer *d)
{
    struct tandem_board_event event;

    while (tandem_board_next_event(d->board, &event) == TANDEM_OK)
        if (event.kind != TANDEM_BOARD_CHANGED && d->count < LOG_MAX)
            d->log[d->count++] = event;
}

static void wait_a_little(void)
{
    pair_run(&p, 5);
    drain(&a);
    drain(&b);
}

/* The next event of `kind` that was not seen yet. */
static const struct tandem_board_event *next(struct drawer *d, enum tandem_board_event_kind kind)
{
    for (int waited = 0; waited < PAIR_PATIENCE_MS; waited += 5) {
        while (d->seen < d->count)
            if (d->log[d->seen++].kind == kind)
                return &d->log[d->seen - 1];
        wait_a_little();
    }
    for (uint32_t i = 0; i < d->count; i++)
        print_error("%d %s\n", (int)d->log[i].kind, d->log[i].text);
    fail_msg("no event %d of %s", (int)kind, d == &a ? "a" : "b");
    return NULL;
}

static uint32_t count(struct drawer *d, enum tandem_board_event_kind kind)
{
    uint32_t found = 0;

    drain(d);
    for (uint32_t i = 0; i < d->count; i++)
        found += d->log[i].kind == kind;
    return found;
}

static char *request(struct drawer *d, const char *text)
{
    struct tandem_cause cause = {""};
    char *answer = NULL;

    if (tandem_board_request(d->board, text, &answer, &cause) != TANDEM_OK)
        fail_msg("%s: %s", text, cause.text);
    return answer;
}

static void draw(struct drawer *d, const char *text)
{
    char line[200];

    (void)snprintf(line, sizeof line, "{\"do\": \"add\", \"type\": \"text\", \"text\": \"%s\"}",
                   text);
    tandem_free(request(d, line));
}

static bool has(struct drawer *d, const char *text)
{
    char *all = request(d, "{\"do\": \"list\", \"whole\": true}");
    bool found = strstr(all, text) != NULL;

    tandem_free(all);
    return found;
}

/* Both come to have the same, and more than nothing. */
static void same(void)
{
    struct tandem_board_stats of_a, of_b;

    for (int waited = 0; waited < PAIR_PATIENCE_MS; waited += 5) {
        assert_int_equal(tandem_board_stats(a.board, &of_a), TANDEM_OK);
        assert_int_equal(tandem_board_stats(b.board, &of_b), TANDEM_OK);
        if (of_a.objects && strcmp(of_a.digest, of_b.digest) == 0)
            return;
        wait_a_little();
    }
    fail_msg(
        "they differ: %u and %u objects; a sent %llu, received %llu, waits for %llu; b sent %llu, "
        "received %llu, waits for %llu",
        of_a.objects, of_b.objects, (unsigned long long)of_a.bytes_sent,
        (unsigned long long)of_a.bytes_received, (unsigned long long)of_a.waiting_bytes,
        (unsigned long long)of_b.bytes_sent, (unsigned long long)of_b.bytes_received,
        (unsigned long long)of_b.waiting_bytes);
}

static void joined(void)
{
    (void)next(&a, TANDEM_BOARD_JOINED);
    (void)next(&b, TANDEM_BOARD_JOINED);
}

static bool channel_none(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return s->channel.state == TANDEM_CHANNEL_NONE;
}

/* B's program has no board to show: it is asked, and the channel comes with the question. */
static void test_asked_in_a_call(void **state)
{
    struct tandem_media may = pair_media;

    (void)state;
    may.channel_if_asked = true;
    open_both();
    call_with(&may, &may);
    assert_int_equal(side_count(&p.a, TANDEM_EVENT_CHANNEL), 0); /* Nobody has offered one. */
    assert_int_equal(side_stats(&p.a).channel.state, TANDEM_CHANNEL_NONE);
    tandem_board_invite(a.board);
    assert_int_equal(tandem_set_channel(p.a.call, true), TANDEM_OK);
    assert_non_null(strstr(next(&b, TANDEM_BOARD_ASKED)->text, "wants to draw"));
    assert_int_equal(count(&a, TANDEM_BOARD_JOINED), 0);
    assert_int_equal(tandem_board_answer(b.board, true, false, NULL), TANDEM_OK);
    joined();
    draw(&a, "of a");
    draw(&b, "of b");
    same();
    assert_true(has(&a, "of b") && has(&b, "of a"));

    /* It goes, both draw on, and it comes again. */
    assert_int_equal(tandem_set_channel(p.b.call, false), TANDEM_OK);
    (void)next(&a, TANDEM_BOARD_LEFT);
    (void)next(&b, TANDEM_BOARD_LEFT);
    (void)side_until(&p.a, channel_none, 0, "no channel at A");
    (void)side_until(&p.b, channel_none, 0, "no channel at B");
    draw(&a, "alone a");
    draw(&b, "alone b");
    tandem_board_invite(b.board);
    tandem_board_invite(a.board);
    assert_int_equal(tandem_set_channel(p.b.call, true), TANDEM_OK);
    joined();
    same();
    assert_true(has(&a, "alone b") && has(&b, "alone a"));
    assert_int_equal(count(&b, TANDEM_BOARD_ASKED), 1);
    close_both();
}

/* Under the hands of both. */
static void test_connection_killed(void **state)
{
    char text[32];

    (void)state;
    open_both();
    tandem_board_invite(a.board);
    tandem_board_invite(b.board);
    call_with(&alone, &alone);
    joined();
    for (int i = 0; i < 3; i++) {
        (void)snprintf(text, sizeof text, "before %d", i);
        draw(&a, text);
        draw(&b, text);
        assert_true(pair_break_channel(&p) > 0);
        (void)next(&a, TANDEM_BOARD_LEFT);
        (void)next(&b, TANDEM_BOARD_LEFT);
        (void)snprintf(text, sizeof text, "away %d", i);
        draw(&a, text);
        draw(&b, text);
        joined();
        same();
    }
    assert_true(has(&a, "away 2") && has(&b, "away 0"));
    struct tandem_board_stats stats;

    assert_int_equal(tandem_board_stats(a.board, &stats), TANDEM_OK);
    assert_int_equal(stats.objects, 1 + 3 * 4); /* And the first page. */
    close_both();
}

/* Who says never is not asked again, in a later call either; nothing is kept of the board there. */
static void test_never(void **state)
{
    (void)state;
    open_both();
    for (int i = 0; i < 2; i++) {
        if (i)
            pair_hang_up(&p);
        call_with(&alone, &alone);
        tandem_board_invite(a.board);
        if (i == 0) {
            (void)next(&b, TANDEM_BOARD_ASKED);
            assert_int_equal(tandem_board_answer(b.board, false, true, NULL), TANDEM_OK);
        }
        (void)next(&a, TANDEM_BOARD_REFUSED);
        assert_int_equal(count(&b, TANDEM_BOARD_ASKED), 1);
        assert_int_equal(count(&b, TANDEM_BOARD_OPENED), 0);
    }
    close_both();
}

/* The next call goes on with what there was, and shows it before there is an answer. */
static void test_next_call(void **state)
{
    struct tandem_board_stats stats;

    (void)state;
    open_both();
    tandem_board_invite(a.board);
    call_with(&alone, &alone);
    (void)next(&b, TANDEM_BOARD_ASKED);
    assert_int_equal(tandem_board_answer(b.board, true, true, NULL), TANDEM_OK);
    joined();
    draw(&a, "first");
    same();
    pair_hang_up(&p);
    (void)next(&a, TANDEM_BOARD_LEFT);
    (void)next(&b, TANDEM_BOARD_LEFT);
    tandem_board_destroy(a.board);
    open_drawer(&a, "a");
    assert_int_equal(tandem_board_open_contact(a.board, p.to, NULL), TANDEM_OK);
    assert_true(has(&a, "first"));
    draw(&a, "between");
    draw(&b, "between, too");
    tandem_board_invite(a.board);
    call_with(&alone, &alone);
    joined();
    same();
    assert_true(has(&a, "between, too"));
    assert_int_equal(count(&b, TANDEM_BOARD_ASKED), 1); /* As it was to be always. */
    assert_int_equal(tandem_board_stats(b.board, &stats), TANDEM_OK);
    assert_true(stats.linked && stats.file[0]);
    close_both();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_asked_in_a_call, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_connection_killed, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_never, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_next_call, make_place, remove_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
