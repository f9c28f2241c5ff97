/* SPDX-License-Identifier: MIT */
#include "engine/call_region.h"

#include "engine/call.h"
#include "engine/share.h"
#include "engine/share_region.h"

#include <stdio.h>
#include <string.h>

#define EXT_ID      5
#define LINE        (1 + TDM_VIDEO)
#define REGION_BPS  8000000 /* What a region may send at most. */
#define UNMEASURED  2000000 /* Where nobody knows what the link carries. */
#define SILENT      (4 * TDM_S)
#define TRIED_AGAIN (30 * TDM_S)

static bool rides(const struct tandem_call *call)
{
    return call->plan.share && call->plan.channel;
}

bool tdm_call_region_alone(const struct tandem_call *call)
{
    return rides(call) && strcmp(call->plan.video_source, "off") == 0 &&
           strcmp(call->plan.video_sink, "off") == 0;
}

static bool is_marked(const struct tdm_negotiated_media *agreed)
{
    bool found = false;

    for (uint8_t i = 0; i < agreed->ext_count; i++)
        found |= agreed->exts[i].id == EXT_ID && !strcmp(agreed->exts[i].uri, TDM_REGION_MARK_URI);
    return found;
}

/* Only once there is a data channel: nobody else would know what a region is, and an INVITE has
 * little room. A line of its own stands beside sound. */
void tdm_call_region_capability(const struct tandem_call *call, struct tdm_capability *capability)
{
    const struct tdm_negotiated *agreed = &call->machine.negotiated;
    struct tdm_media_capability *video = &capability->media[TDM_VIDEO];
    unsigned direction = rides(call) ? tdm_share_regions(call->plan.share) : TDM_INACTIVE;

    if (!rides(call) || !agreed->channel.active || video->ext_count == TDM_DESC_EXT_MAX)
        return;
    if (tdm_call_region_alone(call)) {
        if (agreed->media[TDM_VIDEO].active)
            direction |= call->region.agreed ? agreed->media[TDM_VIDEO].direction : 0u;
        video->wanted = direction && capability->media[TDM_AUDIO].wanted;
        video->direction = (enum tdm_direction)direction;
    }
    video->exts[video->ext_count].id = EXT_ID;
    (void)snprintf(video->exts[video->ext_count++].uri, sizeof video->exts[0].uri, "%s",
                   TDM_REGION_MARK_URI);
}

void tdm_call_region_answer(struct tandem_call *call)
{
    struct tdm_capability capability;

    if (!rides(call) || !call->net)
        return;
    tdm_call_capability(call, &capability);
    if (!tdm_call_region_alone(call))
        capability.media[TDM_VIDEO].wanted = call->machine.capability.media[TDM_VIDEO].wanted;
    tdm_call_input(call, &(struct tdm_call_in){.kind = TDM_CALL_SET_ANSWER,
                                               .media = TDM_VIDEO,
                                               .capability = &capability});
}

/* The payload type of the regions' codec on the line; 0: it is not agreed on. */
static uint8_t payload_type(const struct tdm_negotiated_media *agreed)
{
    for (uint8_t i = 0; i < agreed->receive_count; i++)
        if (agreed->receive[i].id == tdm_share_region_codec() &&
            !strstr(agreed->receive[i].fmtp, "packetization-mode=0"))
            return agreed->receive[i].payload_type;
    return 0;
}

/* Camera and region together may send what each of them may. */
void tdm_call_region_line(const struct tandem_call *call, struct tdm_stream_config *config)
{
    const struct tdm_negotiated_media *agreed = &call->machine.negotiated.media[TDM_VIDEO];
    uint32_t most = config->limit_bps + call->region.raised_bps;

    if (!rides(call) || !is_marked(agreed) || !payload_type(agreed))
        return;
    config->line = LINE;
    config->limit_bps =
        agreed->max_bitrate_bps && agreed->max_bitrate_bps < most ? agreed->max_bitrate_bps : most;
}

static void leave(struct tandem_call *call)
{
    if (call->region.joined)
        tdm_share_leave_rtp(call->plan.share);
    call->region.joined = call->region.sends = false;
}

enum tdm_err tdm_call_region_follow(struct tandem_call *call)
{
    const struct tdm_negotiated_media *agreed = &call->machine.negotiated.media[TDM_VIDEO];
    struct tdm_stream_config *video = &call->configs[TDM_VIDEO];
    uint8_t type = rides(call) && agreed->active && is_marked(agreed) ? payload_type(agreed) : 0;
    bool before = call->region.agreed;

    call->region.agreed = type && call->machine.negotiated.channel.active;
    if (!call->region.agreed) {
        leave(call);
        return before ? tdm_net_configure(call->net, TDM_STREAM_REGION, NULL, 0, 0) : TDM_OK;
    }
    struct tdm_stream_config config = *video;

    config.send_codec = tdm_share_region_codec();
    config.send_payload_type = type;
    config.h264_mode = 1;
    config.mark_ext_id = EXT_ID;
    config.reference_ext_id = 0;
    config.mid_ext_id = 0; /* The mark says more. */
    config.limit_bps = 0;  /* The line's rate is the video's. */
    return tdm_net_configure(call->net, TDM_STREAM_REGION, &config,
                             tdm_call_path_way(call, TDM_VIDEO, false),
                             tdm_call_path_way(call, TDM_VIDEO, true));
}

/* Whether what is sent is heard of. A path that swallows everything is left for a while. */
static bool arrives(struct tandem_call *call, tdm_time now)
{
    struct tdm_call_region *r = &call->region;
    const struct tdm_stream_stats *stats = &call->status.streams[TDM_STREAM_REGION];
    bool sent = stats->packets_sent != r->packets;

    r->packets = stats->packets_sent;
    if (stats->last_reported != TDM_NEVER && now - stats->last_reported < SILENT)
        r->since = 0;
    else if (sent && !r->since)
        r->since = now;
    if (r->since && now - r->since > SILENT && sent) {
        r->dead = now + TRIED_AGAIN;
        r->since = 0;
    }
    return now >= r->dead;
}

/* Half of what the channel has found the link to carry, as for a region that goes by it. */
static uint32_t region_bps(const struct tandem_call *call)
{
    uint64_t half = call->channel.status.stats.rate_bps / 2;

    return (uint32_t)(!half ? UNMEASURED : half < REGION_BPS ? half : REGION_BPS);
}

/* The line's rate is raised while a region is there, so that a camera alone keeps to its own. */
static void raise_rate(struct tandem_call *call, bool on)
{
    uint32_t before = call->region.raised_bps, wanted = on ? region_bps(call) : 0;

    if (wanted ? before && wanted < before * 2 && wanted > before / 2 : !before)
        return;
    call->region.raised_bps = wanted;
    if (tdm_call_configure_video(call) != TDM_OK)
        call->region.raised_bps = before; /* Too much waits for the net: next time. */
}

void tdm_call_region_run(struct tandem_call *call, tdm_time now)
{
    struct tdm_call_region *r = &call->region;
    const struct tdm_negotiated *agreed = &call->machine.negotiated;

    if (!rides(call) || !call->net || !call->announced_up)
        return;
    if (r->agreed) {
        uint8_t way = tdm_call_path_way(call, TDM_VIDEO, false);
        bool sends = arrives(call, now) && call->status.transports[way].ready &&
                     agreed->media[TDM_VIDEO].direction & TDM_SENDONLY;

        if (!r->joined || sends != r->sends)
            tdm_share_join_rtp(call->plan.share, &call->link, sends);
        r->joined = true;
        r->sends = sends;
        raise_rate(call, sends && tdm_share_regions(call->plan.share) & TDM_SENDONLY);
        return;
    }
    if ((!agreed->media[TDM_AUDIO].active && !agreed->media[TDM_VIDEO].active) ||
        !agreed->channel.active)
        r->asked = false;
    else if (!r->asked && tdm_share_regions(call->plan.share) & TDM_SENDONLY) {
        r->asked = true;
        tdm_call_offer_plan(call);
    }
}

void tdm_call_region_close(struct tandem_call *call)
{
    leave(call);
    call->region = (struct tdm_call_region){.asked = false};
}
