/* SPDX-License-Identifier: MIT */
/*
 * A shared screen between two engines: a test picture arrives whole and exact, what was not allowed
 * is not done, what was is taken back, and a channel that breaks goes on. Other desktops are tested
 * by tests/live/share_command_test.py.
 */
#include "tests/live/sharer.h"

#include <string.h>

/* Who shows the own screen of his own accord is not asked; the other side sees it at once. */
static void test_shown(void **state)
{
    (void)state;
    sharers_start("pattern:still", &(struct tandem_share_offer){.unasked_view = true});
    (void)sharer_next(&viewer, TANDEM_SHARE_SHOWN);
    (void)sharer_exact_after(0);
    sharers_stop();
}

static void test_moving(void **state)
{
    uint64_t number = 0;

    (void)state;
    sharers_start("pattern:scroll", &(struct tandem_share_offer){.unasked_view = true});
    for (int i = 0; i < 10; i++)
        number = sharer_exact_after(number);
    sharers_stop();
}

/* Nothing is seen before the host said yes. */
static void test_asked(void **state)
{
    struct tandem_share_stats stats;

    (void)state;
    sharers_start("pattern:still", NULL);
    assert_int_equal(tandem_share_ask(viewer.share, TANDEM_SHARE_VIEW), TANDEM_OK);
    const struct tandem_share_event *e = sharer_next(&host, TANDEM_SHARE_ASKED);

    assert_int_equal(e->scopes, TANDEM_SHARE_VIEW);
    (void)tandem_share_stats(viewer.share, &stats);
    assert_int_equal(stats.frames, 0);
    assert_int_equal(tandem_share_answer(host.share, TANDEM_SHARE_VIEW, 0, NULL), TANDEM_OK);
    (void)sharer_next(&viewer, TANDEM_SHARE_SHOWN);
    (void)sharer_exact_after(0);
    tandem_share_end(host.share);
    (void)sharer_next(&viewer, TANDEM_SHARE_HIDDEN);
    assert_int_equal(sharer_next(&viewer, TANDEM_SHARE_REVOKED)->scopes, 0);
    assert_int_equal(tandem_share_ask(viewer.share, TANDEM_SHARE_VIEW), TANDEM_OK);
    (void)sharer_next(&viewer, TANDEM_SHARE_REFUSED);
    sharers_stop();
}

static void wait_for_scopes(struct sharer *s, unsigned scopes)
{
    const struct tandem_share_event *e;

    do
        e = sharer_next(s, TANDEM_SHARE_ALLOWED);
    while ((e->scopes & scopes) != scopes);
}

/* What was allowed beforehand holds without a question; taken back or over, it is asked for. */
static void allowed_beforehand(uint32_t seconds)
{
    const unsigned control = TANDEM_SHARE_POINTER | TANDEM_SHARE_KEYBOARD;

    sharers_start("pattern:still",
                  &(struct tandem_share_offer){.unasked_view = true,
                                               .allow = TANDEM_SHARE_VIEW | control,
                                               .allow_s = seconds});
    wait_for_scopes(&viewer, control);
    if (seconds > 1)
        assert_int_equal(tandem_share_answer(host.share, TANDEM_SHARE_VIEW, 0, NULL), TANDEM_OK);
    assert_int_equal(sharer_next(&viewer, TANDEM_SHARE_REVOKED)->scopes & control, 0);
    (void)sharer_next(&host, TANDEM_SHARE_REVOKED);
    for (uint32_t i = 0; i < host.seen; i++)
        assert_int_not_equal(host.log[i].kind, TANDEM_SHARE_ASKED);
    assert_int_equal(tandem_share_ask(viewer.share, control), TANDEM_OK);
    assert_int_equal(sharer_next(&host, TANDEM_SHARE_ASKED)->scopes, control);
    assert_int_equal(tandem_share_answer(host.share, TANDEM_SHARE_VIEW, 0, NULL), TANDEM_OK);
    (void)sharer_next(&viewer, TANDEM_SHARE_REFUSED);
    sharers_stop();
}

static void test_allowed(void **state)
{
    (void)state;
    allowed_beforehand(300);
}

static void test_allowed_for_a_second(void **state)
{
    (void)state;
    allowed_beforehand(1);
}

/* The warning beside a stranger's question arrives whole. */
static void test_warned(void **state)
{
    (void)state;
    sharers_start("pattern:still", &(struct tandem_share_offer){.unasked_view = true});
    (void)sharer_next(&viewer, TANDEM_SHARE_ALLOWED);
    assert_int_equal(tandem_share_ask(viewer.share, TANDEM_SHARE_KEYBOARD), TANDEM_OK);
    const struct tandem_share_event *e = sharer_next(&host, TANDEM_SHARE_ASKED);

    assert_non_null(strstr(e->text, "whom you asked for help."));
    sharers_stop();
}

/* Ended and given again, in the same call. */
static void test_again(void **state)
{
    const struct tandem_share_offer offer = {.unasked_view = true};
    uint64_t number = 0;

    (void)state;
    sharers_start("pattern:scroll", &offer);
    for (int i = 0; i < 3; i++) {
        (void)sharer_next(&viewer, TANDEM_SHARE_SHOWN);
        number = sharer_exact_after(number);
        tandem_share_end(host.share);
        (void)sharer_next(&viewer, TANDEM_SHARE_HIDDEN);
        assert_int_equal(tandem_share_give(host.share, &offer, NULL), TANDEM_OK);
    }
    (void)sharer_next(&viewer, TANDEM_SHARE_SHOWN);
    (void)sharer_exact_after(number);
    sharers_stop();
}

/* Voice comes when both have asked for it, and goes; the screen goes on over the same connection.
 */
static void test_voice(void **state)
{
    uint64_t number = 0;

    (void)state;
    sharers_start("pattern:scroll", &(struct tandem_share_offer){.unasked_view = true});
    number = sharer_exact_after(number);
    for (int i = 0; i < 2; i++) {
        sharer_talk(&sharers.a, i > 0);
        number = sharer_exact_after(number);
        sharer_talk(&sharers.b, i > 0);
        (void)side_until(&sharers.a, audio_received_at_least, 20, "voice at the host");
        (void)side_until(&sharers.b, audio_received_at_least, 20, "voice at the viewer");
        number = sharer_exact_after(number);
        assert_int_equal(tandem_set_audio(sharers.b.call, false), TANDEM_OK);
        (void)side_until(&sharers.a, sharer_no_audio, 0, "silence at the host");
        (void)side_until(&sharers.b, sharer_no_audio, 0, "silence at the viewer");
        number = sharer_exact_after(sharer_exact_after(number));
    }
    struct tandem_stats a = side_stats(&sharers.a);

    assert_int_equal(a.channel.reconnects, 0);
    assert_int_equal(a.channel.state, TANDEM_CHANNEL_UP);
    for (uint32_t i = 0; i < viewer.count; i++)
        assert_int_not_equal(viewer.log[i].kind, TANDEM_SHARE_HIDDEN);
    sharers_stop();
}

static bool is_contact(const struct tandem_stats *s, uint64_t contact)
{
    return s->security.contact == (enum tandem_contact)contact;
}

/* Ten seconds pass before a stranger's question can be answered with yes; none for a contact who
 * was in a call before, under the same certificate. Another one is a stranger again. */
static void test_contacts(void **state)
{
    char known[512], mine[512], theirs[512], other[512];
    struct tandem_config a = {.known_path = pair_file("known", known, sizeof known),
                              .identity_path = pair_file("mine", mine, sizeof mine)};
    struct tandem_config b = {.identity_path = pair_file("theirs", theirs, sizeof theirs)};
    static const enum tandem_contact seen[] = {TANDEM_CONTACT_NEW, TANDEM_CONTACT_KNOWN,
                                               TANDEM_CONTACT_CHANGED};

    (void)state;
    sharers_config[0] = &a;
    sharers_config[1] = &b;
    for (int i = 0; i < 3; i++) {
        if (i == 2)
            b.identity_path = pair_file("other", other, sizeof other);
        sharers_start("pattern:still", &(struct tandem_share_offer){.unasked_view = true});
        (void)sharer_next(&viewer, TANDEM_SHARE_SHOWN);
        (void)side_until(&sharers.a, is_contact, seen[i], "contact");
        assert_int_equal(tandem_share_ask(viewer.share, TANDEM_SHARE_KEYBOARD), TANDEM_OK);
        const struct tandem_share_event *e = sharer_next(&host, TANDEM_SHARE_ASKED);

        assert_int_equal(e->seconds > 0, seen[i] != TANDEM_CONTACT_KNOWN);
        assert_int_equal(strstr(e->text, "never helped you") != NULL,
                         seen[i] != TANDEM_CONTACT_KNOWN);
        sharers_stop();
    }
    sharers_config[0] = sharers_config[1] = NULL;
}

/* The person at the machine ends it: the call goes on, and the viewer says what became of it. */
static void test_ended_at_the_host(void **state)
{
    (void)state;
    sharers_start("pattern:still", &(struct tandem_share_offer){.unasked_view = true});
    (void)sharer_next(&viewer, TANDEM_SHARE_SHOWN);
    assert_int_equal(tandem_share_answer(host.share, 0, 0, NULL), TANDEM_OK);
    uint32_t from = viewer.seen;
    const struct tandem_share_event *e = sharer_next(&viewer, TANDEM_SHARE_REVOKED);

    assert_int_equal(e->scopes, 0);
    assert_string_equal(e->text, "the other side took it back");
    viewer.seen = from; /* In either order. */
    e = sharer_next(&viewer, TANDEM_SHARE_HIDDEN);
    assert_string_equal(e->text, "the other side shows nothing any more");
    assert_int_equal(side_count(&sharers.b, TANDEM_EVENT_ENDED), 0);
    sharers_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shown),
        cmocka_unit_test(test_moving),
        cmocka_unit_test(test_asked),
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_allowed_for_a_second),
        cmocka_unit_test(test_warned),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_voice),
        cmocka_unit_test(test_ended_at_the_host),
        cmocka_unit_test_teardown(test_contacts, pair_files_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
