/* SPDX-License-Identifier: MIT */
#include "sim/player.h"

#include "engine/core/playout.h"
#include "engine/wire/red.h"

#include <stdlib.h>

struct ours {
    struct tdm_player_setting setting;
    struct tdm_playout *playout;
    struct tdm_playout_stats before;
};

static void *create(const struct tdm_player_setting *setting)
{
    struct tdm_playout_config config = {.sample_hz = TDM_PLAYER_HZ,
                                        .rtp_hz = TDM_PLAYER_HZ,
                                        .channels = 1,
                                        .max_delay = 2 * TDM_S,
                                        .dry = true};
    struct ours *o = calloc(1, sizeof *o + tdm_playout_bytes(&config) + 64);

    if (!o)
        return NULL;
    uintptr_t storage = ((uintptr_t)(o + 1) + 63) & ~(uintptr_t)63;

    o->setting = *setting;
    o->playout = tdm_playout_init((void *)storage, &config, 0);
    return o;
}

static void give(struct ours *o, const struct tdm_jitter_packet *k, uint32_t offset)
{
    struct tdm_playout_out out;
    struct tdm_playout_in in = {.kind = TDM_PLAYOUT_PACKET};
    uint32_t back = offset / o->setting.frame_samples;

    in.packet = (struct tdm_playout_packet){
        .seq = k->seq + 1 - back,
        .rtp_time = k->seq * o->setting.frame_samples - offset,
        .arrival = k->arrival,
        .captured = k->sent - tdm_time_of_units(offset, TDM_PLAYER_HZ),
        .samples = o->setting.frame_samples,
        .repair = offset != 0,
        .size = sizeof k->seq,
        .payload = (const uint8_t *)&k->seq,
    };
    tdm_playout_step(o->playout, k->arrival, &in, &out);
}

static void packet(void *player, const struct tdm_jitter_packet *k)
{
    struct ours *o = player;
    const struct tdm_player_copies *copies = o->setting.copies;
    struct tdm_red red = {.count = 1};

    if (copies && tdm_red_parse(&red, copies->payloads[k->seq].bytes,
                                copies->payloads[k->seq].size) != TDM_OK)
        return;
    for (uint8_t i = 0; i < red.count; i++)
        give(o, k, red.blocks[i].offset);
}

static void pull(void *player, tdm_time now, uint32_t samples, struct tdm_player_heard *heard)
{
    struct ours *o = player;
    struct tdm_playout_in in = {.kind = TDM_PLAYOUT_PULL};
    struct tdm_playout_out out;

    in.pull.samples = samples;
    in.pull.play_at = now;
    for (;;) {
        tdm_playout_step(o->playout, now, &in, &out);
        if (out.action == TDM_PLAYOUT_READY)
            break;
        in = (struct tdm_playout_in){.kind = TDM_PLAYOUT_PCM};
        in.pcm.samples = out.action == TDM_PLAYOUT_DECODE ? o->setting.frame_samples : out.samples;
    }
    const struct tdm_playout_stats *s = tdm_playout_stats_of(o->playout);

    heard->media = out.captured != TDM_NEVER && !out.silent;
    heard->sent = out.captured;
    heard->concealed = (double)(s->concealed_samples - o->before.concealed_samples +
                                s->silent_samples - o->before.silent_samples);
    heard->scaled =
        (double)(s->stretched_samples - o->before.stretched_samples + s->shrunk_samples -
                 o->before.shrunk_samples + s->cut_samples - o->before.cut_samples);
    o->before = *s;
}

const struct tdm_player_ops tdm_player_ours = {
    .name = "tandem", .create = create, .packet = packet, .pull = pull, .destroy = free};
