/* SPDX-License-Identifier: MIT */
#include "collab/board_door.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two sides and what lies between them: what one's door wants done is done, and told the other. */
struct side {
    struct tdm_board_door door;
    enum tdm_door_rule rule;
    bool can_open;
    bool was_asked, not_up, late;
    int joins, goes_on, lefts, refusals, opens;
    const char *why;
};

static struct side ann, bob;

static struct side *other(struct side *s)
{
    return s == &ann ? &bob : &ann;
}

static void give(struct side *s, const struct tdm_door_in *in);

static void tell(struct side *s, enum tdm_door_input kind)
{
    give(s, &(struct tdm_door_in){.kind = kind});
}

static void send_preface(struct side *s)
{
    struct tdm_door_preface contacts = {.document = false};
    uint8_t bytes[TDM_DOOR_PREFACE_MAX];
    size_t size = tdm_door_preface_write(s->door.file ? &s->door.ours : &contacts, bytes);

    s->late = other(s)->not_up; /* It comes when that one knows of the channel, too. */
    if (s->late)
        return;
    tell(other(s), TDM_DOOR_OPENED);
    for (size_t i = 0; i < size; i++) /* In pieces of one byte. */
        give(other(s), &(struct tdm_door_in){.kind = TDM_DOOR_BYTES, .data = bytes + i, .size = 1});
}

static void give(struct side *s, const struct tdm_door_in *in)
{
    struct tdm_door_out out;

    tdm_door_step(&s->door, in, &out);
    s->joins += (out.acts & TDM_DOOR_JOINED) != 0;
    s->goes_on += (out.acts & TDM_DOOR_GO_ON) != 0;
    s->lefts += (out.acts & TDM_DOOR_LEFT) != 0;
    s->refusals += (out.acts & TDM_DOOR_REFUSED) != 0;
    if (out.acts & (TDM_DOOR_LEFT | TDM_DOOR_REFUSED))
        s->why = out.why;
    s->was_asked = out.acts & TDM_DOOR_ASK ? true : s->was_asked;
    if (out.acts & TDM_DOOR_CLOSE)
        tell(other(s), TDM_DOOR_RESET);
    if (out.acts & TDM_DOOR_STREAMS)
        send_preface(s);
    if (out.acts & TDM_DOOR_LOOK_UP)
        give(s, &(struct tdm_door_in){.kind = TDM_DOOR_RULE, .rule = s->rule});
    if (out.acts & TDM_DOOR_OPEN) {
        s->opens++;
        tell(s, s->can_open ? TDM_DOOR_READY : TDM_DOOR_FAILED);
    }
}

static void both_up(bool resumed)
{
    bob.not_up = true;
    give(&ann, &(struct tdm_door_in){.kind = TDM_DOOR_UP, .resumed = resumed});
    bob.not_up = false;
    give(&bob, &(struct tdm_door_in){.kind = TDM_DOOR_UP, .resumed = resumed});
    if (ann.late)
        send_preface(&ann);
}

static void start(const struct tdm_door_preface *anns, const struct tdm_door_preface *bobs)
{
    ann = bob = (struct side){.can_open = true};
    tdm_door_init(&ann.door, anns);
    tdm_door_init(&bob.door, bobs);
}

static struct tdm_door_preface named(uint8_t id, const char *name)
{
    struct tdm_door_preface p = {.document = true, .id = {id}};

    (void)snprintf(p.name, sizeof p.name, "%s", name);
    return p;
}

static void test_nothing_without_a_wish(void **state)
{
    (void)state;
    start(NULL, NULL);
    both_up(false);
    assert_false(ann.door.streams || bob.door.streams);
    assert_int_equal(ann.joins + bob.joins, 0);
}

static void test_who_is_asked_may_say_yes(void **state)
{
    (void)state;
    start(NULL, NULL);
    both_up(false);
    tell(&ann, TDM_DOOR_INVITE);
    assert_true(bob.was_asked);
    assert_false(ann.was_asked);
    assert_int_equal(ann.joins + bob.joins, 0);
    assert_int_equal(bob.opens, 0); /* Nothing is opened before the answer. */
    give(&bob, &(struct tdm_door_in){.kind = TDM_DOOR_ANSWER, .yes = true});
    assert_int_equal(ann.joins, 1);
    assert_int_equal(bob.joins, 1);
}

static void test_who_is_asked_may_say_no(void **state)
{
    (void)state;
    start(NULL, NULL);
    both_up(false);
    tell(&ann, TDM_DOOR_INVITE);
    give(&bob, &(struct tdm_door_in){.kind = TDM_DOOR_ANSWER, .yes = false});
    assert_int_equal(ann.refusals, 1);
    assert_int_equal(ann.joins + bob.joins + bob.refusals + bob.lefts, 0);
    /* And may be asked again. */
    bob.was_asked = false;
    tell(&ann, TDM_DOOR_INVITE);
    assert_true(bob.was_asked);
}

static void test_rules_answer_for_the_user(void **state)
{
    (void)state;
    start(NULL, NULL);
    bob.rule = TDM_DOOR_ALWAYS;
    both_up(false);
    tell(&ann, TDM_DOOR_INVITE);
    assert_false(bob.was_asked);
    assert_int_equal(bob.joins, 1);
    start(NULL, NULL);
    bob.rule = TDM_DOOR_NEVER;
    both_up(false);
    tell(&ann, TDM_DOOR_INVITE);
    assert_false(bob.was_asked);
    assert_int_equal(bob.joins, 0);
    assert_int_equal(ann.refusals, 1);
}

static void test_both_invite_at_once(void **state)
{
    (void)state;
    start(NULL, NULL);
    tell(&ann, TDM_DOOR_INVITE);
    tell(&bob, TDM_DOOR_INVITE);
    both_up(false);
    assert_false(ann.was_asked || bob.was_asked);
    assert_int_equal(ann.joins, 1);
    assert_int_equal(bob.joins, 1);
}

static void test_a_break_goes_on_or_begins_anew(void **state)
{
    (void)state;
    start(NULL, NULL);
    tell(&ann, TDM_DOOR_INVITE);
    tell(&bob, TDM_DOOR_INVITE);
    both_up(false);
    tell(&ann, TDM_DOOR_DOWN);
    tell(&bob, TDM_DOOR_DOWN);
    both_up(true);
    assert_int_equal(ann.goes_on, 1);
    assert_int_equal(bob.goes_on, 1);
    tell(&ann, TDM_DOOR_DOWN);
    tell(&bob, TDM_DOOR_DOWN);
    both_up(false);
    assert_int_equal(ann.joins, 2); /* Nobody is asked again within a call. */
    assert_int_equal(bob.joins, 2);
    assert_int_equal(ann.lefts + bob.lefts, 0);
}

static void test_the_next_call_is_somebody_else(void **state)
{
    (void)state;
    start(NULL, NULL);
    both_up(false);
    tell(&ann, TDM_DOOR_INVITE);
    give(&bob, &(struct tdm_door_in){.kind = TDM_DOOR_ANSWER, .yes = true});
    tell(&ann, TDM_DOOR_OVER);
    tell(&bob, TDM_DOOR_OVER);
    assert_int_equal(bob.lefts, 1);
    bob.was_asked = false;
    both_up(false);
    tell(&ann, TDM_DOOR_INVITE);
    assert_true(bob.was_asked);
    assert_int_equal(bob.joins, 1);
}

static void test_a_question_that_nobody_asks_any_more(void **state)
{
    (void)state;
    start(NULL, NULL);
    both_up(false);
    tell(&ann, TDM_DOOR_INVITE);
    tell(&ann, TDM_DOOR_LEAVE);
    assert_false(bob.door.asking);
    give(&bob, &(struct tdm_door_in){.kind = TDM_DOOR_ANSWER, .yes = true});
    assert_int_equal(bob.joins + ann.joins, 0);
    assert_false(bob.door.wish);
}

static void test_documents(void **state)
{
    struct tdm_door_preface one = named(1, "plan"), two = named(2, "map");

    (void)state;
    start(&one, NULL);
    bob.rule = TDM_DOOR_ALWAYS;
    both_up(false);
    tell(&ann, TDM_DOOR_INVITE);
    assert_int_equal(bob.joins, 1);
    assert_int_equal(tdm_door_meant(&bob.door)->id[0], 1);
    assert_string_equal(tdm_door_meant(&bob.door)->name, "plan");
    /* The board of the contacts gives way, even when it was open. */
    start(&one, NULL);
    tell(&bob, TDM_DOOR_INVITE);
    tell(&ann, TDM_DOOR_INVITE);
    both_up(false);
    assert_int_equal(bob.joins, 1);
    assert_non_null(tdm_door_meant(&bob.door));
    /* Two of them are not mixed. */
    start(&one, &two);
    tell(&ann, TDM_DOOR_INVITE);
    tell(&bob, TDM_DOOR_INVITE);
    both_up(false);
    assert_int_equal(ann.joins + bob.joins, 0);
    assert_true(ann.refusals >= 1 && bob.refusals >= 1);
}

static void test_a_board_that_does_not_open(void **state)
{
    (void)state;
    start(NULL, NULL);
    bob.can_open = false;
    bob.rule = TDM_DOOR_ALWAYS;
    both_up(false);
    tell(&ann, TDM_DOOR_INVITE);
    assert_int_equal(ann.joins + bob.joins, 0);
    assert_int_equal(bob.refusals, 1);
    assert_false(bob.door.wish);
}

static void test_a_preface_that_is_none(void **state)
{
    static const uint8_t junk[TDM_DOOR_PREFACE_MAX] = "GET / HTTP/1.0\r\n\r\n";
    struct tdm_door_preface p = named(9, "x");
    uint8_t bytes[TDM_DOOR_PREFACE_MAX];
    size_t size = tdm_door_preface_write(&p, bytes);

    (void)state;
    start(NULL, NULL);
    both_up(false);
    tell(&bob, TDM_DOOR_OPENED);
    give(&bob, &(struct tdm_door_in){.kind = TDM_DOOR_BYTES, .data = junk, .size = sizeof junk});
    assert_false(bob.was_asked);
    assert_int_equal(bob.refusals, 1);
    bytes[4] = 7; /* A version to come. */
    start(NULL, NULL);
    both_up(false);
    tell(&bob, TDM_DOOR_OPENED);
    give(&bob, &(struct tdm_door_in){.kind = TDM_DOOR_BYTES, .data = bytes, .size = size});
    assert_false(bob.was_asked);
}

static void test_names_are_fit_to_be_shown(void **state)
{
    struct tdm_door_preface p = named(9, "a\x1b[2J\nb");
    uint8_t bytes[TDM_DOOR_PREFACE_MAX];
    size_t size = tdm_door_preface_write(&p, bytes);

    (void)state;
    start(NULL, NULL);
    both_up(false);
    tell(&bob, TDM_DOOR_OPENED);
    give(&bob, &(struct tdm_door_in){.kind = TDM_DOOR_BYTES, .data = bytes, .size = size});
    assert_string_equal(bob.door.theirs.name, "a?[2J?b");
}

/* Whatever comes in whatever order: never joined without the user's or a rule's yes. */
static void test_any_order_keeps_consent(void **state)
{
    struct tdm_rng rng = tdm_rng_of(7);

    (void)state;
    for (int round = 0; round < 2000; round++) {
        bool agreed = false;

        start(NULL, NULL);
        for (int i = 0; i < 30; i++) {
            struct tdm_door_preface contacts = {.document = false};
            uint8_t bytes[TDM_DOOR_PREFACE_MAX];
            struct tdm_door_in in = {.kind = (enum tdm_door_input)tdm_rng_below(&rng, 12),
                                     .resumed = tdm_rng_below(&rng, 2),
                                     .yes = tdm_rng_below(&rng, 2),
                                     .data = bytes};

            in.size = in.kind == TDM_DOOR_BYTES ? tdm_door_preface_write(&contacts, bytes) : 0;
            in.size = in.size ? tdm_rng_below(&rng, (uint32_t)in.size) + 1 : 0;
            agreed |= in.kind == TDM_DOOR_INVITE;
            agreed |= in.kind == TDM_DOOR_ANSWER && in.yes && bob.door.asking;
            agreed &= in.kind != TDM_DOOR_OVER;
            struct tdm_door_out out;

            tdm_door_step(&bob.door, &in, &out);
            assert_true(agreed || !(out.acts & (TDM_DOOR_JOINED | TDM_DOOR_OPEN | TDM_DOOR_STREAMS |
                                                TDM_DOOR_GO_ON)));
            assert_true(out.consumed <= in.size);
            assert_true(bob.door.up || !(out.acts & (TDM_DOOR_JOINED | TDM_DOOR_STREAMS)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_without_a_wish),
        cmocka_unit_test(test_who_is_asked_may_say_yes),
        cmocka_unit_test(test_who_is_asked_may_say_no),
        cmocka_unit_test(test_rules_answer_for_the_user),
        cmocka_unit_test(test_both_invite_at_once),
        cmocka_unit_test(test_a_break_goes_on_or_begins_anew),
        cmocka_unit_test(test_the_next_call_is_somebody_else),
        cmocka_unit_test(test_a_question_that_nobody_asks_any_more),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_a_board_that_does_not_open),
        cmocka_unit_test(test_a_preface_that_is_none),
        cmocka_unit_test(test_names_are_fit_to_be_shown),
        cmocka_unit_test(test_any_order_keeps_consent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
