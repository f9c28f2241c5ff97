/* SPDX-License-Identifier: MIT */
/*
 * Bytes decide what happens between two sides of DTLS: which datagrams are lost, doubled, reordered
 * or damaged, and what is forged into their midst, before, during and after the handshake. Checked:
 * a side that is up has the right peer and the same keys as the other; application bytes that come
 * out are ones that went in; a datagram is never larger than allowed.
 */
#include "engine/base/bytes.h"
#include "engine/io/dtls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUEUE   32
#define BYTES   1400
#define FIRST   (1000 * TDM_S)
#define MESSAGE "application bytes"

struct datagram {
    uint8_t to;
    uint16_t size;
    uint8_t bytes[BYTES];
};

struct side {
    uint8_t index;
    struct tdm_dtls *dtls;
};

static struct datagram queue[QUEUE];
static uint32_t waiting;
static struct tdm_identity *ids[2];

static void put(uint8_t to, const uint8_t *data, size_t size)
{
    if (waiting == QUEUE)
        return;
    queue[waiting] = (struct datagram){.to = to, .size = (uint16_t)size};
    memcpy(queue[waiting++].bytes, data, size);
}

static void sent(void *arg, const uint8_t *data, size_t size)
{
    const struct side *s = arg;

    assert(size > 0 && size <= TDM_DTLS_DATAGRAM + 100);
    put(!s->index, data, size);
}

static void check(struct side sides[2])
{
    struct tdm_srtp_keys keys[2];
    uint8_t peer[TDM_FINGERPRINT_BYTES];

    for (int i = 0; i < 2; i++) {
        bool up = tdm_dtls_keys(sides[i].dtls, &keys[i]) == TDM_OK;

        assert(up == (tdm_dtls_state(sides[i].dtls) == TDM_DTLS_UP));
        if (up && (tdm_dtls_peer(sides[i].dtls, peer) != TDM_OK ||
                   memcmp(peer, tdm_identity_fingerprint(ids[!i]), sizeof peer) != 0))
            abort();
    }
    if (tdm_dtls_state(sides[0].dtls) == TDM_DTLS_UP &&
        tdm_dtls_state(sides[1].dtls) == TDM_DTLS_UP)
        assert(memcmp(keys[0].local, keys[1].remote, sizeof keys[0].local) == 0);
}

static void deliver(struct side sides[2], uint32_t at, bool keep)
{
    struct datagram d = queue[at];
    uint8_t app[TDM_DTLS_DATAGRAM + 100];
    size_t app_size;

    if (!keep)
        memmove(&queue[at], &queue[at + 1], (--waiting - at) * sizeof d);
    tdm_dtls_receive(sides[d.to].dtls, FIRST, d.bytes, d.size, app, &app_size);
    assert(app_size % (sizeof MESSAGE - 1) == 0);
    for (size_t i = 0; i < app_size; i += sizeof MESSAGE - 1)
        assert(memcmp(app + i, MESSAGE, sizeof MESSAGE - 1) == 0);
}

static void forge(struct tdm_reader *r, uint8_t to)
{
    size_t size = tdm_read_u8(r), left = tdm_reader_left(r);
    const uint8_t *bytes;

    size = size < left ? size : left;
    bytes = tdm_read_bytes(r, size);

    if (bytes && size)
        put(to, bytes, size);
}

static void damage(struct tdm_reader *r, uint32_t at)
{
    uint16_t where = tdm_read_u16(r);
    uint8_t with = tdm_read_u8(r);

    if (queue[at].size)
        queue[at].bytes[where % queue[at].size] ^= with;
}

static void act(struct side sides[2], struct tdm_reader *r)
{
    uint8_t op = tdm_read_u8(r);
    uint32_t at = waiting ? (op >> 4) % waiting : 0;

    switch (op & 7) {
    case 0:
        forge(r, op >> 7);
        return;
    case 1:
        (void)tdm_dtls_send(sides[op >> 7].dtls, (const uint8_t *)MESSAGE, sizeof MESSAGE - 1);
        return;
    case 2:
        tdm_dtls_tick(sides[op >> 7].dtls, FIRST);
        return;
    default:
        break;
    }
    if (!waiting)
        return;
    switch (op & 7) {
    case 3:
        damage(r, at);
        break;
    case 4:
        deliver(sides, at, true);
        break;
    case 5:
        memmove(&queue[at], &queue[at + 1], (--waiting - at) * sizeof *queue);
        break;
    default:
        deliver(sides, at, false);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    struct side sides[2] = {{.index = 0}, {.index = 1}};
    struct tdm_cause cause;

    waiting = 0;
    for (int i = 0; i < 2; i++)
        if (!ids[i] && tdm_identity_load(NULL, &ids[i], &cause) != TDM_OK)
            abort();
    for (uint8_t i = 0; i < 2; i++) {
        struct tdm_dtls_config config = {.identity = ids[i],
                                         .client = i == 0,
                                         .fingerprint_count = 1,
                                         .send = sent,
                                         .arg = &sides[i]};

        config.fingerprints[0] =
            (struct tdm_fingerprint_desc){.hash = "sha-256", .size = TDM_FINGERPRINT_BYTES};
        memcpy(config.fingerprints[0].bytes, tdm_identity_fingerprint(ids[!i]),
               TDM_FINGERPRINT_BYTES);
        if (tdm_dtls_create(&sides[i].dtls, &config, &cause) != TDM_OK)
            abort();
    }
    tdm_dtls_start(sides[0].dtls, FIRST);
    while (tdm_reader_left(&r)) {
        act(sides, &r);
        check(sides);
    }
    tdm_dtls_destroy(sides[0].dtls);
    tdm_dtls_destroy(sides[1].dtls);
    return 0;
}
