/* SPDX-License-Identifier: MIT */
#include "sim/rate_tcp.h"

#include <math.h>
#include <string.h>

#define WINDOW_START 10
#define WINDOW_MIN   2
#define CUBIC_C      0.4
#define CUBIC_BETA   0.7
#define DUP_ACKS     3
#define TIMEOUT_MIN  (300 * TDM_MS)

enum { UNKNOWN, UNDER_WAY, ACKED, LOST };

void tdm_rate_tcp_start(struct tdm_rate_tcp *t, tdm_time now, bool bbr, uint64_t packets)
{
    int64_t next = t->next;
    tdm_time timer = t->timer;

    memset(t, 0, sizeof *t);
    *t = (struct tdm_rate_tcp){.bbr = bbr,
                               .active = true,
                               .left = packets ? (int64_t)packets : -1,
                               .next = next,
                               .highest = next - 1,
                               .window = WINDOW_START,
                               .threshold = 1e9,
                               .rtt_min = TDM_NEVER,
                               .timer = timer,
                               .last_ack = now,
                               .recover = next - 1,
                               .round_end = next,
                               .round_at = now};
}

static tdm_time timeout(const struct tdm_rate_tcp *t)
{
    return tdm_time_max(TIMEOUT_MIN, 3 * t->srtt);
}

static double rate_of(const struct tdm_rate_tcp *t)
{
    double most = 0;

    for (int i = 0; i < 10; i++)
        most = t->rates[i] > most ? t->rates[i] : most;
    return most;
}

/* Packets that may be under way. */
static double allowed(const struct tdm_rate_tcp *t, tdm_time now)
{
    double rate = rate_of(t);

    if (!t->bbr)
        return t->window;
    if (!t->full || rate <= 0)
        return fmax(t->window, WINDOW_START);
    double bdp = rate * (double)t->rtt_min * 1e-9;

    return now < t->drain_until ? 4 : fmax(2 * bdp, 4);
}

static double pace_of(const struct tdm_rate_tcp *t)
{
    static const double gains[] = {1.25, 0.75, 1, 1, 1, 1, 1, 1};

    return rate_of(t) * (t->full ? gains[t->round % 8] : 2.9);
}

bool tdm_rate_tcp_sends(struct tdm_rate_tcp *t, tdm_time now, tdm_time *again_at)
{
    *again_at = t->active && t->inflight ? t->last_ack + timeout(t) + TDM_MS : TDM_NEVER;
    if (!t->active || (!t->again && !t->left) || t->inflight + 1 > allowed(t, now))
        return false;
    if (t->bbr && t->free_at > now) {
        *again_at = tdm_time_min(*again_at, t->free_at);
        return false;
    }
    return true;
}

int64_t tdm_rate_tcp_sent(struct tdm_rate_tcp *t, tdm_time now)
{
    double pace = pace_of(t);

    if (t->again)
        t->again--;
    else if (t->left > 0)
        t->left--;
    if (!t->inflight)
        t->last_ack = now;
    t->inflight++;
    t->states[t->next & (TDM_RATE_TCP_PACKETS - 1)] = UNDER_WAY;
    if (t->bbr && pace > 0)
        t->free_at = now + (tdm_time)(1e9 / pace);
    return t->next++;
}

static void cut(struct tdm_rate_tcp *t, tdm_time now, int64_t number)
{
    if (t->bbr || number <= t->recover)
        return;
    t->recover = t->next - 1;
    t->window_max = t->window < t->window_max ? t->window * (1 + CUBIC_BETA) / 2 : t->window;
    t->window = fmax(t->window * CUBIC_BETA, WINDOW_MIN);
    t->threshold = t->window;
    t->cut_at = now;
}

static void grow(struct tdm_rate_tcp *t, tdm_time now)
{
    if (t->window < t->threshold) {
        t->window += 1;
        return;
    }
    double k = cbrt(t->window_max * (1 - CUBIC_BETA) / CUBIC_C);
    double at = (double)(now - t->cut_at + t->srtt) * 1e-9;
    double target = CUBIC_C * (at - k) * (at - k) * (at - k) + t->window_max;
    double reno = t->window_max * CUBIC_BETA +
                  3 * (1 - CUBIC_BETA) / (1 + CUBIC_BETA) * at * 1e9 / (double)(t->srtt + 1);

    target = fmax(target, reno);
    target = fmin(target, 1.5 * t->window);
    if (target > t->window)
        t->window += (target - t->window) / t->window;
}

static void end_round(struct tdm_rate_tcp *t, tdm_time now, int64_t number)
{
    if (!t->bbr || number < t->round_end)
        return;
    t->rates[t->round++ % 10] =
        (t->delivered - t->round_delivered) * 1e9 / (double)tdm_time_max(now - t->round_at, TDM_MS);
    t->round_at = now;
    t->round_delivered = t->delivered;
    t->round_end = t->next;
    double rate = rate_of(t);

    if (rate > t->full_rate * 1.25) {
        t->full_rate = rate;
        t->full_rounds = 0;
    } else if (++t->full_rounds >= 3) {
        t->full = true;
    }
    if (!t->full)
        t->window *= 2;
}

static void learn_rtt(struct tdm_rate_tcp *t, tdm_time now, tdm_time rtt)
{
    t->srtt = t->srtt ? t->srtt + (rtt - t->srtt) / 8 : rtt;
    if (rtt <= t->rtt_min) {
        t->rtt_min = rtt;
        t->rtt_min_at = now;
    } else if (t->bbr && now - t->rtt_min_at > 10 * TDM_S) {
        t->drain_until = now + 200 * TDM_MS;
        t->rtt_min = rtt; /* What the drain shows is less. */
        t->rtt_min_at = now;
    }
}

static void find_lost(struct tdm_rate_tcp *t, tdm_time now)
{
    int64_t from = t->next - (int64_t)TDM_RATE_TCP_PACKETS / 2;

    for (int64_t i = from < 0 ? 0 : from; i <= t->highest - DUP_ACKS; i++) {
        uint8_t *state = &t->states[i & (TDM_RATE_TCP_PACKETS - 1)];

        if (*state != UNDER_WAY)
            continue;
        *state = LOST;
        t->inflight--;
        t->again++;
        cut(t, now, i);
    }
}

bool tdm_rate_tcp_acked(struct tdm_rate_tcp *t, tdm_time now, int64_t number, tdm_time sent)
{
    uint8_t *state = &t->states[number & (TDM_RATE_TCP_PACKETS - 1)];

    if (!t->active || number < t->next - (int64_t)TDM_RATE_TCP_PACKETS / 2 || *state != UNDER_WAY)
        return false;
    *state = ACKED;
    t->inflight--;
    t->delivered++;
    t->last_ack = now;
    learn_rtt(t, now, now - sent);
    if (number > t->highest) {
        t->highest = number;
        find_lost(t, now);
    }
    if (!t->bbr && number > t->recover)
        grow(t, now);
    end_round(t, now, number);
    t->active = t->left || t->again || t->inflight;
    return !t->active;
}

void tdm_rate_tcp_tick(struct tdm_rate_tcp *t, tdm_time now)
{
    if (!t->active || !t->inflight || now - t->last_ack < timeout(t))
        return;
    int64_t from = t->next - (int64_t)TDM_RATE_TCP_PACKETS / 2;

    for (int64_t i = from < 0 ? 0 : from; i < t->next; i++)
        if (t->states[i & (TDM_RATE_TCP_PACKETS - 1)] == UNDER_WAY)
            t->states[i & (TDM_RATE_TCP_PACKETS - 1)] = LOST;
    t->again += t->inflight;
    t->inflight = 0;
    t->threshold = fmax(t->window / 2, WINDOW_MIN);
    t->window_max = t->window;
    t->window = WINDOW_MIN;
    t->recover = t->next - 1;
    t->cut_at = now;
    t->last_ack = now;
}
