/* SPDX-License-Identifier: MIT */
/* Any bytes as a message: what was read can be written, and reads the same again. */

#include "engine/wire/dns_sd.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(const struct tdm_dns_record *record)
{
    uint8_t bytes[70000];
    struct tdm_dns_writer w;
    struct tdm_dns_reader r;
    struct tdm_dns_record again;
    char value[40];

    tdm_dns_write(&w, bytes, sizeof bytes, 1, true);
    assert(tdm_dns_write_record(&w, record) == TDM_OK);
    assert(tdm_dns_write_record(&w, record) == TDM_OK); /* Its names point to the first one. */
    assert(tdm_dns_read(&r, bytes, tdm_dns_write_end(&w)) == TDM_OK);
    for (int i = 0; i < 2; i++) {
        assert(tdm_dns_read_record(&r, &again) == TDM_OK);
        assert(tdm_dns_record_equal(record, &again) && again.ttl_s == record->ttl_s);
    }
    assert(tdm_dns_read_record(&r, &again) == TDM_E_GONE);
    if (record->type == TDM_DNS_TXT && tdm_dns_text_value(record, "domain", value, sizeof value))
        assert(memchr(value, '\0', sizeof value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_dns_reader r;
    struct tdm_dns_question q;
    struct tdm_dns_record record;
    char label[TDM_DNS_LABEL_MAX + 1];

    if (tdm_dns_read(&r, data, size) != TDM_OK)
        return 0;
    while (tdm_dns_read_question(&r, &q) == TDM_OK)
        assert(q.name.size && q.name.bytes[q.name.size - 1] == 0);
    for (int i = 0; i < 64 && tdm_dns_read_record(&r, &record) == TDM_OK; i++) {
        assert(record.name.size && tdm_dns_name_equal(&record.name, &record.name));
        tdm_dns_name_label(&record.name, label);
        if (record.type)
            check_record(&record);
    }
    return 0;
}
