/* SPDX-License-Identifier: MIT */
/*
 * Drives the channel core: what was read goes in, what comes out is collected and written in whole
 * TLS records, events go to the riders, and what these ask for goes in after them. How much the
 * core may write is bounded by what the socket has not sent yet, so that urgent records never stand
 * behind more than `lowat` bytes.
 */
#include "engine/channel_link_state.h"

#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/tcp.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN      2048 /* Less is not worth a record. */
#define LOWAT_FIRST   16384
#define WRITE_AT      32768 /* Two whole TLS records. */
#define READS_IN_TURN 16
#define TURNS         64

enum tdm_err tdm_drive_open(struct tdm_channel_link *l, tdm_time now)
{
    struct tdm_channel_config config = {.opener = l->opener, .seed = tdm_entropy_u64()};

    l->core_storage = malloc(tdm_channel_bytes());
    if (!l->core_storage)
        return TDM_E_SYSTEM;
    tdm_entropy(config.token, sizeof config.token);
    l->core = tdm_channel_init(l->core_storage, &config, now);
    l->lowat = LOWAT_FIRST;
    return TDM_OK;
}

static struct tdm_stream_owner *owner_of(struct tdm_channel_link *l, uint32_t stream)
{
    for (int i = 0; i < TDM_CHANNEL_STREAM_MAP; i++)
        if (l->owners[i].id == stream && stream != 0)
            return &l->owners[i];
    return NULL;
}

static void own(struct tdm_channel_link *l, uint32_t stream, struct tdm_rider_seat *seat)
{
    for (int i = 0; i < TDM_CHANNEL_STREAM_MAP; i++)
        if (l->owners[i].id == 0) {
            l->owners[i] = (struct tdm_stream_owner){.id = stream, .seat = seat};
            return;
        }
}

static bool put_command(struct tdm_rider_seat *seat, const struct tdm_rider_command *command)
{
    struct tdm_channel_link *l = seat->link;
    struct tdm_rider_command *c;

    if (l->command_count == TDM_CHANNEL_COMMANDS_MAX)
        return false;
    c = &l->commands[(l->command_first + l->command_count++) % TDM_CHANNEL_COMMANDS_MAX];
    *c = *command;
    c->seat = seat;
    return true;
}

bool tdm_rider_open(struct tdm_rider_seat *seat, enum tdm_channel_kind kind,
                    enum tdm_channel_class cls, uint64_t tag)
{
    return put_command(seat,
                       &(struct tdm_rider_command){
                           .kind = TDM_CHANNEL_OPEN, .kind_of = kind, .cls = cls, .tag = tag});
}

bool tdm_rider_ready(struct tdm_rider_seat *seat, uint32_t stream)
{
    return put_command(seat,
                       &(struct tdm_rider_command){.kind = TDM_CHANNEL_READY, .stream = stream});
}

bool tdm_rider_consumed(struct tdm_rider_seat *seat, uint32_t stream, size_t size)
{
    return put_command(seat, &(struct tdm_rider_command){
                                 .kind = TDM_CHANNEL_CONSUMED, .stream = stream, .size = size});
}

bool tdm_rider_reset(struct tdm_rider_seat *seat, uint32_t stream)
{
    return put_command(seat,
                       &(struct tdm_rider_command){.kind = TDM_CHANNEL_RESET, .stream = stream});
}

void tdm_rider_wake(struct tdm_rider_seat *seat)
{
    tdm_channel_link_wake(seat->link);
}

bool tdm_rider_peer(const struct tdm_rider_seat *seat, uint8_t peer[TDM_FINGERPRINT_BYTES])
{
    const struct tdm_channel_link_status *status = &seat->link->status;

    memcpy(peer, status->peer, TDM_FINGERPRINT_BYTES);
    return status->peer_checked;
}

void tdm_rider_stats(const struct tdm_rider_seat *seat, struct tdm_channel_stats *stats)
{
    *stats = seat->link->status.stats;
}

/* A stream of the other side: whoever serves its kind, or nobody, and then it is given up. */
static void take_opened(struct tdm_channel_link *l, tdm_time now, const struct tdm_channel_out *out)
{
    struct tdm_rider_stream stream = {.id = out->stream, .kind = out->kind_of, .cls = out->cls};

    for (uint32_t i = 0; i < l->rider_count; i++) {
        struct tdm_rider_seat *seat = &l->seats[i];

        for (const enum tdm_channel_kind *k = seat->ops->kinds; k && *k; k++)
            if (*k == out->kind_of) {
                own(l, stream.id, seat);
                seat->ops->opened(seat->rider, now, &stream);
                return;
            }
    }
    (void)put_command(&(struct tdm_rider_seat){.link = l},
                      &(struct tdm_rider_command){.kind = TDM_CHANNEL_RESET, .stream = stream.id});
}

static void forget_if_over(struct tdm_stream_owner *o)
{
    if (o->fin_received && o->fin_acked)
        o->id = 0;
}

static void take_stream_event(struct tdm_channel_link *l, tdm_time now,
                              const struct tdm_channel_out *out)
{
    struct tdm_stream_owner *o = owner_of(l, out->stream);
    const struct tdm_rider_ops *ops = o ? o->seat->ops : NULL;
    void *rider = o ? o->seat->rider : NULL;

    if (!o)
        return;
    switch (out->event) {
    case TDM_CHANNEL_EV_RECORD:
        o->fin_received |= out->fin;
        ops->record(rider, now, out->stream, out->data, out->size, out->fin);
        break;
    case TDM_CHANNEL_EV_ACKED:
        o->fin_acked |= out->fin;
        if (ops->acked)
            ops->acked(rider, now, out->stream, out->offset, out->fin);
        break;
    case TDM_CHANNEL_EV_REWIND:
        ops->rewind(rider, now, out->stream, out->offset);
        (void)tdm_rider_ready(o->seat, out->stream);
        break;
    case TDM_CHANNEL_EV_RESET:
        o->id = 0;
        ops->reset(rider, now, out->stream);
        return;
    default:
        break;
    }
    forget_if_over(o);
}

static void take_up(struct tdm_channel_link *l, tdm_time now, bool resumed)
{
    const struct tdm_conn *c = &l->conns[l->in_use];
    char remote[TDM_ADDRESS_TEXT_MAX];

    l->broken = false;
    if (!resumed)
        memset(l->owners, 0, sizeof l->owners);
    const char *again = resumed ? ", taken up again" : "";

    tdm_address_text(&c->remote, remote);
    if (l->over_media)
        tdm_channel_link_tell(
            l, now, TDM_CHANNEL_UP,
            "data channel over the media path (no TCP passes), DTLS, certificate checked%s", again);
    else
        tdm_channel_link_tell(l, now, TDM_CHANNEL_UP,
                              "data channel over TCP %s %s, TLS 1.3, certificate checked%s",
                              c->dialed ? "to" : "from", remote, again);
    for (uint32_t i = 0; i < l->rider_count; i++)
        l->seats[i].ops->up(l->seats[i].rider, now, resumed);
}

static void take_event(struct tdm_channel_link *l, tdm_time now, const struct tdm_channel_out *out)
{
    switch (out->event) {
    case TDM_CHANNEL_EV_UP:
        take_up(l, now, out->resumed);
        break;
    case TDM_CHANNEL_EV_OPENED:
        take_opened(l, now, out);
        break;
    case TDM_CHANNEL_EV_LOST:
        l->broken = true;
        break;
    case TDM_CHANNEL_EV_FAILED:
        l->failed = true;
        tdm_channel_link_tell(l, now, TDM_CHANNEL_FAILED, "the data channel has failed: %s",
                              out->why);
        break;
    case TDM_CHANNEL_EV_NONE:
    case TDM_CHANNEL_EV_PULL:
        break;
    default:
        take_stream_event(l, now, out);
    }
}

/* The connection in use, of whichever kind it is. */
static enum tdm_err conn_write(struct tdm_channel_link *l, size_t *size)
{
    if (l->in_use != TDM_CHANNEL_MEDIA)
        return tdm_tls_write(l->conns[l->in_use].tls, l->out_bytes, size);
    *size = tdm_reliable_write(l->reliable, l->out_bytes, *size);
    return *size ? TDM_OK : TDM_E_AGAIN;
}

static enum tdm_err conn_read(struct tdm_channel_link *l, size_t *size)
{
    if (l->in_use != TDM_CHANNEL_MEDIA)
        return tdm_tls_read(l->conns[l->in_use].tls, l->in, size);
    *size = tdm_reliable_read(l->reliable, l->in, *size);
    return *size ? TDM_OK : TDM_E_AGAIN;
}

static size_t conn_unsent(const struct tdm_channel_link *l)
{
    return l->in_use == TDM_CHANNEL_MEDIA ? tdm_reliable_unsent(l->reliable)
                                          : tdm_tcp_unsent(tdm_tls_fd(l->conns[l->in_use].tls));
}

static void flush(struct tdm_channel_link *l)
{
    size_t size = l->out_size;

    if (l->in_use < 0 || size == 0)
        return;
    enum tdm_err err = conn_write(l, &size);

    if (err == TDM_E_GONE)
        l->broken = true;
    l->out_size -= size;
    memmove(l->out_bytes, l->out_bytes + size, l->out_size);
}

static void answer_pull(struct tdm_channel_link *l, tdm_time now, struct tdm_channel_in *data)
{
    const struct tdm_stream_owner *o = owner_of(l, l->out.stream);

    *data = (struct tdm_channel_in){
        .kind = TDM_CHANNEL_DATA, .stream = l->out.stream, .data = l->pulled};
    if (o)
        data->size = o->seat->ops->pull(o->seat->rider, now, data->stream, l->pulled,
                                        l->out.max_bytes, &data->more, &data->fin);
}

/* One input and what it asks for at once; not what merely follows. */
static void step(struct tdm_channel_link *l, tdm_time now, const struct tdm_channel_in *in)
{
    struct tdm_channel_in data;

    for (;;) {
        tdm_channel_step(l->core, now, in, &l->out);
        assert(l->out.write_size <= TDM_CHANNEL_OUT_BYTES - l->out_size);
        memcpy(l->out_bytes + l->out_size, l->out.write, l->out.write_size);
        l->out_size += l->out.write_size;
        l->core_wake = l->out.wake_at;
        if (l->out.lowat_bytes)
            l->lowat = l->out.lowat_bytes;
        take_event(l, now, &l->out);
        if (l->out.event != TDM_CHANNEL_EV_PULL)
            return;
        answer_pull(l, now, &data);
        in = &data;
    }
}

static void do_open(struct tdm_channel_link *l, tdm_time now, const struct tdm_rider_command *c)
{
    struct tdm_rider_stream stream = {.kind = c->kind_of, .cls = c->cls, .tag = c->tag};

    step(l, now,
         &(struct tdm_channel_in){.kind = TDM_CHANNEL_OPEN, .kind_of = c->kind_of, .cls = c->cls});
    stream.id = l->out.stream;
    if (stream.id)
        own(l, stream.id, c->seat);
    c->seat->ops->opened(c->seat->rider, now, &stream);
}

static void do_commands(struct tdm_channel_link *l, tdm_time now)
{
    while (l->command_count && !l->failed) {
        struct tdm_rider_command c = l->commands[l->command_first];

        l->command_first = (l->command_first + 1) % TDM_CHANNEL_COMMANDS_MAX;
        l->command_count--;
        if (c.kind == TDM_CHANNEL_OPEN) {
            do_open(l, now, &c);
            continue;
        }
        step(l, now, &(struct tdm_channel_in){.kind = c.kind, .stream = c.stream, .size = c.size});
        if (c.kind == TDM_CHANNEL_RESET && owner_of(l, c.stream))
            owner_of(l, c.stream)->id = 0;
    }
}

/* What the core may write now: not more than `lowat` bytes may wait in the socket. */
static void tell_room(struct tdm_channel_link *l, tdm_time now)
{
    bool connected = l->in_use >= 0;
    size_t waiting = connected ? conn_unsent(l) + l->out_size : 0;
    size_t room = connected && l->lowat > waiting ? l->lowat - waiting : 0;
    size_t space = TDM_CHANNEL_OUT_BYTES - l->out_size - TDM_CHANNEL_RECORD_MAX;

    if (room > space)
        room = space;
    l->blocked = connected && (room < ROOM_MIN || l->out_size);
    step(l, now,
         &(struct tdm_channel_in){.kind = TDM_CHANNEL_WRITABLE, .room_bytes = (uint32_t)room});
}

/* Until the core has nothing more for now, or the socket takes no more. */
static void write_all(struct tdm_channel_link *l, tdm_time now)
{
    for (int turn = 0; turn < TURNS && !l->failed; turn++) {
        size_t before = l->out_size;

        do_commands(l, now);
        tell_room(l, now);
        while (l->core_wake <= now && !l->failed && l->out_size < before + WRITE_AT) {
            step(l, now, NULL);
            do_commands(l, now);
        }
        bool wrote = l->out_size > before;

        flush(l);
        if (!wrote || l->out_size || l->broken)
            break;
    }
    l->blocked |= l->out_size > 0;
}

void tdm_drive_received(struct tdm_channel_link *l, tdm_time now)
{
    size_t taken = 0;

    while (taken < l->in_size && !l->failed && l->in_use >= 0) {
        step(l, now,
             &(struct tdm_channel_in){
                 .kind = TDM_CHANNEL_BYTES, .data = l->in + taken, .size = l->in_size - taken});
        taken += l->out.consumed;
        do_commands(l, now);
    }
    l->in_size = 0;
}

static void read_all(struct tdm_channel_link *l, tdm_time now)
{
    l->more_to_read = false;
    for (int i = 0; i < READS_IN_TURN && !l->failed && !l->broken; i++) {
        size_t size = sizeof l->in;
        enum tdm_err err = conn_read(l, &size);

        if (err == TDM_E_AGAIN)
            return;
        if (err != TDM_OK) {
            l->broken = true;
            return;
        }
        l->in_size = size;
        tdm_drive_received(l, now);
    }
    l->more_to_read = true; /* The library may hold more than the kernel says. */
}

void tdm_drive_connected(struct tdm_channel_link *l, tdm_time now)
{
    l->out_size = 0;
    l->lowat_set = 0;
    l->blocked = l->broken = false;
    l->more_to_read = true; /* The handshake may have read further. */
    step(l, now, &(struct tdm_channel_in){.kind = TDM_CHANNEL_CONNECTED});
}

void tdm_drive_disconnected(struct tdm_channel_link *l, tdm_time now)
{
    l->out_size = 0;
    l->blocked = l->more_to_read = l->broken = false;
    step(l, now, &(struct tdm_channel_in){.kind = TDM_CHANNEL_DISCONNECTED});
    for (uint32_t i = 0; i < l->rider_count; i++)
        if (l->seats[i].ops->down)
            l->seats[i].ops->down(l->seats[i].rider, now);
}

static void run_riders(struct tdm_channel_link *l, tdm_time now)
{
    bool woken = atomic_exchange(&l->woken, false);

    for (uint32_t i = 0; i < l->rider_count; i++) {
        struct tdm_rider_seat *seat = &l->seats[i];

        if (seat->ops->run && (woken || now >= seat->run_at))
            seat->run_at = seat->ops->run(seat->rider, now);
    }
}

void tdm_drive_run(struct tdm_channel_link *l, tdm_time now, bool readable)
{
    uint64_t budget = atomic_load(&l->budget_bps);

    if (!l->core || l->failed)
        return;
    if (budget != l->budget_told) {
        l->budget_told = budget;
        step(l, now, &(struct tdm_channel_in){.kind = TDM_CHANNEL_BUDGET, .rate_bps = budget});
    }
    run_riders(l, now);
    if (l->in_use >= 0 && (readable || l->more_to_read))
        read_all(l, now);
    write_all(l, now);
    if (l->in_use >= 0 && l->in_use != TDM_CHANNEL_MEDIA &&
        (l->lowat > l->lowat_set || l->lowat < l->lowat_set / 2)) {
        l->lowat_set = l->lowat;
        /* Half of it, so that writable means room for more than a few bytes. */
        tdm_tcp_set_lowat(tdm_tls_fd(l->conns[l->in_use].tls), l->lowat / 2);
    }
    l->ran_at = now;
    if ((l->broken || l->failed) && l->in_use >= 0)
        tdm_door_lost(l, now, "the connection broke");
}

bool tdm_drive_may_write(const struct tdm_channel_link *l)
{
    if (l->in_use != TDM_CHANNEL_MEDIA || !l->blocked || l->failed)
        return false;
    return l->out_size ? tdm_reliable_room(l->reliable) > 0 : conn_unsent(l) + ROOM_MIN <= l->lowat;
}

tdm_time tdm_drive_wake(const struct tdm_channel_link *l)
{
    tdm_time wake = TDM_NEVER;

    if (!l->core || l->failed)
        return TDM_NEVER;
    if (l->more_to_read || l->command_count)
        return 0;
    for (uint32_t i = 0; i < l->rider_count; i++)
        if (l->seats[i].ops->run)
            wake = tdm_time_min(wake, l->seats[i].run_at);
    /* What is due but finds no room waits for the socket. */
    return l->blocked && l->core_wake <= l->ran_at ? wake : tdm_time_min(wake, l->core_wake);
}
