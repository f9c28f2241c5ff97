/* SPDX-License-Identifier: MIT */
#include "engine/core/window_code.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Packets whose bytes follow from their number. */
static size_t packet(int64_t seq, uint8_t bytes[TDM_RTP_PACKET_MAX])
{
    struct tdm_rng rng = tdm_rng_of((uint64_t)seq * 77 + 5);
    size_t size = tdm_rng_below(&rng, TDM_RTP_PACKET_MAX + 1);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)tdm_rng_u32(&rng);
    return size;
}

struct line {
    struct tdm_window_encoder encoder;
    struct tdm_window_decoder decoder;
    struct tdm_window_out out;
    uint8_t bytes[TDM_RTP_PACKET_MAX];
    uint8_t repair[TDM_WINDOW_REPAIR_MAX];
    uint64_t recovered;
};

static struct line *line_create(void)
{
    struct line *l = calloc(1, sizeof *l);

    assert_non_null(l);
    tdm_window_encoder_init(&l->encoder);
    tdm_window_decoder_init(&l->decoder);
    return l;
}

/* What comes back is what was sent. */
static void look(struct line *l)
{
    uint8_t bytes[TDM_RTP_PACKET_MAX];

    for (uint16_t i = 0; i < l->out.count; i++) {
        const struct tdm_window_packet *p = l->out.packets[i];

        assert_int_equal(p->size, packet(p->seq, bytes));
        assert_memory_equal(p->bytes, bytes, p->size);
    }
    l->recovered += l->out.count;
}

static void send_packet(struct line *l, int64_t seq, bool lost)
{
    size_t size = packet(seq, l->bytes);

    tdm_window_encoder_push(&l->encoder, seq, l->bytes, size);
    if (lost)
        return;
    tdm_window_decoder_packet(&l->decoder, seq, l->bytes, size, &l->out);
    look(l);
}

static void send_repair(struct line *l, uint16_t span, bool lost)
{
    size_t size = tdm_window_encoder_repair(&l->encoder, span, l->repair);

    if (lost)
        return;
    assert_int_equal(tdm_window_decoder_repair(&l->decoder, l->repair, size, &l->out), TDM_OK);
    look(l);
}

/* As many repairs as losses, over equal windows: always enough, wherever the losses are. */
static void test_equal_windows_need_no_more_than_was_lost(void **state)
{
    struct tdm_rng rng = tdm_rng_of(3);

    (void)state;
    for (int round = 0; round < 150; round++) {
        struct line *l = line_create();
        int64_t first = 65500 + (int64_t)tdm_rng_below(&rng, 500);
        uint16_t span = (uint16_t)(1 + tdm_rng_below(&rng, 60));
        uint64_t lost = 0;

        send_packet(l, first - 1, false);
        for (int64_t seq = first; seq < first + span; seq++) {
            bool drop = tdm_rng_chance(&rng, 0.4);

            lost += drop;
            send_packet(l, seq, drop);
        }
        for (uint64_t i = 0; i < lost; i++) {
            assert_int_equal(l->recovered, 0);
            send_repair(l, span, false);
        }
        assert_int_equal(l->recovered, lost);
        send_repair(l, span, false);
        assert_int_equal(l->decoder.redundant, 1);
        free(l);
    }
}

/* Windows that slide: a burst comes back once as many repairs behind it have come as it took. */
static void test_a_burst_is_mended_by_the_frames_behind_it(void **state)
{
    struct tdm_rng rng = tdm_rng_of(9);

    (void)state;
    for (int round = 0; round < 100; round++) {
        struct line *l = line_create();
        int64_t seq = tdm_rng_below(&rng, 70000), burst = 3 + tdm_rng_below(&rng, 6);

        for (int64_t end = seq + 20; seq < end; seq++)
            send_packet(l, seq, false);
        for (int64_t end = seq + burst; seq < end; seq++)
            send_packet(l, seq, true);
        for (int64_t came = 0; came < burst; came++) {
            assert_int_equal(l->recovered, 0);
            for (int i = 0; i < 3; i++)
                send_packet(l, seq++, false);
            send_repair(l, 40, false);
        }
        assert_int_equal(l->recovered, burst);
        free(l);
    }
}

/* Random loss of everything, reordering and doubling: what comes back is right, and nearly all that
 * can come back does: the code's rank is the number of repairs that came, until the memory ends. */
static void test_a_long_stream_with_losses(void **state)
{
    static const struct {
        double loss;
        uint32_t each; /* Packets a repair. */
        double want;   /* Of what was lost. */
    } lines[] = {{0.02, 8, 0.999}, {0.05, 5, 0.999}, {0.10, 4, 0.999}, {0.20, 2, 0.98}};

    (void)state;
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
        struct line *l = line_create();
        struct tdm_rng rng = tdm_rng_of(k + 40);
        uint64_t lost = 0;

        for (int64_t seq = 0; seq < 6000; seq++) {
            bool drop = seq > 0 && tdm_rng_chance(&rng, lines[k].loss);

            lost += drop;
            send_packet(l, seq, drop);
            if (seq % lines[k].each == 0)
                send_repair(l, 60, tdm_rng_chance(&rng, lines[k].loss));
            if (!drop && tdm_rng_chance(&rng, 0.02)) /* One that came before, once more. */
                tdm_window_decoder_packet(&l->decoder, seq, l->bytes, packet(seq, l->bytes),
                                          &l->out);
        }
        print_message("loss %.2f, a repair for %u: %.4f came back\n", lines[k].loss, lines[k].each,
                      (double)l->recovered / (double)lost);
        assert_true((double)l->recovered >= lines[k].want * (double)lost);
        assert_int_equal(l->decoder.refused, 0);
        free(l);
    }
}

/* A late packet serves, too: it takes itself out of the equations. */
static void test_reordered_packets_serve(void **state)
{
    struct line *l = line_create();
    uint8_t bytes[TDM_RTP_PACKET_MAX];

    (void)state;
    for (int64_t seq = 0; seq < 10; seq++)
        send_packet(l, seq, seq == 4 || seq == 6 || seq == 7);
    send_repair(l, 10, false);
    send_repair(l, 10, false);
    assert_int_equal(l->recovered, 0);
    tdm_window_decoder_packet(&l->decoder, 6, bytes, packet(6, bytes), &l->out);
    look(l);
    assert_int_equal(l->recovered, 2);
    free(l);
}

/* A number that was left out ends the window: nothing covers what the other side cannot have. */
static void test_a_gap_at_the_sender(void **state)
{
    struct line *l = line_create();

    (void)state;
    for (int64_t seq = 0; seq < 10; seq++)
        if (seq != 5)
            send_packet(l, seq, seq == 8);
    send_repair(l, 100, false);
    assert_int_equal(l->repair[2], 4);
    assert_int_equal(l->recovered, 1);
    free(l);
}

static void test_what_is_no_repair(void **state)
{
    static const struct {
        uint8_t bytes[8];
        size_t size;
    } bad[] = {{{0}, 0},
               {{0, 5, 3}, 3},
               {{0, 5, 3, 0, 1}, 5},         /* No size in it. */
               {{0, 5, 0, 0, 0, 1, 2}, 7},   /* Covers nothing. */
               {{0, 5, 129, 0, 0, 1, 2}, 7}, /* More than there may be. */
               {{0, 5, 3, 128, 0, 1, 2}, 7}};
    struct line *l = line_create();

    (void)state;
    send_packet(l, 5, false);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tdm_window_decoder_repair(&l->decoder, bad[i].bytes, bad[i].size, &l->out),
                         TDM_E_MALFORMED);
    free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_windows_need_no_more_than_was_lost),
        cmocka_unit_test(test_a_burst_is_mended_by_the_frames_behind_it),
        cmocka_unit_test(test_a_long_stream_with_losses),
        cmocka_unit_test(test_reordered_packets_serve),
        cmocka_unit_test(test_a_gap_at_the_sender),
        cmocka_unit_test(test_what_is_no_repair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
