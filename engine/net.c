/* SPDX-License-Identifier: MIT */
#include "engine/net.h"

#include "engine/base/mailbox.h"
#include "engine/base/rt.h"
#include "engine/io/clock.h"
#include "engine/io/thread.h"
#include "engine/io/udp.h"
#include "engine/io/wake.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STREAMS_USED 2
#define COMMANDS     64
#define EVENTS       64
#define STATUS_EVERY (100 * TDM_MS)
#define STEPS_A_WAKE 64 /* The session asked to be called again at once: so often at most. */
#define POLL_FDS     (1 + 2 * STREAMS_USED)

enum net_command_kind { NET_CONFIGURE, NET_REMOVE, NET_DTMF, NET_REFRESH, NET_STOP };

struct net_address {
    struct sockaddr_storage to;
    socklen_t size;
};

struct net_command {
    enum net_command_kind kind;
    uint8_t stream;
    struct tdm_stream_config config;
    struct net_address rtp, rtcp;
    bool rtcp_mux;
    char digit;
    tdm_time duration;
};

struct net_stream {
    int fds[2]; /* RTP, RTCP. */
    uint16_t port;
    struct net_address rtp, rtcp;
    bool rtcp_mux;
    enum tdm_codec_id send_codec;
};

struct tdm_net {
    struct tdm_net_config config;
    pthread_t thread;
    struct tdm_session *session;
    struct tdm_session_out out;
    tdm_time wake_at, status_at;
    tdm_time last_received;
    bool stopping;
    struct net_stream streams[STREAMS_USED];
    struct tdm_ring commands, events;
    struct net_command command_slots[COMMANDS];
    struct tdm_net_event event_slots[EVENTS];
    struct tdm_mailbox status_box;
    struct tdm_net_status statuses[TDM_MAILBOX_SLOTS];
    struct tdm_udp_batch batch;
};

static void send_out(struct tdm_net *net)
{
    const struct tdm_session_out *out = &net->out;
    struct tdm_udp_piece pieces[TDM_SESSION_SENDS_MAX];

    for (uint32_t i = 0; i < out->send_count;) {
        const struct tdm_session_send *first = &out->sends[i];
        const struct net_stream *st = &net->streams[first->stream];
        uint32_t count = 0;

        while (i < out->send_count && out->sends[i].stream == first->stream &&
               out->sends[i].rtcp == first->rtcp) {
            pieces[count++] = (struct tdm_udp_piece){out->sends[i].data, out->sends[i].size};
            i++;
        }
        bool separate = first->rtcp && !st->rtcp_mux;
        const struct net_address *to = separate ? &st->rtcp : &st->rtp;

        if (to->size)
            (void)tdm_udp_send(st->fds[separate], &to->to, to->size, pieces, count);
    }
}

static void pass_audio(struct tdm_net *net, const struct tdm_session_audio *audio)
{
    struct tdm_link_audio_rx *head =
        tdm_record_ring_reserve(&net->config.link->rx_audio, (uint32_t)sizeof *head + audio->size);

    if (!head)
        return;
    head->audio = *audio;
    head->audio.payload = NULL;
    memcpy(head + 1, audio->payload, audio->size);
    tdm_record_ring_commit(&net->config.link->rx_audio);
}

static void pass_video(struct tdm_net *net, const struct tdm_session_video *video)
{
    struct tdm_link *link = net->config.link;
    struct tdm_link_video_rx *head = tdm_record_ring_reserve(
        &link->rx_video, (uint32_t)(sizeof *head + video->size + TDM_LINK_PADDING));

    if (!head) {
        /* The decoder is that far behind: go on from a keyframe. */
        atomic_store_explicit(&link->decode_failed, true, memory_order_relaxed);
        return;
    }
    head->video = *video;
    head->video.data = NULL;
    memcpy(head + 1, video->data, video->size);
    memset((uint8_t *)(head + 1) + video->size, 0, TDM_LINK_PADDING);
    tdm_record_ring_commit(&link->rx_video);
    tdm_wake_signal(link->video_wake);
}

static void tell(struct tdm_net *net, enum tdm_net_event_kind kind, char digit)
{
    (void)tdm_ring_push(&net->events, &(struct tdm_net_event){.kind = kind, .digit = digit});
    tdm_wake_signal(net->config.control_wake);
}

static void perform(struct tdm_net *net)
{
    const struct tdm_session_out *out = &net->out;
    struct tdm_link *link = net->config.link;
    uint8_t video = 1u << TDM_STREAM_VIDEO;

    send_out(net);
    if (out->unit == TDM_UNIT_AUDIO)
        pass_audio(net, &out->audio);
    else if (out->unit == TDM_UNIT_VIDEO)
        pass_video(net, &out->video);
    else if (out->unit == TDM_UNIT_DTMF)
        tell(net, TDM_NET_DIGIT, out->digit);
    if ((out->keyframe_wanted | out->frame_dropped) & video)
        atomic_store_explicit(&link->keyframe_wanted, true, memory_order_relaxed);
    if (out->bye)
        tell(net, TDM_NET_BYE, 0);
    net->wake_at = out->wake_at;
}

static void step(struct tdm_net *net, tdm_time now, const struct tdm_session_in *in)
{
    tdm_session_step(net->session, now, in, &net->out);
    perform(net);
}

static void take_command(struct tdm_net *net, tdm_time now, const struct net_command *c)
{
    struct tdm_session_in in = {.kind = TDM_SESSION_CONFIGURE, .stream = c->stream};

    switch (c->kind) {
    case NET_CONFIGURE:
        net->streams[c->stream].rtp = c->rtp;
        net->streams[c->stream].rtcp = c->rtcp;
        net->streams[c->stream].rtcp_mux = c->rtcp_mux;
        net->streams[c->stream].send_codec = c->config.send_codec;
        in.configure = &c->config;
        break;
    case NET_REMOVE:
        break;
    case NET_DTMF:
        in.kind = TDM_SESSION_DTMF;
        in.dtmf.digit = c->digit;
        in.dtmf.duration = c->duration;
        break;
    case NET_REFRESH:
        net->status_at = now;
        return;
    case NET_STOP:
        in.kind = TDM_SESSION_BYE;
        net->stopping = true;
        break;
    }
    step(net, now, &in);
}

static void take_tx(struct tdm_net *net, tdm_time now)
{
    struct tdm_link *link = net->config.link;
    const struct tdm_link_audio_tx *audio;
    const struct tdm_link_slice_tx *slice;
    uint32_t size;

    while ((audio = tdm_record_ring_peek(&link->tx_audio, &size))) {
        struct tdm_session_in in = {.kind = TDM_SESSION_AUDIO_FRAME, .stream = TDM_STREAM_AUDIO};

        in.audio.payload = (const uint8_t *)(audio + 1);
        in.audio.size = size - sizeof *audio;
        in.audio.samples_rtp = audio->samples_rtp;
        in.audio.captured = audio->captured;
        in.audio.encode_start = audio->encode_start;
        in.audio.encode_end = audio->encode_end;
        step(net, now, &in);
        tdm_record_ring_release(&link->tx_audio);
    }
    while ((slice = tdm_record_ring_peek(&link->tx_video, &size))) {
        struct tdm_session_in in = {.kind = TDM_SESSION_VIDEO_SLICE, .stream = TDM_STREAM_VIDEO};

        in.slice.data = (const uint8_t *)(slice + 1);
        in.slice.size = size - sizeof *slice;
        in.slice.first = slice->first;
        in.slice.last = slice->last;
        in.slice.keyframe = slice->keyframe;
        in.slice.frame_id = slice->frame_id;
        in.slice.captured = slice->captured;
        in.slice.encode_start = slice->encode_start;
        in.slice.encode_end = slice->encode_end;
        if (slice->codec == net->streams[TDM_STREAM_VIDEO].send_codec)
            step(net, now, &in);
        tdm_record_ring_release(&link->tx_video);
    }
}

static void take_wake(struct tdm_net *net, tdm_time now)
{
    struct net_command *command;

    tdm_wake_clear(net->config.link->net_wake);
    while ((command = tdm_ring_peek(&net->commands))) {
        take_command(net, now, command);
        tdm_ring_release(&net->commands);
    }
    take_tx(net, now);
    if (atomic_exchange_explicit(&net->config.link->decode_failed, false, memory_order_relaxed))
        step(net, now,
             &(struct tdm_session_in){.kind = TDM_SESSION_DECODE_FAILED,
                                      .stream = TDM_STREAM_VIDEO});
}

static void take_socket(struct tdm_net *net, tdm_time now, uint8_t stream, int fd)
{
    if (tdm_udp_receive(fd, now, &net->batch) != TDM_OK)
        return;
    for (uint32_t i = 0; i < net->batch.count; i++) {
        struct tdm_session_in in = {.kind = TDM_SESSION_DATAGRAM, .stream = stream};

        in.datagram.data = net->batch.bytes[i];
        in.datagram.size = net->batch.datagrams[i].size;
        in.datagram.received = net->batch.datagrams[i].received;
        net->last_received = now;
        step(net, now, &in);
    }
}

static void publish(struct tdm_net *net, tdm_time now)
{
    struct tdm_net_status *status = &net->statuses[tdm_mailbox_back(&net->status_box)];
    struct tdm_link *link = net->config.link;

    for (uint8_t i = 0; i < TDM_SESSION_STREAMS; i++)
        tdm_session_stats(net->session, i, &status->streams[i]);
    status->at = now;
    status->clock_known =
        tdm_session_clock(net->session, &status->rtt, &status->rtt_min, &status->clock_offset);
    status->cpu = tdm_clock_thread_cpu(&status->cpu_user);
    status->last_received = net->last_received;
    atomic_store_explicit(&link->video_bps, status->streams[TDM_STREAM_VIDEO].target_bps,
                          memory_order_relaxed);
    atomic_store_explicit(&link->audio_loss_q16,
                          (uint32_t)(status->streams[TDM_STREAM_AUDIO].remote_loss * 65536),
                          memory_order_relaxed);
    tdm_mailbox_publish(&net->status_box);
    tdm_wake_signal(net->config.control_wake);
    net->status_at = now + STATUS_EVERY;
}

static void wait(struct tdm_net *net, struct pollfd fds[POLL_FDS])
{
    tdm_time until = tdm_time_min(net->wake_at, net->status_at);
    tdm_time left = tdm_time_max(until - tdm_clock_now(), 0);
    struct timespec timeout = {.tv_sec = left / TDM_S, .tv_nsec = left % TDM_S};

    if (ppoll(fds, POLL_FDS, &timeout, NULL) <= 0)
        for (int i = 0; i < POLL_FDS; i++)
            fds[i].revents = 0;
}

static void *run(void *arg)
{
    struct tdm_net *net = arg;
    struct pollfd fds[POLL_FDS];

    fds[0] = (struct pollfd){.fd = net->config.link->net_wake, .events = POLLIN};
    for (int i = 0; i < 2 * STREAMS_USED; i++)
        fds[1 + i] = (struct pollfd){.fd = net->streams[i / 2].fds[i % 2], .events = POLLIN};
    tdm_rt_enter();
    while (!net->stopping) {
        wait(net, fds);
        tdm_time now = tdm_clock_now();

        if (fds[0].revents)
            take_wake(net, now);
        for (int i = 0; i < 2 * STREAMS_USED; i++)
            if (fds[1 + i].revents)
                take_socket(net, now, (uint8_t)(i / 2), fds[1 + i].fd);
        for (int i = 0; i < STEPS_A_WAKE && net->wake_at <= now; i++)
            step(net, now, NULL);
        atomic_store_explicit(&net->config.link->video_waiting,
                              tdm_session_waiting(net->session, TDM_STREAM_VIDEO),
                              memory_order_relaxed);
        if (now >= net->status_at)
            publish(net, now);
    }
    tdm_rt_leave();
    return NULL;
}

static enum tdm_err open_sockets(struct tdm_net *net, struct tdm_cause *cause)
{
    for (int i = 0; i < STREAMS_USED; i++) {
        struct net_stream *st = &net->streams[i];
        enum tdm_err err = tdm_udp_open_pair(net->config.bind_address, net->config.port_min,
                                             net->config.port_max, st->fds, &st->port, cause);

        if (err != TDM_OK)
            return err;
    }
    return TDM_OK;
}

static void free_net(struct tdm_net *net)
{
    for (int i = 0; i < 2 * STREAMS_USED; i++)
        if (net->streams[i / 2].fds[i % 2] >= 0)
            (void)close(net->streams[i / 2].fds[i % 2]);
    free(net->session);
    free(net);
}

enum tdm_err tdm_net_create(const struct tdm_net_config *config, struct tdm_net **out,
                            bool *real_time, struct tdm_cause *cause)
{
    struct tdm_net *net = calloc(1, sizeof *net);
    void *storage = malloc(tdm_session_bytes());
    struct tdm_session_config session = {.wall_offset = config->wall_offset, .seed = config->seed};
    tdm_time now = tdm_clock_now();

    if (!net || !storage) {
        free(net);
        free(storage);
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory for a call");
    }
    net->config = *config;
    memcpy(session.cname, config->cname, sizeof session.cname);
    net->session = tdm_session_init(storage, &session, now);
    net->wake_at = TDM_NEVER;
    net->status_at = now + STATUS_EVERY;
    net->last_received = TDM_NEVER;
    for (int i = 0; i < 2 * STREAMS_USED; i++)
        net->streams[i / 2].fds[i % 2] = -1;
    tdm_ring_init(&net->commands, net->command_slots, sizeof *net->command_slots, COMMANDS);
    tdm_ring_init(&net->events, net->event_slots, sizeof *net->event_slots, EVENTS);
    tdm_mailbox_init(&net->status_box);
    enum tdm_err err = open_sockets(net, cause);

    if (err == TDM_OK)
        err =
            tdm_thread_start(&net->thread, "tdm-net", TDM_PRIORITY_NET, run, net, real_time, cause);
    if (err != TDM_OK)
        free_net(net);
    else
        *out = net;
    return err;
}

static enum tdm_err command(struct tdm_net *net, const struct net_command *c)
{
    enum tdm_err err = tdm_ring_push(&net->commands, c);

    tdm_wake_signal(net->config.link->net_wake);
    return err;
}

void tdm_net_destroy(struct tdm_net *net)
{
    if (!net)
        return;
    while (command(net, &(struct net_command){.kind = NET_STOP}) != TDM_OK)
        (void)tdm_wait_until(tdm_clock_now() + TDM_MS, -1, -1);
    (void)pthread_join(net->thread, NULL);
    free_net(net);
}

uint16_t tdm_net_port(const struct tdm_net *net, uint8_t stream)
{
    return net->streams[stream].port;
}

enum tdm_err tdm_net_configure(struct tdm_net *net, uint8_t stream,
                               const struct tdm_stream_config *config, const char *address,
                               uint16_t rtp_port, uint16_t rtcp_port, bool rtcp_mux,
                               struct tdm_cause *cause)
{
    struct net_command c = {.kind = config ? NET_CONFIGURE : NET_REMOVE, .stream = stream};

    if (config) {
        c.config = *config;
        c.rtcp_mux = rtcp_mux;
        if (tdm_udp_address(address, rtp_port, &c.rtp.to, &c.rtp.size) != TDM_OK ||
            tdm_udp_address(address, rtcp_port, &c.rtcp.to, &c.rtcp.size) != TDM_OK)
            return tdm_fail(cause, TDM_E_MALFORMED,
                            "the other side wants media at \"%s\", which is no IP address",
                            address);
    }
    return command(net, &c);
}

enum tdm_err tdm_net_dtmf(struct tdm_net *net, uint8_t stream, char digit, tdm_time duration)
{
    return command(net,
                   &(struct net_command){
                       .kind = NET_DTMF, .stream = stream, .digit = digit, .duration = duration});
}

void tdm_net_refresh(struct tdm_net *net)
{
    (void)command(net, &(struct net_command){.kind = NET_REFRESH});
}

enum tdm_err tdm_net_next_event(struct tdm_net *net, struct tdm_net_event *event)
{
    return tdm_ring_pop(&net->events, event);
}

bool tdm_net_status(struct tdm_net *net, struct tdm_net_status *status)
{
    uint8_t slot;

    if (!tdm_mailbox_take(&net->status_box, &slot))
        return false;
    *status = net->statuses[slot];
    return true;
}
