/* SPDX-License-Identifier: MIT */
/* The net thread. */
#include "engine/net_state.h"

#include "engine/base/rt.h"
#include "engine/io/clock.h"
#include "engine/io/interfaces.h"
#include "engine/io/wake.h"

#include <poll.h>
#include <string.h>

#define PLAN_EVERY   (4 * TDM_MS)
#define STEPS_A_WAKE 64 /* The session asked to be called again at once: so often at most. */
#define POLL_FDS     (2 + TDM_NET_WAYS * (1 + TDM_ICE_SERVERS_MAX))

static uint8_t way_of(const struct tdm_net *net, uint8_t stream, bool rtcp)
{
    return net->streams[stream].ways[rtcp];
}

static void send_out(struct tdm_net *net, tdm_time now)
{
    const struct tdm_session_out *out = &net->out;
    struct tdm_udp_piece pieces[TDM_SESSION_SENDS_MAX];

    for (uint32_t i = 0; i < out->send_count;) {
        const struct tdm_session_send *first = &out->sends[i];
        uint32_t count = 0;

        while (i < out->send_count && out->sends[i].stream == first->stream &&
               out->sends[i].rtcp == first->rtcp) {
            pieces[count++] = (struct tdm_udp_piece){out->sends[i].data, out->sends[i].size};
            i++;
        }
        tdm_transport_send(&net->transports[way_of(net, first->stream, first->rtcp)], now,
                           first->rtcp, pieces, count);
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

/* False: the decoder is that far behind. */
static bool put_video(struct tdm_record_ring *ring, const struct tdm_session_video *video)
{
    struct tdm_link_video_rx *head =
        tdm_record_ring_reserve(ring, (uint32_t)(sizeof *head + video->size + TDM_LINK_PADDING));

    if (!head)
        return false;
    head->video = *video;
    head->video.data = NULL;
    memcpy(head + 1, video->data, video->size);
    memset((uint8_t *)(head + 1) + video->size, 0, TDM_LINK_PADDING);
    tdm_record_ring_commit(ring);
    return true;
}

static void pass_video(struct tdm_net *net, const struct tdm_session_video *video)
{
    struct tdm_link *link = net->config.link;

    if (put_video(&link->rx_video, video))
        tdm_wake_signal(link->video_wake);
    else /* Go on from a keyframe. */
        atomic_store_explicit(&link->decode_failed, true, memory_order_relaxed);
}

static void pass_region(struct tdm_net *net, const struct tdm_session_video *video)
{
    struct tdm_link *link = net->config.link;
    int wake = atomic_load(&link->region_wake);

    if (wake < 0 || !video->marked)
        return;
    if (put_video(&link->rx_region, video))
        tdm_wake_signal(wake);
    else
        atomic_store_explicit(&link->region_failed, true, memory_order_relaxed);
}

static void tell(struct tdm_net *net, const struct tdm_net_event *event)
{
    (void)tdm_ring_push(&net->events, event);
    tdm_wake_signal(net->config.control_wake);
}

static void perform(struct tdm_net *net, tdm_time now)
{
    const struct tdm_session_out *out = &net->out;
    struct tdm_link *link = net->config.link;
    uint8_t wanted = out->keyframe_wanted | out->frame_dropped;

    send_out(net, now);
    if (out->unit == TDM_UNIT_AUDIO)
        pass_audio(net, &out->audio);
    else if (out->unit == TDM_UNIT_VIDEO && out->unit_stream == TDM_STREAM_REGION)
        pass_region(net, &out->video);
    else if (out->unit == TDM_UNIT_VIDEO)
        pass_video(net, &out->video);
    else if (out->unit == TDM_UNIT_DTMF)
        tell(net, &(struct tdm_net_event){.kind = TDM_NET_DIGIT, .digit = out->digit});
    if (wanted & 1u << TDM_STREAM_VIDEO)
        atomic_store_explicit(&link->keyframe_wanted, true, memory_order_relaxed);
    if (wanted & 1u << TDM_STREAM_REGION)
        atomic_store_explicit(&link->region_keyframe_wanted, true, memory_order_relaxed);
    if (out->bye)
        tell(net, &(struct tdm_net_event){.kind = TDM_NET_BYE});
    net->wake_at = out->wake_at;
}

static void step(struct tdm_net *net, tdm_time now, const struct tdm_session_in *in)
{
    tdm_session_step(net->session, now, in, &net->out);
    perform(net, now);
}

/* After anything that a transport was given. */
static void take_told(struct tdm_net *net, uint8_t way)
{
    struct tdm_net_event event = {.kind = TDM_NET_TRANSPORT, .way = way};

    while (tdm_transport_take_told(&net->transports[way], &event.told)) {
        /* What was coded before went nowhere: begin again where the other side can. */
        if (event.told.kind == TDM_TRANSPORT_READY && way == way_of(net, TDM_STREAM_VIDEO, false))
            atomic_store_explicit(&net->config.link->keyframe_wanted, true, memory_order_relaxed);
        net->status_at = 0; /* Its state is of interest now. */
        tell(net, &event);
    }
}

static void take_ice_command(struct tdm_net *net, tdm_time now, struct tdm_net_command *c)
{
    struct tdm_ice_in in = c->ice.in;

    in.ufrag = c->ice.ufrag;
    in.pwd = c->ice.pwd;
    for (uint8_t way = 0; way < TDM_NET_WAYS; way++) {
        if (way != c->way && c->way != TDM_NET_WAYS)
            continue;
        if (c->way == TDM_NET_WAYS)
            in.address.port = net->transports[way].udp.port;
        tdm_transport_ice(&net->transports[way], now, &in);
        take_told(net, way);
    }
}

static void configure(struct tdm_net *net, tdm_time now, const struct tdm_net_command *c)
{
    struct tdm_net_stream *st = &net->streams[c->stream];
    struct tdm_session_in in = {.kind = TDM_SESSION_CONFIGURE, .stream = c->stream};

    st->active = c->kind == NET_CONFIGURE;
    if (st->active) {
        st->config = c->configure.config;
        memcpy(st->ways, c->configure.ways, sizeof st->ways);
        in.configure = &st->config;
    }
    step(net, now, &in);
}

static void take_command(struct tdm_net *net, tdm_time now, struct tdm_net_command *c)
{
    switch (c->kind) {
    case NET_CONFIGURE:
    case NET_REMOVE:
        configure(net, now, c);
        break;
    case NET_ICE:
        take_ice_command(net, now, c);
        break;
    case NET_AGREE:
        tdm_transport_agree(&net->transports[c->way], now, &c->setup);
        take_told(net, c->way);
        break;
    case NET_REST:
        tdm_transport_rest(&net->transports[c->way]);
        break;
    case NET_LINK:
        tdm_transport_link(&net->transports[c->way], now, c->link.link, c->link.fd, c->link.tls);
        break;
    case NET_DTMF:
        step(net, now,
             &(struct tdm_session_in){
                 .kind = TDM_SESSION_DTMF,
                 .stream = c->stream,
                 .dtmf = {.digit = c->dtmf.digit, .duration = c->dtmf.duration}});
        break;
    case NET_REFRESH:
        net->status_at = now;
        break;
    case NET_STOP:
        net->stopping = true;
        step(net, now, &(struct tdm_session_in){.kind = TDM_SESSION_BYE});
        break;
    }
}

static void take_slices(struct tdm_net *net, tdm_time now, struct tdm_record_ring *ring,
                        uint8_t stream)
{
    const struct tdm_link_slice_tx *slice;
    uint32_t size;

    while ((slice = tdm_record_ring_peek(ring, &size))) {
        struct tdm_session_in in = {.kind = TDM_SESSION_VIDEO_SLICE, .stream = stream};

        in.slice.data = (const uint8_t *)(slice + 1);
        in.slice.size = size - sizeof *slice;
        in.slice.first = slice->first;
        in.slice.last = slice->last;
        in.slice.keyframe = slice->keyframe;
        in.slice.frame_id = slice->frame_id;
        in.slice.mark = slice->mark;
        in.slice.has_reference = slice->has_reference;
        in.slice.refers = slice->refers;
        in.slice.captured = slice->captured;
        in.slice.encode_start = slice->encode_start;
        in.slice.encode_end = slice->encode_end;
        if (slice->codec == net->streams[stream].config.send_codec)
            step(net, now, &in);
        tdm_record_ring_release(ring);
    }
}

static void take_tx(struct tdm_net *net, tdm_time now)
{
    struct tdm_link *link = net->config.link;
    const struct tdm_link_audio_tx *audio;
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
    take_slices(net, now, &link->tx_video, TDM_STREAM_VIDEO);
    take_slices(net, now, &link->tx_region, TDM_STREAM_REGION);
}

/* The data channel's datagrams, over the first association that is up. None: they are lost. */
static void take_data(struct tdm_net *net, tdm_time now)
{
    struct tdm_record_ring *ring = &net->config.link->tx_data;
    const uint8_t *data;
    uint32_t size;

    while ((data = tdm_record_ring_peek(ring, &size))) {
        uint8_t way = 0;

        while (way < TDM_NET_WAYS &&
               tdm_transport_send_data(&net->transports[way], now, data, size) == TDM_E_AGAIN)
            way++;
        tdm_record_ring_release(ring);
    }
}

static void take_wake(struct tdm_net *net, tdm_time now)
{
    struct tdm_net_command *command;

    tdm_wake_clear(net->config.link->net_wake);
    while ((command = tdm_ring_peek(&net->commands))) {
        take_command(net, now, command);
        tdm_ring_release(&net->commands);
    }
    take_tx(net, now);
    take_data(net, now);
    if (atomic_exchange_explicit(&net->config.link->decode_failed, false, memory_order_relaxed))
        step(net, now,
             &(struct tdm_session_in){.kind = TDM_SESSION_DECODE_FAILED,
                                      .stream = TDM_STREAM_VIDEO});
    if (atomic_exchange_explicit(&net->config.link->region_failed, false, memory_order_relaxed))
        step(net, now,
             &(struct tdm_session_in){.kind = TDM_SESSION_DECODE_FAILED,
                                      .stream = TDM_STREAM_REGION});
}

/* In a bundle the session finds whose packet it is; any stream of it names the bundle. */
static uint8_t stream_of(const struct tdm_net *net, uint8_t way)
{
    uint8_t i = 0;

    while (i + 1 < TDM_NET_STREAMS && !(net->streams[i].active && (net->streams[i].ways[0] == way ||
                                                                   net->streams[i].ways[1] == way)))
        i++;
    return i;
}

static void take_media(struct tdm_net *net, tdm_time now, uint8_t way, tdm_time received,
                       enum tdm_ecn ecn, const struct tdm_transport_media *media)
{
    net->last_received = now;
    step(net, now,
         &(struct tdm_session_in){
             .kind = TDM_SESSION_DATAGRAM,
             .stream = stream_of(net, way),
             .datagram = {
                 .data = media->data, .size = media->size, .received = received, .ecn = ecn}});
}

static void take_socket(struct tdm_net *net, tdm_time now, uint8_t way)
{
    struct tdm_transport *t = &net->transports[way];
    struct tdm_transport_media media;

    if (tdm_udp_receive(&t->udp, now, &net->batch) != TDM_OK)
        return;
    for (uint32_t i = 0; i < net->batch.count; i++)
        if (tdm_transport_receive(t, now, &net->batch.datagrams[i].from,
                                  &net->batch.datagrams[i].to, net->batch.bytes[i],
                                  net->batch.datagrams[i].size, &media))
            take_media(net, now, way, net->batch.datagrams[i].received,
                       (enum tdm_ecn)net->batch.datagrams[i].ecn, &media);
    take_told(net, way);
}

static void take_links(struct tdm_net *net, tdm_time now, uint8_t way)
{
    struct tdm_transport_media media;

    while (tdm_transport_read_links(&net->transports[way], now, &media))
        take_media(net, now, way, now, TDM_ECN_NONE, &media);
    take_told(net, way);
}

/* One rate serves camera and region. */
static void share_rate(struct tdm_net *net, const struct tdm_net_status *status, tdm_time now)
{
    struct tdm_link *link = net->config.link;
    uint64_t all = status->streams[TDM_STREAM_VIDEO].limit_bps;
    uint64_t region = status->streams[TDM_STREAM_VIDEO].target_bps;
    double parts[2] = {tdm_session_picture_part(net->session, TDM_STREAM_VIDEO, now),
                       tdm_session_picture_part(net->session, TDM_STREAM_REGION, now)};
    uint64_t video = (uint64_t)((double)all * parts[0]);
    uint64_t most = atomic_load_explicit(&link->video_limit_bps, memory_order_relaxed);

    atomic_store_explicit(&link->video_bps, most && most < video ? most : video,
                          memory_order_relaxed);
    atomic_store_explicit(&link->region_bps, (uint64_t)((double)region * parts[1]),
                          memory_order_relaxed);
}

/* Pictures, and all that goes their way. */
static void mark(struct tdm_net *net, bool ect1)
{
    uint8_t way = way_of(net, TDM_STREAM_VIDEO, false);

    if (net->marked[way] == ect1)
        return;
    net->marked[way] = ect1;
    tdm_udp_mark(&net->transports[way].udp, ect1);
}

/* What the data channel takes of the way, for who shares it, and the latency budget. */
static void tell_session(struct tdm_net *net, tdm_time now)
{
    uint64_t bps = atomic_load_explicit(&net->config.link->channel_bps, memory_order_relaxed);

    if (bps != net->channel_bps)
        step(net, now, &(struct tdm_session_in){.kind = TDM_SESSION_BESIDE, .beside_bps = bps});
    net->channel_bps = bps;
    tdm_time budget = atomic_load_explicit(&net->config.link->latency_budget, memory_order_relaxed);

    if (budget != net->latency_budget)
        step(net, now,
             &(struct tdm_session_in){.kind = TDM_SESSION_LATENCY, .latency_budget = budget});
    net->latency_budget = budget;
}

static void publish(struct tdm_net *net, tdm_time now)
{
    struct tdm_net_status *status = &net->statuses[tdm_mailbox_back(&net->status_box)];
    struct tdm_link *link = net->config.link;
    struct tdm_session_references references;

    for (uint8_t i = 0; i < TDM_SESSION_STREAMS; i++)
        tdm_session_stats(net->session, i, &status->streams[i]);
    for (uint8_t i = 0; i < TDM_NET_WAYS; i++)
        tdm_transport_status_of(&net->transports[i], &status->transports[i]);
    status->at = now;
    status->clock_known =
        tdm_session_clock(net->session, &status->rtt, &status->rtt_min, &status->clock_offset);
    status->cpu = tdm_clock_thread_cpu(&status->cpu_user);
    status->last_received = net->last_received;
    tdm_session_references(net->session, TDM_STREAM_VIDEO, &references);
    status->better_elsewhere = references.better_elsewhere;
    tell_session(net, now);
    tdm_session_rate_of(net->session, &status->rate);
    mark(net, status->rate.ecn);
    share_rate(net, status, now);
    atomic_store_explicit(&link->audio_loss_q16,
                          (uint32_t)(status->streams[TDM_STREAM_AUDIO].remote_loss * 65536),
                          memory_order_relaxed);
    atomic_store_explicit(&link->audio_joined,
                          tdm_voice_length_step(&net->voice_length, now, status->rate.capacity_bps),
                          memory_order_relaxed);
    tdm_mailbox_publish(&net->status_box);
    tdm_wake_signal(net->config.control_wake);
    net->status_at = now + TDM_NET_STATUS_EVERY;
}

/* What to wait for: the sockets, and the stream links of each. @return how many. */
static nfds_t fill_fds(const struct tdm_net *net, struct pollfd fds[POLL_FDS])
{
    nfds_t count = 2 + TDM_NET_WAYS;

    fds[0] = (struct pollfd){.fd = net->config.link->net_wake, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = net->interfaces, .events = POLLIN};
    for (int way = 0; way < TDM_NET_WAYS; way++) {
        const struct tdm_transport *t = &net->transports[way];

        fds[2 + way] = (struct pollfd){.fd = t->udp.fd, .events = POLLIN};
        for (int i = 0; i < TDM_ICE_SERVERS_MAX; i++)
            if (t->links[i].fd >= 0)
                fds[count++] = (struct pollfd){.fd = t->links[i].fd,
                                               .events = tdm_server_link_events(&t->links[i])};
    }
    return count;
}

static void wait(struct tdm_net *net, struct pollfd fds[POLL_FDS])
{
    tdm_time until = tdm_time_min(net->wake_at, net->status_at);
    nfds_t count = fill_fds(net, fds);

    for (int way = 0; way < TDM_NET_WAYS; way++)
        until = tdm_time_min(until, tdm_transport_wake_at(&net->transports[way]));
    tdm_time left = tdm_time_max(until - tdm_clock_now(), 0);
    struct timespec timeout = {.tv_sec = left / TDM_S, .tv_nsec = left % TDM_S};

    if (ppoll(fds, count, &timeout, NULL) <= 0)
        for (nfds_t i = 0; i < count; i++)
            fds[i].revents = 0;
}

static void run_transports(struct tdm_net *net, tdm_time now, const struct pollfd *fds)
{
    for (uint8_t way = 0; way < TDM_NET_WAYS; way++) {
        struct tdm_transport *t = &net->transports[way];

        if (fds[2 + way].revents)
            take_socket(net, now, way);
        if (t->link_count)
            take_links(net, now, way);
        if (now >= tdm_transport_wake_at(t)) {
            tdm_transport_tick(t, now);
            take_told(net, way);
        }
    }
}

/* What the next picture may refer to. */
static void plan_references(struct tdm_net *net)
{
    struct tdm_link *link = net->config.link;
    struct tdm_session_references r;

    tdm_session_references(net->session, TDM_STREAM_VIDEO, &r);
    if (!r.agreed)
        return;
    atomic_store_explicit(&link->video_chains, r.chains | (uint32_t)r.known_every << 8,
                          memory_order_relaxed);
    atomic_store_explicit(&link->video_told,
                          (uint64_t)r.report.newest << TDM_REFERENCE_REPORT_PICTURES |
                              r.report.decoded,
                          memory_order_relaxed);
}

/* What the next picture may cost changes with all that is told. */
static void plan_pictures(struct tdm_net *net, tdm_time now)
{
    if (now - net->planned_at < PLAN_EVERY)
        return;
    net->planned_at = now;
    tdm_session_follow_fps(
        net->session, TDM_STREAM_VIDEO,
        atomic_load_explicit(&net->config.link->video_fps, memory_order_relaxed));
    atomic_store_explicit(&net->config.link->video_frame_bytes,
                          tdm_session_frame_bytes(net->session, TDM_STREAM_VIDEO, now),
                          memory_order_relaxed);
    bool full = !tdm_session_frame_bytes(net->session, TDM_STREAM_REGION, now);

    atomic_store_explicit(&net->config.link->region_waiting,
                          tdm_session_waiting(net->session, TDM_STREAM_REGION) + full,
                          memory_order_relaxed);
}

void *tdm_net_run(void *arg)
{
    struct tdm_net *net = arg;
    struct pollfd fds[POLL_FDS];

    tdm_rt_enter();
    while (!net->stopping) {
        wait(net, fds);
        tdm_time now = tdm_clock_now();

        if (fds[0].revents)
            take_wake(net, now);
        if (fds[1].revents && tdm_interfaces_changed(net->interfaces))
            tell(net, &(struct tdm_net_event){.kind = TDM_NET_INTERFACES});
        run_transports(net, now, fds);
        for (int i = 0; i < STEPS_A_WAKE && net->wake_at <= now; i++)
            step(net, now, NULL);
        atomic_store_explicit(&net->config.link->video_waiting,
                              tdm_session_waiting(net->session, TDM_STREAM_VIDEO),
                              memory_order_relaxed);
        plan_pictures(net, now);
        plan_references(net);
        if (now >= net->status_at)
            publish(net, now);
    }
    tdm_rt_leave();
    return NULL;
}
