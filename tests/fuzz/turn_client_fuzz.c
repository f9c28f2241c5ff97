/* SPDX-License-Identifier: MIT */
/*
 * Bytes become messages of a server, wishes and steps of time (backwards, too). A message may be
 * raw, or an answer to what the client last asked, signed or not, so that every state is reached.
 * Checked: output is bounded and parses, payload borrows from the input, time alone ends it.
 */

#include "engine/core/turn_client.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct tdm_turn_client c;
    struct tdm_turn_client_out out;
    tdm_time now;
    bool asked;
    struct tdm_stun question;
    uint8_t question_bytes[TDM_TURN_REQUEST_MAX];
    uint8_t answer[1024];
};

static void check(struct run *r, const struct tdm_turn_client_in *in)
{
    const struct tdm_turn_client_out *out = &r->out;

    assert(out->size <= sizeof out->data);
    assert(!out->payload || (in && in->data && out->payload >= in->data &&
                             out->payload + out->payload_size <= in->data + in->size));
    if (r->c.state == TDM_TURN_FAILED || r->c.state == TDM_TURN_CLOSED)
        assert(out->size == 0 && out->wake_at == TDM_NEVER);
    if (r->c.state == TDM_TURN_FAILED)
        assert(r->c.why[0]);
    if (!out->size)
        return;
    memcpy(r->question_bytes, out->data, out->size);
    assert(tdm_stun_parse(&r->question, r->question_bytes, out->size) == TDM_OK);
    assert(r->question.kind == TDM_STUN_REQUEST && r->question.has_fingerprint);
    r->asked = true;
}

static void step(struct run *r, const struct tdm_turn_client_in *in)
{
    tdm_turn_client_step(&r->c, r->now, in, &r->out);
    check(r, in);
}

static struct tdm_address peer_of(uint8_t byte)
{
    struct tdm_address a = {.family = byte & 64 ? TDM_IPV6 : TDM_IPV4, .port = 1 + (byte & 3)};

    a.bytes[0] = 203;
    a.bytes[3] = byte & 63;
    return a;
}

/* An answer with the attributes that `what` picks. */
static size_t make_answer(struct run *r, struct tdm_reader *bytes)
{
    uint8_t what = tdm_read_u8(bytes), how = tdm_read_u8(bytes);
    static const uint16_t codes[] = {300, 400, 401, 403, 437, 438, 440, 441, 442, 443, 486, 508};
    enum tdm_stun_class kind = what & 1 ? TDM_STUN_SUCCESS : TDM_STUN_ERROR;
    struct tdm_writer w = tdm_stun_begin_answer(r->answer, sizeof r->answer, kind, &r->question);
    struct tdm_address address = peer_of(tdm_read_u8(bytes));

    if (kind == TDM_STUN_ERROR)
        tdm_stun_write_error(&w, codes[(what >> 1) % (sizeof codes / sizeof *codes)], NULL);
    if (how & 1) {
        tdm_stun_write_text(&w, TDM_STUN_REALM, "r");
        tdm_stun_write_text(&w, TDM_STUN_NONCE, "n");
    }
    if (how & 2)
        tdm_stun_write_address(&w, TDM_STUN_XOR_RELAYED_ADDRESS, &address);
    if (how & 4)
        tdm_stun_write_u32(&w, TDM_STUN_LIFETIME, tdm_read_u16(bytes));
    if (how & 8)
        tdm_stun_write_address(&w, TDM_STUN_ALTERNATE_SERVER, &address);
    if (how & 16)
        tdm_stun_write_integrity(&w, r->c.key, sizeof r->c.key);
    return tdm_stun_end(&w);
}

static void wrap(struct run *r, uint8_t byte)
{
    uint8_t room[TDM_TURN_WRAP_MAX + 64 + 3];
    struct tdm_address peer = peer_of(byte);
    size_t size = byte & 63;
    uint8_t *wrapped;

    memset(room, 0, sizeof room);
    wrapped = tdm_turn_client_wrap(&r->c, &peer, room + TDM_TURN_WRAP_MAX, &size);
    assert(!wrapped || (wrapped >= room && wrapped + size <= room + sizeof room));
}

static void message(struct run *r, const uint8_t *data, size_t size)
{
    step(r, &(struct tdm_turn_client_in){
                .kind = TDM_TURN_MESSAGE, .from = r->c.server, .data = data, .size = size});
}

static void one(struct run *r, struct tdm_reader *bytes)
{
    static const enum tdm_turn_client_input wishes[] = {TDM_TURN_LINK_UP, TDM_TURN_LINK_DOWN,
                                                        TDM_TURN_PERMIT,  TDM_TURN_BIND,
                                                        TDM_TURN_FORGET,  TDM_TURN_CLOSE};
    uint8_t op = tdm_read_u8(bytes);

    if (op < 80 && r->asked) {
        size_t size = make_answer(r, bytes);

        message(r, r->answer, size);
    } else if (op < 120) {
        size_t size = op < 100 ? op % 20 : tdm_reader_left(bytes);
        const uint8_t *data = tdm_read_bytes(bytes, size);

        if (data)
            message(r, data, size);
    } else if (op < 180) {
        step(r, &(struct tdm_turn_client_in){.kind = wishes[op % 6],
                                             .peer = peer_of(tdm_read_u8(bytes))});
    } else if (op < 200) {
        wrap(r, tdm_read_u8(bytes));
    } else if (op < 210) {
        r->now -= (tdm_time)(op & 7) * TDM_S;
        step(r, NULL);
    } else {
        r->now = op & 1 ? tdm_time_min(r->out.wake_at, r->now + 1000 * TDM_S)
                        : r->now + (tdm_time)(op & 31) * TDM_S;
        step(r, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_reader bytes = tdm_reader_of(data, size);
    struct run *r = calloc(1, sizeof *r);
    uint8_t flags = tdm_read_u8(&bytes);

    assert(r);
    r->now = 1000 * TDM_S;
    tdm_turn_client_init(&r->c,
                         &(struct tdm_turn_client_config){.server = peer_of(33),
                                                          .stream = flags & 1,
                                                          .user = "u",
                                                          .password = "p",
                                                          .want_ipv4 = flags & 2,
                                                          .want_ipv6 = flags & 4,
                                                          .lifetime_s = flags & 8 ? 777 : 0,
                                                          .seed = 5},
                         r->now);
    step(r, NULL);
    while (tdm_reader_left(&bytes))
        one(r, &bytes);
    step(r, &(struct tdm_turn_client_in){.kind = TDM_TURN_CLOSE});
    for (int turn = 0; r->out.wake_at != TDM_NEVER; turn++) {
        assert(turn < 100);
        r->now = tdm_time_max(r->now, r->out.wake_at);
        step(r, NULL);
    }
    assert(r->c.state == TDM_TURN_CLOSED || r->c.state == TDM_TURN_FAILED);
    free(r);
    return 0;
}
