/* SPDX-License-Identifier: MIT */
#include "collab/file_map.h"

static const char magic[8] = "TandemP1";

void tdm_file_map_write(const struct tdm_file_desc *desc, uint8_t head[TDM_FILE_MAP_HEAD])
{
    struct tdm_writer w = tdm_writer_of(head, TDM_FILE_MAP_HEAD - 4);
    struct tdm_file_message offer = {.kind = TDM_FILE_OFFER, .desc = *desc};
    uint8_t message[TDM_FILE_MESSAGE_MAX];
    size_t size = tdm_file_message_write(&offer, message) - TDM_FILE_MESSAGE_HEAD;

    memset(head, 0, TDM_FILE_MAP_HEAD);
    tdm_write_bytes(&w, magic, sizeof magic);
    tdm_write_u16(&w, (uint16_t)size);
    tdm_write_bytes(&w, message + TDM_FILE_MESSAGE_HEAD, size);
    assert(w.ok);
    w = tdm_writer_of(head + TDM_FILE_MAP_HEAD - 4, 4);
    tdm_write_u32(&w, tdm_crc32(head, TDM_FILE_MAP_HEAD - 4));
}

enum tdm_err tdm_file_map_parse(struct tdm_file_desc *desc, const uint8_t head[TDM_FILE_MAP_HEAD])
{
    struct tdm_reader r = tdm_reader_of(head, TDM_FILE_MAP_HEAD - 4);
    struct tdm_reader sum = tdm_reader_of(head + TDM_FILE_MAP_HEAD - 4, 4);
    const uint8_t *begin = tdm_read_bytes(&r, sizeof magic);
    uint16_t size = tdm_read_u16(&r);
    const uint8_t *body = tdm_read_bytes(&r, size);
    struct tdm_file_message offer;

    if (!body || memcmp(begin, magic, sizeof magic) != 0 ||
        tdm_read_u32(&sum) != tdm_crc32(head, TDM_FILE_MAP_HEAD - 4) ||
        tdm_file_message_parse(&offer, TDM_FILE_OFFER, body, size) != TDM_OK)
        return TDM_E_MALFORMED;
    *desc = offer.desc;
    return TDM_OK;
}

bool tdm_file_map_fits(const struct tdm_file_desc *map, const struct tdm_file_desc *offer)
{
    return map->size == offer->size && map->manifest_bytes == offer->manifest_bytes &&
           map->entries == offer->entries && memcmp(map->root, offer->root, sizeof map->root) == 0;
}

bool tdm_file_map_has(const tdm_file_hash leaf)
{
    static const tdm_file_hash none;

    return memcmp(leaf, none, sizeof none) != 0;
}
