/* SPDX-License-Identifier: MIT */
#include "engine/core/ice_state.h"

/* How long a valid pair waits for better ones before it is nominated; media do not wait. */
#define DIRECT_WAIT_LEAST (20 * TDM_MS)
#define DIRECT_WAIT_MOST  (100 * TDM_MS)
#define RELAY_WAIT        (500 * TDM_MS)
/* Silence of the application that starts a probe, if its datagrams used to be denser. */
#define SILENCE_LEAST (100 * TDM_MS)
#define SILENCE_GAPS  4
#define DENSE_GAP     (250 * TDM_MS)
/* The path answered nothing for so long while others did. */
#define SUSPECT_LEAST (100 * TDM_MS)
#define DOUBT_TRIES   2
/* As many checks must go unanswered before others are trusted more: few when the application fell
 * silent too, many while it is still heard, since checks are lost like everything else. */
#define SUSPECT_TRIES_SILENT  2
#define SUSPECT_TRIES_UNKNOWN 4
#define SUSPECT_TRIES_HEARD   6
#define SILENT_AFTER          (300 * TDM_MS)
#define SILENT_TRIES          4
/* The old path is kept open after a restart for what is still on its way. */
#define FORMER_KEPT (3 * TDM_S)
/* Without a path, and nothing new for so long: there will be none. */
#define GIVE_UP (15 * TDM_S)

static bool is_valid(const struct tdm_ice_pair *p)
{
    return p->used && p->state == TDM_ICE_PAIR_VALID;
}

static bool is_pending(const struct tdm_ice_pair *p)
{
    return p->used && (p->state == TDM_ICE_PAIR_WAITING || p->state == TDM_ICE_PAIR_CHECKING);
}

void tdm_ice_heard(struct tdm_ice *ice, tdm_time now)
{
    if (ice->heard_at != TDM_NEVER)
        ice->heard_gap = tdm_time_max(now - ice->heard_at, ice->heard_gap - ice->heard_gap / 16);
    ice->heard_at = now;
    ice->heard_armed = true;
    if (ice->path >= 0 && ice->pairs[ice->path].tries < DOUBT_TRIES)
        ice->probe_since = TDM_NEVER;
}

void tdm_ice_nominated(struct tdm_ice *ice, struct tdm_ice_pair *pair)
{
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++)
        if (ice->pairs[i].gen == pair->gen)
            ice->pairs[i].nominated = ice->pairs[i].nominating = false;
    pair->nominated = true;
}

static void expire(struct tdm_ice *ice, tdm_time now)
{
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++) {
        struct tdm_ice_pair *p = &ice->pairs[i];

        if (!is_valid(p))
            continue;
        if (now - p->answered_at < TDM_ICE_CONSENT) {
            tdm_ice_wake(ice, p->answered_at + TDM_ICE_CONSENT, "consent");
            continue;
        }
        p->state = TDM_ICE_PAIR_FAILED;
        p->nominated = p->nominating = false;
        p->triggered = 0;
    }
}

/* The path is in doubt: ask it, and those that stand by. */
static void probe(struct tdm_ice *ice, tdm_time now)
{
    ice->probe_since = now;
    tdm_ice_trigger(ice, &ice->pairs[ice->path]);
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++)
        if (is_valid(&ice->pairs[i]))
            tdm_ice_trigger(ice, &ice->pairs[i]);
}

static tdm_time silence_limit(const struct tdm_ice *ice)
{
    return tdm_time_max(SILENCE_LEAST, SILENCE_GAPS * ice->heard_gap);
}

static unsigned tries_to_suspect(const struct tdm_ice *ice, tdm_time now)
{
    if (ice->heard_at == TDM_NEVER)
        return SUSPECT_TRIES_UNKNOWN;
    return now - ice->heard_at >= silence_limit(ice) ? SUSPECT_TRIES_SILENT : SUSPECT_TRIES_HEARD;
}

static void notice_silence(struct tdm_ice *ice, tdm_time now)
{
    tdm_time limit = silence_limit(ice);

    if (!ice->heard_armed || ice->heard_gap > DENSE_GAP || ice->probe_since != TDM_NEVER)
        return;
    if (now - ice->heard_at < limit) {
        tdm_ice_wake(ice, ice->heard_at + limit, "silence");
        return;
    }
    ice->heard_armed = false;
    probe(ice, now);
}

static bool others_answered(const struct tdm_ice *ice)
{
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++)
        if (i != ice->path && is_valid(&ice->pairs[i]) &&
            ice->pairs[i].answered_at >= ice->probe_since)
            return true;
    return false;
}

/* The path, and those that stood by but did not answer the probe either. */
static void suspect(struct tdm_ice *ice)
{
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++) {
        struct tdm_ice_pair *p = &ice->pairs[i];

        if (is_valid(p) && p->answered_at < ice->probe_since && p->tries > 0)
            p->suspect = true;
    }
    tdm_ice_doubt_relays(ice);
}

/* Whether the path still is one, by its checks and by what is heard on it. */
static void judge(struct tdm_ice *ice, tdm_time now)
{
    struct tdm_ice_pair *p = &ice->pairs[ice->path];

    notice_silence(ice, now);
    if (ice->probe_since == TDM_NEVER && p->tries >= DOUBT_TRIES)
        probe(ice, now);
    if (ice->probe_since == TDM_NEVER)
        return;
    if (p->answered_at >= ice->probe_since) {
        ice->probe_since = TDM_NEVER;
        ice->told_silent = false;
        return;
    }
    tdm_time suspect_at = ice->probe_since + tdm_time_max(SUSPECT_LEAST, 2 * p->rtt);
    tdm_time silent_at = ice->probe_since + SILENT_AFTER + 2 * p->rtt;

    if (now < suspect_at)
        tdm_ice_wake(ice, suspect_at, "path in doubt");
    else if (p->tries >= tries_to_suspect(ice, now) && others_answered(ice))
        suspect(ice);
    if (ice->told_silent || p->suspect)
        return;
    if (now < silent_at)
        tdm_ice_wake(ice, silent_at, "path silent");
    else if (p->tries >= SILENT_TRIES)
        ice->told_silent = ice->tell_silent = true;
}

/* Sound before suspect, then what the other side knows of (nominated), then priority. */
static bool is_better(const struct tdm_ice_pair *p, const struct tdm_ice_pair *than)
{
    if (p->suspect != than->suspect)
        return than->suspect;
    if (p->nominated != than->nominated)
        return p->nominated;
    return p->priority > than->priority;
}

static int best_valid(const struct tdm_ice *ice, uint8_t gen)
{
    int best = -1;

    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++) {
        const struct tdm_ice_pair *p = &ice->pairs[i];

        if (is_valid(p) && p->gen == gen && (best < 0 || is_better(p, &ice->pairs[best])))
            best = i;
    }
    return best;
}

static bool better_is_pending(const struct tdm_ice *ice, const struct tdm_ice_pair *than)
{
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++)
        if (is_pending(&ice->pairs[i]) && ice->pairs[i].gen == than->gen &&
            ice->pairs[i].priority > than->priority)
            return true;
    return false;
}

/* The valid pair that should be nominated if it is worth it: of highest priority, sound ones
 * before suspect ones. */
static int candidate_for_nomination(const struct tdm_ice *ice)
{
    int best = -1;

    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++) {
        const struct tdm_ice_pair *p = &ice->pairs[i];

        if (is_valid(p) && p->gen == ice->gen && !p->suspect &&
            (best < 0 || p->priority > ice->pairs[best].priority))
            best = i;
    }
    return best;
}

/* Regular nomination (RFC 8445 section 8.1.1), decided early: media flow meanwhile, and a relayed
 * choice, or one that died, is replaced later. */
static void nominate(struct tdm_ice *ice, tdm_time now)
{
    const struct tdm_ice_pair *held = NULL;
    int index = candidate_for_nomination(ice);

    if (!ice->controlling || index < 0)
        return;
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++)
        if (is_valid(&ice->pairs[i]) && ice->pairs[i].gen == ice->gen &&
            (ice->pairs[i].nominated || ice->pairs[i].nominating))
            held = &ice->pairs[i];
    struct tdm_ice_pair *p = &ice->pairs[index];

    if (p->nominating || p->nominated)
        return;
    if (held && !held->suspect && (!tdm_ice_is_relayed(ice, held) || tdm_ice_is_relayed(ice, p)))
        return;
    tdm_time wait =
        tdm_ice_is_relayed(ice, p)
            ? RELAY_WAIT
            : tdm_time_min(tdm_time_max(2 * p->rtt, DIRECT_WAIT_LEAST), DIRECT_WAIT_MOST);

    if (!held && !ice->gens[ice->gen].lite && now < p->valid_since + wait &&
        better_is_pending(ice, p)) {
        tdm_ice_wake(ice, p->valid_since + wait, "nomination");
        return;
    }
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++)
        if (ice->pairs[i].gen == ice->gen)
            ice->pairs[i].nominating = false;
    p->nominating = true;
    tdm_ice_trigger(ice, p);
}

static void choose(struct tdm_ice *ice, tdm_time now)
{
    int best = best_valid(ice, ice->gen);

    if (best < 0)
        best = best_valid(ice, ice->gen ^ 1);
    if (best == ice->path && !ice->path_gone)
        return;
    ice->path_gone = false;
    ice->path = (int16_t)best;
    ice->tell_path = true;
    ice->heard_at = ice->probe_since = TDM_NEVER;
    ice->heard_gap = 0;
    ice->heard_armed = ice->told_silent = false;
    if (best < 0)
        return;
    ice->stats.path_changes++;
    if (ice->stats.first_valid == TDM_NEVER)
        ice->stats.first_valid = now;
    ice->was_connected = true;
    if (ice->pairs[best].gen == ice->gen)
        ice->former_until = now + FORMER_KEPT;
}

static void end_former(struct tdm_ice *ice, tdm_time now)
{
    if (ice->former_until == TDM_NEVER)
        return;
    if (now < ice->former_until) {
        tdm_ice_wake(ice, ice->former_until, "former path");
        return;
    }
    ice->former_until = TDM_NEVER;
    tdm_ice_drop_former(ice);
}

/* Without any valid pair: is there still hope? */
static void give_up(struct tdm_ice *ice, tdm_time now)
{
    const struct tdm_ice_gen *g = &ice->gens[ice->gen];
    bool any = false;
    tdm_time hope = ice->changed_at + GIVE_UP;

    if (!g->known || ice->stats.state == TDM_ICE_FAILED)
        return;
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++)
        any |= ice->pairs[i].used;
    if (any && (ice->was_connected || (g->remote_end && ice->gathered)))
        hope = now;
    /* What did not answer for long is still asked, but nobody waits for it. */
    for (int i = 0; i < TDM_ICE_PAIRS_MAX; i++)
        if (is_pending(&ice->pairs[i]) || (ice->pairs[i].used && ice->pairs[i].triggered))
            hope = tdm_time_max(hope, ice->pairs[i].added_at + GIVE_UP);
    if (now < hope) {
        tdm_ice_wake(ice, hope, "no pair");
        return;
    }
    ice->lost = ice->was_connected;
    ice->tell_lost = true;
    ice->stats.state = TDM_ICE_FAILED;
}

void tdm_ice_run_path(struct tdm_ice *ice, tdm_time now)
{
    expire(ice, now);
    if (ice->path >= 0 && is_valid(&ice->pairs[ice->path]))
        judge(ice, now);
    nominate(ice, now);
    choose(ice, now);
    end_former(ice, now);
    if (ice->path < 0) {
        if (ice->stats.state == TDM_ICE_CONNECTED || ice->stats.state == TDM_ICE_COMPLETED)
            ice->stats.state = TDM_ICE_CHECKING;
        give_up(ice, now);
        return;
    }
    ice->stats.state = ice->pairs[ice->path].nominated && ice->pairs[ice->path].gen == ice->gen
                           ? TDM_ICE_COMPLETED
                           : TDM_ICE_CONNECTED;
}
