/* SPDX-License-Identifier: MIT */
/*
 * One channel core against bytes written by hand: what it makes of every kind of peer. Two cores
 * against each other are in tests/sim/channel_test.c.
 */

#include "engine/base/rng.h"
#include "engine/core/channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define START (1000 * TDM_S)

/* A core, what it wrote, and its events as numbers. */
struct bench {
    void *storage;
    struct tdm_channel *core;
    struct tdm_channel_out out;
    tdm_time now;
    const char *why;
    uint64_t events; /* A hash over all of them. */
    uint32_t event_count, records, resets, opened;
    uint64_t record_bytes;
    uint32_t last_stream;
    size_t written, counted;  /* All, and all but ACKs. */
    uint8_t write_types[256]; /* How many of each record type it wrote, up to 255. */
    uint8_t source[TDM_CHANNEL_BODY_MAX];
    /* Of each pull: */
    bool answer_all; /* with all it asks for, and more to come. */
    uint32_t pulled_stream, pulled_bytes;
};

static void note(struct bench *b, uint64_t value)
{
    b->events = (b->events ^ value) * 0x100000001b3u;
}

static void take_event(struct bench *b)
{
    const struct tdm_channel_out *out = &b->out;

    if (out->write_size) {
        b->written += out->write_size;
        if (b->write_types[out->write[0]] < 255)
            b->write_types[out->write[0]]++;
        if (out->write[0] != TDM_RECORD_ACK)
            b->counted += out->write_size;
    }
    if (!out->event || out->event == TDM_CHANNEL_EV_PULL)
        return;
    b->event_count++;
    b->last_stream = out->stream;
    b->resets += out->event == TDM_CHANNEL_EV_RESET;
    b->opened += out->event == TDM_CHANNEL_EV_OPENED;
    if (out->event == TDM_CHANNEL_EV_FAILED)
        b->why = out->why;
    if (out->event == TDM_CHANNEL_EV_RECORD) {
        b->records++;
        b->record_bytes += out->size;
    }
    note(b, (uint64_t)out->event);
    note(b, out->stream);
    note(b, out->size);
    note(b, out->offset);
    note(b, out->fin);
    for (size_t i = 0; i < out->size; i++)
        note(b, out->data[i]);
}

static void step(struct bench *b, const struct tdm_channel_in *in)
{
    tdm_channel_step(b->core, b->now, in, &b->out);
    take_event(b);
    if (b->out.event != TDM_CHANNEL_EV_PULL)
        return;
    struct tdm_channel_in data = {.kind = TDM_CHANNEL_DATA,
                                  .stream = b->out.stream,
                                  .data = b->source,
                                  .size = b->answer_all ? b->out.max_bytes : 0,
                                  .more = true};

    b->pulled_stream = b->out.stream;
    b->pulled_bytes = (uint32_t)data.size;
    tdm_channel_step(b->core, b->now, &data, &b->out);
    take_event(b);
}

static void settle(struct bench *b)
{
    for (int i = 0; b->out.wake_at <= b->now; i++) {
        assert_true(i < 10000);
        step(b, NULL);
    }
}

static void give(struct bench *b, const struct tdm_channel_in *in)
{
    step(b, in);
    settle(b);
}

static void feed(struct bench *b, const uint8_t *data, size_t size)
{
    for (int i = 0; size; i++) {
        struct tdm_channel_in in = {.kind = TDM_CHANNEL_BYTES, .data = data, .size = size};

        assert_true(i < 100000);
        step(b, &in);
        size_t consumed = b->out.consumed;

        assert_true(consumed <= size);
        assert_true(consumed > 0 || b->out.event != TDM_CHANNEL_EV_NONE);
        data += consumed;
        size -= consumed;
    }
    settle(b);
}

static void bench_open(struct bench *b, uint32_t window_bytes, bool connect)
{
    struct tdm_channel_config config = {.seed = 1, .stream_window_bytes = window_bytes};

    *b = (struct bench){.now = START, .events = 14695981039346656037u};
    memset(config.token, 'a', sizeof config.token);
    b->storage = malloc(tdm_channel_bytes());
    assert_non_null(b->storage);
    b->core = tdm_channel_init(b->storage, &config, b->now);
    if (!connect)
        return;
    give(b, &(struct tdm_channel_in){.kind = TDM_CHANNEL_CONNECTED});
    give(b, &(struct tdm_channel_in){.kind = TDM_CHANNEL_WRITABLE, .room_bytes = 1u << 30});
}

static void bench_close(struct bench *b)
{
    free(b->storage);
}

/* Records as a peer writes them. */
struct script {
    uint8_t bytes[65536];
    struct tdm_writer w;
};

static void record(struct script *s, uint8_t type, uint8_t flags, uint32_t stream, const void *body,
                   size_t size)
{
    tdm_record_head_write(
        &s->w, &(struct tdm_record_head){
                   .type = type, .flags = flags, .stream = stream, .body_size = (uint32_t)size});
    tdm_write_bytes(&s->w, body, size);
    assert_true(s->w.ok);
}

static void preface_of(struct script *s, uint8_t version_min, uint8_t version_max, char token)
{
    uint8_t body[128];
    struct tdm_writer w = tdm_writer_of(body, sizeof body);
    struct tdm_preface p = {
        .version_min = version_min, .version_max = version_max, .stream_window_bytes = 100000};

    memset(p.token, token, sizeof p.token);
    tdm_preface_write(&w, &p);
    record(s, TDM_RECORD_PREFACE, TDM_RECORD_MUST_UNDERSTAND, 0, body, tdm_writer_size(&w));
}

static void script_start(struct script *s)
{
    s->w = tdm_writer_of(s->bytes, sizeof s->bytes);
    preface_of(s, 1, 1, 'b');
}

static void open_record(struct script *s, uint32_t stream, uint8_t cls)
{
    uint8_t body[16];
    struct tdm_writer w = tdm_writer_of(body, sizeof body);

    tdm_open_write(&w, &(struct tdm_open){.kind = TDM_KIND_FILE_DATA, .cls = cls});
    record(s, TDM_RECORD_OPEN, 0, stream, body, tdm_writer_size(&w));
}

static void credit_record(struct script *s, uint32_t stream, uint64_t received, uint64_t limit,
                          uint8_t flags)
{
    uint8_t body[16];
    struct tdm_writer w = tdm_writer_of(body, sizeof body);

    tdm_credit_write(&w, &(struct tdm_credit){.received = received, .limit = limit});
    record(s, TDM_RECORD_CREDIT, flags, stream, body, tdm_writer_size(&w));
}

static void ack_record(struct script *s, uint64_t consumed, uint64_t arrived_us)
{
    uint8_t body[24];
    struct tdm_writer w = tdm_writer_of(body, sizeof body);

    tdm_ack_write(&w, &(struct tdm_ack){.consumed = consumed, .arrived_us = arrived_us});
    record(s, TDM_RECORD_ACK, 0, 0, body, tdm_writer_size(&w));
}

static void feed_script(struct bench *b, const struct script *s)
{
    feed(b, s->bytes, tdm_writer_size(&s->w));
}

/* Streams 1, 3, 5 ... are the peer's in what follows: the core answers the connection. */

static const uint8_t zeros[TDM_CHANNEL_BODY_MAX];

static void hostile_junk(struct script *s)
{
    s->w = tdm_writer_of(s->bytes, sizeof s->bytes);
    tdm_write_bytes(&s->w, "GET / HTTP/1.1\r\n", 16);
}

static void hostile_magic(struct script *s)
{
    s->w = tdm_writer_of(s->bytes, sizeof s->bytes);
    record(s, TDM_RECORD_PREFACE, 0, 0, zeros, 60);
}

static void hostile_version(struct script *s)
{
    s->w = tdm_writer_of(s->bytes, sizeof s->bytes);
    preface_of(s, 2, 5, 'b');
}

static void hostile_second_preface(struct script *s)
{
    preface_of(s, 1, 1, 'b');
}

static void hostile_resume_unasked(struct script *s)
{
    record(s, TDM_RECORD_RESUME, 0, 0, zeros, 2);
}

static void hostile_must_understand(struct script *s)
{
    record(s, 0x70, TDM_RECORD_MUST_UNDERSTAND, 0, zeros, 10);
}

static void hostile_unknown_stream(struct script *s)
{
    record(s, TDM_RECORD_DATA, 0, 9, zeros, 10);
}

static void hostile_our_stream(struct script *s)
{
    record(s, TDM_RECORD_DATA, 0, 2, zeros, 10);
}

static void hostile_credit_unknown(struct script *s)
{
    credit_record(s, 2, 0, 1000, 0);
}

static void hostile_open_ours(struct script *s)
{
    open_record(s, 2, TDM_CLASS_BULK);
}

static void hostile_open_twice(struct script *s)
{
    open_record(s, 1, TDM_CLASS_BULK);
    open_record(s, 1, TDM_CLASS_BULK);
}

static void hostile_open_control(struct script *s)
{
    open_record(s, 1, TDM_CLASS_CONTROL);
}

static void hostile_open_class(struct script *s)
{
    open_record(s, 1, TDM_CLASS_COUNT);
}

static void hostile_overrun(struct script *s)
{
    open_record(s, 1, TDM_CLASS_BULK);
    for (int i = 0; i < 3; i++)
        record(s, TDM_RECORD_DATA, 0, 1, zeros, 16000);
}

static void hostile_ephemeral(struct script *s)
{
    open_record(s, 1, TDM_CLASS_BULK);
    record(s, TDM_RECORD_DATA, TDM_RECORD_EPHEMERAL, 1, zeros, 10);
}

static void hostile_after_fin(struct script *s)
{
    open_record(s, 1, TDM_CLASS_BULK);
    record(s, TDM_RECORD_DATA, TDM_RECORD_FIN, 1, zeros, 10);
    record(s, TDM_RECORD_DATA, 0, 1, zeros, 10);
}

static void hostile_control_fin(struct script *s)
{
    record(s, TDM_RECORD_DATA, TDM_RECORD_FIN, 0, zeros, 10);
}

static void hostile_control_reset(struct script *s)
{
    record(s, TDM_RECORD_DATA, TDM_RECORD_RST, 0, NULL, 0);
}

static void hostile_ack(struct script *s)
{
    ack_record(s, 1u << 20, 5);
}

static void hostile_credit_received(struct script *s)
{
    open_record(s, 1, TDM_CLASS_BULK);
    credit_record(s, 1, 1, 1000, 0);
}

static void hostile_credit_fin(struct script *s)
{
    open_record(s, 1, TDM_CLASS_BULK);
    credit_record(s, 1, 0, 1000, TDM_RECORD_FIN);
}

static void hostile_body(struct script *s)
{
    record(s, TDM_RECORD_ACK, 0, 0, zeros, 1);
}

static void hostile_oversized(struct script *s)
{
    tdm_write_bytes(&s->w, (const uint8_t[]){4, 0, 1, 0x80, 0x00, 0x40, 0x01}, 7);
}

/* Each fails with words, whole and byte by byte, and nothing is written or told after it. */
static void test_hostile_peers(void **state)
{
    static const struct {
        void (*write)(struct script *);
        bool greets;
        const char *words;
    } rows[] = {
        {hostile_junk, false, "does not speak the data channel"},
        {hostile_magic, false, "does not speak the data channel"},
        {hostile_version, false, "no version"},
        {hostile_second_preface, true, "does not speak"},
        {hostile_resume_unasked, true, "otherwise than it was"},
        {hostile_must_understand, true, "update this program"},
        {hostile_unknown_stream, true, "never opened"},
        {hostile_our_stream, true, "never opened"},
        {hostile_credit_unknown, true, "never opened"},
        {hostile_open_ours, true, "not its own"},
        {hostile_open_twice, true, "not its own"},
        {hostile_open_control, true, "class that does not exist"},
        {hostile_open_class, true, "class that does not exist"},
        {hostile_overrun, true, "more of a stream than it was allowed"},
        {hostile_ephemeral, true, "passing"},
        {hostile_after_fin, true, "after its end"},
        {hostile_control_fin, true, "control stream"},
        {hostile_control_reset, true, "control stream"},
        {hostile_ack, true, "never sent"},
        {hostile_credit_received, true, "never sent"},
        {hostile_credit_fin, true, "never sent"},
        {hostile_body, true, "cannot be read"},
        {hostile_oversized, true, "no record"},
    };
    static struct script script;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int single = 0; single < 2; single++) {
            struct bench b;

            bench_open(&b, 40000, true);
            script_start(&script);
            rows[i].write(&script);
            size_t size = tdm_writer_size(&script.w);

            for (size_t at = 0; at < size;) {
                struct tdm_channel_in in = {.kind = TDM_CHANNEL_BYTES,
                                            .data = script.bytes + at,
                                            .size = single ? 1 : size - at};

                tdm_channel_step(b.core, b.now, &in, &b.out);
                take_event(&b);
                at += b.out.consumed;
            }
            settle(&b);
            if (!b.why || !strstr(b.why, rows[i].words))
                fail_msg("row %zu: %s", i, b.why ? b.why : "it did not fail");
            uint32_t events = b.event_count;
            size_t written = b.written;

            feed(&b, zeros, 100);
            b.now += 60 * TDM_S;
            step(&b, NULL);
            assert_int_equal(b.event_count, events);
            assert_int_equal(b.written, written);
            assert_true(b.out.wake_at > b.now);
            bench_close(&b);
        }
    }
}

/* What is odd but allowed. */
static void test_skipped(void **state)
{
    static struct script script;
    struct bench b;

    (void)state;
    bench_open(&b, 0, true);
    script_start(&script);
    for (uint32_t i = 0; i < 20; i++)
        record(&script, TDM_RECORD_GREASE(i), (uint8_t)(i * 5 & 0x7f), i * 999, zeros, i * 37);
    record(&script, 0x71, 0, 4000000000u, zeros, 16384);
    open_record(&script, 5, TDM_CLASS_BULK);           /* Numbers may be left out. */
    record(&script, TDM_RECORD_DATA, 0, 3, zeros, 10); /* Below the newest: of the past. */
    record(&script, TDM_RECORD_DATA, 0, 5, zeros, 0);
    record(&script, TDM_RECORD_DATA, 0x78, 5, zeros, 10); /* Flags of the future. */
    record(&script, TDM_RECORD_DATA, TDM_RECORD_RST, 5, NULL, 0);
    record(&script, TDM_RECORD_DATA, 0, 5, zeros, 10);
    record(&script, TDM_RECORD_DATA, TDM_RECORD_RST, 5, NULL, 0);
    feed_script(&b, &script);
    struct tdm_channel_stats stats;

    tdm_channel_stats(b.core, &stats);
    assert_null(b.why);
    assert_int_equal(stats.unknown_skipped, 21);
    assert_int_equal(b.records, 1);
    assert_int_equal(b.resets, 1);
    assert_int_equal(b.write_types[TDM_RECORD_DATA], 1); /* The answer to the reset. */
    bench_close(&b);
}

/* More streams than there is room for are refused one by one; the memory is fixed. */
static void test_refused(void **state)
{
    static struct script script;
    struct bench b;

    (void)state;
    bench_open(&b, 0, true);
    script_start(&script);
    feed_script(&b, &script);
    for (uint32_t i = 0; i < 200; i++) {
        script.w = tdm_writer_of(script.bytes, sizeof script.bytes);
        open_record(&script, 1 + 2 * i, TDM_CLASS_BOARD);
        feed_script(&b, &script);
    }
    assert_null(b.why);
    assert_int_equal(b.opened, TDM_CHANNEL_STREAMS_EACH);
    assert_int_equal(b.write_types[TDM_RECORD_DATA], 200 - TDM_CHANNEL_STREAMS_EACH);
    bench_close(&b);
}

/* A flood that leaves no room for the refusals. */
static void test_flood(void **state)
{
    static struct script script;
    struct bench b;

    (void)state;
    bench_open(&b, 0, true);
    script_start(&script);
    feed_script(&b, &script);
    give(&b, &(struct tdm_channel_in){.kind = TDM_CHANNEL_WRITABLE});
    for (uint32_t i = 0; i < TDM_CHANNEL_STREAMS_EACH + 8; i++) {
        script.w = tdm_writer_of(script.bytes, sizeof script.bytes);
        open_record(&script, 1 + 2 * i, TDM_CLASS_BOARD);
        feed_script(&b, &script);
        assert_null(b.why);
    }
    script.w = tdm_writer_of(script.bytes, sizeof script.bytes);
    open_record(&script, 1001, TDM_CLASS_BOARD);
    feed_script(&b, &script);
    assert_non_null(b.why);
    assert_non_null(strstr(b.why, "without end"));
    bench_close(&b);
}

/* A valid conversation of one side, by seed; some of it breaks the rules. */
static void random_script(struct script *s, struct tdm_rng *rng)
{
    uint32_t next = 1;

    script_start(s);
    while (tdm_writer_left(&s->w) > 20000) {
        uint32_t what = tdm_rng_below(rng, 40);
        uint32_t stream = next > 1 ? 1 + 2 * tdm_rng_below(rng, next / 2) : 0;
        size_t size = tdm_rng_below(rng, 4) ? tdm_rng_below(rng, 300) : tdm_rng_below(rng, 9000);
        uint8_t body[9000];

        for (size_t i = 0; i < size; i++)
            body[i] = (uint8_t)tdm_rng_u32(rng);
        if (what < 6) {
            open_record(s, next, (uint8_t)(1 + tdm_rng_below(rng, 6)));
            next += 2;
        } else if (what < 9)
            record(s, TDM_RECORD_PING, 0, 0, NULL, 0);
        else if (what < 12)
            record(s, (uint8_t)(32 + tdm_rng_below(rng, 200)), 0, tdm_rng_u32(rng), body, size);
        else if (what < 13)
            record(s, TDM_RECORD_DATA, TDM_RECORD_RST, stream, NULL, 0);
        else if (what < 14)
            record(s, TDM_RECORD_DATA, TDM_RECORD_FIN, stream, body, size);
        else
            record(s, TDM_RECORD_DATA, 0, stream, body, size);
    }
}

/* However the bytes come, the events are the same. */
static void test_any_split_gives_the_same_events(void **state)
{
    static struct script script;

    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct tdm_rng rng = tdm_rng_of(seed);
        uint64_t events = 0;
        uint32_t records = 0;

        random_script(&script, &rng);
        for (int split = 0; split < 4; split++) {
            static const uint32_t pieces[] = {65536, 1, 16, 2000};
            size_t size = tdm_writer_size(&script.w);
            struct bench b;

            bench_open(&b, 0, true);
            for (size_t at = 0; at < size;) {
                size_t piece = 1 + tdm_rng_below(&rng, pieces[split]);

                piece = split == 0 || piece > size - at ? size - at : piece;
                feed(&b, script.bytes + at, piece);
                at += piece;
            }
            if (split && (b.events != events || b.records != records))
                fail_msg("seed %d, split %d: other events", (int)seed, split);
            events = b.events;
            records = b.records;
            bench_close(&b);
        }
    }
}

/*
 * What goes next, against the rule said once more in other words. Streams become ready and run dry
 * at random; after each record the model knows which classes had something to send.
 */
struct shares {
    uint64_t strict_bytes; /* Sent by the first class while others waited, since all last waited. */
    uint64_t floor_bytes;  /* Sent by one that waited. */
    uint32_t chunk;        /* The largest that was asked for yet. */
};

static void check_choice(struct shares *shares, const bool *ready, int cls, uint32_t bytes)
{
    int first = 0;
    bool others = false;

    while (!ready[first])
        first++;
    for (int i = first + 1; i < TDM_CLASS_COUNT; i++)
        others = others || ready[i];
    assert_true(ready[cls]);
    if (!others) {
        assert_int_equal(cls, first);
        shares->strict_bytes = shares->floor_bytes = 0;
        return;
    }
    if (cls == first)
        shares->strict_bytes += bytes;
    else
        shares->floor_bytes += bytes;
    /* Never more than the sixteenth and never less than a chunk below it. */
    assert_true(shares->floor_bytes * 16 <= shares->strict_bytes + 16 * 10);
    assert_true(shares->strict_bytes <= shares->floor_bytes * 16 + 17 * (shares->chunk + 10));
}

struct priority {
    struct bench b;
    struct tdm_rng rng;
    uint32_t streams[TDM_CLASS_COUNT];
    bool ready[TDM_CLASS_COUNT];
    struct shares shares;
    uint64_t granted;
};

static void quiet_step(struct bench *b, const struct tdm_channel_in *in)
{
    tdm_channel_step(b->core, b->now, in, &b->out);
    take_event(b);
}

static void priority_start(struct priority *p, uint64_t seed)
{
    static struct script script;

    *p = (struct priority){.rng = tdm_rng_of(seed)};
    bench_open(&p->b, 0, true);
    script_start(&script);
    feed_script(&p->b, &script);
    for (int cls = 1; cls < TDM_CLASS_COUNT; cls++) {
        quiet_step(&p->b, &(struct tdm_channel_in){.kind = TDM_CHANNEL_OPEN,
                                                   .cls = (enum tdm_channel_class)cls,
                                                   .kind_of = TDM_KIND_CHAT});
        p->streams[cls] = 2 * (uint32_t)cls;
        settle(&p->b);
    }
}

/* Everything is acknowledged and granted, so that nothing but the rule decides; some class may have
 * got something to send. */
static void priority_prepare(struct priority *p)
{
    static struct script script;
    int cls = 1 + (int)tdm_rng_below(&p->rng, 6);

    p->b.now += 2 * TDM_MS;
    quiet_step(&p->b, &(struct tdm_channel_in){.kind = TDM_CHANNEL_WRITABLE});
    script.w = tdm_writer_of(script.bytes, sizeof script.bytes);
    ack_record(&script, p->b.counted, (uint64_t)(p->b.now / TDM_US));
    p->granted += 100000;
    for (int i = 1; i < TDM_CLASS_COUNT; i++)
        credit_record(&script, p->streams[i], 0, p->granted, 0);
    feed_script(&p->b, &script);
    if (!tdm_rng_chance(&p->rng, 0.1))
        return;
    p->ready[cls] = true;
    quiet_step(&p->b,
               &(struct tdm_channel_in){.kind = TDM_CHANNEL_READY, .stream = p->streams[cls]});
}

static void priority_turn(struct priority *p)
{
    struct bench *b = &p->b;
    bool any = false;

    priority_prepare(p);
    quiet_step(b, &(struct tdm_channel_in){.kind = TDM_CHANNEL_WRITABLE, .room_bytes = 1u << 20});
    for (int i = 0; b->out.event != TDM_CHANNEL_EV_PULL && b->out.wake_at <= b->now; i++) {
        assert_true(i < 100);
        quiet_step(b, NULL);
    }
    for (int i = 1; i < TDM_CLASS_COUNT; i++)
        any = any || p->ready[i];
    assert_int_equal(b->out.event == TDM_CHANNEL_EV_PULL, any);
    if (!any)
        return;
    int chosen = (int)b->out.stream / 2;
    bool more = tdm_rng_chance(&p->rng, 0.97);

    p->shares.chunk = b->out.max_bytes > p->shares.chunk ? b->out.max_bytes : p->shares.chunk;

    quiet_step(b, &(struct tdm_channel_in){.kind = TDM_CHANNEL_DATA,
                                           .stream = b->out.stream,
                                           .data = b->source,
                                           .size = 1 + tdm_rng_below(&p->rng, b->out.max_bytes),
                                           .more = more});
    check_choice(&p->shares, p->ready, chosen, b->out.write_size);
    p->ready[chosen] = more;
}

static void test_strict_priority_and_floor(void **state)
{
    static struct priority p;

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        priority_start(&p, seed);
        for (int turn = 0; turn < 3000; turn++)
            priority_turn(&p);
        assert_null(p.b.why);
        bench_close(&p.b);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_peers),
        cmocka_unit_test(test_skipped),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_any_split_gives_the_same_events),
        cmocka_unit_test(test_strict_priority_and_floor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
