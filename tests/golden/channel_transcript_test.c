/* SPDX-License-Identifier: MIT */
/*
 * A session of the data channel, version 1, byte for byte: greeting, streams of three classes,
 * credit, acknowledgements, a stream given up, silence and a ping, a break and what goes on after
 * it. Bytes that differ from the committed ones are another version of the protocol. `--print`
 * writes what the header would have to be.
 */

#include "engine/core/channel.h"
#include "tests/golden/channel_transcript.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX  200
#define LINE_BYTES 512
#define DELAY      (5 * TDM_MS)
#define START      (1000 * TDM_S)

struct side {
    struct tdm_channel *core;
    tdm_time wake_at;
    const char *text; /* What its streams carry, from `sent` on. */
    size_t sent;
    uint8_t way[4096]; /* Written, not arrived. */
    size_t way_size;
    tdm_time way_arrives;
};

static struct side sides[2];
static struct tdm_channel_out out;
static tdm_time now = START;
static char lines[LINES_MAX][LINE_BYTES];
static int line_count;

static void note(const char *what, int side, const uint8_t *bytes, size_t size)
{
    char *line = lines[line_count++];
    int at =
        snprintf(line, LINE_BYTES, "%7.3f %c %s ", (double)(now - START) / 1e9, "AB"[side], what);

    assert(line_count < LINES_MAX && at > 0 && size * 2 + (size_t)at < LINE_BYTES);
    for (size_t i = 0; i < size; i++)
        at += snprintf(line + at, LINE_BYTES - (size_t)at, "%02x", bytes[i]);
}

static void note_event(int which)
{
    struct side *side = &sides[which];

    assert(out.event != TDM_CHANNEL_EV_FAILED);
    if (out.event == TDM_CHANNEL_EV_RECORD)
        note("takes", which, out.data, out.size);
    if (out.event == TDM_CHANNEL_EV_RESET)
        note("loses a stream", which, NULL, 0);
    if (out.event == TDM_CHANNEL_EV_REWIND) {
        note("rewinds", which, NULL, 0);
        side->sent = (size_t)out.offset;
    }
}

static struct tdm_channel_in answer(struct side *side)
{
    size_t left = strlen(side->text) - side->sent;
    struct tdm_channel_in data = {.kind = TDM_CHANNEL_DATA,
                                  .stream = out.stream,
                                  .data = (const uint8_t *)side->text + side->sent,
                                  .size = left < 12 ? left : 12,
                                  .more = left > 12};

    data.fin = out.stream == 1 && !data.more;
    side->sent += data.size;
    return data;
}

/* One input and what follows from it at this time. */
static void step(int which, const struct tdm_channel_in *in)
{
    struct side *side = &sides[which];
    struct tdm_channel_in next;

    for (;;) {
        tdm_channel_step(side->core, now, in, &out);
        struct tdm_channel_in taken = {
            .kind = TDM_CHANNEL_CONSUMED, .stream = out.stream, .size = out.size};
        size_t consumed = out.consumed;

        if (out.write_size) {
            note("writes", which, out.write, out.write_size);
            memcpy(side->way + side->way_size, out.write, out.write_size);
            side->way_size += out.write_size;
            side->way_arrives = now + DELAY;
        }
        side->wake_at = out.wake_at;
        note_event(which);
        if (out.event == TDM_CHANNEL_EV_PULL) {
            next = answer(side);
            in = &next;
            continue;
        }
        if (taken.size)
            step(which, &taken);
        if (in && in->kind == TDM_CHANNEL_BYTES && consumed < in->size) {
            next = *in;
            next.data += consumed;
            next.size -= consumed;
            in = &next;
        } else if (side->wake_at <= now) {
            in = NULL;
        } else {
            return;
        }
    }
}

static uint32_t input(int which, enum tdm_channel_input kind, uint32_t stream)
{
    step(which, &(struct tdm_channel_in){.kind = kind, .stream = stream, .room_bytes = 1u << 20});
    return out.stream;
}

static uint32_t open_stream(int which, enum tdm_channel_class cls, uint32_t kind)
{
    tdm_channel_step(
        sides[which].core, now,
        &(struct tdm_channel_in){.kind = TDM_CHANNEL_OPEN, .cls = cls, .kind_of = kind}, &out);
    uint32_t stream = out.stream;

    sides[which].wake_at = now;
    if (out.write_size)
        note("writes", which, out.write, out.write_size);
    memcpy(sides[which].way + sides[which].way_size, out.write, out.write_size);
    sides[which].way_size += out.write_size;
    sides[which].way_arrives = now + DELAY;
    return stream;
}

static void run(tdm_time span)
{
    for (tdm_time end = now + span; now < end; now += TDM_MS / 2)
        for (int i = 0; i < 2; i++) {
            struct side *from = &sides[1 - i];
            uint8_t arrived[sizeof from->way];
            size_t size = from->way_size;

            if (size && from->way_arrives <= now) {
                memcpy(arrived, from->way, size);
                from->way_size = 0;
                step(i, &(struct tdm_channel_in){
                            .kind = TDM_CHANNEL_BYTES, .data = arrived, .size = size});
            }
            if (sides[i].wake_at <= now)
                step(i, NULL);
        }
}

static void connect_both(void)
{
    for (int i = 0; i < 2; i++) {
        sides[i].way_size = 0;
        (void)input(i, TDM_CHANNEL_CONNECTED, 0);
        (void)input(i, TDM_CHANNEL_WRITABLE, 0);
    }
    run(30 * TDM_MS);
}

static void cut_both(void)
{
    for (int i = 0; i < 2; i++)
        (void)input(i, TDM_CHANNEL_DISCONNECTED, 0);
}

static void session(void)
{
    for (int i = 0; i < 2; i++) {
        struct tdm_channel_config config = {.opener = i == 0, .seed = 1};
        void *storage = malloc(tdm_channel_bytes());

        assert(storage);
        memset(config.token, 'a' + i, sizeof config.token);
        sides[i].core = tdm_channel_init(storage, &config, now);
        sides[i].wake_at = TDM_NEVER;
    }
    sides[0].text = "What is sent once and arrives once.";
    sides[1].text = "cursor";
    connect_both();
    uint32_t file = open_stream(0, TDM_CLASS_BULK, TDM_KIND_FILE_DATA);
    uint32_t pointer = open_stream(1, TDM_CLASS_LATEST, TDM_KIND_INPUT);
    uint32_t chat = open_stream(0, TDM_CLASS_BOARD, TDM_KIND_CHAT);

    run(20 * TDM_MS);
    (void)input(1, TDM_CHANNEL_READY, pointer);
    (void)input(0, TDM_CHANNEL_RESET, chat);
    run(40 * TDM_MS);
    (void)input(0, TDM_CHANNEL_READY, file);
    cut_both(); /* What was written just now never arrives. */
    run(5 * TDM_MS);
    connect_both();
    run(5 * TDM_S);
    for (int i = 0; i < 2; i++)
        free(sides[i].core);
}

int main(int argc, char **argv)
{
    int golden_count = (int)(sizeof channel_transcript / sizeof channel_transcript[0]);
    bool print = argc > 1 && strcmp(argv[1], "--print") == 0;

    session();
    for (int i = 0; print && i < line_count; i++)
        printf("    \"%s\",\n", lines[i]);
    for (int i = 0; !print && i < line_count; i++)
        if (i >= golden_count || strcmp(lines[i], channel_transcript[i]) != 0) {
            printf("line %d is\n  %s\nand was\n  %s\n", i, lines[i],
                   i < golden_count ? channel_transcript[i] : "not there");
            return 1;
        }
    return !print && line_count != golden_count;
}
