/* SPDX-License-Identifier: MIT */
/* What cannot be kept for want of memory is not lost in silence: the streams begin anew. */
#include "collab/file_wire.h"
#include "engine/files.h"

#include "tests/oom/failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OFFERS 30 /* More than the core refuses before it has to say so. */

/* The channel. */
static uint64_t tags[16];
static uint32_t opens, resets;
static size_t consumed;

bool tdm_rider_open(struct tdm_rider_seat *seat, enum tdm_channel_kind kind,
                    enum tdm_channel_class cls, uint64_t tag)
{
    (void)seat;
    (void)kind;
    (void)cls;
    tags[opens++] = tag;
    return true;
}

bool tdm_rider_ready(struct tdm_rider_seat *seat, uint32_t stream)
{
    (void)seat;
    (void)stream;
    return true;
}

bool tdm_rider_consumed(struct tdm_rider_seat *seat, uint32_t stream, size_t size)
{
    (void)seat;
    (void)stream;
    consumed += size;
    return true;
}

bool tdm_rider_reset(struct tdm_rider_seat *seat, uint32_t stream)
{
    (void)seat;
    (void)stream;
    resets++;
    return true;
}

void tdm_rider_wake(struct tdm_rider_seat *seat)
{
    (void)seat;
}

bool tdm_rider_peer(const struct tdm_rider_seat *seat, uint8_t fingerprint[TDM_FINGERPRINT_BYTES])
{
    (void)seat;
    memset(fingerprint, 1, 32);
    return true;
}

static size_t many_offers(uint8_t *bytes)
{
    struct tdm_file_message m = {
        .kind = TDM_FILE_HELLO, .version = TDM_FILES_VERSION, .offers_max = 1};
    size_t size = tdm_file_message_write(&m, bytes);

    m = (struct tdm_file_message){.kind = TDM_FILE_OFFER,
                                  .desc = {.size = 1000, .name = "big", .type = "text/plain"}};
    for (m.id = 1; m.id <= OFFERS; m.id++)
        size += tdm_file_message_write(&m, bytes + size);
    return size;
}

static void streams_begin_anew(void **state)
{
    static uint8_t bytes[(OFFERS + 1) * TDM_FILE_MESSAGE_MAX];
    static int seat;
    struct tandem_files_config config = {.folder = "/tmp", .size_max = 1};
    struct tandem_files *files;
    size_t size = many_offers(bytes);

    (void)state;
    assert_int_equal(tandem_files_create(&config, &files, NULL), TANDEM_OK);
    tdm_files_rider.attach(files, (struct tdm_rider_seat *)(void *)&seat);
    tdm_files_rider.up(files, 0, false);
    assert_int_equal(opens, 2);
    for (uint32_t i = 0; i < 2; i++)
        tdm_files_rider.opened(
            files, 0,
            &(struct tdm_rider_stream){
                .id = 1 + i, .kind = i ? TDM_KIND_FILE_DATA : TDM_KIND_FILES, .tag = tags[i]});
    tdm_files_rider.opened(files, 0, &(struct tdm_rider_stream){.id = 9, .kind = TDM_KIND_FILES});

    failing_arm(1, 0);
    tdm_files_rider.record(files, 0, 9, bytes, size, false);
    assert_int_equal(failing_count(), 1);
    failing_arm(0, 0);
    assert_int_equal(resets, 2);
    assert_int_equal(opens, 4);
    assert_int_equal(consumed, size);

    /* With memory the rest is kept until the refusals are said. */
    consumed = 0;
    tdm_files_rider.opened(files, 0, &(struct tdm_rider_stream){.id = 10, .kind = TDM_KIND_FILES});
    tdm_files_rider.record(files, 0, 10, bytes, size, false);
    assert_int_equal(opens, 4);
    assert_in_range(consumed, 1, size - 1);
    tdm_files_rider.detach(files);
    tandem_files_destroy(files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(streams_begin_anew)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
