/* SPDX-License-Identifier: MIT */
#include "signalling/presence_self.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MONDAY INT64_C(1795392000) /* 2026-11-23T00:00:00Z */
#define HOUR   3600
#define DAY    (24 * HOUR)

static void add_rule(struct tdm_presence_self *self, const char *text)
{
    assert_int_equal(tdm_schedule_parse(text, strlen(text), &self->rules[self->rule_count++], NULL),
                     TDM_OK);
}

static void rules_as_text(void **state)
{
    static const struct {
        const char *text, *again;
    } cases[] = {
        {"mon-fri 8:00-18:00", "mon-fri 08:00-18:00 available"},
        {"sat,sun 22:00-06:00 away", "sat,sun 22:00-06:00 away"},
        {"  daily   0:00-24:00   offline ", "daily 00:00-24:00 offline"},
        {"fri-mon 9:30-9:45 busy", "mon,fri-sun 09:30-09:45 busy"},
        {"MON,wed 08:00-18:00 Meeting", "mon,wed 08:00-18:00 meeting"},
    };
    static const char *const bad[] = {"",
                                      "mon",
                                      "moon 8:00-9:00",
                                      "mon- 8:00-9:00 away x",
                                      "mon 8-9",
                                      "mon 8:00-25:00",
                                      "mon 8:00-8:00",
                                      "mon 8:60-9:00",
                                      "mon 24:00-8:00",
                                      "mon 8:00-9:00 asleep"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_schedule_rule rule;
        char text[96];

        assert_int_equal(tdm_schedule_parse(cases[i].text, strlen(cases[i].text), &rule, NULL),
                         TDM_OK);
        tdm_schedule_write(&rule, text, sizeof text);
        assert_string_equal(text, cases[i].again);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tdm_schedule_rule rule;
        struct tdm_cause cause = {""};

        assert_int_equal(tdm_schedule_parse(bad[i], strlen(bad[i]), &rule, &cause),
                         TDM_E_MALFORMED);
        assert_true(cause.text[0]);
    }
}

/* The strongest word first: what the header's line says. */
static void which_word_counts(void **state)
{
    struct tdm_presence_self self = {.device = "desk"};
    struct tdm_presence_tuple tuple;

    (void)state;
    tdm_presence_self_compose(&self, MONDAY, 0, &tuple);
    assert_true(tuple.open);
    assert_int_equal(tuple.activity, TDM_ACTIVITY_NONE);
    assert_string_equal(tuple.id, "desk");

    self.idle = true;
    self.idle_since_s = MONDAY - 100;
    tdm_presence_self_compose(&self, MONDAY, 0, &tuple);
    assert_int_equal(tuple.activity, TDM_ACTIVITY_AWAY);
    assert_true(tuple.idle);
    assert_int_equal(tuple.since_s, MONDAY - 100);

    add_rule(&self, "mon-fri 08:00-18:00 working");
    tdm_presence_self_compose(&self, MONDAY + 9 * HOUR, 0, &tuple);
    assert_true(tuple.open);
    assert_int_equal(tuple.activity, TDM_ACTIVITY_WORKING);
    tdm_presence_self_compose(&self, MONDAY + 18 * HOUR, 0, &tuple);
    assert_false(tuple.open);

    self.in_call = true;
    self.call_since_s = MONDAY + 18 * HOUR - 5;
    tdm_presence_self_compose(&self, MONDAY + 18 * HOUR, 0, &tuple);
    assert_true(tuple.open);
    assert_int_equal(tuple.activity, TDM_ACTIVITY_ON_THE_PHONE);

    self.set = self.set_open = true;
    tdm_presence_self_compose(&self, MONDAY, 0, &tuple); /* "available" is no more than a call. */
    assert_int_equal(tuple.activity, TDM_ACTIVITY_ON_THE_PHONE);
    self.set_activity = TDM_ACTIVITY_BUSY;
    self.set_until_s = MONDAY + HOUR;
    memcpy(self.note, "no", 3);
    tdm_presence_self_compose(&self, MONDAY, 0, &tuple);
    assert_int_equal(tuple.activity, TDM_ACTIVITY_BUSY);
    assert_string_equal(tuple.note, "no");
    assert_int_equal(tuple.until_s, MONDAY + HOUR);
    assert_int_equal(tuple.timed_count, 0);
    tdm_presence_self_compose(&self, MONDAY + HOUR, 0, &tuple); /* It has run out. */
    assert_int_equal(tuple.activity, TDM_ACTIVITY_ON_THE_PHONE);
    assert_string_equal(tuple.note, "");

    self.set_until_s = 0;
    self.set_open = false;
    tdm_presence_self_compose(&self, MONDAY + 9 * HOUR, 0, &tuple);
    assert_false(tuple.open);
}

/* Every minute of a week: the announced periods say what composing says then. */
static void announced_as_it_comes(void **state)
{
    static const int32_t offsets[] = {0, 3600, -5 * 3600 - 1800};
    static struct tdm_presence_self self = {.device = "phone"};

    (void)state;
    add_rule(&self, "mon 12:00-13:00 offline");
    add_rule(&self, "mon-fri 08:00-18:00 available");
    add_rule(&self, "sat,sun 22:00-02:00 away");
    for (size_t o = 0; o < sizeof offsets / sizeof *offsets; o++) {
        struct tdm_presence_tuple first, then;

        for (int64_t start = MONDAY + 30; start < MONDAY + 7 * DAY; start += 7 * HOUR) {
            int64_t change = tdm_presence_self_until(&self, start, offsets[o]);

            tdm_presence_self_compose(&self, start, offsets[o], &first);
            assert_int_equal(first.timed_count, TDM_PIDF_TIMED_MAX);
            assert_true(change > start && change <= first.timed[0].from_s);
            for (int64_t at = start; at < first.timed[first.timed_count - 1].until_s; at += 60) {
                tdm_presence_self_compose(&self, at, offsets[o], &then);
                assert_int_equal(tdm_presence_tuple_open(&first, at), then.open);
            }
        }
    }
}

static void local_time(void **state)
{
    static struct tdm_presence_self self = {.device = "phone"};
    struct tdm_presence_tuple tuple;

    (void)state;
    add_rule(&self, "mon 00:00-01:00");
    tdm_presence_self_compose(&self, MONDAY - HOUR, 3600, &tuple);
    assert_true(tuple.open);
    tdm_presence_self_compose(&self, MONDAY, 3600, &tuple);
    assert_false(tuple.open);
    assert_int_equal(tdm_presence_self_until(&self, MONDAY - HOUR + 10, 3600), MONDAY);
}

/* A schedule that never closes announces nothing, and still wakes nobody for ever. */
static void always_open(void **state)
{
    static struct tdm_presence_self self = {.device = "phone"};
    struct tdm_presence_tuple tuple;

    (void)state;
    add_rule(&self, "daily 00:00-24:00");
    tdm_presence_self_compose(&self, MONDAY + 5, 0, &tuple);
    assert_true(tuple.open);
    assert_int_equal(tuple.timed_count, 0);
    assert_int_equal(tdm_presence_self_until(&self, MONDAY + 5, 0), MONDAY + DAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_as_text),         cmocka_unit_test(which_word_counts),
        cmocka_unit_test(announced_as_it_comes), cmocka_unit_test(local_time),
        cmocka_unit_test(always_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
