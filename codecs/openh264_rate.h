/* SPDX-License-Identifier: MIT */
#ifndef TDM_CODECS_OPENH264_RATE_H
#define TDM_CODECS_OPENH264_RATE_H

/*
 * Decides how openh264 codes each picture so that it stays within its budget. Pure: it sees sizes,
 * quantisers and how much the picture moved, and says what to ask the library for.
 *
 * openh264's own rate control moves the quantiser inside a picture and then holds a budget to
 * within a few percent, but it lets keyframes have six budgets and a scene cut thirty. So it has
 * the pictures of a settled scene only. A keyframe, a cut and the pictures after them, until the
 * quantiser is back where the library's control left it, are coded at a quantiser of ours:
 *
 *     keyframe, cut       fixed       fixed ...  fixed           library's own
 *     quantiser 46        44          42         34 = library's  34 +- what the rows need
 *
 * What is over the budget nevertheless becomes a debt; while the debt is larger than a picture's
 * budget, pictures are dropped before they cost any work.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_OPENH264_QUANTISER_MIN 20 /* Finer is not seen, and the next movement overshoots. */
#define TDM_OPENH264_QUANTISER_MAX 51

struct tdm_openh264_rate {
    double share;          /* Of the budget that the library's control aims at. */
    double key_scale;      /* Bytes of a keyframe times step ^ exponent. */
    double scale;          /* The same of other pictures, and divided by their activity. */
    double last_activity;  /* Of the last coded picture. */
    int quantiser;         /* Of the last coded picture. */
    int library_quantiser; /* That the library's control used last. */
    int fixed_count;       /* Pictures at our quantiser since the last keyframe or cut. */
    int settling;          /* Pictures for which the library is told less than it may use. */
    bool fixed;            /* The next picture is at our quantiser. */
    uint64_t debt_bytes;
};

/** How to code one picture. */
struct tdm_openh264_plan {
    bool keyframe;
    bool fixed;
    int quantiser;         /* When `fixed`. */
    uint32_t budget_bytes; /* To tell the library when not `fixed`. */
};

/** `slices`: the picture is cut by size, so that the library cannot adapt inside it.
 *  `library_quantiser`: where its control begins. */
void tdm_openh264_rate_init(struct tdm_openh264_rate *rate, bool slices, size_t pixels,
                            int library_quantiser);

/** Whether the next picture is to be dropped; pays one budget of the debt if so. */
bool tdm_openh264_rate_drops(struct tdm_openh264_rate *rate, uint32_t budget_bytes);

/** Plans the first attempt. `activity`: mean change of a sample since the last picture. */
struct tdm_openh264_plan tdm_openh264_rate_plan(struct tdm_openh264_rate *rate, double activity,
                                                uint32_t budget_bytes, bool keyframe);

/** After a keyframe of `bytes`: true when it should be coded again, at the plan's new quantiser. */
bool tdm_openh264_rate_again(const struct tdm_openh264_rate *rate, struct tdm_openh264_plan *plan,
                             size_t bytes, uint32_t budget_bytes);

/** Takes the sent picture into account. `quantiser`: that the library began it with, 0 when it
 *  was a keyframe or could not be read. */
void tdm_openh264_rate_note(struct tdm_openh264_rate *rate, const struct tdm_openh264_plan *plan,
                            double activity, size_t bytes, int quantiser, uint32_t budget_bytes);

#endif
