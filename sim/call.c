/* SPDX-License-Identifier: MIT */
#include "sim/call.h"

#include "signalling/sig_memory.h"
#include "sim/person.h"
#include "sim/scheduler.h"

#include <stdlib.h>
#include <string.h>

/* Bounds on how busy an engine may be; a healthy call stays far below. */
#define SECOND_STEPS_MAX  8000
#define INSTANT_STEPS_MAX 2000
/* How long sound or picture may be missing, and how old they may be, beyond the network's own
 * outages; NARROW where the rate may fall below what is sent. */
#define AUDIO_GAP_MAX  TDM_S
#define VIDEO_GAP_MAX  (3 * TDM_S)
#define NARROW_GAP_MAX (8 * TDM_S)
#define LATENCY_MAX    (500 * TDM_MS)
#define VIDEO_LATENCY_MAX                                                                          \
    (750 * TDM_MS) /* A hole waits up to 600 ms for its repair, then the way. */
#define NARROW_LATENCY_MAX (7 * TDM_S / 2)
#define CORRUPT_EXTRA      (500 * TDM_MS) /* For flipped bits. */
#define DIAL_AT            (100 * TDM_MS)
#define HANG_UP_BEFORE     (8 * TDM_S) /* Time for lost BYEs. */
#define LINK_PACKETS       2048
#define CALLEE             "sip:b@10.0.0.2"

/* Sources of the scheduler, in the order in which equal times go. */
enum {
    SOURCE_END_0,
    SOURCE_END_1 = SOURCE_END_0 + TDM_SIM_DUE_COUNT,
    SOURCE_LINK_0 = SOURCE_END_1 + TDM_SIM_DUE_COUNT,
    SOURCE_LINK_1,
    SOURCE_WIRE,
    SOURCE_PERSON_0,
    SOURCE_PERSON_1,
    SOURCE_ACTION,
    SOURCE_COUNT
};

struct tdm_sim_call {
    struct tdm_sim_world world;
    struct tdm_sim_scheduler scheduler;
    struct tdm_sim_person persons[2];
    struct tdm_sig *sigs[2];
    struct tdm_sig_wire *wire;
    tdm_time wire_due;
    uint32_t next_action;
    bool dialled, finished; /* The run's own first and last action. */
    void *end_storage[2], *link_storage[2];
    struct tdm_sim_event *records;
    size_t log_max;
};

struct tdm_sim_call *tdm_sim_call_create(size_t log_max)
{
    struct tdm_sim_link_config link = {.packets_max = LINK_PACKETS};
    struct tdm_sim_call *call = calloc(1, sizeof(*call));
    bool whole = call != NULL;

    for (unsigned i = 0; whole && i < 2; i++) {
        call->end_storage[i] = malloc(tdm_sim_endpoint_bytes());
        call->link_storage[i] = malloc(tdm_sim_link_bytes(&link));
        whole = call->end_storage[i] && call->link_storage[i];
    }
    if (whole && log_max) {
        call->records = malloc(log_max * sizeof(*call->records));
        whole = call->records != NULL;
    }
    if (!whole) {
        tdm_sim_call_destroy(call);
        return NULL;
    }
    call->log_max = log_max;
    return call;
}

void tdm_sim_call_destroy(struct tdm_sim_call *call)
{
    if (!call)
        return;
    for (unsigned i = 0; i < 2; i++) {
        free(call->end_storage[i]);
        free(call->link_storage[i]);
    }
    free(call->records);
    free(call);
}

const struct tdm_sim_log *tdm_sim_call_log(const struct tdm_sim_call *call)
{
    return &call->world.log;
}

/* ---- setting up ---- */

static bool is_narrow(const struct tdm_sim_path *path)
{
    return path->rate_step_count || path->trace_count;
}

#define NEAR_RTT (100 * TDM_MS) /* The bounds are for this much or less. */

static void set_bounds(struct tdm_sim_checker *c, const struct tdm_sim_scenario *s)
{
    bool narrow = is_narrow(&s->path[0]) || is_narrow(&s->path[1]);
    tdm_time outage = tdm_sim_scenario_outage(s);

    tdm_time far = tdm_time_max(s->path[0].link.delay + s->path[1].link.delay - NEAR_RTT, 0);

    c->gap_allowed[TDM_SIM_AUDIO] = outage + AUDIO_GAP_MAX;
    c->gap_allowed[TDM_SIM_VIDEO] = outage + (narrow ? NARROW_GAP_MAX : VIDEO_GAP_MAX);
    c->latency_allowed[TDM_SIM_AUDIO] = outage + (narrow ? 2 : 1) * LATENCY_MAX;
    c->latency_allowed[TDM_SIM_VIDEO] = outage + (narrow ? NARROW_LATENCY_MAX : VIDEO_LATENCY_MAX);
    c->latency_allowed[TDM_SIM_VIDEO] += 4 * far; /* Each try to mend it takes that longer. */
    for (unsigned i = 0; i < TDM_SIM_STREAMS && c->may_corrupt; i++) {
        c->gap_allowed[i] += CORRUPT_EXTRA;
        c->latency_allowed[i] += CORRUPT_EXTRA;
    }
}

static void open_world(struct tdm_sim_call *call, const struct tdm_sim_scenario *scenario)
{
    struct tdm_sim_world *w = &call->world;
    bool may_corrupt = scenario->path[0].link.corrupt > 0 || scenario->path[1].link.corrupt > 0;

    memset(w->ends, 0, sizeof(w->ends));
    w->scenario = scenario;
    tdm_sim_checker_init(&w->checker, scenario->steady, may_corrupt);
    set_bounds(&w->checker, scenario);
    tdm_sim_log_init(&w->log, call->records, call->log_max);
    for (uint8_t i = 0; i < 2; i++) {
        struct tdm_sim_link_config config = tdm_sim_path_config(&scenario->path[i]);

        config.packets_max = LINK_PACKETS;
        config.packet_bytes_max = 0;
        w->links[i] = tdm_sim_link_init(call->link_storage[i], &config);
        w->ends[i] = tdm_sim_endpoint_init(call->end_storage[i], w, i, 0);
    }
    tdm_sim_scheduler_init(&call->scheduler, 0, SOURCE_COUNT);
    call->next_action = 0;
    call->dialled = call->finished = false;
}

/* Opens the signalling wire with a person at each end; false when there is no memory. */
static bool open_wire(struct tdm_sim_call *call)
{
    const struct tdm_sim_scenario *s = call->world.scenario;
    struct tdm_sig_wire_config config = {.seed = s->seed,
                                         .delay_min = s->signalling_delay,
                                         .delay_max = s->signalling_delay * 3 / 2,
                                         .loss = s->signalling_loss};
    static const char *const users[] = {"a", "b"};

    call->sigs[0] = call->sigs[1] = NULL;
    call->wire = tdm_sig_wire_create(&config);
    call->wire_due = TDM_NEVER;
    for (uint8_t i = 0; i < 2; i++) {
        struct tdm_sig_config sig = {.user = users[i], .wire = call->wire};
        struct tdm_cause cause;

        if (!call->wire || tdm_sig_memory.open(&call->sigs[i], &sig, &cause) != TDM_OK)
            return false;
        tdm_sim_person_init(&call->persons[i], &call->world, i, &tdm_sig_memory, call->sigs[i], 0);
    }
    return true;
}

static void close_wire(struct tdm_sim_call *call)
{
    for (unsigned i = 0; i < 2; i++)
        if (call->sigs[i])
            tdm_sig_memory.close(call->sigs[i]);
    if (call->wire)
        tdm_sig_wire_destroy(call->wire);
}

/* ---- running ---- */

/* The run's own actions: dial at the start, hang up at the end unless the scenario did. */
static tdm_time own_action_at(const struct tdm_sim_call *call)
{
    if (!call->dialled)
        return DIAL_AT;
    return call->finished ? TDM_NEVER : call->world.scenario->duration - HANG_UP_BEFORE;
}

static tdm_time action_at(const struct tdm_sim_call *call)
{
    const struct tdm_sim_scenario *s = call->world.scenario;
    tdm_time next =
        call->next_action < s->action_count ? s->actions[call->next_action].at : TDM_NEVER;

    return tdm_time_min(next, own_action_at(call));
}

static void run_action(struct tdm_sim_call *call, tdm_time now)
{
    const struct tdm_sim_scenario *s = call->world.scenario;

    if (call->next_action < s->action_count && now >= s->actions[call->next_action].at) {
        const struct tdm_sim_action *action = &s->actions[call->next_action++];

        tdm_sim_person_act(&call->persons[action->side], now, action);
        if (action->kind == TDM_SIM_VANISH)
            tdm_sig_wire_set_loss(call->wire, 1, 0);
        if (action->kind == TDM_SIM_VANISH || action->kind == TDM_SIM_HANGUP)
            call->finished = true;
    } else if (!call->dialled) {
        call->dialled = true;
        tdm_sim_person_dial(&call->persons[0], now, CALLEE);
    } else {
        call->finished = true;
        tdm_sim_person_act(&call->persons[0], now,
                           &(struct tdm_sim_action){.at = now, .kind = TDM_SIM_HANGUP});
    }
}

static void set_due(struct tdm_sim_scheduler *s, uint32_t source, tdm_time due)
{
    if (s->due[source] != due)
        tdm_sim_scheduler_set(s, source, due);
}

static void plan(struct tdm_sim_call *call)
{
    struct tdm_sim_scheduler *s = &call->scheduler;

    for (uint32_t side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < TDM_SIM_DUE_COUNT; i++)
            set_due(s, SOURCE_END_0 + side * TDM_SIM_DUE_COUNT + i, call->world.ends[side]->due[i]);
        set_due(s, SOURCE_LINK_0 + side, tdm_sim_link_due(call->world.links[side]));
        set_due(s, SOURCE_PERSON_0 + side, tdm_sim_person_due(&call->persons[side]));
    }
    set_due(s, SOURCE_WIRE, call->wire_due);
    set_due(s, SOURCE_ACTION, action_at(call));
}

static void deliver(struct tdm_sim_call *call, tdm_time now, uint8_t from)
{
    struct tdm_sim_endpoint *to = call->world.ends[1 - from];
    struct tdm_sim_packet packet;
    uint8_t stream;

    if (!tdm_sim_link_pop(call->world.links[from], now, &packet))
        return;
    stream = (uint8_t)(packet.channel / 2);
    tdm_sim_checker_delivered(&call->world.checker, now, from, packet.channel, packet.data,
                              packet.size,
                              to->running && to->active[stream] && to->streams[stream].receive);
    tdm_sim_endpoint_receive(to, now, &packet);
}

static bool is_deaf(const struct tdm_sim_call *call, unsigned side)
{
    return side == 1 && call->world.scenario->fault == TDM_SIM_FAULT_DEAF &&
           call->persons[1].up_at != TDM_NEVER;
}

/* Signalling: the wire is stepped to the present before anybody speaks, and after it. */
static void dispatch_signalling(struct tdm_sim_call *call, uint32_t source)
{
    tdm_time now = call->scheduler.now;

    (void)tdm_sig_wire_step(call->wire, now);
    if (source == SOURCE_ACTION)
        run_action(call, now);
    else if (source != SOURCE_WIRE)
        tdm_sim_person_run(&call->persons[source - SOURCE_PERSON_0], now);
    for (unsigned side = 0; side < 2; side++)
        if (!is_deaf(call, side))
            tdm_sim_person_hear(&call->persons[side], now);
    call->wire_due = tdm_sig_wire_step(call->wire, now);
}

static void dispatch(struct tdm_sim_call *call, uint32_t source)
{
    tdm_time now = call->scheduler.now;

    if (source < SOURCE_LINK_0)
        tdm_sim_endpoint_run(call->world.ends[source / TDM_SIM_DUE_COUNT], now,
                             (enum tdm_sim_due)(source % TDM_SIM_DUE_COUNT));
    else if (source < SOURCE_WIRE)
        deliver(call, now, (uint8_t)(source - SOURCE_LINK_0));
    else
        dispatch_signalling(call, source);
}

static void run(struct tdm_sim_call *call)
{
    struct tdm_sim_scheduler *s = &call->scheduler;
    uint32_t source;

    plan(call);
    while (s->instant_steps <= INSTANT_STEPS_MAX &&
           tdm_sim_scheduler_next(s, call->world.scenario->duration, &source)) {
        dispatch(call, source);
        plan(call);
    }
}

/* ---- judging ---- */

static void check_clock(struct tdm_sim_call *call)
{
    const struct tdm_sim_scheduler *s = &call->scheduler;
    struct tdm_sim_checker *c = &call->world.checker;

    if (s->past_wakes)
        tdm_sim_checker_fail(c, s->now, "%llu wakes in the past, last of source %u",
                             (unsigned long long)s->past_wakes, s->last_past_wake);
    if (s->instant_steps_max > INSTANT_STEPS_MAX)
        tdm_sim_checker_fail(c, s->now, "virtual time stood still");
    if (s->second_steps_max > SECOND_STEPS_MAX)
        tdm_sim_checker_fail(c, s->now, "%llu events in one second",
                             (unsigned long long)s->second_steps_max);
    for (unsigned i = 0; i < 2; i++) {
        const struct tdm_sim_endpoint *e = call->world.ends[i];

        if (e->stuck_steps)
            tdm_sim_checker_fail(c, s->now, "side %u: a core never came to rest", i);
        if (e->past_wakes)
            tdm_sim_checker_fail(c, s->now, "side %u: %llu wakes before now", i,
                                 (unsigned long long)e->past_wakes);
    }
}

/* Sent = delivered + lost + in flight, by the watch's own count of what was sent. */
static void check_links(struct tdm_sim_call *call)
{
    struct tdm_sim_checker *c = &call->world.checker;

    for (unsigned d = 0; d < 2; d++) {
        const struct tdm_sim_link_stats *l = tdm_sim_link_stats_of(call->world.links[d]);
        uint64_t sent = l->copies, delivered = 0;
        uint64_t lost = l->lost_random + l->lost_queue + l->lost_cut;

        for (unsigned i = 0; i < TDM_SIM_STREAMS; i++) {
            const struct tdm_sim_stream_watch *w = &c->streams[d][i];

            sent += w->sent + w->resent + w->parity + w->rtcp_sent;
            delivered += w->delivered + w->rtcp_delivered;
        }
        if (sent != delivered + lost + l->in_flight)
            tdm_sim_checker_fail(c, call->scheduler.now,
                                 "from side %u: %llu packets sent, %llu delivered, %llu lost, %llu "
                                 "in flight",
                                 d, (unsigned long long)sent, (unsigned long long)delivered,
                                 (unsigned long long)lost, (unsigned long long)l->in_flight);
    }
}

static void check_ends(struct tdm_sim_call *call)
{
    struct tdm_sim_checker *c = &call->world.checker;

    for (unsigned i = 0; i < 2; i++) {
        const struct tdm_sim_person *p = &call->persons[i];

        if (p->sig && p->machine.state != TDM_CALL_ENDED)
            tdm_sim_checker_fail(c, call->scheduler.now, "side %u is still %s at the end", i,
                                 tdm_call_state_name(p->machine.state));
        if (p->up_at == TDM_NEVER)
            tdm_sim_checker_fail(c, call->scheduler.now, "side %u was never up: %.80s", i,
                                 p->machine.reason);
    }
}

static void fill_side(struct tdm_sim_call *call, unsigned i, struct tdm_sim_side_result *r)
{
    const struct tdm_sim_person *p = &call->persons[i];
    const struct tdm_sim_endpoint *e = call->world.ends[i];
    const struct tdm_sim_stream_watch *audio = &call->world.checker.streams[i][TDM_SIM_AUDIO];
    const struct tdm_sim_stream_watch *video = &call->world.checker.streams[i][TDM_SIM_VIDEO];

    *r = (struct tdm_sim_side_result){
        .state = p->machine.state,
        .end = p->machine.end,
        .up_at = p->up_at,
        .ended_at = p->ended_at,
        .audio_frames = audio->frames,
        .video_frames = video->frames,
        .audio_gap_max = audio->gap_max,
        .video_gap_max = video->gap_max,
        .video_frozen = video->frozen,
        .skew_p95 = tdm_sim_checker_skew(&call->world.checker, (uint8_t)i, 0.95),
        .video_frozen_settled = video->frozen_settled,
        .reference_cost = e->pictures_coded ? e->reference_cost / (double)e->pictures_coded : 0,
        .parity_sent = video->parity,
        .audio_latency_max = audio->latency_max,
        .video_latency_max = video->latency_max,
        .audio_latency = audio->latency,
        .video_latency = video->latency,
        .nacked = video->nacked,
        .repaired = video->repaired,
        .keyframes_wanted = call->world.checker.streams[1 - i][TDM_SIM_VIDEO].plis,
        .video_codec = e->decoder.codec,
        .missing_reference = video->missing_reference,
        .packets_sent = audio->sent + video->sent,
        .video_sent = video->sent,
        .video_resent = video->resent,
        .packets_resent = audio->resent + video->resent,
        .played_samples = e->played_samples,
        .concealed_samples = e->concealed_samples,
        .rtcp_bye = e->bye,
    };
    memcpy(r->digits, e->digits, sizeof(r->digits));
}

static void fill_result(struct tdm_sim_call *call, struct tdm_sim_result *result)
{
    const struct tdm_sim_checker *c = &call->world.checker;

    memset(result, 0, sizeof(*result));
    result->violations = c->violations;
    result->hash = call->world.log.hash;
    result->events = call->world.log.count;
    result->steps = call->scheduler.steps;
    for (unsigned i = 0; i < 2; i++)
        fill_side(call, i, &result->side[i]);
    result->kept = c->kept;
    for (uint32_t i = 0; i < c->kept; i++) {
        result->kept_violations[i].at = c->kept_violations[i].at;
        memcpy(result->kept_violations[i].text, c->kept_violations[i].text,
               sizeof(result->kept_violations[i].text));
    }
}

enum tdm_err tdm_sim_call_run(struct tdm_sim_call *call, const struct tdm_sim_scenario *scenario,
                              struct tdm_sim_result *result)
{
    bool open;

    open_world(call, scenario);
    open = open_wire(call);
    if (open) {
        run(call);
        for (unsigned i = 0; i < 2; i++)
            tdm_sim_endpoint_stop(call->world.ends[i], call->scheduler.now, false);
        tdm_sim_checker_finish(&call->world.checker, call->scheduler.now);
        check_clock(call);
        check_links(call);
        check_ends(call);
        fill_result(call, result);
    }
    close_wire(call);
    return open ? TDM_OK : TDM_E_SYSTEM;
}
