/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_CHANNEL_RIDER_H
#define TDM_ENGINE_CHANNEL_RIDER_H

/*
 * What rides on the data channel of a call: files, chat, later screen, input and board, each a
 * core of collab/ with one of these tables around it. The channel's thread (engine/channel_link.h)
 * dispatches by the kind of a stream; a rider gets the events of the streams that it opened and of
 * those of its kinds that the other side opens.
 *
 * Threading: `attach` and `detach` run on the control thread while the channel's thread does not
 * run; everything else on the channel's thread, one call at a time. A rider may block there no
 * longer than a disk write does; what takes longer belongs on a thread of its own, which wakes the
 * channel with tdm_rider_wake.
 *
 * Within its functions a rider may call tdm_rider_open, _ready, _consumed, _reset, _peer and _stats
 * on the `seat` that it was given; they take effect after the function has returned. From other
 * threads only tdm_rider_wake, whereupon `run` comes.
 */

#include "engine/core/channel.h"
#include "engine/io/identity.h"

struct tdm_rider_seat; /* A rider's place in the channel; the channel's own. */

/** A stream. `tag` is the one that the rider gave when it opened it, 0 when the other side did. */
struct tdm_rider_stream {
    uint32_t id;
    uint32_t kind; /* enum tdm_channel_kind, or a number of a newer peer. */
    enum tdm_channel_class cls;
    uint64_t tag;
};

struct tdm_rider_ops {
    const char *name;
    const enum tdm_channel_kind *kinds; /* That the other side may open for it; ended by 0. */

    /** The seat is good until detach. */
    void (*attach)(void *rider, struct tdm_rider_seat *seat);
    void (*detach)(void *rider); /* May be NULL. */

    /** The channel stands. `resumed`: the streams go on (rewinds follow); else there are none. */
    void (*up)(void *rider, tdm_time now, bool resumed);
    /** It broke, and may come again; streams stay until `up` says otherwise. May be NULL. */
    void (*down)(void *rider, tdm_time now);

    /** A stream exists: the other side opened it, or tdm_rider_open has succeeded. id 0: it has
     *  not; there are too many. */
    void (*opened)(void *rider, tdm_time now, const struct tdm_rider_stream *stream);

    /** Bytes arrived in order; borrowed. The rider says tdm_rider_consumed when it has done with
     *  them, at once or later: so long they count against the credit of the stream. */
    void (*record)(void *rider, tdm_time now, uint32_t stream, const uint8_t *data, size_t size,
                   bool fin);

    /** Fills `room` with up to `max` bytes of a stream that said ready. *more: there is more after
     *  them; *fin: they are the last. @return how many; 0 without fin: it changed its mind. */
    size_t (*pull)(void *rider, tdm_time now, uint32_t stream, uint8_t *room, size_t max,
                   bool *more, bool *fin);

    /** The other side has everything below `offset`; fin: and knows that it is the end. A rider
     *  keeps, or can produce again, what is above. May be NULL. */
    void (*acked)(void *rider, tdm_time now, uint32_t stream, uint64_t offset, bool fin);
    /** The next pull continues at `offset`. The stream counts as ready. */
    void (*rewind)(void *rider, tdm_time now, uint32_t stream, uint64_t offset);
    /** The other side gave it up. */
    void (*reset)(void *rider, tdm_time now, uint32_t stream);

    /** Time, or a wake. @return when to be called again at the latest. May be NULL. */
    tdm_time (*run)(void *rider, tdm_time now);
};

/** Opens a stream; `opened` answers with the tag. False when too many wait to be done. */
bool tdm_rider_open(struct tdm_rider_seat *seat, enum tdm_channel_kind kind,
                    enum tdm_channel_class cls, uint64_t tag);
/** The stream has something to send; holds until a pull says that there is no more. */
bool tdm_rider_ready(struct tdm_rider_seat *seat, uint32_t stream);
/** So much of what arrived is done with. */
bool tdm_rider_consumed(struct tdm_rider_seat *seat, uint32_t stream, size_t size);
/** Gives a stream up, both ways. */
bool tdm_rider_reset(struct tdm_rider_seat *seat, uint32_t stream);
/** The fingerprint of the other side's certificate, in `up` and after it. False: it was not
 *  checked. */
bool tdm_rider_peer(const struct tdm_rider_seat *seat, uint8_t peer[TDM_FINGERPRINT_BYTES]);
/** Figures of the channel, of the last fifth of a second. */
void tdm_rider_stats(const struct tdm_rider_seat *seat, struct tdm_channel_stats *stats);
/** Wakes the channel's thread, so that it calls `run`. Any thread. */
void tdm_rider_wake(struct tdm_rider_seat *seat);

#endif
