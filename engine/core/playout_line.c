/* SPDX-License-Identifier: MIT */
#include "engine/core/playout_line.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define JOIN_SAMPLES 96 /* 2 ms at 48 kHz. */

void tdm_playout_line_init(struct tdm_playout_line *l, int16_t *pcm, uint32_t channels)
{
    *l = (struct tdm_playout_line){
        .pcm = pcm,
        .channels = channels,
        .read = TDM_PLAYOUT_LINE_HISTORY,
        .end = TDM_PLAYOUT_LINE_HISTORY,
    };
    if (pcm)
        memset(pcm, 0, (size_t)TDM_PLAYOUT_LINE_HISTORY * channels * sizeof *pcm);
}

int64_t tdm_playout_line_media(const struct tdm_playout_line *l)
{
    int64_t media = l->media_end - (l->end - l->read);

    return l->read < l->seam ? media + l->seam_shift : media;
}

/* Everything unread so far lies `shift` further on than the new end will say. */
static void add_seam(struct tdm_playout_line *l, int64_t shift)
{
    l->seam_shift = l->read < l->seam ? l->seam_shift + shift : shift;
    l->seam = l->end;
}

void tdm_playout_line_jump(struct tdm_playout_line *l, int64_t media)
{
    if (media == l->media_end)
        return;
    add_seam(l, l->media_end - media);
    l->media_end = media;
    l->join = true;
}

/* Adds to the new samples what is missing to the last one, fading out: no step, no click. */
static void bend(struct tdm_playout_line *l, uint32_t count)
{
    uint32_t span = count < JOIN_SAMPLES ? count : JOIN_SAMPLES;
    int16_t *at = l->pcm + (size_t)l->end * l->channels;

    for (uint32_t c = 0; c < l->channels; c++) {
        float step = (float)(at - l->channels)[c] - (float)at[c];

        for (uint32_t i = 0; i < span; i++) {
            int16_t *x = at + (size_t)i * l->channels + c;
            float bent = *x + step * (1 - (float)(i + 1) / (float)(span + 1));

            *x = (int16_t)lrintf(fminf(fmaxf(bent, -32768), 32767));
        }
    }
}

static void note(struct tdm_playout_range *r, uint32_t from, uint32_t to)
{
    if (r->to != from)
        r->from = from;
    r->to = to;
}

void tdm_playout_line_append(struct tdm_playout_line *l, enum tdm_playout_origin origin,
                             const int16_t *data, uint32_t count, bool passes)
{
    assert(count <= TDM_PLAYOUT_LINE_SAMPLES - l->end);
    if (!count)
        return;
    if (l->pcm) {
        int16_t *at = l->pcm + (size_t)l->end * l->channels;
        size_t bytes = (size_t)count * l->channels * sizeof *at;

        if (data)
            memcpy(at, data, bytes);
        else
            memset(at, 0, bytes);
        if (l->join)
            bend(l, count);
    }
    l->join = false;
    if (passes)
        l->media_end += count;
    else
        add_seam(l, count);
    if (origin == TDM_PLAYOUT_CONCEALED)
        note(&l->concealed, l->end, l->end + count);
    else if (origin == TDM_PLAYOUT_SILENT)
        note(&l->silent, l->end, l->end + count);
    l->end += count;
}

static uint32_t less(uint32_t index, uint32_t by)
{
    return index > by ? index - by : 0;
}

void tdm_playout_line_compact(struct tdm_playout_line *l)
{
    if (l->read < TDM_PLAYOUT_LINE_SAMPLES / 2)
        return;
    uint32_t by = l->read - TDM_PLAYOUT_LINE_HISTORY;

    if (l->pcm)
        memmove(l->pcm, l->pcm + (size_t)by * l->channels,
                (size_t)(l->end - by) * l->channels * sizeof *l->pcm);
    l->read -= by;
    l->end -= by;
    l->seam = less(l->seam, by);
    l->concealed.from = less(l->concealed.from, by);
    l->concealed.to = less(l->concealed.to, by);
    l->silent.from = less(l->silent.from, by);
    l->silent.to = less(l->silent.to, by);
}
