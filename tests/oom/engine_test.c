/* SPDX-License-Identifier: MIT */
/*
 * Each allocation of ours in making an engine, dialling and answering fails once, in turn: no
 * crash, no hang; a sentence and a call that ended, or a call that stands. Leaks are the
 * AddressSanitizer build's to find.
 */
#include "tests/live/pair.h"

#include "tests/oom/failing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 300 /* More allocations than any of these has. */

static const struct tandem_config listening = {
    .bind_address = "127.0.0.1", .sip_port_may_change = true, .listen = true};

/* Rounds until nothing was left to fail. `all`: what comes behind fails, too. */
static void fail_create(int all)
{
    struct tandem_cause cause;
    struct tandem *engine;
    uint32_t refused = 0;

    for (uint32_t n = 1;; n++) {
        assert_true(n < ROUNDS_MAX);
        engine = NULL;
        cause.text[0] = 0;
        failing_arm(n, all);
        enum tandem_status status = tandem_create(&listening, &engine, &cause);
        uint32_t made = failing_count();

        failing_arm(0, 0);
        if (status == TANDEM_OK) {
            tandem_destroy(engine);
        } else {
            assert_string_not_equal(cause.text, "");
            refused++;
        }
        if (made < n)
            break;
    }
    assert_true(refused > 0);
}

static void create(void **state)
{
    (void)state;
    fail_create(0);
    fail_create(1);
}

/* The next event that decides: UP or ENDED. */
static enum tandem_event_kind outcome(struct side *s)
{
    for (uint32_t i = 0; i < s->log_count; i++)
        if (s->log[i].kind == TANDEM_EVENT_ENDED)
            return TANDEM_EVENT_ENDED;
    for (uint32_t i = 0; i < s->log_count; i++)
        if (s->log[i].kind == TANDEM_EVENT_UP)
            return TANDEM_EVENT_UP;
    return TANDEM_EVENT_NONE;
}

static void check_ended_in_words(struct side *s)
{
    for (uint32_t i = 0; i < s->log_count; i++)
        if (s->log[i].kind == TANDEM_EVENT_ENDED)
            assert_string_not_equal(s->log[i].text, "");
}

/* Waits until both know; a side that never heard of the call counts as ended. `n` failed. */
static void settle(struct pair *p, uint32_t n)
{
    for (int waited = 0;; waited++) {
        bool a = !p->a.call || outcome(&p->a) != TANDEM_EVENT_NONE;
        bool b = !p->b.call || outcome(&p->b) != TANDEM_EVENT_NONE;

        if (a && b)
            break;
        if (waited > PAIR_PATIENCE_MS / 20)
            fail_msg("allocation %u: a call that neither stands nor ended (a: %s, b: %s)", n,
                     a ? "knows" : "waits", b ? "knows" : "waits");
        pair_run(p, 20);
    }
    pair_run(p, 60); /* The graph is built behind UP on the answering side. */
}

/* One call whose n-th allocation fails; returns whether there was an n-th. */
static bool call_failing(uint32_t n, bool answering, uint32_t *refused)
{
    struct tandem_media media = pair_media;
    struct tandem_cause cause = {""};
    struct pair p;

    media.ring_seconds = 3;
    media.width = 160;
    media.height = 96;
    pair_open(&p);
    if (!answering)
        failing_arm(n, 0);
    enum tandem_status status = tandem_dial(p.a.engine, p.to, &media, &p.a.call, &cause);

    if (status != TANDEM_OK) {
        p.a.call = NULL;
        assert_string_not_equal(cause.text, "");
    }
    for (int i = 0; status == TANDEM_OK && !p.b.call && outcome(&p.a) == TANDEM_EVENT_NONE &&
                    i < PAIR_PATIENCE_MS / 20;
         i++)
        pair_run(&p, 20);
    if (answering)
        failing_arm(n, 0);
    if (p.b.call && outcome(&p.b) == TANDEM_EVENT_NONE) {
        cause.text[0] = 0;
        status = tandem_answer(p.b.call, &media, &cause);
        if (status != TANDEM_OK) {
            assert_string_not_equal(cause.text, "");
            (void)tandem_reject(p.b.call, false);
        }
    }
    settle(&p, n);
    uint32_t made = failing_count();

    failing_arm(0, 0);
    if (status != TANDEM_OK || outcome(&p.a) == TANDEM_EVENT_ENDED)
        (*refused)++;
    check_ended_in_words(&p.a);
    check_ended_in_words(&p.b);
    pair_close(&p);
    return made >= n;
}

static void every_allocation(bool answering)
{
    uint32_t refused = 0, n = 1;

    while (call_failing(n, answering, &refused)) {
        n++;
        assert_true(n < ROUNDS_MAX);
    }
    print_message("  %u allocations, %u calls refused or ended\n", n - 1, refused);
    assert_true(refused > 0);
}

static void dial(void **state)
{
    (void)state;
    every_allocation(false);
}

static void answer(void **state)
{
    (void)state;
    every_allocation(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create),
        cmocka_unit_test(dial),
        cmocka_unit_test(answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
