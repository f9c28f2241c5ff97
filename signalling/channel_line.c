/* SPDX-License-Identifier: MIT */
#include "signalling/channel_line.h"

#include "signalling/protection.h"

#include <stdio.h>
#include <string.h>

static void fill(struct tdm_media_line *line, const struct tdm_capability *capability)
{
    const struct tdm_channel_capability *channel = &capability->channel;

    line->proto = TDM_PROTO_CHANNEL;
    line->direction = TDM_SENDRECV;
    line->port = channel->port ? channel->port : TDM_DISCARD_PORT;
    line->transport = channel->transport;
    (void)snprintf(line->address, sizeof line->address, "%s", capability->address);
}

bool tdm_channel_can_offer(const struct tdm_capability *capability)
{
    return capability->channel.wanted && capability->channel.transport.fingerprint_count;
}

void tdm_channel_offer(struct tdm_media_line *line, const struct tdm_capability *capability)
{
    enum tdm_setup wish = capability->channel.transport.setup;

    fill(line, capability);
    if (!capability->channel.port && wish != TDM_SETUP_HOLDCONN)
        line->transport.setup = TDM_SETUP_ACTIVE;
    else if (wish == TDM_SETUP_NONE)
        line->transport.setup = TDM_SETUP_ACTPASS;
}

bool tdm_channel_acceptable(const struct tdm_media_line *offered,
                            const struct tdm_capability *capability)
{
    return !offered->other && offered->proto == TDM_PROTO_CHANNEL && offered->port &&
           offered->transport.fingerprint_count && tdm_channel_can_offer(capability);
}

void tdm_channel_answer(struct tdm_media_line *line, const struct tdm_media_line *offered,
                        const struct tdm_capability *capability)
{
    const struct tdm_channel_capability *ours = &capability->channel;
    enum tdm_setup wish = ours->transport.setup;

    if (!ours->port && wish == TDM_SETUP_PASSIVE)
        wish = TDM_SETUP_ACTIVE;
    fill(line, capability);
    memcpy(line->mid, offered->mid, sizeof line->mid);
    line->transport.setup = tdm_setup_answer(offered->transport.setup, wish);
    if (line->transport.setup == TDM_SETUP_PASSIVE && !ours->port)
        line->transport.setup = TDM_SETUP_HOLDCONN; /* Nobody could connect, for now. */
    line->transport.connection_existing =
        offered->transport.connection_existing && ours->transport.connection_existing;
}

enum tdm_err tdm_channel_agree(struct tdm_negotiated_channel *channel,
                               const struct tdm_media_line *local,
                               const struct tdm_media_line *remote, bool offered_here,
                               unsigned line_index, struct tdm_cause *cause)
{
    memset(channel, 0, sizeof *channel);
    channel->line_index = (uint8_t)line_index;
    channel->active = local->port && remote->port;
    if (!channel->active)
        return TDM_OK;
    if (!remote->transport.fingerprint_count)
        return tdm_fail(cause, TDM_E_DENIED,
                        "the other side took the data channel without a fingerprint to know it by");
    channel->setup = offered_here ? tdm_setup_agree(local->transport.setup, remote->transport.setup)
                                  : local->transport.setup;
    if (channel->setup == TDM_SETUP_NONE)
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "the answer's a=setup contradicts the offer's: nobody would connect");
    channel->existing =
        local->transport.connection_existing && remote->transport.connection_existing;
    memcpy(channel->remote_address, remote->address, sizeof channel->remote_address);
    channel->remote_port = remote->port;
    channel->local_port = local->port;
    channel->local = local->transport;
    channel->remote = remote->transport;
    return TDM_OK;
}
