/* SPDX-License-Identifier: MIT */
/*
 * Who connects and who is let in. A connection passes TCP and TLS within a few seconds or is
 * closed; only a certificate that the description names stands; strangers take no more than a few
 * places, and never that of an address that we expect.
 */
#include "engine/channel_link_state.h"

#include "engine/io/tcp.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ACCEPTED_MAX     4
#define CONNECT_WITHIN   (5 * TDM_S)
#define SHAKE_WITHIN     (5 * TDM_S)
#define WAIT_WITHIN      (15 * TDM_S) /* For the answer that names whom to expect. */
#define STAND_WITHIN     (10 * TDM_S)
#define STRANGER_WITHIN  TDM_S       /* Then it makes place for the next, if there is no other. */
#define RACE             (2 * TDM_S) /* Two connections within that time are one wish. */
#define OTHER_SIDE_FIRST (300 * TDM_MS)
#define PAUSE_FIRST      (250 * TDM_MS)
#define PAUSE_LONGEST    (4 * TDM_S)

void tdm_door_open(struct tdm_channel_link *l)
{
    l->in_use = -1;
    l->dial_at = TDM_NEVER;
    l->dial_pause = PAUSE_FIRST;
    l->media_at = TDM_NEVER;
    for (int i = 0; i <= TDM_CHANNEL_CONNS; i++)
        l->conns[i].fd = -1;
}

static void drop(struct tdm_conn *c)
{
    if (c->tls)
        tdm_tls_destroy(c->tls);
    else if (c->fd >= 0)
        (void)close(c->fd);
    *c = (struct tdm_conn){.fd = -1};
}

static void let_go(struct tdm_channel_link *l, tdm_time now, int index)
{
    if (index == TDM_CHANNEL_MEDIA)
        tdm_media_close(l, now);
    drop(&l->conns[index]);
}

void tdm_door_close(struct tdm_channel_link *l)
{
    for (int i = 0; i < TDM_CHANNEL_CONNS; i++)
        drop(&l->conns[i]);
    l->in_use = -1;
    if (l->listener >= 0)
        (void)close(l->listener);
    l->listener = -1;
}

static void drop_all_but(struct tdm_channel_link *l, int kept)
{
    for (int i = 0; i < TDM_CHANNEL_CONNS; i++)
        if (i != kept)
            drop(&l->conns[i]);
}

static void plan_dial(struct tdm_channel_link *l, tdm_time now)
{
    bool may =
        l->agreed && l->terms.setup != TDM_SETUP_HOLDCONN && l->terms.target_count && !l->failed;

    l->dial_pause = PAUSE_FIRST;
    l->dial_at = !may ? TDM_NEVER : l->opener ? now : now + OTHER_SIDE_FIRST;
    tdm_media_plan(l, now);
}

void tdm_door_lost(struct tdm_channel_link *l, tdm_time now, const char *why)
{
    int was = l->in_use;

    if (was < 0)
        return;
    l->in_use = -1;
    let_go(l, now, was);
    tdm_drive_disconnected(l, now);
    plan_dial(l, now);
    if (!l->failed)
        tdm_channel_link_tell(l, now, TDM_CHANNEL_BROKEN,
                              "the data channel is interrupted (%s): connecting again", why);
}

/* The connection that carries the channel from now on. */
static void use(struct tdm_channel_link *l, tdm_time now, int index)
{
    struct tdm_conn *c = &l->conns[index];
    int was = l->in_use;

    l->in_use = index;
    if (was >= 0)
        tdm_drive_disconnected(l, now);
    c->state = TDM_CONN_IN_USE;
    c->since = now;
    l->dial_at = TDM_NEVER;
    l->dial_pause = PAUSE_FIRST;
    l->over_media = index == TDM_CHANNEL_MEDIA;
    l->status.way = l->over_media ? TDM_CHANNEL_OVER_MEDIA
                    : c->dialed   ? TDM_CHANNEL_DIALED
                                  : TDM_CHANNEL_ACCEPTED;
    l->status.remote = c->remote;
    if (l->over_media)
        memcpy(l->status.peer, l->media.peer, sizeof l->status.peer);
    l->status.peer_checked = l->over_media || tdm_tls_peer(c->tls, l->status.peer) == TDM_OK;
    /* The chooser's other ones are of no use; the other side keeps those that the chooser may mean
     * yet. */
    if (l->opener)
        drop_all_but(l, index);
    if (was >= 0)
        let_go(l, now, was);
    tdm_drive_connected(l, now);
}

void tdm_door_use_media(struct tdm_channel_link *l, tdm_time now)
{
    use(l, now, TDM_CHANNEL_MEDIA);
}

/* On a connection that stands the chooser speaks: it is this one. */
static void hear(struct tdm_channel_link *l, tdm_time now, int index)
{
    size_t size = sizeof l->in;
    enum tdm_err err = tdm_tls_read(l->conns[index].tls, l->in, &size);

    if (err == TDM_E_AGAIN)
        return;
    if (err != TDM_OK) {
        drop(&l->conns[index]);
        return;
    }
    use(l, now, index);
    l->in_size = size;
    l->more_to_read = true;
    tdm_drive_received(l, now);
}

static void stands(struct tdm_channel_link *l, tdm_time now, int index)
{
    struct tdm_conn *c = &l->conns[index];

    c->state = TDM_CONN_STANDING;
    c->since = now;
    if (!l->opener) {
        hear(l, now, index); /* The handshake may have read further. */
        return;
    }
    if (l->in_use >= 0 && now - l->conns[l->in_use].since < RACE)
        drop(c);
    else
        use(l, now, index);
}

static void note_failure(struct tdm_channel_link *l, const struct tdm_conn *c,
                         const struct tdm_cause *cause)
{
    if (c->dialed)
        (void)snprintf(l->dial_failed, sizeof l->dial_failed, "%.150s", cause->text);
    else
        l->status.refused++;
}

static void shake(struct tdm_channel_link *l, tdm_time now, int index)
{
    struct tdm_conn *c = &l->conns[index];
    struct tdm_cause cause = {""};
    enum tdm_err err = tdm_tls_handshake(c->tls, &cause);

    if (err == TDM_OK) {
        stands(l, now, index);
    } else if (err != TDM_E_AGAIN) {
        note_failure(l, c, &cause);
        drop(c);
    }
}

static void start_tls(struct tdm_channel_link *l, tdm_time now, int index)
{
    struct tdm_conn *c = &l->conns[index];
    struct tdm_tls_config config = {.fd = c->fd,
                                    .client = c->dialed,
                                    .identity = l->config.identity,
                                    .fingerprint_count = l->terms.fingerprint_count};
    struct tdm_cause cause = {""};

    memcpy(config.fingerprints, l->terms.fingerprints, sizeof config.fingerprints);
    tdm_tcp_tune(c->fd, l->config.congestion);
    c->fd = -1;
    c->state = TDM_CONN_SHAKING;
    c->since = now;
    if (tdm_tls_create(&c->tls, &config, &cause) == TDM_OK) {
        shake(l, now, index);
        return;
    }
    note_failure(l, c, &cause);
    drop(c);
}

bool tdm_door_is_named(const struct tdm_channel_terms *terms, const uint8_t peer[32])
{
    for (uint8_t i = 0; i < terms->fingerprint_count; i++) {
        const struct tdm_fingerprint_desc *f = &terms->fingerprints[i];

        if (strcmp(f->hash, "sha-256") == 0 && f->size == TDM_FINGERPRINT_BYTES &&
            memcmp(f->bytes, peer, TDM_FINGERPRINT_BYTES) == 0)
            return true;
    }
    return false;
}

void tdm_door_agree(struct tdm_channel_link *l, tdm_time now, const struct tdm_channel_terms *terms)
{
    bool same_people =
        l->agreed && l->terms.fingerprint_count == terms->fingerprint_count &&
        memcmp(l->terms.fingerprints, terms->fingerprints, sizeof terms->fingerprints) == 0;

    if (!l->agreed)
        l->opener = terms->setup == TDM_SETUP_ACTIVE ||
                    (terms->setup == TDM_SETUP_HOLDCONN && terms->caller);
    l->terms = *terms;
    l->agreed = true;
    if (!l->core && tdm_drive_open(l, now) != TDM_OK) {
        l->failed = true;
        tdm_channel_link_tell(l, now, TDM_CHANNEL_FAILED, "no memory for the data channel");
        return;
    }
    if (!same_people) {
        bool keep = l->in_use >= 0 && tdm_door_is_named(terms, l->status.peer);

        for (int i = 0; i < TDM_CHANNEL_CONNS; i++)
            if (l->conns[i].state > TDM_CONN_WAITING && i != l->in_use)
                drop(&l->conns[i]);
        if (!keep)
            tdm_door_lost(l, now, "the other side has another certificate now");
    }
    for (int i = 0; i < TDM_CHANNEL_CONNS; i++)
        if (l->conns[i].state == TDM_CONN_WAITING)
            start_tls(l, now, i);
    if (l->in_use < 0)
        plan_dial(l, now);
}

static bool expected(const struct tdm_channel_link *l, const struct tdm_address *from)
{
    for (uint8_t i = 0; i < l->terms.target_count; i++)
        if (tdm_address_same_host(&l->terms.targets[i], from))
            return true;
    return false;
}

/* A place for who comes from there; -1: none. */
static int place_for(struct tdm_channel_link *l, tdm_time now, const struct tdm_address *from)
{
    int accepted = 0, oldest = -1, free_place = -1;

    for (int i = 0; i < TDM_CHANNEL_CONNS; i++) {
        const struct tdm_conn *c = &l->conns[i];

        if (c->state == TDM_CONN_FREE)
            free_place = i;
        if (c->dialed || (c->state != TDM_CONN_WAITING && c->state != TDM_CONN_SHAKING))
            continue;
        accepted++;
        if (!expected(l, &c->remote) && (oldest < 0 || c->since < l->conns[oldest].since))
            oldest = i;
    }
    if (accepted < ACCEPTED_MAX && free_place >= 0)
        return free_place;
    if (oldest < 0 || (!expected(l, from) && now - l->conns[oldest].since < STRANGER_WITHIN))
        return -1;
    l->status.refused++;
    drop(&l->conns[oldest]);
    return oldest;
}

static void accept_all(struct tdm_channel_link *l, tdm_time now)
{
    struct tdm_address from;

    for (int n = 0; n < TDM_CHANNEL_CONNS; n++) {
        int fd = tdm_tcp_accept(l->listener, &from);
        int at = fd < 0 ? -1 : place_for(l, now, &from);

        if (fd < 0)
            return;
        if (at < 0 || l->failed || (l->agreed && l->terms.setup == TDM_SETUP_HOLDCONN)) {
            l->status.refused++;
            (void)close(fd);
            continue;
        }
        l->conns[at] =
            (struct tdm_conn){.state = TDM_CONN_WAITING, .fd = fd, .since = now, .remote = from};
        if (l->agreed)
            start_tls(l, now, at);
    }
}

static void dial(struct tdm_channel_link *l, tdm_time now)
{
    struct tdm_cause cause = {""};

    for (uint8_t t = 0; t < l->terms.target_count; t++) {
        int at = -1, fd;

        for (int i = 0; i < TDM_CHANNEL_CONNS; i++) {
            if (l->conns[i].dialed && tdm_address_equal(&l->conns[i].remote, &l->terms.targets[t]))
                break; /* Under way already. */
            if (l->conns[i].state == TDM_CONN_FREE)
                at = i;
            if (i == TDM_CHANNEL_CONNS - 1 && at >= 0 &&
                tdm_tcp_connect(&l->terms.targets[t], &fd, &cause) == TDM_OK)
                l->conns[at] = (struct tdm_conn){.state = TDM_CONN_CONNECTING,
                                                 .fd = fd,
                                                 .dialed = true,
                                                 .since = now,
                                                 .remote = l->terms.targets[t]};
        }
    }
    if (cause.text[0])
        (void)snprintf(l->dial_failed, sizeof l->dial_failed, "%.150s", cause.text);
    l->dial_at = now + l->dial_pause;
    l->dial_pause = l->dial_pause < PAUSE_LONGEST / 2 ? 2 * l->dial_pause : PAUSE_LONGEST;
}

void tdm_door_polls(const struct tdm_channel_link *l, struct pollfd polls[TDM_CHANNEL_CONNS + 1])
{
    for (int i = 0; i < TDM_CHANNEL_CONNS; i++) {
        const struct tdm_conn *c = &l->conns[i];

        polls[i] = (struct pollfd){.fd = c->tls ? tdm_tls_fd(c->tls) : c->fd};
        if (c->state == TDM_CONN_CONNECTING)
            polls[i].events = POLLOUT;
        else if (c->tls)
            polls[i].events = tdm_tls_events(c->tls);
        if (i == l->in_use)
            polls[i].events = (short)(POLLIN | (l->blocked ? POLLOUT : 0));
    }
    polls[TDM_CHANNEL_CONNS] = (struct pollfd){.fd = l->listener, .events = POLLIN};
}

static void go_on(struct tdm_channel_link *l, tdm_time now, int index)
{
    struct tdm_conn *c = &l->conns[index];
    struct tdm_cause cause = {""};

    if (c->state == TDM_CONN_CONNECTING) {
        enum tdm_err err = tdm_tcp_connected(c->fd, &cause);

        if (err == TDM_OK) {
            start_tls(l, now, index);
        } else if (err != TDM_E_AGAIN) {
            note_failure(l, c, &cause);
            drop(c);
        }
    } else if (c->state == TDM_CONN_WAITING) {
        drop(c); /* Closed before we knew whom to expect. */
    } else if (c->state == TDM_CONN_SHAKING) {
        shake(l, now, index);
    } else if (c->state == TDM_CONN_STANDING) {
        hear(l, now, index);
    }
}

void tdm_door_polled(struct tdm_channel_link *l, tdm_time now,
                     const struct pollfd polls[TDM_CHANNEL_CONNS + 1])
{
    for (int i = 0; i < TDM_CHANNEL_CONNS; i++)
        if (polls[i].revents && i != l->in_use)
            go_on(l, now, i);
    /* After the others: a new one may take the place of one of these. */
    if (polls[TDM_CHANNEL_CONNS].revents)
        accept_all(l, now);
}

static tdm_time patience(const struct tdm_conn *c)
{
    switch (c->state) {
    case TDM_CONN_CONNECTING:
        return CONNECT_WITHIN;
    case TDM_CONN_WAITING:
        return WAIT_WITHIN;
    case TDM_CONN_SHAKING:
        return SHAKE_WITHIN;
    case TDM_CONN_STANDING:
        return STAND_WITHIN;
    default:
        return TDM_NEVER;
    }
}

tdm_time tdm_door_run(struct tdm_channel_link *l, tdm_time now)
{
    tdm_time wake = TDM_NEVER;

    for (int i = 0; i < TDM_CHANNEL_CONNS; i++) {
        struct tdm_conn *c = &l->conns[i];
        tdm_time most = patience(c);

        if (most == TDM_NEVER)
            continue;
        if (now - c->since >= most) {
            note_failure(l, c, &(struct tdm_cause){"no answer in time"});
            drop(c);
        } else {
            wake = tdm_time_min(wake, c->since + most);
        }
    }
    if (l->in_use < 0 && now >= l->dial_at)
        dial(l, now);
    return l->in_use < 0 ? tdm_time_min(wake, l->dial_at) : wake;
}
