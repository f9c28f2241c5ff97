/* SPDX-License-Identifier: MIT */
/*
 * The server's whole input: messages of strangers and of people who proved themselves, over UDP and
 * connections, stored or not, with time between them. The core must stay within its tables, send
 * only what can be read again, and hold no memory for anybody once all its deadlines have passed.
 *
 * Input: records of one byte what, one byte size / 8 (or time), then bytes. In messages "@A" is
 * replaced by an Authorization that is right for ann, so that the fuzzer gets past the door.
 */
#include "signalling/digest_auth.h"
#include "signalling/rendezvous_state.h"
#include "signalling/sip_message.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 64

struct world {
    struct tdm_rdv *core;
    struct tdm_rdv_out out;
    tdm_time now;
    uint32_t nc;
    struct tdm_rdv_flow flow; /* Of the message that is being made. */
    uint8_t text[8192];
    struct tdm_sip_message read;
};

static void check_sends(struct world *w)
{
    bool answerable;
    const char *fault;

    for (uint32_t i = 0; i < w->out.send_count; i++) {
        const struct tdm_rdv_send *s = &w->out.send[i];

        if (s->size > TDM_RDV_OUT_BYTES || s->data < w->out.bytes ||
            s->data + s->size > w->out.bytes + sizeof w->out.bytes)
            abort();
        if (s->size > 2)
            (void)tdm_sip_read(&w->read, s->data, s->size, &answerable, &fault);
    }
}

static void step(struct world *w, const struct tdm_rdv_in *first, bool stored)
{
    struct tdm_rdv_in in;

    tdm_rdv_step(w->core, w->now, first, &w->out);
    for (int i = 0; i < STEPS_MAX; i++) {
        check_sends(w);
        if (w->out.store.kind != TDM_RDV_STORE_NOTHING) {
            if (w->out.store.size > TDM_RDV_RECORD_BYTES)
                abort();
            in = first ? *first : (struct tdm_rdv_in){.kind = TDM_RDV_MESSAGE};
            in.kind = stored ? TDM_RDV_STORED : TDM_RDV_NOT_STORED;
        } else if (w->out.fetch) {
            in = (struct tdm_rdv_in){.kind = TDM_RDV_KEPT,
                                     .user = "ann",
                                     .id = stored ? 7 : 0,
                                     .key = "ben",
                                     .type = "text/plain",
                                     .data = (const uint8_t *)"kept",
                                     .size = 4};
        } else {
            return;
        }
        tdm_rdv_step(w->core, w->now, &in, &w->out);
    }
}

/* What ann would send as credentials, with the next count of a fresh nonce. */
static size_t authorization(struct world *w, const uint8_t *message, size_t size, char *text,
                            size_t room)
{
    struct tdm_digest_challenge c = {.qop_auth = true, .realm = "x"};
    char method[32] = "", value[1000];
    const uint8_t *space = memchr(message, ' ', size);
    size_t method_size = space ? (size_t)(space - message) : 0;
    uint8_t key[TDM_SHA256_BYTES];

    if (!method_size || method_size >= sizeof method)
        return 0;
    memcpy(method, message, method_size);
    tdm_rdv_nonce_key(w->core, &w->flow, key);
    tdm_digest_make_nonce(key, (uint32_t)(w->now / TDM_S) + 1, w->nc, c.nonce);
    const struct tdm_digest_request r = {.user = "ann",
                                         .password = "password",
                                         .method = method,
                                         .uri = "sip:x",
                                         .cnonce = "c",
                                         .nc = ++w->nc};

    if (tdm_digest_answer(&c, &r, value, sizeof value) != TDM_OK)
        return 0;
    return (size_t)snprintf(text, room, "Authorization: %s", value);
}

/* Copies with "@A" replaced. */
static size_t expand(struct world *w, const uint8_t *data, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < size && used + 1200 < sizeof w->text; i++) {
        if (data[i] == '@' && i + 1 < size && data[i + 1] == 'A') {
            used += authorization(w, data, size, (char *)w->text + used, sizeof w->text - used);
            i++;
        } else {
            w->text[used++] = data[i];
        }
    }
    return used;
}

static void account(struct world *w, const char *user)
{
    char md5[TDM_DIGEST_HEX_MAX], sha256[TDM_DIGEST_HEX_MAX];

    tdm_digest_ha1(TDM_DIGEST_MD5, user, "x", "password", md5);
    tdm_digest_ha1(TDM_DIGEST_SHA256, user, "x", "password", sha256);
    step(w,
         &(struct tdm_rdv_in){.kind = TDM_RDV_ACCOUNT,
                              .user = user,
                              .name = "N",
                              .ha1_md5 = md5,
                              .ha1_sha256 = sha256},
         true);
}

static void take(struct world *w, uint8_t what, const uint8_t *data, size_t size)
{
    struct tdm_rdv_in in = {
        .kind = TDM_RDV_MESSAGE,
        .flow = {
            .transport = (uint8_t)(what >> 4 & 1),
            .link = what >> 4 & 1 ? 1u + (what >> 5 & 3) : 0,
            .remote = {.family = TDM_IPV4, .bytes = {10, 0, 0, (uint8_t)(what >> 5)}, .port = 5060},
            .local = {.family = TDM_IPV4, .bytes = {10, 0, 0, 99}, .port = 5060}}};
    static const char *const keys[] = {"b/ann", "p/ann/1", "r/ann", "s/1", "b/x", "q"};

    switch (what & 7) {
    case 6:
        in.kind = TDM_RDV_LINK_DOWN;
        break;
    case 7:
        in.kind = TDM_RDV_RECORD;
        in.key = keys[(what >> 3) % 6];
        in.expires_s = 2000;
        in.data = data;
        in.size = size;
        break;
    default:
        w->flow = in.flow;
        in.size = expand(w, data, size);
        in.data = w->text;
    }
    step(w, &in, what & 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    static void *storage;
    static size_t bytes;
    const struct tdm_rdv_config config = {.domain = "x",
                                          .accounts = 4,
                                          .bindings = 8,
                                          .user_bindings = 3,
                                          .transactions = 8,
                                          .branches = 8,
                                          .subscriptions = 4,
                                          .publications = 4,
                                          .store_bytes = 65536,
                                          .source_rate = 1000000,
                                          .total_rate = 1000000,
                                          .wall_s = 1000};

    if (!storage) {
        bytes = tdm_rdv_bytes(&config);
        storage = malloc(bytes);
    }
    if (!storage)
        abort();
    memset(storage, 0, bytes);
    w.now = 0;
    w.nc = 0;
    w.core = tdm_rdv_init(storage, &config, 0);
    account(&w, "ann");
    account(&w, "ben");
    while (size >= 2) {
        uint8_t what = data[0];
        size_t part = (size_t)data[1] * 8;

        data += 2;
        size -= 2;
        if (part > size)
            part = size;
        take(&w, what, data, part);
        data += part;
        size -= part;
        w.now += (what & 7) == 5 ? 3 * TDM_S : TDM_MS;
        step(&w, NULL, what & 8);
    }
    for (int i = 0; i < 20000 && w.out.wake_at < TDM_NEVER; i++) {
        w.now = tdm_time_max(w.now, w.out.wake_at);
        step(&w, NULL, true);
    }
    const struct tdm_rdv_stats *s = tdm_rdv_stats_of(w.core);

    /* Only rules and what was loaded to stay hold blocks; nothing else outlives its deadline. */
    if (s->transactions || s->branches || s->bindings || s->publications || s->subscriptions)
        abort();
    return 0;
}
