/* SPDX-License-Identifier: MIT */
#include "tests/unit/control_model.h"

#include "collab/clipboard.h"
#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct control_model m;
static struct tdm_control_host_out out;
static char story[4096]; /* What was injected: "+38 -38 " and so on. */

static void tell_story(void)
{
    for (uint32_t i = 0; i < out.count; i++) {
        const struct tdm_control_action *a = &out.actions[i];
        size_t used = strlen(story);
        char *at = story + used;
        size_t left = sizeof story - used;

        model_take(&m, a);
        if (a->act == TDM_ACT_KEY)
            (void)snprintf(at, left, "%c%d ", a->down ? '+' : '-', a->code);
        else if (a->act == TDM_ACT_BUTTON)
            (void)snprintf(at, left, "%cb%d ", a->down ? '+' : '-', a->code);
        else if (a->act == TDM_ACT_MOVE)
            (void)snprintf(at, left, "@%d,%d ", a->x, a->y);
        else if (a->act == TDM_ACT_MAP)
            (void)snprintf(at, left, "%d=%x ", a->code, a->keysym);
        else
            (void)snprintf(at, left, "?%d ", a->act);
    }
}

static void step(const struct tdm_control_host_in *in)
{
    tdm_control_host_step(&m.host, m.now, in, &out);
    tell_story();
}

static void pass(tdm_time time)
{
    m.now += time;
    step(NULL);
}

static void record(struct tdm_control_record rec)
{
    rec.seq = m.host.consent.seq;
    step(&(struct tdm_control_host_in){.kind = TDM_HOST_RECORD, .record = &rec});
}

static void key(uint16_t usage, enum tdm_press press, uint32_t keysym, uint16_t mods,
                const char *text)
{
    record((struct tdm_control_record){.kind = TDM_CONTROL_KEY,
                                       .usage = usage,
                                       .press = press,
                                       .keysym = keysym,
                                       .mods = mods,
                                       .data = (const uint8_t *)text,
                                       .size = (uint32_t)strlen(text)});
}

static void text(const char *words)
{
    record((struct tdm_control_record){
        .kind = TDM_CONTROL_TEXT, .data = (const uint8_t *)words, .size = (uint32_t)strlen(words)});
}

static void expect(const char *words)
{
    assert_string_equal(story, words);
    story[0] = '\0';
}

static void start(uint16_t scopes, const char *layout)
{
    model_init(&m);
    model_consent(&m, &(struct tdm_consent_in){.kind = TDM_CONSENT_IN_OFFER,
                                               .scopes = scopes & TDM_SCOPES_SEEN});
    model_step(&m, &(struct tdm_control_host_in){
                       .kind = TDM_HOST_RECORD,
                       .record = &(struct tdm_control_record){.kind = TDM_CONTROL_HELLO,
                                                              .data = (const uint8_t *)layout,
                                                              .size = (uint32_t)strlen(layout)}});
    if (scopes & TDM_SCOPES_CONTROL) {
        struct tdm_control_record ask = {.kind = TDM_CONTROL_ASK, .scopes = scopes};

        model_step(&m, &(struct tdm_control_host_in){.kind = TDM_HOST_RECORD, .record = &ask});
        model_consent(&m, &(struct tdm_consent_in){.kind = TDM_CONSENT_IN_ALLOW, .scopes = scopes});
    }
    story[0] = '\0';
}

/* One record of each kind that a helper could send, made so that it would have an effect. */
static struct tdm_control_record sample(uint8_t kind)
{
    static const uint8_t a[] = "a";
    struct tdm_control_record rec = {.kind = (enum tdm_control_kind)kind,
                                     .seq = m.host.consent.seq,
                                     .surface = 1,
                                     .button = 1,
                                     .usage = 4,
                                     .keysym = 'a',
                                     .press = TDM_PRESS_DOWN,
                                     .dx = 240,
                                     .dy = 240,
                                     .serial = 1,
                                     .format_count = 1,
                                     .data = a,
                                     .size = 1};

    if (kind == TDM_CONTROL_FOCUS || kind == TDM_CONTROL_GRANT)
        rec.scopes = TDM_SCOPES_ALL;
    return rec;
}

static bool is_effect(const struct tdm_control_action *a)
{
    return a->act != TDM_ACT_GHOST_GONE && !(a->act == TDM_ACT_KEY && !a->down) &&
           !(a->act == TDM_ACT_BUTTON && !a->down) && !(a->act == TDM_ACT_MAP && !a->keysym);
}

/* Whether the record had any effect through either core. */
static bool has_effect(const struct tdm_control_record *rec)
{
    struct tdm_clipboard_rights rights = {.scopes = tdm_consent_scopes(&m.host.consent, m.now),
                                          .seq = m.host.consent.seq};
    struct tdm_clipboard clip;
    struct tdm_clipboard_out clip_out;
    bool effect = false;

    tdm_clipboard_init(&clip, &(struct tdm_clipboard_config){.host = true, .origin = 5}, m.now);
    clip.serial = clip.their_serial = clip.wish_serial = 1; /* Whatever could be under way, is. */
    clip.ours_count = clip.theirs_count = 1;
    clip.ours[0].format = clip.wish_format = rec->format;
    clip.wished = true;
    clip.wish_until = TDM_NEVER;
    tdm_control_host_step(&m.host, m.now,
                          &(struct tdm_control_host_in){.kind = TDM_HOST_RECORD, .record = rec},
                          &out);
    for (uint32_t i = 0; i < out.count; i++)
        effect |= is_effect(&out.actions[i]);
    tell_story();
    story[0] = '\0';
    if (rec->kind >= TDM_CONTROL_CLIP_OFFER && rec->kind != TDM_CONTROL_CLIP_NONE) {
        tdm_clipboard_step(&clip, m.now, &rights,
                           &(struct tdm_clipboard_in){.kind = TDM_CLIPBOARD_RECORD, .record = rec},
                           &clip_out);
        effect |= (clip_out.desk == TDM_CLIPBOARD_DESK_OFFER && clip_out.format_count) ||
                  clip_out.desk == TDM_CLIPBOARD_DESK_FETCH ||
                  clip_out.desk == TDM_CLIPBOARD_DESK_PIECE;
    }
    return effect;
}

/* Every set of scopes, every kind of record, each format, under this grant and an older one. */
static void test_every_scope_and_every_record(void **state)
{
    uint32_t passed = 0, refused = 0;

    (void)state;
    for (unsigned set = 0; set <= TDM_SCOPES_ALL; set++) {
        uint16_t scopes = (uint16_t)set;

        if (scopes && !(scopes & TDM_SCOPE_VIEW))
            continue; /* There is no such grant. */
        for (unsigned kind = 0; kind <= 64; kind++)
            for (unsigned format = 0; format < (kind >= TDM_CONTROL_CLIP_OFFER ? 4u : 1u); format++)
                for (int stale = 0; stale < 2; stale++) {
                    if (scopes)
                        start(scopes, "us");
                    else
                        model_init(&m);
                    struct tdm_control_record rec = sample((uint8_t)kind);

                    rec.format = rec.formats[0].format = (uint8_t)format;
                    rec.seq -= (uint32_t)stale;
                    uint16_t need = tdm_control_scope(&rec);
                    bool offered_file = kind == TDM_CONTROL_CLIP_OFFER && format == TDM_CLIP_FILES;

                    if (offered_file)
                        need |= TDM_SCOPE_FILES;
                    bool may = need && (scopes & need) == need && !stale;

                    if (kind == TDM_CONTROL_CLIP_NONE)
                        may = false;
                    assert_int_equal(has_effect(&rec), may);
                    passed += may;
                    refused += !may;
                    uint16_t holds = tdm_consent_scopes(&m.host.consent, m.now);

                    /* No record of a helper widens what holds. */
                    assert_int_equal(holds & (uint16_t)~scopes, 0);
                }
    }
    assert_true(passed > 500 && refused > 5000);
}

static void test_scopes_that_ended(void **state)
{
    static const enum tdm_consent_input ends[] = {TDM_CONSENT_IN_TAKE_BACK, TDM_CONSENT_IN_END,
                                                  TDM_CONSENT_IN_DOWN};

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        for (unsigned kind = TDM_CONTROL_KEY; kind <= TDM_CONTROL_TOUCH; kind++)
            for (int stale = 0; stale < 2; stale++) {
                start(TDM_SCOPES_ALL, "us");
                struct tdm_control_record rec = sample((uint8_t)kind);

                model_consent(&m, &(struct tdm_consent_in){.kind = ends[i]});
                if (!stale)
                    rec.seq = m.host.consent.seq;
                assert_false(has_effect(&rec));
            }
    start(TDM_SCOPES_ALL, "us");
    m.now = m.host.consent.until; /* Nobody stepped yet. */
    struct tdm_control_record rec = sample(TDM_CONTROL_KEY);

    m.until = m.now;
    assert_false(has_effect(&rec));
}

static void test_keys_by_place_and_by_symbol(void **state)
{
    (void)state;
    start(TDM_SCOPES_ALL, "us");
    key(0x1d, TDM_PRESS_DOWN, 'y', 0, "y"); /* Whatever they call it: it is there. */
    key(0x1d, TDM_PRESS_UP, 'y', 0, "");
    expect("+52 -52 ");
    key(0x68, TDM_PRESS_DOWN, 0xdf, 0, "\xc3\x9f"); /* Their spare key: a place without a symbol. */
    key(0x68, TDM_PRESS_UP, 0xdf, 0, "");
    key(0, TDM_PRESS_DOWN, 0xe1, TDM_MOD_SHIFT, "\xc3\xa1"); /* On a key that has no name. */
    key(0, TDM_PRESS_UP, 0xe1, TDM_MOD_SHIFT, "");
    expect("240=df +240 -240 +50 241=e1 +241 -241 ");
    start(TDM_SCOPES_ALL, "de");
    key(0x1d, TDM_PRESS_DOWN, 'y', 0, "y");
    key(0x1d, TDM_PRESS_REPEAT, 'y', 0, "y");
    key(0x1d, TDM_PRESS_UP, 'y', 0, "");
    expect("+29 -29 ");
    key(0x10, TDM_PRESS_DOWN, 'M', 0, "M"); /* A capital without shift: for a moment. */
    key(0x10, TDM_PRESS_UP, 'M', 0, "");
    expect("+50 +58 -58 -50 ");
    key(0xe1, TDM_PRESS_DOWN, 0xffe1, TDM_MOD_SHIFT, "");
    key(0x10, TDM_PRESS_DOWN, 'm', TDM_MOD_SHIFT, "m");
    key(0xe1, TDM_PRESS_UP, 0xffe1, 0, "");
    expect("+50 -50 +58 -58 +50 -50 ");
    key(0x24, TDM_PRESS_DOWN, '@', 0, "@");
    expect("+108 +24 -24 -108 ");
    key(0x14, TDM_PRESS_DOWN, 0xf6, 0, "\xc3\xb6"); /* On no key: on a spare one. */
    key(0x14, TDM_PRESS_DOWN, 0xf6, 0, "\xc3\xb6");
    expect("240=f6 +240 -240 +240 -240 ");
    key(0x06, TDM_PRESS_DOWN, 0x6d3, TDM_MOD_CTRL, ""); /* Control and a letter of elsewhere. */
    expect("+37 +54 ");
    step(&(struct tdm_control_host_in){.kind = TDM_HOST_LOCKS, .mods = TDM_MOD_CAPS});
    key(0x06, TDM_PRESS_UP, 0x6d3, 0, "");
    story[0] = '\0';
    key(0x04, TDM_PRESS_DOWN, 'a', 0, "a"); /* Their caps lock is on, ours is not. */
    expect("+50 +38 -38 -50 ");
}

static void test_locks_agree(void **state)
{
    (void)state;
    start(TDM_SCOPES_ALL, "us");
    key(0x04, TDM_PRESS_DOWN, 'A', TDM_MOD_CAPS, "A");
    expect("+66 -66 +38 ");
    key(0x04, TDM_PRESS_UP, 'A', TDM_MOD_CAPS, "");
    key(0x39, TDM_PRESS_DOWN, 0xffe5, 0, "");
    key(0x39, TDM_PRESS_UP, 0xffe5, 0, "");
    key(0x04, TDM_PRESS_DOWN, 'a', 0, "a");
    expect("-38 +66 -66 +38 ");
    step(&(struct tdm_control_host_in){.kind = TDM_HOST_LOCKS, .mods = TDM_MOD_NUM});
    assert_int_equal(out.tell_count, 1);
    assert_int_equal(out.tell[0].kind, TDM_CONTROL_LOCKS);
    assert_int_equal(out.tell[0].mods, TDM_MOD_NUM);
}

static void test_modifiers_agree(void **state)
{
    (void)state;
    start(TDM_SCOPES_ALL, "us");
    key(0xe0, TDM_PRESS_DOWN, 0xffe3, TDM_MOD_CTRL, "");
    expect("+37 ");
    key(0x04, TDM_PRESS_DOWN, 'a', TDM_MOD_SHIFT, "A"); /* Two events were lost. */
    expect("-37 +50 +38 ");
    record((struct tdm_control_record){.kind = TDM_CONTROL_BEAT, .stamp = 9});
    expect("-50 ");
    assert_int_equal(out.tell[0].kind, TDM_CONTROL_ECHO);
    assert_int_equal(out.tell[0].stamp, 9);
    record((struct tdm_control_record){.kind = TDM_CONTROL_FOCUS});
    expect("-38 ");
    key(0xe0, TDM_PRESS_DOWN, 0xffe3, TDM_MOD_CTRL, "");
    text("a"); /* Text is no command. */
    expect("+37 -37 +38 -38 ");
}

static void test_silence(void **state)
{
    (void)state;
    start(TDM_SCOPES_ALL, "us");
    key(0xe0, TDM_PRESS_DOWN, 0xffe3, TDM_MOD_CTRL, "");
    key(0x04, TDM_PRESS_DOWN, 'a', TDM_MOD_CTRL, "");
    record((struct tdm_control_record){.kind = TDM_CONTROL_BUTTON,
                                       .surface = 1,
                                       .button = 1,
                                       .press = TDM_PRESS_DOWN,
                                       .mods = TDM_MOD_CTRL});
    expect("+37 +38 @-100,0 +b1 ");
    assert_int_equal(out.wake_at, m.now + TDM_CONTROL_SILENCE_KEY);
    pass(TDM_CONTROL_SILENCE_KEY);
    expect("-38 "); /* It would repeat. */
    assert_int_equal(out.wake_at, m.host.heard + TDM_CONTROL_SILENCE);
    pass(TDM_CONTROL_SILENCE - TDM_CONTROL_SILENCE_KEY);
    expect("-37 -b1 ");
}

static void test_the_person_wins(void **state)
{
    (void)state;
    start(TDM_SCOPES_ALL, "us");
    key(0x04, TDM_PRESS_DOWN, 'a', 0, "a");
    step(&(struct tdm_control_host_in){.kind = TDM_HOST_LOCAL});
    expect("+38 -38 ");
    assert_int_equal(out.tell[0].kind, TDM_CONTROL_YIELD);
    step(&(struct tdm_control_host_in){.kind = TDM_HOST_LOCAL});
    assert_int_equal(out.tell_count, 0); /* Not for each motion. */
    key(0x05, TDM_PRESS_DOWN, 'b', 0, "b");
    record((struct tdm_control_record){.kind = TDM_CONTROL_MOVE, .surface = 1});
    expect("");
    assert_int_equal(m.host.dropped[TDM_DROP_YIELD], 2);
    m.now += TDM_CONTROL_YIELD_TIME;
    key(0x05, TDM_PRESS_DOWN, 'b', 0, "b");
    expect("+56 ");
}

static void test_the_revoke_key_and_orders(void **state)
{
    static const uint16_t mods[] = {0, TDM_MOD_CTRL, TDM_MOD_CTRL | TDM_MOD_ALT, TDM_MOD_SHIFT};

    (void)state;
    for (int same = 0; same < 2; same++) {
        start(TDM_SCOPES_ALL, same ? "us" : "de");
        for (int i = 0; i < 4; i++) {
            key(0x48, TDM_PRESS_DOWN, 0xff13, mods[i], "");   /* In its place, */
            key(0x04, TDM_PRESS_DOWN, 0xff13, mods[i], "");   /* by its symbol, */
            key(0x8077, TDM_PRESS_DOWN, 0xff13, mods[i], ""); /* by its other number. */
            key(0x04, TDM_PRESS_UP, 0xff13, 0, "");
        }
        assert_null(strstr(story, "127"));
        assert_true(m.host.dropped[TDM_DROP_REVOKE] >= 8);
        story[0] = '\0';
        key(0x3a, TDM_PRESS_DOWN, 0xffbe, 0, "");
        key(0x3a, TDM_PRESS_UP, 0xffbe, 0, "");
        expect("+67 -67 ");
        key(0x3a, TDM_PRESS_DOWN, 0xffbe, TDM_MOD_CTRL | TDM_MOD_ALT, ""); /* A terminal. */
        assert_null(strstr(story, "67"));
        assert_int_equal(m.host.dropped[TDM_DROP_ORDER], 1);
    }
    key(0x04, TDM_PRESS_DOWN, 0x1008fe20, 0, ""); /* Not on a spare key either. */
    key(0x04, TDM_PRESS_DOWN, 0xfee9, 0, "");
    key(0x04, TDM_PRESS_DOWN, 0xffe3, 0, "");
    assert_null(strstr(story, "="));
}

static void test_text_and_spare_keys(void **state)
{
    (void)state;
    start(TDM_SCOPES_ALL, "de");
    text("aA\xce\xb1\xce\xb2\xce\xb3\xce\xb4");
    expect("+38 -38 +50 +38 -38 -50 240=10003b1 +240 -240 241=10003b2 +241 -241 "
           "242=10003b3 +242 -242 243=10003b4 +243 -243 ");
    assert_false(out.busy);
    pass(100 * TDM_MS);
    text("\xce\xb1\xce\xb5z"); /* The first is there still; the second takes the oldest, later. */
    expect("+240 -240 ");
    assert_true(out.busy);
    assert_int_equal(out.wake_at, m.now + 400 * TDM_MS);
    pass(400 * TDM_MS);
    expect("241=10003b5 +241 -241 +52 -52 ");
    assert_false(out.busy);
    pass(TDM_S + 500 * TDM_MS);
    expect("242=0 243=0 ");
    pass(100 * TDM_MS);
    expect("240=0 ");
    pass(400 * TDM_MS);
    expect("241=0 ");
    assert_int_equal(m.host.dropped[TDM_DROP_NO_WAY], 0);
    text("\x01"); /* No key types that. */
    expect("");
    assert_int_equal(m.host.dropped[TDM_DROP_NO_WAY], 1);
}

static void test_the_pointer(void **state)
{
    (void)state;
    start(TDM_SCOPES_ALL, "us");
    record((struct tdm_control_record){
        .kind = TDM_CONTROL_MOVE, .surface = 1, .x = 65535, .y = 65535});
    expect("@539,479 ");
    record((struct tdm_control_record){.kind = TDM_CONTROL_MOVE, .surface = 2});
    expect("");
    record((struct tdm_control_record){
        .kind = TDM_CONTROL_BUTTON, .surface = 1, .button = 4, .press = TDM_PRESS_DOWN});
    record((struct tdm_control_record){
        .kind = TDM_CONTROL_BUTTON, .surface = 1, .button = 4, .x = 65535});
    expect("@-100,0 +b8 @539,0 -b8 ");
    record((struct tdm_control_record){.kind = TDM_CONTROL_WHEEL, .dy = 90, .dx = 120});
    expect("+b7 -b7 ");
    record((struct tdm_control_record){.kind = TDM_CONTROL_WHEEL, .dy = 30});
    expect("+b5 -b5 ");
    record((struct tdm_control_record){.kind = TDM_CONTROL_WHEEL, .dy = 110});
    record((struct tdm_control_record){.kind = TDM_CONTROL_WHEEL, .dy = -20}); /* It turns back. */
    record((struct tdm_control_record){.kind = TDM_CONTROL_WHEEL, .dy = -100});
    expect("+b4 -b4 ");
    record((struct tdm_control_record){.kind = TDM_CONTROL_TOUCH, .surface = 1, .touch = 3});
    record((struct tdm_control_record){.kind = TDM_CONTROL_TOUCH, .surface = 1, .touch = 4});
    record((struct tdm_control_record){
        .kind = TDM_CONTROL_TOUCH, .surface = 1, .touch = 3, .phase = TDM_TOUCH_END});
    expect("@-100,0 +b1 @-100,0 -b1 ");
}

static void test_the_ghost_hand(void **state)
{
    (void)state;
    start(TDM_SCOPES_SEEN, "us");
    record((struct tdm_control_record){.kind = TDM_CONTROL_POINT, .surface = 1, .button = 1});
    assert_int_equal(out.count, 1);
    assert_int_equal(out.actions[0].act, TDM_ACT_GHOST);
    assert_int_equal(out.actions[0].code, 1);
    record((struct tdm_control_record){
        .kind = TDM_CONTROL_BUTTON, .surface = 1, .button = 1, .press = TDM_PRESS_DOWN});
    assert_int_equal(out.count, 0);
    step(&(struct tdm_control_host_in){.kind = TDM_HOST_CONSENT,
                                       .consent = {.kind = TDM_CONSENT_IN_END}});
    assert_int_equal(out.count, 1);
    assert_int_equal(out.actions[0].act, TDM_ACT_GHOST_GONE);
    assert_int_equal(out.tell[0].kind, TDM_CONTROL_GRANT);
    assert_int_equal(out.tell[0].state, TDM_CONSENT_REVOKED);
}

static void test_a_flood(void **state)
{
    uint32_t moves = 0;

    (void)state;
    start(TDM_SCOPES_ALL, "us");
    key(0x04, TDM_PRESS_DOWN, 'a', 0, "a");
    for (int i = 0; i < 10000; i++) {
        record((struct tdm_control_record){.kind = TDM_CONTROL_MOVE, .surface = 1});
        moves += out.count;
        story[0] = '\0';
    }
    assert_true(moves > 100 && moves < 1000);
    key(0x04, TDM_PRESS_UP, 'a', 0, ""); /* Letting go is always heard. */
    expect("-38 ");
    m.now += TDM_S;
    record((struct tdm_control_record){.kind = TDM_CONTROL_MOVE, .surface = 1});
    expect("@-100,0 ");
}

static void test_any_order_leaves_nothing_down(void **state)
{
    struct tdm_rng rng = tdm_rng_of(1);
    uint64_t injected = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        uint8_t bytes[2048];

        rng = tdm_rng_of(seed);
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)tdm_rng_u32(&rng);
        /* Whole records of input, mostly, in a grant. */
        for (size_t i = 0; i + 24 < sizeof bytes; i += 24) {
            bytes[i] = i % 480 ? bytes[i] : 0;
            if (bytes[i] >= 160)
                continue;
            bytes[i + 1] = 18;
            bytes[i + 2] = (uint8_t)(16 + bytes[i + 2] % 10);
            bytes[i + 3] |= 0x80;
            if (bytes[i + 2] == TDM_CONTROL_KEY) {
                bytes[i + 7] = 0;
                bytes[i + 9] %= 3;
                bytes[i + 10] = bytes[i + 11] = bytes[i + 12] = 0;
                bytes[i + 16] = 3;
                bytes[i + 17] = bytes[i + 18] = bytes[i + 19] = 'q';
            }
        }
        model_init(&m);
        model_consent(&m, &(struct tdm_consent_in){.kind = TDM_CONSENT_IN_OFFER});
        struct tdm_control_record ask = {.kind = TDM_CONTROL_ASK, .scopes = TDM_SCOPES_ALL};

        model_step(&m, &(struct tdm_control_host_in){.kind = TDM_HOST_RECORD, .record = &ask});
        model_consent(&m, &(struct tdm_consent_in){.kind = TDM_CONSENT_IN_ALLOW, .seconds = 3600});
        model_run(&m, bytes, sizeof bytes);
        injected += m.injected;
    }
    assert_true(injected > 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_scope_and_every_record),
        cmocka_unit_test(test_scopes_that_ended),
        cmocka_unit_test(test_keys_by_place_and_by_symbol),
        cmocka_unit_test(test_locks_agree),
        cmocka_unit_test(test_modifiers_agree),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_the_person_wins),
        cmocka_unit_test(test_the_revoke_key_and_orders),
        cmocka_unit_test(test_text_and_spare_keys),
        cmocka_unit_test(test_the_pointer),
        cmocka_unit_test(test_the_ghost_hand),
        cmocka_unit_test(test_a_flood),
        cmocka_unit_test(test_any_order_leaves_nothing_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
