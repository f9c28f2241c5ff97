/* SPDX-License-Identifier: MIT */
/* What the audio thread hands to the net thread: how far each frame moves the RTP clock, its bytes,
 * and when it was captured. */
#include "engine/audio_in.h"

#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define FRAMES 4

struct form {
    enum tdm_codec_id id;
    struct tdm_audio_format format;
    uint32_t ticks;             /* Of the RTP clock in a frame. */
    uint32_t least, most_bytes; /* Of a payload. */
};

static const struct form forms[] = {
    {TDM_CODEC_OPUS, {48000, 2500, 1, 48000, false}, 120, 5, 40},
    {TDM_CODEC_OPUS, {48000, 10000, 1, 48000, false}, 480, 20, 130},
    {TDM_CODEC_OPUS, {48000, 60000, 2, 510000, false}, 2880, 100, TDM_AUDIO_PAYLOAD_MAX},
    {TDM_CODEC_OPUS, {48000, 10000, 1, 48000, true}, 960, 40, 260}, /* Two in a packet. */
    {TDM_CODEC_PCMU, {8000, 20000, 1, 0, false}, 160, 160, 160},
    {TDM_CODEC_PCMA, {8000, 2500, 1, 0, false}, 20, 20, 20},
    {TDM_CODEC_G722, {16000, 20000, 1, 0, false}, 160, 160, 160},
    {TDM_CODEC_G722, {16000, 2500, 1, 0, false}, 20, 20, 20},
    {TDM_CODEC_L16, {48000, 5000, 2, 0, false}, 240, 960, 960},
    {TDM_CODEC_L16, {44100, 10000, 1, 0, false}, 441, 882, 882},
    {TDM_CODEC_L16, {44100, 5000, 2, 0, false}, 220, 880, 880},
};

static void check_form(const struct form *form)
{
    struct tdm_link link;
    struct tdm_audio_in *in = NULL;
    struct tdm_cause cause = {""};
    int wake = tdm_wake_open(NULL);
    tdm_time captured = 0;
    const struct tdm_audio_in_config config = {.link = &link,
                                               .control_wake = wake,
                                               .source = "tone",
                                               .codec = form->id,
                                               .format = form->format,
                                               .fmtp = "stereo=1"};

    assert_int_equal(tdm_link_init(&link, &cause), TDM_OK);
    atomic_store(&link.audio_joined, true);
    assert_int_equal(tdm_audio_in_create(&config, &in, &cause), TDM_OK);
    for (int taken = 0; taken < FRAMES;) {
        uint32_t size;
        const struct tdm_link_audio_tx *tx = tdm_record_ring_peek(&link.tx_audio, &size);

        if (!tx) {
            assert_int_equal(tdm_wait_until(tdm_clock_now() + 5 * TDM_S, -1, link.net_wake),
                             TDM_WAIT_DEVICE);
            tdm_wake_clear(link.net_wake);
            continue;
        }
        assert_int_equal(tx->samples_rtp, form->ticks);
        assert_in_range(size - sizeof *tx, form->least, form->most_bytes);
        assert_true(tx->captured > captured && tx->captured < tx->encode_start);
        captured = tx->captured;
        tdm_record_ring_release(&link.tx_audio);
        taken++;
    }
    tdm_audio_in_destroy(in);
    tdm_link_free(&link);
    (void)close(wake);
}

static void test_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        check_form(&forms[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
