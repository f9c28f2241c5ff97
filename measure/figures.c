/* SPDX-License-Identifier: MIT */
#include "measure/figures.h"

/* A series that cannot be summed up for lack of memory reads as empty. */
static struct tdm_summary summary_of(const struct tdm_series *series)
{
    struct tdm_summary summary;

    (void)tdm_series_summarize(series, &summary);
    return summary;
}

void tdm_video_figures_make(struct tdm_video_figures *f, const struct tdm_video_cell *cell)
{
    const struct tdm_video_spec *spec = &cell->spec;
    double interval = 1000.0 / spec->fps;

    *f = (struct tdm_video_figures){
        .encode = summary_of(&cell->times.encode),
        .first_slice = summary_of(&cell->times.first_slice),
        .packetise = summary_of(&cell->times.packetise),
        .decode = summary_of(&cell->times.decode),
        .frame_bytes = summary_of(&cell->frame_bytes),
        .share = summary_of(&cell->share),
    };
    f->latency = (struct tdm_video_latency){
        .held = cell->held * interval,
        .encode = f->encode.p50,
        .serialise = f->frame_bytes.p50 * 8 * 1000 / spec->bps,
        .decode = f->decode.p50,
    };
    f->latency.total =
        f->latency.held + f->latency.encode + f->latency.serialise + f->latency.decode;
    f->fits = f->encode.count > 0 && f->encode.p95 + f->decode.p95 <= interval;
}

void tdm_audio_figures_make(struct tdm_audio_figures *f, const struct tdm_audio_cell *cell)
{
    const struct tdm_audio_encoder_config *config = &cell->spec.config;
    double frame = config->frame_us / 1000.0;

    *f = (struct tdm_audio_figures){
        .encode = summary_of(&cell->encode_ms),
        .decode = summary_of(&cell->decode_ms),
        .payload_bytes = summary_of(&cell->payload_bytes),
    };
    f->reached_bps = f->payload_bytes.mean * 8 * 1000 / frame;
    f->latency = (struct tdm_audio_latency){
        .frame = frame,
        .lookahead = cell->delay_ms,
        .encode = f->encode.p50,
        .serialise = f->payload_bytes.p50 * 8 * 1000 / TDM_AUDIO_LINK_BPS,
        .decode = f->decode.p50,
    };
    f->latency.total = f->latency.frame + f->latency.lookahead + f->latency.encode +
                       f->latency.serialise + f->latency.decode;
}
