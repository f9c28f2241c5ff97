/* SPDX-License-Identifier: MIT */
#include "signalling/pidf.h"
#include "signalling/rfc3339.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOON INT64_C(1795435200) /* 2026-11-23T12:00:00Z, a Monday. */

static void dates(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t unix_s;
    } cases[] = {
        {"1970-01-01T00:00:00Z", true, 0},
        {"2026-11-23T12:00:00Z", true, NOON},
        {"2026-11-23T13:00:00+01:00", true, NOON},
        {"2026-11-23T06:30:00.25-05:30", true, NOON},
        {"2024-02-29T00:00:00Z", true, 1709164800},
        {"2026-11-23T12:00:00", false, 0},
        {"2026-13-23T12:00:00Z", false, 0},
        {"2026-11-23T24:00:00Z", false, 0},
        {"2026-11-23T12:00:00Zx", false, 0},
        {"1969-12-31T23:59:59Z", false, 0},
        {"", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char again[TDM_RFC3339_SIZE];
        int64_t at = -1;

        assert_int_equal(tdm_rfc3339_parse(cases[i].text, strlen(cases[i].text), &at),
                         cases[i].good);
        if (!cases[i].good)
            continue;
        assert_int_equal(at, cases[i].unix_s);
        tdm_rfc3339_write(at, again);
        assert_true(tdm_rfc3339_parse(again, strlen(again), &at));
        assert_int_equal(at, cases[i].unix_s);
    }
    assert_int_equal(tdm_minute_of_week(NOON, 0), 12 * 60);
    assert_int_equal(tdm_minute_of_week(NOON, -13 * 3600), 6 * 1440 + 23 * 60);
}

static struct tdm_pidf sample(void)
{
    struct tdm_pidf pidf = {
        .entity = "sip:paul@example.org", .note = "all of him", .tuple_count = 2};

    pidf.tuples[0] = (struct tdm_presence_tuple){.id = "desk",
                                                 .open = true,
                                                 .activity = TDM_ACTIVITY_MEETING,
                                                 .note = "room <4> & \"so on\"",
                                                 .contact = "sip:paul@10.0.0.7:5062",
                                                 .priority = 800,
                                                 .since_s = NOON - 600,
                                                 .until_s = NOON + 3600,
                                                 .timestamp_s = NOON,
                                                 .timed_count = 1,
                                                 .timed = {{false, NOON + 7200, NOON + 9000}}};
    pidf.tuples[1] = (struct tdm_presence_tuple){
        .id = "phone", .idle = true, .idle_since_s = NOON - 60, .timestamp_s = NOON - 5};
    return pidf;
}

static void what_was_written_is_read(void **state)
{
    struct tdm_pidf pidf = sample(), again;
    char xml[TDM_PIDF_MAX];
    size_t size = 0;

    (void)state;
    assert_int_equal(tdm_pidf_write(&pidf, xml, sizeof xml, &size), TDM_OK);
    assert_int_equal(tdm_pidf_parse(&again, xml, size), TDM_OK);
    assert_string_equal(again.entity, pidf.entity);
    assert_string_equal(again.note, pidf.note);
    assert_int_equal(again.tuple_count, 2);
    for (int i = 0; i < 2; i++) {
        const struct tdm_presence_tuple *a = &pidf.tuples[i], *b = &again.tuples[i];

        assert_string_equal(a->id, b->id);
        assert_string_equal(a->note, b->note);
        assert_string_equal(a->contact, b->contact);
        assert_int_equal(a->open, b->open);
        assert_int_equal(a->activity, b->activity);
        assert_int_equal(a->priority, b->priority);
        assert_int_equal(a->since_s, b->since_s);
        assert_int_equal(a->until_s, b->until_s);
        assert_int_equal(a->idle, b->idle);
        assert_int_equal(a->idle_since_s, b->idle_since_s);
        assert_int_equal(a->timestamp_s, b->timestamp_s);
        assert_int_equal(a->timed_count, b->timed_count);
        assert_memory_equal(a->timed, b->timed, a->timed_count * sizeof *a->timed);
    }
    for (size_t room = 0; room < size; room += 7)
        assert_int_equal(tdm_pidf_write(&pidf, xml, room, &size), TDM_E_SPACE);
}

/* Shapes that other programs write: other prefixes, persons of other ids, notes in languages. */
static void others_are_read(void **state)
{
    static const char baresip[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
        "<p:presence xmlns:p=\"urn:ietf:params:xml:ns:pidf\"\r\n"
        "  xmlns:d=\"urn:ietf:params:xml:ns:pidf:data-model\"\r\n"
        "  xmlns:r=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"sip:a@b\">\r\n"
        "<p:tuple id=\"t4109\"><p:status><p:basic> open </p:basic></p:status>\r\n"
        "<p:contact priority=\"0.85\">sip:a@b;x=y</p:contact></p:tuple>\r\n"
        "<d:person id=\"p4159\"><r:activities><r:busy/><r:meeting/></r:activities>\r\n"
        "<d:note xml:lang=\"en\">please</d:note><d:note "
        "xml:lang=\"de\">bitte</d:note></d:person>\r\n"
        "</p:presence>";
    static const char in_tuple[] =
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:a@b'"
        " xmlns:r='urn:ietf:params:xml:ns:pidf:rpid'><tuple id='x'><status><basic>closed</basic>"
        "<r:activities><r:looking-for-work/></r:activities></status></tuple></presence>";
    struct tdm_pidf pidf;

    (void)state;
    assert_int_equal(tdm_pidf_parse(&pidf, baresip, sizeof baresip - 1), TDM_OK);
    assert_int_equal(pidf.tuple_count, 1);
    assert_true(pidf.tuples[0].open);
    assert_int_equal(pidf.tuples[0].activity, TDM_ACTIVITY_BUSY);
    assert_int_equal(pidf.tuples[0].priority, 850);
    assert_string_equal(pidf.tuples[0].contact, "sip:a@b;x=y");
    assert_string_equal(pidf.tuples[0].note, "please");
    assert_int_equal(tdm_pidf_parse(&pidf, in_tuple, sizeof in_tuple - 1), TDM_OK);
    assert_int_equal(pidf.tuples[0].activity, TDM_ACTIVITY_OTHER);
    assert_false(pidf.tuples[0].open);
}

static void bad_documents(void **state)
{
    static const char *const bad[] = {
        "",
        "text",
        "<presence/>",
        "<presence xmlns='urn:ietf:params:xml:ns:pidf'>",
        "<!DOCTYPE presence [<!ENTITY a 'b'>]><presence xmlns='urn:ietf:params:xml:ns:pidf'/>",
        "<!DOCTYPE presence SYSTEM 'http://example.org/x'>"
        "<presence xmlns='urn:ietf:params:xml:ns:pidf'/>",
        "<presence xmlns='urn:ietf:params:xml:ns:pidf'>&a;</presence>",
        "<presence "
        "xmlns='urn:ietf:params:xml:ns:pidf'><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>"
        "<a/></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></presence>",
    };
    static char large[TDM_PIDF_MAX + 1];
    struct tdm_pidf pidf;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tdm_pidf_parse(&pidf, bad[i], strlen(bad[i])), TDM_E_MALFORMED);
    memset(large, ' ', sizeof large);
    assert_int_equal(tdm_pidf_parse(&pidf, large, sizeof large), TDM_E_MALFORMED);
}

static void more_devices_than_fit(void **state)
{
    static char xml[TDM_PIDF_MAX];
    int used = snprintf(xml, sizeof xml, "<presence xmlns='urn:ietf:params:xml:ns:pidf'>");
    struct tdm_pidf pidf;

    (void)state;
    for (int i = 0; i < 40; i++)
        used += snprintf(
            xml + used, sizeof xml - (size_t)used,
            "<tuple id='t%d'><status><basic>open</basic></status><note>n</note></tuple>", i);
    used += snprintf(xml + used, sizeof xml - (size_t)used, "</presence>");
    assert_int_equal(tdm_pidf_parse(&pidf, xml, (size_t)used), TDM_OK);
    assert_int_equal(pidf.tuple_count, TDM_PIDF_TUPLES_MAX);
    assert_string_equal(pidf.note, ""); /* Those of the rest are nobody else's. */
}

struct device {
    bool open;
    enum tdm_activity activity;
    int64_t until_s;
    bool idle;
};

static void composed(void **state)
{
    static const struct {
        struct device devices[3];
        uint32_t count;
        bool open;
        enum tdm_activity activity;
        uint32_t open_devices;
    } cases[] = {
        {{{0}}, 0, false, TDM_ACTIVITY_NONE, 0},
        {{{true, TDM_ACTIVITY_NONE, 0, 0}}, 1, true, TDM_ACTIVITY_NONE, 1},
        /* Away from one device, at the other. */
        {{{true, TDM_ACTIVITY_AWAY, 0, 0}, {true, TDM_ACTIVITY_NONE, 0, 0}}, 2, true, 0, 2},
        {{{true, TDM_ACTIVITY_NONE, 0, true}, {false, 0, 0, 0}}, 2, true, TDM_ACTIVITY_AWAY, 1},
        /* On the phone at one is on the phone. */
        {{{true, TDM_ACTIVITY_NONE, 0, 0}, {true, TDM_ACTIVITY_ON_THE_PHONE, 0, 0}},
         2,
         true,
         TDM_ACTIVITY_ON_THE_PHONE,
         2},
        /* A closed device says nothing beside an open one. */
        {{{false, TDM_ACTIVITY_MEETING, 0, 0}, {true, TDM_ACTIVITY_AWAY, 0, 0}},
         2,
         true,
         TDM_ACTIVITY_AWAY,
         1},
        {{{false, TDM_ACTIVITY_VACATION, 0, 0}, {false, 0, 0, 0}}, 2, false, 0, 0},
        /* It has passed. */
        {{{true, TDM_ACTIVITY_MEETING, NOON, 0}}, 1, true, TDM_ACTIVITY_NONE, 1},
        {{{true, TDM_ACTIVITY_MEETING, NOON + 1, 0}}, 1, true, TDM_ACTIVITY_MEETING, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_pidf pidf = {.tuple_count = cases[i].count};
        struct tdm_presence_view view;

        for (uint32_t d = 0; d < cases[i].count; d++) {
            const struct device *device = &cases[i].devices[d];

            pidf.tuples[d] = (struct tdm_presence_tuple){.open = device->open,
                                                         .activity = device->activity,
                                                         .until_s = device->until_s,
                                                         .idle = device->idle};
        }
        tdm_presence_compose(&pidf, NOON, &view);
        assert_int_equal(view.open, cases[i].open);
        assert_int_equal(view.activity, cases[i].activity);
        assert_int_equal(view.open_devices, cases[i].open_devices);
        assert_int_equal(view.devices, cases[i].count);
    }
}

static void periods_that_were_announced(void **state)
{
    struct tdm_presence_tuple tuple = {
        .open = true,
        .timed_count = 2,
        .timed = {{false, NOON + 100, NOON + 200}, {true, NOON + 200, 0}}};
    struct tdm_pidf pidf = {.tuple_count = 1};

    (void)state;
    pidf.tuples[0] = tuple;
    assert_true(tdm_presence_tuple_open(&tuple, NOON));
    assert_false(tdm_presence_tuple_open(&tuple, NOON + 100));
    assert_false(tdm_presence_tuple_open(&tuple, NOON + 199));
    assert_true(tdm_presence_tuple_open(&tuple, NOON + 200));
    assert_int_equal(tdm_presence_view_until(&pidf, NOON), NOON + 100);
    assert_int_equal(tdm_presence_view_until(&pidf, NOON + 100), NOON + 200);
    assert_true(tdm_presence_view_until(&pidf, NOON + 200) == INT64_MAX);
}

static void merged(void **state)
{
    struct tdm_pidf a = sample(), b = {.tuple_count = 2};

    (void)state;
    b.tuples[0] = (struct tdm_presence_tuple){.id = "phone", .open = true, .timestamp_s = NOON};
    b.tuples[1] = (struct tdm_presence_tuple){.id = "tablet", .open = true};
    tdm_pidf_merge(&a, &b);
    assert_int_equal(a.tuple_count, 3);
    assert_true(a.tuples[1].open);
    b.tuples[0].open = false;
    b.tuples[0].timestamp_s = NOON - 10; /* An old word that comes late. */
    tdm_pidf_merge(&a, &b);
    assert_true(a.tuples[1].open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates),
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(others_are_read),
        cmocka_unit_test(bad_documents),
        cmocka_unit_test(more_devices_than_fit),
        cmocka_unit_test(composed),
        cmocka_unit_test(periods_that_were_announced),
        cmocka_unit_test(merged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
