/* SPDX-License-Identifier: MIT */
/*
 * Bytes become inputs and steps of time for one core: records of a peer that is honest, broken or
 * hostile, and whatever a driver may do, connections that break and come again among it. Checked:
 * the contract of channel.h. Bounded writes within the room, no event after a failure, no wake in
 * the past once it has settled, and each step makes progress.
 */

#include "engine/core/channel.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
    struct tdm_channel *core;
    struct tdm_channel_out out;
    tdm_time now;
    uint32_t room;
    bool failed, connected;
    uint32_t streams[8];
    uint64_t unconsumed[8];
    uint8_t body[TDM_CHANNEL_BODY_MAX];
    uint8_t record[TDM_CHANNEL_RECORD_MAX];
};

static void look(struct fuzz *f, const struct tdm_channel_in *in)
{
    const struct tdm_channel_out *out = &f->out;

    assert(out->write_size <= sizeof out->write && out->write_size <= f->room);
    assert(!out->write_size || (f->connected && !f->failed));
    f->room -= out->write_size;
    assert(!f->failed || out->event == TDM_CHANNEL_EV_NONE);
    assert((out->event == TDM_CHANNEL_EV_FAILED) == (out->why != NULL));
    f->failed = f->failed || out->event == TDM_CHANNEL_EV_FAILED;
    assert(out->event != TDM_CHANNEL_EV_PULL || (out->max_bytes > 0 && !out->write_size));
    assert(out->max_bytes <= TDM_CHANNEL_BODY_MAX);
    if (in && in->kind == TDM_CHANNEL_BYTES)
        assert(out->consumed <= in->size && (out->consumed || out->event));
    if (out->event == TDM_CHANNEL_EV_RECORD) {
        assert(out->size <= TDM_CHANNEL_BODY_MAX && (out->size == 0 || out->data));
        for (int i = 0; i < 8; i++)
            if (f->streams[i] == out->stream && out->cls != TDM_CLASS_LATEST)
                f->unconsumed[i] += out->size;
    }
    if (out->event == TDM_CHANNEL_EV_OPENED) {
        f->streams[out->stream / 2 % 8] = out->stream;
        f->unconsumed[out->stream / 2 % 8] = 0;
    }
}

static void step(struct fuzz *f, const struct tdm_channel_in *in)
{
    tdm_channel_step(f->core, f->now, in, &f->out);
    look(f, in);
    if (f->out.event != TDM_CHANNEL_EV_PULL)
        return;
    struct tdm_channel_in data = {.kind = TDM_CHANNEL_DATA,
                                  .stream = f->out.stream,
                                  .data = f->body,
                                  .size = f->out.max_bytes / (size_t)(1 + f->now / TDM_US % 3),
                                  .more = f->now / TDM_US % 5 != 0};

    data.fin = f->out.stream != 0 && f->now / TDM_US % 7 == 0;
    tdm_channel_step(f->core, f->now, &data, &f->out);
    look(f, NULL);
}

static void settle(struct fuzz *f)
{
    for (int i = 0; f->out.wake_at <= f->now; i++) {
        assert(i < 4096);
        step(f, NULL);
    }
}

static void give(struct fuzz *f, const struct tdm_channel_in *in)
{
    struct tdm_channel_in left = *in;

    do {
        step(f, &left);
        if (left.kind != TDM_CHANNEL_BYTES)
            break;
        size_t consumed = f->out.consumed;

        left.data += consumed;
        left.size -= consumed;
    } while (left.size);
    settle(f);
}

/* A record with a head that is right, so that the fuzzer need not learn sizes. */
static void give_record(struct fuzz *f, struct tdm_reader *r)
{
    static const uint8_t types[] = {TDM_RECORD_OPEN,
                                    TDM_RECORD_DATA,
                                    TDM_RECORD_CREDIT,
                                    TDM_RECORD_ACK,
                                    TDM_RECORD_PING,
                                    TDM_RECORD_RESUME,
                                    0x3d,
                                    99};
    struct tdm_writer w = tdm_writer_of(f->record, sizeof f->record);
    uint8_t what = tdm_read_u8(r);
    struct tdm_record_head head = {.type = types[what % 8],
                                   .flags = tdm_read_u8(r),
                                   .stream = tdm_read_u8(r),
                                   .body_size = tdm_read_u8(r) % 32};

    if (what & 0x80 && head.type == TDM_RECORD_DATA)
        head.body_size *= 400;
    const uint8_t *body = tdm_read_bytes(r, what & 0x80 ? 0 : head.body_size);

    tdm_record_head_write(&w, &head);
    tdm_write_bytes(&w, what & 0x80 || !body ? f->body : body, head.body_size);
    assert(w.ok);
    give(f, &(struct tdm_channel_in){
                .kind = TDM_CHANNEL_BYTES, .data = f->record, .size = tdm_writer_size(&w)});
}

static void give_preface(struct fuzz *f, uint8_t how)
{
    uint8_t body[128];
    struct tdm_writer w = tdm_writer_of(body, sizeof body);
    struct tdm_preface p = {.version_min = 1,
                            .version_max = (uint8_t)(1 + how % 3),
                            .resumes = how & 4,
                            .stream_window_bytes = how & 8 ? 100 : 1u << 20};

    memset(p.token, how & 16 ? 7 : 8, sizeof p.token);
    memset(p.resume_token, 3, sizeof p.resume_token);
    tdm_preface_write(&w, &p);
    struct tdm_record_head head = {.type = TDM_RECORD_PREFACE,
                                   .body_size = (uint32_t)tdm_writer_size(&w)};
    struct tdm_writer record = tdm_writer_of(f->record, sizeof f->record);

    tdm_record_head_write(&record, &head);
    tdm_write_bytes(&record, body, head.body_size);
    give(f, &(struct tdm_channel_in){
                .kind = TDM_CHANNEL_BYTES, .data = f->record, .size = tdm_writer_size(&record)});
}

static void drive(struct fuzz *f, uint8_t op, struct tdm_reader *r)
{
    struct tdm_channel_in in = {.kind = TDM_CHANNEL_READY};
    uint8_t which = tdm_read_u8(r);

    in.stream = which;
    if (op == 0) {
        in.kind = f->connected ? TDM_CHANNEL_DISCONNECTED : TDM_CHANNEL_CONNECTED;
        f->connected = !f->connected;
        f->room = f->connected ? f->room : 0;
    } else if (op == 1) {
        in.kind = TDM_CHANNEL_WRITABLE;
        in.room_bytes = f->room = f->connected ? (uint32_t)which << 9 : 0;
    } else if (op == 2) {
        in.kind = TDM_CHANNEL_OPEN;
        in.cls = (enum tdm_channel_class)(1 + which % 6);
        in.kind_of = which;
    } else if (op == 3 && which) {
        in.kind = TDM_CHANNEL_RESET;
    } else if (op == 4) {
        in.kind = TDM_CHANNEL_CONSUMED;
        in.stream = f->streams[which % 8];
        in.size = (size_t)f->unconsumed[which % 8];
        f->unconsumed[which % 8] = 0;
    } else if (op == 5) {
        in.kind = TDM_CHANNEL_BUDGET;
        in.rate_bps = (uint64_t)which * 10000;
    }
    give(f, &in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz f;
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_channel_config config = {.stream_window_bytes = 20000};
    void *storage = malloc(tdm_channel_bytes());

    assert(storage);
    memset(&f, 0, sizeof f);
    memset(config.token, 3, sizeof config.token);
    uint8_t setting = tdm_read_u8(&r);

    config.opener = setting & 1;
    config.grease = setting & 2;
    f.now = 1000 * TDM_S;
    f.out.wake_at = TDM_NEVER;
    f.core = tdm_channel_init(storage, &config, f.now);
    while (tdm_reader_left(&r)) {
        uint8_t op = tdm_read_u8(&r);

        if (op < 96)
            drive(&f, op % 7, &r);
        else if (op < 176)
            give_record(&f, &r);
        else if (op < 192)
            give_preface(&f, tdm_read_u8(&r));
        else if (op < 224) {
            size_t raw = tdm_read_u8(&r);
            const uint8_t *bytes = tdm_read_bytes(&r, raw);

            if (bytes && raw)
                give(&f, &(struct tdm_channel_in){
                             .kind = TDM_CHANNEL_BYTES, .data = bytes, .size = raw});
        } else {
            f.now += (tdm_time)(op & 15) * (op & 16 ? 300 * TDM_MS : TDM_MS) + TDM_US;
            step(&f, NULL);
            settle(&f);
        }
        assert(f.failed || f.out.wake_at > f.now);
    }
    free(storage);
    return 0;
}
