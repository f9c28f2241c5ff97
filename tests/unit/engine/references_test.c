/* SPDX-License-Identifier: MIT */

/* References from outside: pictures are lost in rows, the encoder is told a round trip later, and
 * what the other side can have it decodes to the same picture as one that lost nothing. */

#include "codecs/reference_slots.h"
#include "engine/base/rng.h"
#include "engine/core/references.h"
#include "tests/unit/codecs/video_coder.h"

#define WIDTH    336 /* No multiple of 32, which libvpx aligns lines to. */
#define HEIGHT   180 /* No whole number of blocks. */
#define PICTURES 240
#define BUDGET   3000
#define PSNR_MIN 25

/* One call: what was sent, and what the far side has of it. */
struct way {
    struct coder *coder;
    struct tdm_video_decoder *whole; /* That loses nothing. */
    struct tdm_references references;
    struct tdm_repair_plan plan;
    struct tdm_rng rng;
    uint64_t had[PICTURES]; /* What could be told after each picture. */
    bool decoded[PICTURES];
    uint8_t refers;
    int row; /* Pictures that are still to be lost. */
    int shown, lost, far, keyframes;
    double worst;
};

static void note_refers(void *arg, const struct tdm_slice *slice)
{
    struct way *w = arg;

    w->refers = slice->refers;
    take_slice(w->coder, slice);
}

static bool encode(struct way *w, const struct tdm_picture *pic,
                   const struct tdm_references_out *out)
{
    struct coder *c = w->coder;

    c->size = c->payload = 0;
    c->slices = c->firsts = c->lasts = 0;
    c->inside = true;
    if (out->wanted)
        c->enc_ops->refer(c->enc,
                          &(struct tdm_reference){.wanted = out->wanted, .known = out->known});
    enum tdm_err err = c->enc_ops->encode(c->enc, pic, BUDGET, out->keyframe, note_refers, w);

    c->inside = false;
    memset(c->unit + c->size, 0, TDM_DECODER_PADDING);
    assert_true(err == TDM_OK || err == TDM_E_AGAIN);
    return err == TDM_OK;
}

static bool same(const struct tdm_picture *a, const struct tdm_picture *b)
{
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < (plane ? HEIGHT / 2 : HEIGHT); y++)
            if (memcmp(a->planes[plane] + (ptrdiff_t)y * a->strides[plane],
                       b->planes[plane] + (ptrdiff_t)y * b->strides[plane],
                       (size_t)(plane ? WIDTH / 2 : WIDTH)) != 0)
                return false;
    return true;
}

/* What the far side told `delay` pictures ago arrives. */
static void hear(struct way *w, int n, int delay)
{
    int told = n - delay;

    if (told >= 0)
        tdm_references_told(&w->references, &(struct tdm_reference_report){
                                                .newest = (uint16_t)told, .decoded = w->had[told]});
}

/* The picture arrives or not, and is decoded if what it refers to was. */
static void receive(struct way *w, int n, const struct tdm_picture *source)
{
    struct tdm_picture all, pic;

    assert_int_equal(w->coder->dec_ops->decode(w->whole, w->coder->unit, w->coder->size, &all),
                     TDM_OK);
    if (!w->row && tdm_rng_chance(&w->rng, 0.08))
        w->row = 1 + (int)tdm_rng_below(&w->rng, 3);
    w->decoded[n] = !w->row && (!w->refers || w->decoded[n - w->refers]);
    w->lost += w->row > 0;
    w->row -= w->row > 0;
    w->far += w->refers > 1;
    w->keyframes += !w->refers;
    assert_int_equal(w->refers == 0, w->coder->keyframe);
    if (w->decoded[n]) {
        assert_int_equal(coder_decode(w->coder, &pic), TDM_OK);
        if (!same(&all, &pic))
            fail_msg("picture %d, which refers to the one %u before, is another one", n, w->refers);
        double psnr = picture_psnr(source, &pic);

        w->worst = psnr < w->worst ? psnr : w->worst;
        w->shown++;
    }
    w->had[n] = (n ? w->had[n - 1] << 1 : 0) | w->decoded[n];
}

static void check(const char *name, uint8_t chains, int delay)
{
    static struct way way;
    struct way *w = &way;
    const struct tdm_video_encoder_ops *ops = tdm_video_encoder_named(name);
    struct tdm_video_encoder_config config = config_of(WIDTH, HEIGHT, BUDGET * 8 * 30);
    struct tdm_cause cause;
    struct canvas canvas = canvas_of(WIDTH, HEIGHT);
    int n = 0;

    if (!ops) { /* A build without the library. */
        free(canvas.storage);
        return;
    }
    assert_true(ops->refer && ops->reach.known && ops->reach.chains);
    config.references = true;
    *w = (struct way){.plan = {.chains = chains}, .rng = tdm_rng_of(7), .worst = 99};
    w->coder = coder_create(ops->id, &config);
    w->coder->enc_ops->destroy(w->coder->enc);
    w->coder->enc_ops = ops;
    assert_int_equal(ops->create(&config, &w->coder->enc, &cause), TDM_OK);
    assert_int_equal(w->coder->dec_ops->create(&w->whole, &cause), TDM_OK);
    tdm_references_init(&w->references, ops->reach.known, ops->reach.chains);
    for (int i = 0; n < PICTURES && i < 2 * PICTURES; i++) {
        struct tdm_references_out out;

        draw_scene(&canvas.pic, i, 1 << 20);
        hear(w, n, delay);
        tdm_references_step(&w->references, &w->plan, &out);
        if (encode(w, &canvas.pic, &out)) {
            tdm_references_coded(&w->references, (uint32_t)n, w->refers);
            receive(w, n++, &canvas.pic);
        }
    }
    print_message("  %s, %u chains, told %d pictures later: %d of %d shown, %d lost, %d refer far, "
                  "%d keyframes, worst %.1f dB\n",
                  name, chains, delay, w->shown, n, w->lost, w->far, w->keyframes, w->worst);
    assert_int_equal(n, PICTURES);
    assert_true(w->lost > PICTURES / 20 && w->far > 3);
    assert_true(w->keyframes <= 2);
    assert_true(w->worst > PSNR_MIN);
    w->coder->dec_ops->destroy(w->whole);
    coder_destroy(w->coder);
    free(canvas.storage);
}

static void test_x264(void **state)
{
    (void)state;
    check("x264", 1, 2);
    check("x264", 1, 7);
}

static void test_vp9(void **state)
{
    (void)state;
    check("vp9", 1, 3);
    check("vp9", 5, 7);
}

static void test_vp8(void **state)
{
    (void)state;
    check("vp8", 1, 2);
    check("vp8", 1, 7);
}

/* What was asked for is read, and it and what is known are never written over. */
static void test_slots(void **state)
{
    struct tdm_reference_slots s;

    (void)state;
    tdm_reference_slots_init(&s, 4);
    assert_false(tdm_reference_slots_begin(&s));
    assert_int_equal(tdm_reference_slots_coded(&s, true), 0);
    for (uint8_t known = 1; known < 40; known++) { /* The keyframe stays the newest known. */
        tdm_reference_slots_wish(&s, &(struct tdm_reference){.wanted = 1, .known = known});
        assert_true(tdm_reference_slots_begin(&s));
        assert_int_not_equal(s.read, s.write);
        assert_int_equal(tdm_reference_slots_coded(&s, false), 1);
    }
    tdm_reference_slots_wish(&s, &(struct tdm_reference){.wanted = 40, .known = 40});
    assert_true(tdm_reference_slots_begin(&s));
    assert_int_equal(tdm_reference_slots_coded(&s, false), 40);
    tdm_reference_slots_wish(&s, &(struct tdm_reference){.wanted = 2, .known = 1});
    assert_true(tdm_reference_slots_begin(&s));
    assert_int_equal(tdm_reference_slots_coded(&s, false), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_x264),
        cmocka_unit_test(test_vp9),
        cmocka_unit_test(test_vp8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
