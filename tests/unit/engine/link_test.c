/* SPDX-License-Identifier: MIT */
#include "engine/link.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static void open_and_free(void **state)
{
    struct tdm_link link;
    struct tdm_cause cause = {""};

    (void)state;
    assert_int_equal(tdm_link_init(&link, &cause), TDM_OK);
    int fds[2] = {link.net_wake, link.video_wake};

    assert_true(fds[0] > 0 && fds[1] > 0 && fds[0] != fds[1]);
    tdm_link_free(&link);
    assert_int_equal(fcntl(fds[0], F_GETFD), -1);
    assert_int_equal(fcntl(fds[1], F_GETFD), -1);
    tdm_link_free(&link); /* Twice is once. */
}

/* Each ring takes what it is for, and what is in one is not in another. */
static void rings(void **state)
{
    struct tdm_link link;
    struct tdm_record_ring *const all[] = {&link.tx_audio, &link.tx_video, &link.rx_audio,
                                           &link.rx_video};
    static const uint32_t most[] = {1500, 256 * 1024, 1500, 1024 * 1024 - 64};
    uint32_t size;

    (void)state;
    assert_int_equal(tdm_link_init(&link, NULL), TDM_OK);
    for (int i = 0; i < 4; i++) {
        uint8_t *record = tdm_record_ring_reserve(all[i], most[i]);

        assert_non_null(record);
        memset(record, i + 1, most[i]);
        tdm_record_ring_commit(all[i]);
    }
    for (int i = 0; i < 4; i++) {
        const uint8_t *record = tdm_record_ring_peek(all[i], &size);

        assert_non_null(record);
        assert_int_equal(size, most[i]);
        for (uint32_t at = 0; at < size; at++)
            if (record[at] != i + 1)
                fail_msg("ring %d, byte %u", i, at);
        tdm_record_ring_release(all[i]);
        assert_null(tdm_record_ring_peek(all[i], &size));
    }
    /* Full is a refusal, not a wait. */
    uint32_t taken = 0;

    while (tdm_record_ring_reserve(&link.tx_audio, 1000)) {
        tdm_record_ring_commit(&link.tx_audio);
        assert_true(++taken < 100);
    }
    assert_true(taken > 10);
    tdm_link_free(&link);
}

/* Without descriptors: a cause, and nothing to free that was not made. */
static void no_descriptors(void **state)
{
    struct rlimit before, none;
    struct tdm_link link;
    struct tdm_cause cause = {""};

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum tdm_err err = tdm_link_init(&link, &cause);

    tdm_link_free(&link);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_not_equal(err, TDM_OK);
    assert_string_not_equal(cause.text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_and_free),
        cmocka_unit_test(rings),
        cmocka_unit_test(no_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
