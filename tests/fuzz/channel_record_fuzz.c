/* SPDX-License-Identifier: MIT */
/*
 * Bytes as a chain of records and each as every body. Checked: sizes stay in bounds, and what can
 * be read is written again as the same bytes, since a value has one form only (capabilities of a
 * preface that are not known are stepped over, and are not).
 */

#include "engine/wire/channel_record.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t again[TDM_CHANNEL_RECORD_MAX];

static void same(const struct tdm_writer *w, const uint8_t *bytes, size_t size)
{
    assert(w->ok && tdm_writer_size(w) == size && memcmp(again, bytes, size) == 0);
}

static void bodies(const uint8_t *body, size_t size)
{
    struct tdm_writer w = tdm_writer_of(again, sizeof again);
    struct tdm_preface preface;
    struct tdm_open open;
    struct tdm_credit credit;
    struct tdm_ack ack;
    static struct tdm_resume resume;

    if (tdm_preface_parse(&preface, body, size) == TDM_OK) {
        struct tdm_preface read;

        assert(preface.version_min <= preface.version_max);
        tdm_preface_write(&w, &preface);
        assert(w.ok && tdm_preface_parse(&read, again, tdm_writer_size(&w)) == TDM_OK);
        assert(read.stream_window_bytes == preface.stream_window_bytes);
        assert(read.resumes == preface.resumes);
    }
    w = tdm_writer_of(again, sizeof again);
    if (tdm_open_parse(&open, body, size) == TDM_OK) {
        tdm_open_write(&w, &open);
        same(&w, body, size);
    }
    w = tdm_writer_of(again, sizeof again);
    if (tdm_credit_parse(&credit, body, size) == TDM_OK) {
        tdm_credit_write(&w, &credit);
        same(&w, body, size);
    }
    w = tdm_writer_of(again, sizeof again);
    if (tdm_ack_parse(&ack, body, size) == TDM_OK) {
        tdm_ack_write(&w, &ack);
        same(&w, body, size);
    }
    w = tdm_writer_of(again, sizeof again);
    if (tdm_resume_parse(&resume, body, size) == TDM_OK) {
        assert(resume.count <= TDM_CHANNEL_RESUMES_MAX);
        tdm_resume_write(&w, &resume);
        assert(w.ok && tdm_writer_size(&w) == size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t at = 0;

    while (at < size) {
        struct tdm_record_head head;
        size_t head_size = 0;
        enum tdm_err err = tdm_record_head_parse(&head, &head_size, data + at, size - at);

        if (err != TDM_OK) {
            assert(err == TDM_E_MALFORMED || size - at < TDM_CHANNEL_HEAD_MAX);
            return 0;
        }
        assert(head.body_size <= TDM_CHANNEL_BODY_MAX && head_size <= TDM_CHANNEL_HEAD_MAX);
        struct tdm_writer w = tdm_writer_of(again, sizeof again);

        tdm_record_head_write(&w, &head);
        assert(tdm_record_head_size(&head) == head_size);
        same(&w, data + at, head_size);
        at += head_size;
        size_t body = head.body_size < size - at ? head.body_size : size - at;

        bodies(data + at, body);
        at += body;
    }
    return 0;
}
