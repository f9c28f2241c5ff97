/* SPDX-License-Identifier: MIT */
/*
 * What protects a call, between two engines and with somebody in between who changes what they say:
 * the call is safe, or there is none, and the reason is told.
 */
#include "tests/live/between.h"
#include "tests/live/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool media_flows(const struct tandem_stats *s, uint64_t count)
{
    return s->audio.packets_received >= count && s->frames_shown >= count;
}

static void encrypted_by_default(void **state)
{
    struct pair p;

    (void)state;
    pair_open(&p);
    struct tandem_cause cause = {""};

    assert_int_equal(tandem_dial(p.a.engine, p.to, &pair_media, &p.a.call, &cause), TANDEM_OK);
    (void)side_wait(&p.b, TANDEM_EVENT_INCOMING);
    assert_int_equal(tandem_answer(p.b.call, &pair_media, &cause), TANDEM_OK);
    struct tandem_event up = side_wait(&p.a, TANDEM_EVENT_UP);
    struct tandem_event up_there = side_wait(&p.b, TANDEM_EVENT_UP);
    struct tandem_stats a = side_until(&p.a, media_flows, 10, "media");
    struct tandem_stats b = side_until(&p.b, media_flows, 10, "media");

    assert_non_null(strstr(up.text, "direct, encrypted (DTLS-SRTP AEAD_AES_128_GCM), words: "));
    assert_non_null(strstr(up_there.text, a.security.words));
    assert_int_equal(a.security.protection, TANDEM_PROTECTION_DTLS);
    assert_int_equal(a.security.path, TANDEM_PATH_DIRECT);
    assert_true(a.security.ice);
    assert_string_equal(a.security.profile, "AEAD_AES_128_GCM");
    assert_true(strlen(a.security.words) > 12);
    assert_string_equal(a.security.words, b.security.words);
    assert_string_equal(a.security.local, b.security.remote);
    assert_int_equal(a.security.contact, TANDEM_CONTACT_UNKNOWN);
    assert_int_equal(a.security.denied, 0);
    assert_true(a.security.ready_ms > 0 && b.security.media_ms > 0);
    pair_hang_up(&p);
    pair_close(&p);
}

/* One who allows clear media still gets better from who can. */
static void plain_is_the_last_choice(void **state)
{
    const struct tandem_config plain = {.allow_plain = true};
    struct pair p;

    (void)state;
    for (int i = 0; i < 3; i++) {
        pair_open_with(&p, i != 1 ? &plain : NULL, i != 0 ? &plain : NULL);
        pair_call(&p, &pair_media, &pair_media);
        struct tandem_stats b = side_until(&p.b, media_flows, 5, "media");

        assert_int_equal(b.security.protection, TANDEM_PROTECTION_DTLS);
        pair_hang_up(&p);
        pair_close(&p);
    }
}

/* Media in clear alone: refused without the flag, and shown as such with it. */
static void plain_needs_the_flag(void **state)
{
    const struct tandem_config only = {.only_plain = true};
    const struct tandem_config allowed = {.allow_plain = true};
    struct tandem_cause cause = {""};
    struct pair p;

    (void)state;
    pair_open_with(&p, &only, NULL);
    assert_int_equal(tandem_dial(p.a.engine, p.to, &pair_media, &p.a.call, &cause), TANDEM_OK);
    (void)side_wait(&p.a, TANDEM_EVENT_ENDED);
    assert_int_equal(side_count(&p.b, TANDEM_EVENT_INCOMING), 0);
    pair_close(&p);

    pair_open_with(&p, NULL, &only);
    assert_int_equal(tandem_dial(p.a.engine, p.to, &pair_media, &p.a.call, &cause), TANDEM_OK);
    (void)side_wait(&p.a, TANDEM_EVENT_ENDED);
    assert_int_equal(side_count(&p.a, TANDEM_EVENT_UP), 0);
    pair_close(&p);

    for (int i = 0; i < 2; i++) {
        pair_open_with(&p, i ? &only : &allowed, i ? &allowed : &only);
        assert_int_equal(tandem_dial(p.a.engine, p.to, &pair_media, &p.a.call, &cause), TANDEM_OK);
        (void)side_wait(&p.b, TANDEM_EVENT_INCOMING);
        assert_int_equal(tandem_answer(p.b.call, &pair_media, &cause), TANDEM_OK);
        struct tandem_event up = side_wait(&p.a, TANDEM_EVENT_UP);
        struct tandem_stats b = side_until(&p.b, media_flows, 5, "media");

        assert_non_null(strstr(up.text, "NOT ENCRYPTED"));
        assert_int_equal(b.security.protection, TANDEM_PROTECTION_NONE);
        assert_string_equal(b.security.words, "");
        pair_hang_up(&p);
        pair_close(&p);
    }
}

static void other_fingerprint(char *body, size_t capacity, bool from_a)
{
    if (from_a)
        between_replace(body, capacity, "a=fingerprint:sha-256 ", "a=fingerprint:sha-256 00:");
    /* One byte more in front, one less behind: another fingerprint of the right length. */
    for (char *at = strstr(body, "a=fingerprint:sha-256 00:"); at;
         at = strstr(at + 1, "a=fingerprint:sha-256 00:")) {
        char *end = strpbrk(at, "\r\n");

        if (end)
            memmove(end - 3, end, strlen(end) + 1);
    }
}

static void other_fingerprint_back(char *body, size_t capacity, bool from_a)
{
    other_fingerprint(body, capacity, !from_a);
}

static void to_clear(char *body, size_t capacity)
{
    between_replace(body, capacity, "UDP/TLS/RTP/SAVPF", "RTP/AVP");
    between_replace(body, capacity, "UDP/TLS/RTP/SAVP", "RTP/AVP");
    between_replace(body, capacity, "RTP/SAVPF", "RTP/AVP");
    between_drop_lines(body, "a=fingerprint");
    between_drop_lines(body, "a=setup");
}

static void clear_offer(char *body, size_t capacity, bool from_a)
{
    if (from_a)
        to_clear(body, capacity);
}

static void clear_answer(char *body, size_t capacity, bool from_a)
{
    if (!from_a)
        to_clear(body, capacity);
}

static void no_fingerprint(char *body, size_t capacity, bool from_a)
{
    (void)capacity;
    (void)from_a;
    between_drop_lines(body, "a=fingerprint");
}

/* Whatever somebody in between does, neither side says that a call is up, and no picture passes. */
static void somebody_between(void **state)
{
    static const struct {
        const char *what;
        void (*change)(char *body, size_t capacity, bool from_a);
        bool rings; /* B cannot know yet. */
        int end;    /* At A. */
        const char *why;
    } rows[] = {
        {"fingerprint in the offer", other_fingerprint, true, TANDEM_END_NOT_SECURE, "certificate"},
        {"fingerprint in the answer", other_fingerprint_back, true, TANDEM_END_NOT_SECURE,
         "certificate"},
        {"offer in clear", clear_offer, false, TANDEM_END_NO_COMMON_CODEC, "--plain"},
        {"answer in clear", clear_answer, true, TANDEM_END_NOT_SECURE, "clear"},
        {"no fingerprints", no_fingerprint, false, TANDEM_END_NO_COMMON_CODEC, "encrypted"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tandem_cause cause = {""};
        struct between m;
        struct pair p;

        pair_open(&p);
        between_open(&m, tandem_port(p.b.engine), rows[i].change);
        (void)snprintf(p.to, sizeof p.to, "127.0.0.1:%u", m.port);
        assert_int_equal(tandem_dial(p.a.engine, p.to, &pair_media, &p.a.call, &cause), TANDEM_OK);
        if (rows[i].rings) {
            (void)side_wait(&p.b, TANDEM_EVENT_INCOMING);
            assert_int_equal(tandem_answer(p.b.call, &pair_media, &cause), TANDEM_OK);
        }
        struct tandem_event ended = side_wait(&p.a, TANDEM_EVENT_ENDED);

        print_message("  %s: %d \"%s\"\n", rows[i].what, ended.value, ended.text);
        assert_int_equal(ended.value, rows[i].end);
        assert_non_null(strstr(ended.text, rows[i].why));
        if (rows[i].rings) {
            struct tandem_event there = side_wait(&p.b, TANDEM_EVENT_ENDED);

            print_message("    there: %d \"%s\"\n", there.value, there.text);
            assert_int_equal(side_stats(&p.b).frames_shown, 0);
        }
        assert_true(atomic_load(&m.changed) > 0);
        assert_int_equal(side_count(&p.a, TANDEM_EVENT_UP), 0);
        assert_int_equal(side_count(&p.b, TANDEM_EVENT_UP), 0);
        assert_int_equal(side_count(&p.b, TANDEM_EVENT_INCOMING), rows[i].rings);
        assert_int_equal(side_stats(&p.a).frames_shown, 0);
        between_close(&m);
        pair_close(&p);
    }
}

/* The same certificate at the second call; another one is a warning until it is trusted. */
static void contacts_are_known(void **state)
{
    char known[512], mine[512], theirs[512];
    struct tandem_config a = {.known_path = pair_file("known", known, sizeof known),
                              .identity_path = pair_file("mine", mine, sizeof mine)};
    struct tandem_config b = {.identity_path = pair_file("theirs", theirs, sizeof theirs)};
    static const enum tandem_contact seen[] = {TANDEM_CONTACT_NEW, TANDEM_CONTACT_KNOWN,
                                               TANDEM_CONTACT_CHANGED, TANDEM_CONTACT_KNOWN};
    struct stat info;
    struct pair p;

    (void)state;
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        if (i == 2)
            assert_int_equal(unlink(theirs), 0); /* A new machine, or somebody else. */
        pair_open_with(&p, &a, &b);
        pair_call(&p, &pair_media, &pair_media);
        assert_int_equal(side_until(&p.a, media_flows, 1, "media").security.contact, seen[i]);
        assert_int_equal(side_count(&p.a, TANDEM_EVENT_STRANGER),
                         seen[i] == TANDEM_CONTACT_CHANGED);
        if (seen[i] == TANDEM_CONTACT_CHANGED)
            assert_int_equal(tandem_trust(p.a.call, NULL), TANDEM_OK);
        pair_hang_up(&p);
        pair_close(&p);
    }
    assert_int_equal(stat(theirs, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void wrong_settings(void **state)
{
    static const struct tandem_config rows[] = {
        {.ice_servers = "http://example.org"},
        {.ice_servers = "turn:10.0.0.1"},
        {.ice_servers = "stun:10.0.0.1:99999"},
        {.ice_servers = "stun:a,stun:b,stun:c,stun:d,stun:e"},
        {.relay_only = true},
        {.relay_only = true, .ice_servers = "stun:10.0.0.1"},
        {.identity_path = "/nowhere/at/all.pem"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tandem_cause cause = {""};
        struct tandem *engine;

        assert_int_not_equal(tandem_create(&rows[i], &engine, &cause), TANDEM_OK);
        assert_true(strlen(cause.text) > 10);
        print_message("  %s\n", cause.text);
    }
}

/* Only by a relay that does not answer: no call, and no address of ours leaks on the way. */
static void relay_that_is_not_there(void **state)
{
    const struct tandem_config a = {.relay_only = true, .ice_servers = "turn:u:p@127.0.0.1:9"};
    struct tandem_cause cause = {""};
    struct pair p;

    (void)state;
    pair_open_with(&p, &a, NULL);
    assert_int_equal(tandem_dial(p.a.engine, p.to, &pair_media, &p.a.call, &cause), TANDEM_OK);
    struct tandem_event ended = side_wait(&p.a, TANDEM_EVENT_ENDED);

    print_message("  %s\n", ended.text);
    assert_int_equal(ended.value, TANDEM_END_FAILED);
    assert_non_null(strstr(ended.text, "relay"));
    assert_int_equal(side_count(&p.b, TANDEM_EVENT_INCOMING), 0);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encrypted_by_default),    cmocka_unit_test(plain_is_the_last_choice),
        cmocka_unit_test(plain_needs_the_flag),    cmocka_unit_test(somebody_between),
        cmocka_unit_test(contacts_are_known),      cmocka_unit_test(wrong_settings),
        cmocka_unit_test(relay_that_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, pair_files_remove);
}
