/* SPDX-License-Identifier: MIT */
/*
 * Two ends of the reliable stream over drawn links: loss up to 30 %, jitter that overtakes,
 * doubled and damaged datagrams, small queues, cuts, slow readers, told rates. Every byte arrives
 * once and in order, memory stays bounded, and the told rate holds.
 *
 * sim.reliable FIRST COUNT
 */
#include "engine/base/rng.h"
#include "engine/core/reliable.h"
#include "sim/network.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT         (600 * TDM_S)
#define STEPS_AT_ONCE 10000

struct end {
    struct tdm_reliable *core;
    struct tdm_reliable_out out;
    struct tdm_sim_link *way; /* From here. */
    uint64_t total, written, received, sent_bytes;
    tdm_time wake_at, read_every, read_at;
    bool wrong;
};

struct world {
    uint64_t seed;
    struct tdm_rng rng;
    struct end ends[2];
    struct tdm_sim_link_config configs[2];
    struct tdm_sim_window cut;
    uint64_t rate_bps;
    tdm_time now;
};

static uint8_t byte_at(uint64_t seed, int who, uint64_t offset)
{
    return (uint8_t)(offset * 131 + (offset >> 8) * 7 + seed + (uint64_t)who * 17);
}

static void draw_link(struct world *w, int way)
{
    struct tdm_sim_link_config *c = &w->configs[way];
    struct tdm_rng *rng = &w->rng;

    *c = (struct tdm_sim_link_config){
        .seed = tdm_rng_u64(rng),
        .loss = tdm_rng_chance(rng, 0.7) ? tdm_rng_unit(rng) * 0.3 : 0,
        .delay = tdm_rng_below(rng, 150) * TDM_MS,
        .jitter_kind = TDM_SIM_JITTER_UNIFORM,
        .jitter = tdm_rng_below(rng, 40) * TDM_MS,
        .jitter_reorders = tdm_rng_chance(rng, 0.5),
        .reorder = tdm_rng_chance(rng, 0.3) ? 0.1 : 0,
        .reorder_delay = 30 * TDM_MS,
        .duplicate = tdm_rng_chance(rng, 0.3) ? 0.2 : 0,
        .rate_bps = tdm_rng_chance(rng, 0.5) ? 200000 + tdm_rng_below(rng, 20000000) : 0,
        .queue_bytes = 20000 + tdm_rng_below(rng, 100000),
        .windows = &w->cut,
        .window_count = tdm_rng_chance(rng, 0.3),
    };
}

static void run_end(struct world *w, int who, const struct tdm_reliable_in *in)
{
    struct end *e = &w->ends[who];
    int steps = 0;

    do {
        if (++steps > STEPS_AT_ONCE) {
            printf("seed %llu: end %d is never done\n", (unsigned long long)w->seed, who);
            exit(1);
        }
        tdm_reliable_step(e->core, w->now, in, &e->out);
        in = NULL;
        if (e->out.size) {
            e->sent_bytes += e->out.size;
            tdm_sim_link_push(e->way, w->now, 0, e->out.data, e->out.size);
        }
    } while (e->out.wake_at <= w->now);
    e->wake_at = e->out.wake_at;
}

static void write_some(struct world *w, int who)
{
    struct end *e = &w->ends[who];
    uint8_t bytes[5000];
    size_t size = 1 + tdm_rng_below(&w->rng, sizeof bytes);

    size = size < e->total - e->written ? size : (size_t)(e->total - e->written);
    for (size_t i = 0; i < size; i++)
        bytes[i] = byte_at(w->seed, who, e->written + i);
    e->written += tdm_reliable_write(e->core, bytes, size);
}

static void read_some(struct world *w, int who)
{
    struct end *e = &w->ends[who];
    uint8_t bytes[20000];
    size_t size = tdm_reliable_read(e->core, bytes, 1 + tdm_rng_below(&w->rng, sizeof bytes));

    for (size_t i = 0; i < size; i++)
        if (bytes[i] != byte_at(w->seed, !who, e->received + i))
            e->wrong = true;
    e->received += size;
}

static bool over(const struct world *w)
{
    return w->ends[0].received == w->ends[1].total && w->ends[1].received == w->ends[0].total;
}

static void deliver(struct world *w, int to)
{
    struct tdm_sim_packet packet;
    uint8_t copy[TDM_RELIABLE_DATAGRAM];

    while (tdm_sim_link_pop(w->ends[!to].way, w->now, &packet)) {
        memcpy(copy, packet.data, packet.size);
        run_end(w, to,
                &(struct tdm_reliable_in){
                    .kind = TDM_RELIABLE_RECEIVED, .data = copy, .size = packet.size});
    }
}

static void turn(struct world *w)
{
    tdm_time next = TDM_NEVER;

    for (int i = 0; i < 2; i++) {
        struct end *e = &w->ends[i];

        deliver(w, i);
        if (e->written < e->total && tdm_reliable_room(e->core))
            write_some(w, i);
        if (w->now >= e->read_at) {
            read_some(w, i);
            e->read_at = w->now + e->read_every;
        }
        run_end(w, i, NULL);
        next = tdm_time_min(next, tdm_time_min(e->wake_at, tdm_sim_link_due(e->way)));
        if (tdm_reliable_readable(e->core))
            next = tdm_time_min(next, e->read_at);
        if (e->written < e->total && tdm_reliable_room(e->core))
            next = tdm_time_min(next, w->now + TDM_MS);
    }
    w->now = tdm_time_max(next, w->now);
}

static void draw(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->seed = seed;
    w->rng = tdm_rng_of(seed);
    w->cut.from = tdm_rng_below(&w->rng, 5000) * TDM_MS;
    w->cut.to = w->cut.from + tdm_rng_below(&w->rng, 8000) * TDM_MS;
    w->cut.cut = true;
    w->rate_bps = tdm_rng_chance(&w->rng, 0.2) ? 100000 + tdm_rng_below(&w->rng, 2000000) : 0;
    for (int i = 0; i < 2; i++) {
        struct end *e = &w->ends[i];
        struct tdm_reliable_config config = {.opener = i == 0, .id = (uint32_t)seed};

        draw_link(w, i);
        e->total = tdm_rng_below(&w->rng, i ? 100000 : 600000);
        e->read_every = tdm_rng_chance(&w->rng, 0.2) ? tdm_rng_below(&w->rng, 300) * TDM_MS : 0;
        e->core = tdm_reliable_init(malloc(tdm_reliable_bytes()), &config, 0);
        e->way = tdm_sim_link_init(malloc(tdm_sim_link_bytes(&w->configs[i])), &w->configs[i]);
        tdm_reliable_step(
            e->core, 0,
            &(struct tdm_reliable_in){.kind = TDM_RELIABLE_RATE, .rate_bps = w->rate_bps}, &e->out);
        if (e->out.size)
            tdm_sim_link_push(e->way, 0, 0, e->out.data, e->out.size);
    }
}

static bool rate_held(const struct world *w, const struct end *e)
{
    return !w->rate_bps ||
           (double)e->sent_bytes * 8 <= (double)w->rate_bps * ((double)w->now / 1e9 + 0.1) + 40000;
}

static bool run_seed(uint64_t seed)
{
    static struct world w;
    const char *why = NULL;

    draw(&w, seed);
    while (!over(&w) && w.now < LIMIT && !w.ends[0].wrong && !w.ends[1].wrong)
        turn(&w);
    if (w.ends[0].wrong || w.ends[1].wrong)
        why = "a wrong byte";
    else if (!over(&w))
        why = "not all has arrived";
    else if (!rate_held(&w, &w.ends[0]))
        why = "more than the told rate";
    if (why)
        printf("seed %" PRIu64 ": %s: %" PRIu64 " of %" PRIu64 " and %" PRIu64 " of %" PRIu64
               " bytes after %.1f s, states %d %d\n",
               seed, why, w.ends[1].received, w.ends[0].total, w.ends[0].received, w.ends[1].total,
               (double)w.now / 1e9, tdm_reliable_state_of(w.ends[0].core),
               tdm_reliable_state_of(w.ends[1].core));
    for (int i = 0; i < 2; i++) {
        free(w.ends[i].core);
        free(w.ends[i].way);
    }
    return !why;
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 100;
    uint64_t failed = 0;

    for (uint64_t seed = first; seed < first + count; seed++)
        failed += !run_seed(seed);
    printf("%" PRIu64 " of %" PRIu64 " seeds failed\n", failed, count);
    return failed != 0;
}
