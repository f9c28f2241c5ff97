/* SPDX-License-Identifier: MIT */

/*
 * playout_bench: our playout beside a model of NetEQ's policy and the best that is possible, on
 * the traces of sim/jitter_trace.h; docs/playout.md says how to read it.
 *
 *   playout_bench --list
 *   playout_bench [TRACE|all] [--seeds A..B] [--packets N] [--frame MS] [--pull SAMPLES]
 *                 [--quantile Q] [--loss PERCENT [--burst N]] [--copies FRAME_BYTES]
 *                 [--drift PPM] [--rtp FILE [--half 1|2] | --link FILE] [--json]
 *                 [--check]
 */

#include "sim/player.h"
#include "sim/rate_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_MAX      100
#define PACKETS_MAX    200000
#define FILE_BYTES_MAX (16u << 20)
#define VIDEO_SHARE    0.6
#define PRICE_MS       7000

static const struct {
    const char *name, *id, *title;
    double delay_ms, concealed; /* The goals; 0: none. */
} traces[TDM_JITTER_KINDS] = {
    {"lan", "A1", "a local network", 8, 1e-9},
    {"access", "A2", "1 Mb/s shared with 1500-byte packets", 16, 0.02},
    {"gauss", "A5", "deviation 12 ms, and the base moves", 85, 0.05},
    {"wifi", "A6", "stalls of 30 to 250 ms every 4 s", 60, 0.15},
    {"spikes", "A7", "stalls of 100 to 400 ms every 15 s", 45, 0.85},
    {"wifi-any", "", "the stalls of wifi, whenever they like", 0, 0},
    {"spikes-any", "", "the stalls of spikes, whenever they like", 0, 0},
};

struct options {
    const char *trace, *rtp, *link;
    unsigned first, last, packets, pull;
    double frame_ms, quantile;
    struct tdm_jitter_loss loss;
    double copy_bytes, drift_ppm;
    unsigned half; /* Of a recording; 0: all of it. */
    bool json, list, check;
};

struct load {
    const char *name;
    struct tdm_jitter_packet *packets;
    uint32_t count;
    tdm_time frame;
    double delay_goal, concealed_goal;
};

static bool number(const char *text, double least, double most, double *value)
{
    char *end;

    *value = strtod(text, &end);
    return end != text && !*end && *value >= least && *value <= most;
}

static bool parse_seeds(const char *text, struct options *o)
{
    char extra;
    int found = sscanf(text, "%u..%u%c", &o->first, &o->last, &extra);

    if (found == 1)
        o->last = o->first;
    return found >= 1 && found <= 2 && o->last >= o->first && o->last - o->first < SEEDS_MAX;
}

static bool parse_number(struct options *o, const char *name, const char *text)
{
    double value;

    if (!number(text, 0, PACKETS_MAX, &value))
        return false;
    if (strcmp(name, "--packets") == 0)
        o->packets = (unsigned)value;
    else if (strcmp(name, "--pull") == 0)
        o->pull = (unsigned)value;
    else if (strcmp(name, "--frame") == 0)
        o->frame_ms = value;
    else if (strcmp(name, "--quantile") == 0)
        o->quantile = value;
    else if (strcmp(name, "--loss") == 0)
        o->loss.share = value / 100;
    else if (strcmp(name, "--copies") == 0 && value <= 400)
        o->copy_bytes = value;
    else if (strcmp(name, "--drift") == 0 && value <= 300)
        o->drift_ppm = value;
    else if (strcmp(name, "--half") == 0 && value <= 2)
        o->half = (unsigned)value;
    else if (strcmp(name, "--burst") == 0)
        o->loss.burst = value;
    else
        return false;
    return true;
}

static bool parse(struct options *o, int argc, char **argv)
{
    *o = (struct options){
        .trace = "all", .first = 1, .last = 4, .packets = 15000, .frame_ms = 20, .pull = 128};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--json") == 0)
            o->json = true;
        else if (strcmp(argv[i], "--check") == 0)
            o->check = true;
        else if (strcmp(argv[i], "--list") == 0)
            o->list = true;
        else if (strcmp(argv[i], "--rtp") == 0 && *value)
            o->rtp = argv[++i];
        else if (strcmp(argv[i], "--link") == 0 && *value)
            o->link = argv[++i];
        else if (argv[i][0] != '-')
            o->trace = argv[i];
        else if ((strcmp(argv[i], "--seeds") == 0 && parse_seeds(value, o)) ||
                 parse_number(o, argv[i], value))
            i++;
        else
            return false;
    }
    return o->packets > 200 && o->packets <= PACKETS_MAX && o->frame_ms >= 2.5 &&
           o->frame_ms <= 60 && o->pull >= 32 && o->pull <= 2048 && o->loss.share < 1;
}

static uint8_t *read_file(const char *path, size_t *size)
{
    uint8_t *bytes = malloc(FILE_BYTES_MAX);
    FILE *file = fopen(path, "rb");

    *size = file && bytes ? fread(bytes, 1, FILE_BYTES_MAX, file) : 0;
    if (file)
        (void)fclose(file);
    return bytes;
}

static double mean_lost(const struct load *load)
{
    uint32_t lost = 0;

    for (uint32_t i = 0; i < load->count; i++)
        lost += load->packets[i].lost;
    return lost * 100.0 / load->count;
}

static void add(struct tdm_player_score *sum, struct tdm_player_score one, double share)
{
    sum->delay_ms += one.delay_ms * share;
    sum->least_ms += one.least_ms * share;
    sum->most_ms += one.most_ms * share;
    sum->concealed += one.concealed * share;
    sum->scaled += one.scaled * share;
}

enum { OURS, NETEQ, BOUND, PLAYERS };

static int by_number(const void *a, const void *b)
{
    const struct tdm_jitter_packet *x = a, *y = b;

    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void measure(const struct options *o, const struct load *load, unsigned seed, double share,
                    struct tdm_player_score scores[PLAYERS])
{
    struct tdm_player_setting setting = {
        .frame_samples = (uint32_t)tdm_units_of_time(load->frame + TDM_US, TDM_PLAYER_HZ),
        .quantile = o->quantile};
    struct tdm_player_score bound;

    struct tdm_player_copies *copies = NULL;

    if (o->copy_bytes > 0)
        copies = tdm_player_copies_create(load->packets, load->count, load->frame,
                                          (uint32_t)o->copy_bytes);
    setting.copies = copies;
    tdm_player_bound(load->packets, load->count, load->frame, PRICE_MS, &bound);
    add(&scores[BOUND], bound, share);
    tdm_jitter_sort(load->packets, load->count);
    struct tdm_player_run run = {.packets = load->packets,
                                 .count = load->count,
                                 .frame = load->frame,
                                 .pull_samples = o->pull,
                                 .phase = seed,
                                 .drift_ppm = o->drift_ppm};

    add(&scores[OURS], tdm_player_play(&tdm_player_ours, &setting, &run), share);
    add(&scores[NETEQ], tdm_player_play(&tdm_player_neteq, &setting, &run), share);
    qsort(load->packets, load->count, sizeof *load->packets, by_number);
    scores[OURS].extra_kbps += copies ? copies->extra_bps * share / 1e3 : 0;
    tdm_player_copies_free(copies);
}

/* False: a goal is missed. */
static bool print(const struct options *o, const struct load *load, double lost,
                  const struct tdm_player_score scores[PLAYERS], bool first)
{
    static const char *names[PLAYERS] = {"tandem", "neteq_policy", "bound"};
    const struct tdm_player_score *ours = &scores[OURS];
    const char *verdict =
        load->delay_goal <= 0                                                           ? ""
        : ours->delay_ms <= load->delay_goal && ours->concealed <= load->concealed_goal ? "met"
                                                                                        : "not met";

    if (o->json) {
        printf("%s\n {\"trace\": \"%s\", \"lost\": %.3f", first ? "" : ",", load->name, lost);
        for (int i = 0; i < PLAYERS; i++)
            printf(", \"%s\": {\"delay_ms\": %.2f, \"concealed\": %.4f, \"scaled\": %.3f}",
                   names[i], scores[i].delay_ms, scores[i].concealed, scores[i].scaled);
        printf(", \"copies_kbps\": %.1f, \"goal\": \"%s\"}", ours->extra_kbps, verdict);
        return strcmp(verdict, "not met") != 0;
    }
    if (first)
        printf("%-10s %6s | %21s | %21s | %16s | goal\n", "", "lost %", "tandem: ms, %, scaled",
               "NetEQ: ms, %, scaled", "bound: ms, %");
    printf("%-10.10s %6.2f | %7.1f %6.3f %6.2f | %7.1f %6.3f %6.2f | %8.1f %7.3f |", load->name,
           lost, ours->delay_ms, ours->concealed, ours->scaled, scores[NETEQ].delay_ms,
           scores[NETEQ].concealed, scores[NETEQ].scaled, scores[BOUND].delay_ms,
           scores[BOUND].concealed);
    if (o->drift_ppm > 0)
        printf(" delay from %.1f to %.1f ms", ours->least_ms, ours->most_ms);
    else if (o->copy_bytes > 0)
        printf(" copies %.1f kb/s", ours->extra_kbps);
    else if (load->delay_goal > 0)
        printf(" %.0f ms, %.2f %%: %s", load->delay_goal, load->concealed_goal, verdict);
    putchar('\n');
    return strcmp(verdict, "not met") != 0;
}

static bool run_drawn(const struct options *o, struct tdm_jitter_packet *packets, int kind,
                      bool first, bool *met)
{
    struct tdm_player_score scores[PLAYERS] = {0};
    struct load load = {.name = traces[kind].name,
                        .packets = packets,
                        .count = o->packets,
                        .frame = (tdm_time)(o->frame_ms * 1e6),
                        .delay_goal = traces[kind].delay_ms,
                        .concealed_goal = traces[kind].concealed};
    double share = 1.0 / (o->last - o->first + 1), lost = 0;

    if (strcmp(o->trace, "all") != 0 && strcmp(o->trace, load.name) != 0)
        return false;
    for (unsigned seed = o->first; seed <= o->last; seed++) {
        tdm_jitter_draw((enum tdm_jitter_kind)kind, seed, load.frame, packets, load.count);
        tdm_jitter_lose(&o->loss, seed, packets, load.count);
        lost += mean_lost(&load) * share;
        measure(o, &load, seed, share, scores);
    }
    *met &= print(o, &load, lost, scores, first);
    return true;
}

/* What one half taught can be tried on the other. */
static void keep_half(struct load *load, unsigned half)
{
    uint32_t first = half == 2 ? load->count / 2 : 0;
    tdm_time since = (tdm_time)first * load->frame;

    load->count /= 2;
    for (uint32_t i = 0; i < load->count; i++) {
        load->packets[i] = load->packets[first + i];
        load->packets[i].seq -= first;
        load->packets[i].sent -= since;
        load->packets[i].arrival -= since;
    }
}

/* A recording, or a voice behind video on a recorded link. */
static bool run_file(const struct options *o, struct tdm_jitter_packet *packets)
{
    struct tdm_player_score scores[PLAYERS] = {0};
    const char *path = o->rtp ? o->rtp : o->link, *name = strrchr(path, '/');
    struct load load = {.name = name ? name + 1 : path,
                        .packets = packets,
                        .count = o->packets,
                        .frame = (tdm_time)(o->frame_ms * 1e6)};
    size_t size;
    uint8_t *bytes = read_file(path, &size);
    uint32_t *link = calloc(TDM_RATE_TRACE_MAX, sizeof *link), link_count;
    bool ok = bytes && link && size;

    if (ok && o->rtp)
        ok = tdm_jitter_read(bytes, size, packets, PACKETS_MAX, &load.count, &load.frame) == TDM_OK;
    else if (ok)
        ok = tdm_rate_trace_parse((const char *)bytes, size, link, TDM_RATE_TRACE_MAX,
                                  &link_count) == TDM_OK;
    if (ok && o->link)
        tdm_jitter_behind(link, link_count, VIDEO_SHARE, load.frame, packets, load.count);
    free(bytes);
    free(link);
    if (!ok) {
        fprintf(stderr, "playout_bench: %s is no %s\n", path,
                o->rtp ? "recording by rtpdump" : "trace of ascending milliseconds, a line each");
        return false;
    }
    if (o->half)
        keep_half(&load, o->half);
    tdm_jitter_lose(&o->loss, o->first, packets, load.count);
    double lost = mean_lost(&load);

    /* A seed is only another phase of the device here. */
    for (unsigned seed = o->first; seed <= o->last; seed++)
        measure(o, &load, seed, 1.0 / (o->last - o->first + 1), scores);
    (void)print(o, &load, lost, scores, true);
    return true;
}

int main(int argc, char **argv)
{
    struct options o;
    bool first = true, met = true;

    if (!parse(&o, argc, argv)) {
        fputs("playout_bench: --list, or [TRACE|all] [--seeds A..B] [--packets N] [--frame MS] "
              "[--pull SAMPLES] [--quantile Q] [--loss PERCENT [--burst N]] "
              "[--copies FRAME_BYTES] "
              "[--drift PPM] [--rtp FILE [--half 1|2] | --link FILE] [--json] [--check]; --list "
              "names the traces, "
              "--check fails where a goal is missed\n",
              stderr);
        return 2;
    }
    if (o.list) {
        for (int i = 0; i < TDM_JITTER_KINDS; i++)
            printf("%-8s %-3s %s\n", traces[i].name, traces[i].id, traces[i].title);
        return 0;
    }
    struct tdm_jitter_packet *packets = calloc(PACKETS_MAX, sizeof *packets);

    if (!packets)
        return 1;
    if (o.json)
        printf("{\"seeds\": [%u, %u], \"rows\": [", o.first, o.last);
    if (o.rtp || o.link)
        first = !run_file(&o, packets);
    else
        for (int i = 0; i < TDM_JITTER_KINDS; i++)
            first &= !run_drawn(&o, packets, i, first, &met);
    if (o.json)
        puts("\n]}");
    free(packets);
    return first ? 2 : o.check && !met ? 1 : 0;
}
