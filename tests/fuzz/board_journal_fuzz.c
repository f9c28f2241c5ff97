/* SPDX-License-Identifier: MIT */
/*
 * Bytes are a journal. Checked: every record lies within them, nothing is counted twice, and the
 * records that were whole, written again, are all read again without a loss.
 */

#include "collab/board_journal.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t again[1 << 20];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_journal_scan scan, second;
    struct tdm_journal_head head;
    struct tdm_journal_record record;
    struct tdm_journal_session session;
    struct tdm_writer w = tdm_writer_of(again, sizeof again);
    uint64_t used = TDM_JOURNAL_HEAD_BYTES;
    size_t fixed = 0;
    static uint8_t mended[1 << 16];

    if (size < TDM_JOURNAL_HEAD_BYTES || size > sizeof mended)
        return 0;
    /* A whole head in front, so that the records are reached. */
    memcpy(mended, data, size);
    struct tdm_writer first = tdm_writer_of(mended, TDM_JOURNAL_HEAD_BYTES);

    tdm_journal_head_write(&first, &(struct tdm_journal_head){.begun_ms = 1});
    (void)tdm_journal_head_parse(&head, data, size);
    if (tdm_journal_scan_init(&scan, &head, mended, size) != TDM_OK)
        return 0;
    tdm_journal_head_write(&w, &head);
    while (tdm_journal_scan_next(&scan, &record)) {
        assert(record.data >= mended && record.data + record.size <= mended + size);
        used += TDM_JOURNAL_RECORD_HEAD_BYTES + record.size;
        (void)tdm_journal_session_parse(&session, &record);
        tdm_journal_write(&w, &record);
    }
    assert(w.ok && used + scan.lost == size && scan.good_size <= size);
    if (tdm_journal_scan_init(&second, &head, again, tdm_writer_size(&w)) != TDM_OK)
        assert(false);
    while (tdm_journal_scan_next(&second, &record))
        fixed++;
    assert(fixed == scan.records && !second.lost && !second.torn && !second.holes);
    return 0;
}
