/* SPDX-License-Identifier: MIT */
/*
 * Chat between two engines: in calls with a data channel that breaks, goes and comes again, and by
 * SIP without any call; one history for both.
 */
#include "tandem/chat.h"
#include "tests/live/pair.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MIB (1u << 20)

static const struct tandem_media alone = {.video_source = "off",
                                          .video_sink = "off",
                                          .audio_source = "off",
                                          .audio_sink = "off",
                                          .channel = true};

/* One side's chat, and what its events said. */
struct talker {
    struct tandem_chat *chat;
    struct tandem_chat_event log[512];
    uint32_t count, seen;
};

static struct pair p;
static struct talker a, b;

static void open_talker(struct talker *t, const char *history)
{
    struct tandem_cause cause = {""};

    memset(t, 0, sizeof *t);
    if (tandem_chat_create(&(struct tandem_chat_config){history}, &t->chat, &cause) != TANDEM_OK)
        fail_msg("%s", cause.text);
}

static void open_chats(void)
{
    open_talker(&a, NULL);
    open_talker(&b, NULL);
    pair_open_with(&p, &(struct tandem_config){.chat = a.chat},
                   &(struct tandem_config){.chat = b.chat});
}

static void close_chats(void)
{
    pair_close(&p);
    tandem_chat_destroy(a.chat);
    tandem_chat_destroy(b.chat);
}

static void drain(struct talker *t)
{
    side_drain(&p.a);
    if (p.b.engine)
        side_drain(&p.b);
    while (t->count < 512 && tandem_chat_next_event(t->chat, &t->log[t->count]) == TANDEM_OK)
        t->count++;
    assert_true(t->count < 512);
}

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The next event of `kind`; what came before it is passed. */
static const struct tandem_chat_event *next(struct talker *t, enum tandem_chat_event_kind kind)
{
    int64_t until = now_ms() + PAIR_PATIENCE_MS;

    do {
        drain(t);
        while (t->seen < t->count)
            if (t->log[t->seen++].kind == kind)
                return &t->log[t->seen - 1];
        struct pollfd fd = {.fd = tandem_chat_event_fd(t->chat), .events = POLLIN};

        (void)poll(&fd, 1, 20);
    } while (now_ms() < until);
    for (uint32_t i = 0; i < t->count; i++)
        print_error("event %d \"%.60s\"\n", (int)t->log[i].kind, t->log[i].text);
    fail_msg("%s: event %d did not come", t == &a ? "a" : "b", (int)kind);
    abort();
}

static uint32_t count(struct talker *t, enum tandem_chat_event_kind kind, const char *text)
{
    uint32_t found = 0;

    drain(t);
    for (uint32_t i = 0; i < t->count; i++)
        found += t->log[i].kind == kind && (!text || strcmp(t->log[i].text, text) == 0);
    return found;
}

static uint64_t say(struct talker *t, const char *to, const char *text)
{
    struct tandem_cause cause = {""};
    uint64_t id = 0;

    if (tandem_chat_say(t->chat, t == &a ? p.a.engine : p.b.engine, to, text, &id, &cause) !=
        TANDEM_OK)
        fail_msg("%s", cause.text);
    assert_true(id != 0);
    return id;
}

static void call_with(const struct tandem_media *like)
{
    struct tandem_media of_a = *like, of_b = *like;

    of_a.chat = a.chat;
    of_b.chat = b.chat;
    pair_call(&p, &of_a, &of_b);
}

static void linked(void)
{
    assert_true(next(&a, TANDEM_CHAT_LINKED)->on);
    assert_true(next(&b, TANDEM_CHAT_LINKED)->on);
}

static void expect_received(struct talker *t, const char *text)
{
    assert_string_equal(next(t, TANDEM_CHAT_RECEIVED)->text, text);
}

static bool channel_up(const struct tandem_stats *s, uint64_t reconnects)
{
    return s->channel.state == TANDEM_CHANNEL_UP && s->channel.reconnects >= reconnects;
}

static bool channel_none(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return s->channel.state == TANDEM_CHANNEL_NONE;
}

static char *history(struct talker *t, const char *who, const char *words)
{
    struct tandem_cause cause = {""};
    char *json = tandem_chat_history(t->chat, who, words, 0, &cause);

    if (!json)
        fail_msg("%s", cause.text);
    return json;
}

static int occurrences(const char *in, const char *what)
{
    int found = 0;

    for (const char *at = strstr(in, what); at; at = strstr(at + 1, what))
        found++;
    return found;
}

static void expect_history(struct talker *t, const char *what, int times)
{
    char *json = history(t, NULL, NULL);

    if (occurrences(json, what) != times)
        fail_msg("not %d times %s in %s", times, what, json);
    tandem_free(json);
}

/* Said, delivered, read, changed, and taken back; the other side is seen typing. */
static void test_in_a_call(void **state)
{
    (void)state;
    open_chats();
    call_with(&alone);
    linked();
    uint64_t id = say(&a, NULL, "hello");
    const struct tandem_chat_event *e = next(&b, TANDEM_CHAT_RECEIVED);

    assert_string_equal(e->text, "hello");
    assert_string_equal(e->who, "a@127.0.0.1");
    assert_true(e->id == id && !e->cut && e->sent_ms > 1600000000000);
    assert_true(next(&a, TANDEM_CHAT_DELIVERED)->id == id);
    tandem_chat_read(b.chat, id);
    assert_true(next(&a, TANDEM_CHAT_WAS_READ)->id == id);

    say(&b, e->address, "hello a"); /* By the address that the event gave: over the channel. */
    expect_received(&a, "hello a");
    (void)next(&b, TANDEM_CHAT_DELIVERED);
    assert_string_equal(a.log[a.seen - 1].address, p.to);

    tandem_chat_typing(b.chat, true);
    assert_true(next(&a, TANDEM_CHAT_TYPING)->on);
    tandem_chat_typing(b.chat, false);
    assert_false(next(&a, TANDEM_CHAT_TYPING)->on);

    assert_int_equal(tandem_chat_edit(a.chat, id, "hello there", NULL), TANDEM_OK);
    e = next(&b, TANDEM_CHAT_EDITED);
    assert_string_equal(e->text, "hello there");
    assert_true(e->id == id);
    assert_int_equal(tandem_chat_edit(a.chat, id + 1, "nothing", NULL), TANDEM_INVALID);
    expect_history(&b, "\"hello there\"", 1);
    expect_history(&b, "\"hello\"", 0);
    expect_history(&a, "\"state\": \"read\"", 1);
    pair_hang_up(&p);
    assert_false(next(&a, TANDEM_CHAT_LINKED)->on);
    close_chats();
}

static char *long_text(char fill)
{
    char *text = malloc(MIB + 2);

    assert_non_null(text);
    memset(text, fill, MIB);
    text[MIB] = text[MIB + 1] = '\0';
    return text;
}

/* Four texts of 1 MiB are more than fit into the queue at once; one byte more is refused. */
static void test_long_texts(void **state)
{
    struct tandem_cause cause = {""};
    char *text = long_text('x');

    (void)state;
    open_chats();
    call_with(&alone);
    linked();
    for (int i = 0; i < 4; i++) {
        text[0] = (char)('1' + i);
        say(&a, NULL, text);
    }
    say(&a, NULL, "behind");
    for (int i = 0; i < 4; i++) {
        const struct tandem_chat_event *e = next(&b, TANDEM_CHAT_RECEIVED);

        assert_true(e->cut && e->text[0] == '1' + i && strlen(e->text) == sizeof e->text - 1);
    }
    expect_received(&b, "behind");
    for (int i = 0; i < 5; i++)
        (void)next(&a, TANDEM_CHAT_DELIVERED);
    char *json = history(&b, NULL, "behind");

    assert_int_equal(occurrences(json, "\"text\""), 1);
    tandem_free(json);
    json = history(&b, NULL, NULL);
    text[0] = '3';
    assert_non_null(strstr(json, text));
    tandem_free(json);
    text[MIB] = 'x';
    assert_int_equal(tandem_chat_say(a.chat, p.a.engine, NULL, text, NULL, &cause), TANDEM_INVALID);
    free(text);
    pair_hang_up(&p);
    close_chats();
}

/* What is said while the call is being set up follows once the channel stands. */
static void test_before_the_channel_stands(void **state)
{
    struct tandem_media of_a = alone, of_b = alone;

    (void)state;
    open_chats();
    of_a.chat = a.chat;
    of_b.chat = b.chat;
    assert_int_equal(tandem_dial(p.a.engine, p.to, &of_a, &p.a.call, NULL), TANDEM_OK);
    (void)side_wait(&p.b, TANDEM_EVENT_INCOMING);
    say(&a, p.to, "are you there?");
    assert_int_equal(tandem_answer(p.b.call, &of_b, NULL), TANDEM_OK);
    expect_received(&b, "are you there?");
    (void)next(&a, TANDEM_CHAT_DELIVERED);
    assert_int_equal(count(&b, TANDEM_CHAT_RECEIVED, NULL), 1);
    pair_hang_up(&p);
    close_chats();
}

/* Without the channel the same call's texts go by SIP; with it again, over it; each comes once. */
static void test_channel_dropped_and_added(void **state)
{
    (void)state;
    open_chats();
    call_with(&pair_media);
    say(&a, p.to, "no channel yet");
    expect_received(&b, "no channel yet");
    assert_int_equal(tandem_set_channel(p.a.call, true), TANDEM_OK);
    (void)side_wait(&p.a, TANDEM_EVENT_CHANNEL);
    assert_int_equal(count(&a, TANDEM_CHAT_LINKED, NULL), 0); /* B did not want one. */
    pair_hang_up(&p);

    struct tandem_media m = pair_media;

    m.channel = true;
    call_with(&m);
    linked();
    for (int i = 0; i < 2; i++) {
        char text[32];

        assert_int_equal(tandem_set_channel(p.a.call, false), TANDEM_OK);
        (void)side_until(&p.a, channel_none, 0, "no channel at A");
        (void)side_until(&p.b, channel_none, 0, "no channel at B");
        (void)snprintf(text, sizeof text, "by SIP %d", i);
        say(&a, p.to, text);
        expect_received(&b, text);
        assert_int_equal(tandem_set_channel(p.a.call, true), TANDEM_OK);
        (void)snprintf(text, sizeof text, "in between %d", i);
        say(&a, p.to, text);
        expect_received(&b, text);
        assert_int_equal(count(&b, TANDEM_CHAT_RECEIVED, text), 1);
        (void)side_until(&p.b, channel_up, 0, "the channel of B");
        (void)snprintf(text, sizeof text, "over it %d", i);
        say(&a, p.to, text);
        expect_received(&b, text);
    }
    pair_hang_up(&p);
    assert_int_equal(count(&b, TANDEM_CHAT_RECEIVED, NULL), 7);
    close_chats();
}

/* The connection dies again and again under texts of both sides; each comes once and in order. */
static void test_connection_killed(void **state)
{
    char text[32];
    int said = 0;

    (void)state;
    open_chats();
    call_with(&alone);
    linked();
    for (uint64_t broken = 1; broken <= 3; broken++) {
        (void)side_until(&p.b, channel_up, broken - 1, "the channel of B");
        char *big = long_text((char)('0' + broken));

        say(&a, NULL, big);
        free(big);
        for (int i = 0; i < 5; i++) {
            (void)snprintf(text, sizeof text, "text %d", said++);
            say(&a, NULL, text);
            say(&b, NULL, text);
        }
        assert_true(pair_break_channel(&p) > 0);
        say(&a, NULL, "while it is away");
        (void)side_until(&p.b, channel_up, broken, "the channel again at B");
        (void)side_until(&p.a, channel_up, broken, "the channel again at A");
        (void)snprintf(text, sizeof text, "last %d", (int)broken);
        say(&a, NULL, text);
        do
            (void)next(&b, TANDEM_CHAT_RECEIVED);
        while (strcmp(b.log[b.seen - 1].text, text) != 0);
    }
    for (int i = 0; i < said; i++) {
        (void)snprintf(text, sizeof text, "text %d", i);
        expect_received(&a, text);
        assert_int_equal(count(&b, TANDEM_CHAT_RECEIVED, text), 1);
    }
    pair_run(&p, 300);
    assert_int_equal(count(&a, TANDEM_CHAT_RECEIVED, NULL), said);
    assert_int_equal(count(&b, TANDEM_CHAT_RECEIVED, NULL), said + 3 * 3);
    pair_hang_up(&p);
    close_chats();
}

static void test_by_sip(void **state)
{
    (void)state;
    open_chats();
    uint64_t id = say(&a, p.to, "no call\nneeded: \xc3\xa4");
    const struct tandem_chat_event *e = next(&b, TANDEM_CHAT_RECEIVED);

    assert_string_equal(e->text, "no call\nneeded: \xc3\xa4");
    assert_string_equal(e->who, "a@127.0.0.1");
    assert_true(next(&a, TANDEM_CHAT_DELIVERED)->id == id);
    uint64_t answer = say(&b, e->address, "\x1b]0;title\x07 answer");

    e = next(&a, TANDEM_CHAT_RECEIVED);
    assert_string_equal(e->text, "\xef\xbf\xbd]0;title\xef\xbf\xbd answer");
    assert_string_equal(e->who, "b@127.0.0.1");
    assert_true(next(&b, TANDEM_CHAT_DELIVERED)->id == answer);
    /* Over TCP: more than a datagram takes. */
    char text[8001];

    memset(text, 'y', sizeof text - 1);
    text[8000] = '\0';
    say(&a, p.to, text);
    assert_true(next(&b, TANDEM_CHAT_RECEIVED)->cut);
    (void)next(&a, TANDEM_CHAT_DELIVERED);
    expect_history(&b, text, 1);
    expect_history(&a, "\"state\": \"delivered\"", 2);
    assert_int_equal(count(&a, TANDEM_CHAT_LINKED, NULL), 0);
    close_chats();
}

/* In words; and in the next call it comes after all. */
static void test_unreachable(void **state)
{
    struct tandem_cause cause = {""};
    char to[64];
    uint64_t id;

    (void)state;
    open_chats();
    uint16_t port = tandem_port(p.b.engine);

    (void)snprintf(to, sizeof to, "127.0.0.1:%u", port);
    tandem_destroy(p.b.engine);
    p.b.engine = NULL;
    id = say(&a, to, "are you there?");
    const struct tandem_chat_event *e = next(&a, TANDEM_CHAT_FAILED);

    assert_true(e->id == id && strlen(e->text) > 8);
    expect_history(&a, "\"state\": \"failed\"", 1);
    assert_int_not_equal(tandem_chat_say(a.chat, p.a.engine, "not an address:", "x", NULL, &cause),
                         TANDEM_OK);
    assert_true(cause.text[0]);
    assert_int_equal(tandem_chat_say(a.chat, p.a.engine, NULL, "x", NULL, &cause), TANDEM_INVALID);
    assert_int_equal(tandem_chat_say(a.chat, p.a.engine, to, "", NULL, &cause), TANDEM_INVALID);

    struct tandem_config again = {
        .chat = b.chat, .bind_address = "127.0.0.1", .sip_port = port, .listen = true, .user = "b"};

    assert_int_equal(tandem_create(&again, &p.b.engine, &cause), TANDEM_OK);
    call_with(&alone);
    expect_received(&b, "are you there?");
    assert_true(next(&a, TANDEM_CHAT_DELIVERED)->id == id);
    pair_hang_up(&p);
    close_chats();
}

/* Both ways lie in one history, which outlives the program. */
static void test_history_of_both_ways(void **state)
{
    char path_a[160], path_b[160];

    (void)state;
    pair_file("a.db", path_a, sizeof path_a);
    pair_file("b.db", path_b, sizeof path_b);
    for (int i = 0; i < 2; i++) {
        open_talker(&a, path_a);
        open_talker(&b, path_b);
        pair_open_with(&p, &(struct tandem_config){.chat = a.chat},
                       &(struct tandem_config){.chat = b.chat});
        (void)snprintf(p.to, sizeof p.to, "b@127.0.0.1:%u", tandem_port(p.b.engine));
        say(&a, p.to, i ? "sip again" : "sip one");
        (void)next(&a, TANDEM_CHAT_DELIVERED);
        call_with(&alone);
        linked();
        say(&a, NULL, i ? "channel again" : "channel one");
        (void)next(&a, TANDEM_CHAT_DELIVERED);
        say(&b, NULL, "back");
        (void)next(&b, TANDEM_CHAT_DELIVERED);
        pair_hang_up(&p);
        close_chats();
    }
    open_talker(&a, path_a);
    open_talker(&b, path_b);
    char *json = history(&a, "b@127.0.0.1", NULL);

    assert_int_equal(occurrences(json, "\"text\""), 6);
    assert_true(strstr(json, "sip one") < strstr(json, "channel one"));
    assert_true(strstr(json, "channel one") < strstr(json, "sip again"));
    tandem_free(json);
    json = history(&a, "127.0.0.1", "again"); /* A host: everybody there. */
    assert_int_equal(occurrences(json, "\"text\""), 2);
    tandem_free(json);
    json = history(&b, "somebody@else", NULL);
    assert_int_equal(occurrences(json, "\"text\""), 0);
    tandem_free(json);
    expect_history(&b, "\"state\": \"received\"", 4);
    tandem_chat_destroy(a.chat);
    tandem_chat_destroy(b.chat);
}

/* Without a chat an engine refuses messages, so that nothing counts as delivered that nobody reads;
 * a call without one refuses the stream, whereupon texts go by SIP. */
static void test_nobody_chats_there(void **state)
{
    struct tandem_media with_chat = alone;

    (void)state;
    open_talker(&a, NULL);
    open_talker(&b, NULL);
    pair_open_with(&p, &(struct tandem_config){.chat = a.chat}, NULL);
    say(&a, p.to, "anybody?");
    assert_string_equal(next(&a, TANDEM_CHAT_FAILED)->text, "the other side does not do that");
    with_chat.chat = a.chat;
    pair_call(&p, &with_chat, &alone);
    assert_true(next(&a, TANDEM_CHAT_LINKED)->on);
    assert_false(next(&a, TANDEM_CHAT_LINKED)->on);
    say(&a, p.to, "really nobody?");
    (void)next(&a, TANDEM_CHAT_FAILED);
    assert_int_equal(count(&b, TANDEM_CHAT_RECEIVED, NULL), 0);
    pair_hang_up(&p);
    close_chats();
}

static void part(void)
{
    pair_hang_up(&p);
    assert_false(next(&a, TANDEM_CHAT_LINKED)->on);
    assert_false(next(&b, TANDEM_CHAT_LINKED)->on);
}

/* B begins anew where it was, with the certificate of that file. */
static void b_again(const char *identity)
{
    struct tandem_cause cause = {""};
    struct tandem_config config = {.chat = b.chat,
                                   .bind_address = "127.0.0.1",
                                   .sip_port = tandem_port(p.b.engine),
                                   .listen = true,
                                   .user = "b",
                                   .identity_path = identity};

    tandem_destroy(p.b.engine);
    p.b.engine = NULL;
    if (tandem_create(&config, &p.b.engine, &cause) != TANDEM_OK)
        fail_msg("%s", cause.text);
    struct tandem_media of_a = alone, of_b = alone;

    of_a.chat = a.chat;
    of_b.chat = b.chat;
    assert_int_equal(tandem_dial(p.a.engine, p.to, &of_a, &p.a.call, NULL), TANDEM_OK);
    (void)side_wait(&p.b, TANDEM_EVENT_INCOMING);
    say(&a, p.to, "before it stands"); /* It waits for the channel, whoever that will be. */
    assert_int_equal(tandem_answer(p.b.call, &of_b, NULL), TANDEM_OK);
    linked();
}

/* Who calls himself as the contact, with another certificate, hears nothing before the program
 * trusts it, and what was said to somebody is for that one alone. */
static void test_an_impostor(void **state)
{
    char known[160], real[160], other[160];
    struct tandem_config of_a = {.known_path = pair_file("known", known, sizeof known)};
    struct tandem_config of_b = {.identity_path = pair_file("real", real, sizeof real)};

    (void)state;
    open_talker(&a, NULL);
    open_talker(&b, NULL);
    of_a.chat = a.chat;
    of_b.chat = b.chat;
    pair_open_with(&p, &of_a, &of_b);
    call_with(&alone);
    linked();
    say(&a, NULL, "to b");
    expect_received(&b, "to b");
    (void)next(&a, TANDEM_CHAT_DELIVERED);
    part();

    b_again(pair_file("other", other, sizeof other));
    say(&a, NULL, "to the stranger");
    say(&a, p.to, "to whom I call");
    (void)side_wait(&p.a, TANDEM_EVENT_STRANGER);
    say(&b, NULL, "it is me"); /* Once this is there, what was to come has come. */
    expect_received(&a, "it is me");
    pair_run(&p, 300);
    assert_int_equal(count(&b, TANDEM_CHAT_RECEIVED, NULL), 1);
    part();

    b_again(real); /* B gets what was said to it, and not what was said to the other one. */
    expect_received(&b, "before it stands");
    expect_received(&b, "before it stands");
    say(&a, NULL, "to b again");
    expect_received(&b, "to b again");
    assert_int_equal(count(&b, TANDEM_CHAT_RECEIVED, NULL), 4);
    part();

    b_again(other);
    (void)side_wait(&p.a, TANDEM_EVENT_STRANGER);
    say(&a, NULL, "a last time");
    assert_int_equal(count(&b, TANDEM_CHAT_RECEIVED, NULL), 4);
    assert_int_equal(tandem_trust(p.a.call, NULL), TANDEM_OK);
    for (int i = 0; i < 4; i++)
        (void)next(&b, TANDEM_CHAT_RECEIVED);
    assert_int_equal(count(&b, TANDEM_CHAT_RECEIVED, "to the stranger"), 1);
    assert_int_equal(count(&b, TANDEM_CHAT_RECEIVED, "a last time"), 1);
    part();
    close_chats();
}

/* More than anything holds: whoever says it is told to wait, and no event is lost. */
static void say_many(int many, const char *to)
{
    static int delivered, received;
    struct tandem_chat_event e;
    int64_t until = now_ms() + PAIR_PATIENCE_MS / 2;
    enum tandem_status status = TANDEM_OK;
    char text[32];

    delivered = received = 0;
    for (int said = 0; (said < many || delivered < many || received < many);) {
        if (now_ms() > until)
            fail_msg("%d said, %d delivered, %d received", said, delivered, received);
        for (status = TANDEM_OK; said < many && status == TANDEM_OK; said += status == TANDEM_OK) {
            (void)snprintf(text, sizeof text, "number %d", said);
            status = tandem_chat_say(a.chat, p.a.engine, to, text, NULL, NULL);
        }
        assert_true(status == TANDEM_OK || status == TANDEM_AGAIN);
        side_drain(&p.a);
        side_drain(&p.b);
        while (tandem_chat_next_event(a.chat, &e) == TANDEM_OK)
            delivered += e.kind == TANDEM_CHAT_DELIVERED;
        /* B looks only once A can say no more, or has said all. */
        while (tandem_chat_next_event(b.chat, &e) == TANDEM_OK)
            received += e.kind == TANDEM_CHAT_RECEIVED;
        (void)poll(NULL, 0, 20);
    }
    assert_int_equal(delivered, many);
    assert_int_equal(received, many);
}

static void test_many(void **state)
{
    (void)state;
    open_chats();
    call_with(&alone);
    linked();
    say_many(2000, NULL);
    pair_hang_up(&p);
    close_chats();
}

/* Nobody takes B's events: A is held up before B has to forget any. */
static void test_nobody_looks(void **state)
{
    enum tandem_status status = TANDEM_OK;
    struct tandem_chat_event e;
    uint32_t said = 0, received = 0;
    int64_t until = now_ms() + 2 * (int64_t)PAIR_PATIENCE_MS;

    (void)state;
    open_chats();
    call_with(&alone);
    linked();
    for (int i = 0; i < 700 && now_ms() < until; i += status == TANDEM_OK) {
        status = tandem_chat_say(a.chat, p.a.engine, NULL, "is anybody there?", NULL, NULL);
        said += status == TANDEM_OK;
        drain(&a);
        a.count = a.seen = 0;
        if (status != TANDEM_OK)
            (void)poll(NULL, 0, 10);
    }
    assert_int_equal(said, 700);
    while (received < said && now_ms() < until) {
        while (tandem_chat_next_event(b.chat, &e) == TANDEM_OK)
            received += e.kind == TANDEM_CHAT_RECEIVED;
        (void)poll(NULL, 0, 10);
    }
    assert_int_equal(received, said);
    pair_hang_up(&p);
    close_chats();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_a_call),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_before_the_channel_stands),
        cmocka_unit_test(test_channel_dropped_and_added),
        cmocka_unit_test(test_connection_killed),
        cmocka_unit_test(test_by_sip),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test_teardown(test_history_of_both_ways, pair_files_remove),
        cmocka_unit_test(test_nobody_chats_there),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_nobody_looks),
        cmocka_unit_test_teardown(test_an_impostor, pair_files_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
