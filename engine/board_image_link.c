/* SPDX-License-Identifier: MIT */
#include "engine/board_image_link.h"

#include "engine/io/board_blobs.h"

#include <stdlib.h>
#include <string.h>

#define COME_MAX     ((uint64_t)2 << 30) /* Bytes of images that one meeting may bring. */
#define MESSAGE_HEAD ((size_t)96)        /* Of a blob's message, at most, before its data. */

void tdm_board_image_link_init(struct tdm_board_image_link *m, struct tdm_board_doc *doc)
{
    *m = (struct tdm_board_image_link){.doc = doc};
}

static void stop_going(struct tdm_board_image_link *m)
{
    free(m->going);
    m->going = NULL;
    m->going_size = m->going_at = 0;
}

void tdm_board_image_link_free(struct tdm_board_image_link *m)
{
    stop_going(m);
    tdm_share_bytes_free(&m->in);
    tdm_share_bytes_free(&m->coming);
    m->doc = NULL;
}

void tdm_board_image_link_restart(struct tdm_board_image_link *m)
{
    stop_going(m);
    m->asked_count = 0;
    m->to_ask = m->wanted_count;
    m->coming_size = m->come = 0;
    tdm_share_bytes_clear(&m->in);
    tdm_share_bytes_clear(&m->coming);
}

static int find(uint8_t list[TDM_BOARD_WANTS_MAX][TDM_BOARD_HASH_BYTES], uint32_t count,
                const uint8_t hash[TDM_BOARD_HASH_BYTES])
{
    for (uint32_t i = 0; i < count; i++)
        if (memcmp(list[i], hash, TDM_BOARD_HASH_BYTES) == 0)
            return (int)i;
    return -1;
}

bool tdm_board_image_link_need(struct tdm_board_image_link *m,
                               const uint8_t hash[TDM_BOARD_HASH_BYTES])
{
    if (!m->doc || find(m->wanted, m->wanted_count, hash) >= 0 ||
        tdm_board_doc_blob_has(m->doc, hash))
        return true;
    if (m->wanted_count == TDM_BOARD_WANTS_MAX)
        return false;
    memcpy(m->wanted[m->wanted_count++], hash, TDM_BOARD_HASH_BYTES);
    m->to_ask++;
    return true;
}

static void forget_want(struct tdm_board_image_link *m, const uint8_t hash[TDM_BOARD_HASH_BYTES])
{
    int at = find(m->wanted, m->wanted_count, hash);

    if (at < 0)
        return;
    if ((uint32_t)at >= m->wanted_count - m->to_ask)
        m->to_ask--;
    m->wanted_count--;
    memmove(m->wanted[at], m->wanted[at + 1],
            (m->wanted_count - (uint32_t)at) * sizeof m->wanted[0]);
}

/* A piece of the image that is coming. False: it breaks the rules. */
static bool take_data(struct tdm_board_image_link *m, const struct tdm_board_blob *blob,
                      void (*arrived)(void *arg, const uint8_t hash[TDM_BOARD_HASH_BYTES]),
                      void *arg)
{
    uint8_t hash[TDM_SHA256_BYTES];
    struct tdm_cause why;

    if (find(m->wanted, m->wanted_count, blob->hash) < 0)
        return true; /* It was given up, or came twice. */
    if (blob->offset == 0) {
        tdm_share_bytes_clear(&m->coming);
        memcpy(m->coming_hash, blob->hash, sizeof m->coming_hash);
        m->coming_size = blob->size;
    }
    if (memcmp(m->coming_hash, blob->hash, sizeof m->coming_hash) != 0 || !m->coming_size ||
        m->coming_size > TDM_BLOB_MAX || m->come + m->coming_size > COME_MAX ||
        blob->offset != tdm_share_bytes_size(&m->coming) ||
        blob->data_size > m->coming_size - blob->offset)
        return false;
    if (!tdm_share_bytes_put(&m->coming, blob->data, blob->data_size))
        return false;
    if (tdm_share_bytes_size(&m->coming) < m->coming_size)
        return true;
    tdm_sha256(m->coming.data + m->coming.at, tdm_share_bytes_size(&m->coming), hash);
    bool right = memcmp(hash, m->coming_hash, sizeof hash) == 0;
    bool kept =
        right && tdm_board_doc_blob_put(m->doc, m->coming.data + m->coming.at,
                                        tdm_share_bytes_size(&m->coming), hash, &why) == TDM_OK;

    forget_want(m, m->coming_hash);
    m->come += m->coming_size;
    m->refused += !kept;
    m->coming_size = 0;
    tdm_share_bytes_clear(&m->coming);
    if (kept)
        arrived(arg, hash);
    return right;
}

bool tdm_board_image_link_take(struct tdm_board_image_link *m, const uint8_t *data, size_t size,
                               void (*arrived)(void *arg, const uint8_t hash[TDM_BOARD_HASH_BYTES]),
                               void *arg)
{
    struct tdm_board_blob blob;
    size_t taken = 0;

    if (!m->doc || !tdm_share_bytes_put(&m->in, data, size))
        return false;
    do {
        if (tdm_board_blob_parse(&blob, m->in.data + m->in.at, tdm_share_bytes_size(&m->in),
                                 &taken) != TDM_OK)
            return false;
        switch (taken ? blob.type : 0) {
        case TDM_BOARD_BLOB_WANT:
            if (m->asked_count < TDM_BOARD_WANTS_MAX &&
                find(m->asked, m->asked_count, blob.hash) < 0)
                memcpy(m->asked[m->asked_count++], blob.hash, TDM_BOARD_HASH_BYTES);
            break;
        case TDM_BOARD_BLOB_DATA:
            if (!take_data(m, &blob, arrived, arg))
                return false;
            break;
        case TDM_BOARD_BLOB_LACK:
            forget_want(m, blob.hash);
            break;
        default:
            break;
        }
        m->in.at += taken;
    } while (taken && tdm_share_bytes_size(&m->in));
    return tdm_share_bytes_size(&m->in) <= 2 * TDM_BOARD_MESSAGE_MAX;
}

static size_t write_one(const struct tdm_board_blob *blob, uint8_t *room, size_t max)
{
    struct tdm_writer w = tdm_writer_of(room, max);

    return tdm_board_blob_write(blob, &w) == TDM_OK ? tdm_writer_size(&w) : 0;
}

static void next_asked(struct tdm_board_image_link *m)
{
    stop_going(m);
    m->asked_count--;
    memmove(m->asked[0], m->asked[1], m->asked_count * sizeof m->asked[0]);
}

/* More of what the other side asked for. */
static size_t fill_data(struct tdm_board_image_link *m, uint8_t *room, size_t max)
{
    struct tdm_board_blob blob = {.type = TDM_BOARD_BLOB_DATA};
    struct tdm_cause why;

    memcpy(blob.hash, m->asked[0], sizeof blob.hash);
    if (!m->going &&
        tdm_board_doc_blob_get(m->doc, blob.hash, &m->going, &m->going_size, &why) != TDM_OK) {
        m->going = NULL;
        blob.type = TDM_BOARD_BLOB_LACK;
        size_t size = write_one(&blob, room, max);

        if (size)
            next_asked(m);
        return size;
    }
    size_t left = m->going_size - m->going_at;

    blob.size = m->going_size;
    blob.offset = m->going_at;
    blob.data = m->going + m->going_at;
    blob.data_size = left < TDM_BOARD_BLOB_PIECE ? left : TDM_BOARD_BLOB_PIECE;
    blob.data_size = blob.data_size < max - MESSAGE_HEAD ? blob.data_size : max - MESSAGE_HEAD;
    size_t size = write_one(&blob, room, max);

    m->going_at += size ? blob.data_size : 0;
    if (m->going_at == m->going_size)
        next_asked(m);
    return size;
}

size_t tdm_board_image_link_fill(struct tdm_board_image_link *m, uint8_t *room, size_t max)
{
    struct tdm_board_blob blob = {.type = TDM_BOARD_BLOB_WANT};

    if (!m->doc || max < 2 * MESSAGE_HEAD)
        return 0;
    if (m->to_ask) {
        memcpy(blob.hash, m->wanted[m->wanted_count - m->to_ask], sizeof blob.hash);
        size_t size = write_one(&blob, room, max);

        m->to_ask -= size > 0;
        return size;
    }
    return m->asked_count ? fill_data(m, room, max) : 0;
}
