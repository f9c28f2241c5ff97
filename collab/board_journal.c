/* SPDX-License-Identifier: MIT */
#include "collab/board_journal.h"

#include "engine/base/digest.h"

#include <assert.h>

#define MARK 0xB5

/* Bytes that a search for whole records may check, for each byte of the journal: spoiled bytes that
 * look like one record behind the other must not cost the square of their count. */
#define SEARCH_FACTOR 8

static const uint8_t magic[8] = {'T', 'D', 'M', 'B', 'O', 'A', 'R', 'D'};

void tdm_journal_head_write(struct tdm_writer *w, const struct tdm_journal_head *head)
{
    uint8_t *start = w->at;

    tdm_write_bytes(w, magic, sizeof magic);
    tdm_write_u16(w, TDM_JOURNAL_VERSION);
    tdm_write_u16(w, 0);
    tdm_write_bytes(w, head->document, sizeof head->document);
    tdm_write_u64(w, (uint64_t)head->begun_ms);
    if (w->ok)
        tdm_write_u32(w, tdm_crc32(start, (size_t)(w->at - start)));
}

/* --- Records ---------------------------------------------------------------------------------- */

/* Of the head up to the CRC, and the bytes. */
static uint32_t check_of(const uint8_t *head, const uint8_t *data, size_t size)
{
    uint32_t check = tdm_crc32(head, TDM_JOURNAL_RECORD_HEAD_BYTES - 4);

    /* Joined without a copy: the second sum begins where the first one ended. */
    return size ? tdm_crc32_more(check, data, size) : check;
}

void tdm_journal_record_head(uint8_t head[TDM_JOURNAL_RECORD_HEAD_BYTES],
                             const struct tdm_journal_record *record)
{
    struct tdm_writer w = tdm_writer_of(head, TDM_JOURNAL_RECORD_HEAD_BYTES);

    assert(record->size <= TDM_JOURNAL_RECORD_MAX);
    tdm_write_u8(&w, MARK);
    tdm_write_u8(&w, (uint8_t)record->kind);
    tdm_write_u16(&w, 0);
    tdm_write_u32(&w, (uint32_t)record->size);
    tdm_write_u64(&w, (uint64_t)record->wall_ms);
    tdm_write_u32(&w, check_of(head, record->data, record->size));
}

void tdm_journal_write(struct tdm_writer *w, const struct tdm_journal_record *record)
{
    uint8_t *head = tdm_writer_left(w) >= TDM_JOURNAL_RECORD_HEAD_BYTES + record->size
                        ? tdm_write_reserve(w, TDM_JOURNAL_RECORD_HEAD_BYTES)
                        : NULL;

    if (!head) {
        w->ok = false;
        return;
    }
    tdm_journal_record_head(head, record);
    tdm_write_bytes(w, record->data, record->size);
}

void tdm_journal_session_write(uint8_t data[TDM_JOURNAL_SESSION_BYTES],
                               const struct tdm_journal_session *session)
{
    struct tdm_writer w = tdm_writer_of(data, TDM_JOURNAL_SESSION_BYTES);

    tdm_write_u32(&w, session->actor);
    tdm_write_u64(&w, session->place);
}

bool tdm_journal_session_parse(struct tdm_journal_session *session,
                               const struct tdm_journal_record *record)
{
    struct tdm_reader r = tdm_reader_of(record->data, record->size);

    session->actor = tdm_read_u32(&r);
    session->place = tdm_read_u64(&r);
    return r.ok && record->kind == TDM_JOURNAL_SESSION;
}

/* --- Scanning --------------------------------------------------------------------------------- */

/* Whether a whole record begins at `at`. */
static bool look(const struct tdm_journal_scan *s, size_t at, struct tdm_journal_record *record)
{
    struct tdm_reader r = tdm_reader_of(s->data + at, s->size - at);
    uint8_t mark = tdm_read_u8(&r), kind = tdm_read_u8(&r);
    uint16_t zero = tdm_read_u16(&r);
    size_t size = tdm_read_u32(&r);
    uint64_t wall_ms = tdm_read_u64(&r);

    tdm_read_skip(&r, 4);
    *record = (struct tdm_journal_record){.kind = (enum tdm_journal_kind)kind,
                                          .wall_ms = (int64_t)(wall_ms & INT64_MAX),
                                          .data = tdm_read_bytes(&r, size),
                                          .size = size};
    return r.ok && mark == MARK && !zero && size <= TDM_JOURNAL_RECORD_MAX;
}

static bool sound(const struct tdm_journal_scan *s, size_t at,
                  const struct tdm_journal_record *record)
{
    struct tdm_reader crc = tdm_reader_of(s->data + at + TDM_JOURNAL_RECORD_HEAD_BYTES - 4, 4);

    return tdm_read_u32(&crc) == check_of(s->data + at, record->data, record->size);
}

/* The first whole record from `at` on; SIZE_MAX when there is none. */
static size_t search(struct tdm_journal_scan *s, size_t at, struct tdm_journal_record *record)
{
    for (const uint8_t *mark; at < s->size && s->search_left; at++) {
        mark = memchr(s->data + at, MARK, s->size - at);
        if (!mark)
            break;
        at = (size_t)(mark - s->data);
        if (!look(s, at, record))
            continue;
        s->search_left -= record->size < s->search_left ? record->size : s->search_left;
        if (sound(s, at, record))
            return at;
    }
    return SIZE_MAX;
}

enum tdm_err tdm_journal_head_parse(struct tdm_journal_head *head, const uint8_t *data, size_t size)
{
    struct tdm_journal_scan all = {
        .data = data, .size = size, .search_left = SEARCH_FACTOR * (uint64_t)size};
    struct tdm_reader r = tdm_reader_of(data, size);
    const uint8_t *first = tdm_read_bytes(&r, sizeof magic);
    uint16_t version = tdm_read_u16(&r);
    struct tdm_journal_record record;

    tdm_read_skip(&r, 2);
    const uint8_t *document = tdm_read_bytes(&r, sizeof head->document);

    head->begun_ms = (int64_t)(tdm_read_u64(&r) & INT64_MAX);
    size_t checked = size - tdm_reader_left(&r);
    uint32_t crc = tdm_read_u32(&r);

    if (!r.ok)
        return TDM_E_MALFORMED;
    head->spoiled = memcmp(first, magic, sizeof magic) != 0 || crc != tdm_crc32(data, checked);
    if (head->spoiled && search(&all, TDM_JOURNAL_HEAD_BYTES, &record) == SIZE_MAX)
        return TDM_E_MALFORMED;
    memcpy(head->document, document, sizeof head->document);
    return version == TDM_JOURNAL_VERSION || head->spoiled ? TDM_OK : TDM_E_UNSUPPORTED;
}

enum tdm_err tdm_journal_scan_init(struct tdm_journal_scan *scan, struct tdm_journal_head *head,
                                   const uint8_t *data, size_t size)
{
    *scan = (struct tdm_journal_scan){
        .data = data, .size = size, .at = size, .search_left = SEARCH_FACTOR * (uint64_t)size};
    enum tdm_err err = tdm_journal_head_parse(head, data, size);

    if (err == TDM_OK) {
        scan->at = scan->good_size = TDM_JOURNAL_HEAD_BYTES;
        scan->lost = head->spoiled ? TDM_JOURNAL_HEAD_BYTES : 0;
    }
    return err;
}

bool tdm_journal_scan_next(struct tdm_journal_scan *s, struct tdm_journal_record *record)
{
    size_t at = s->at;

    if (at >= s->size)
        return false;
    if (!look(s, at, record) || !sound(s, at, record))
        at = search(s, at + 1, record);
    if (at == SIZE_MAX) {
        s->torn = true;
        s->lost += s->size - s->at;
        s->at = s->size;
        return false;
    }
    s->holes += at != s->at;
    s->lost += at - s->at;
    s->at = s->good_size = at + TDM_JOURNAL_RECORD_HEAD_BYTES + record->size;
    s->records++;
    if (record->wall_ms > s->wall_ms)
        s->wall_ms = record->wall_ms;
    record->wall_ms = s->wall_ms;
    return true;
}
