/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_CALL_H
#define TDM_ENGINE_CALL_H

/*
 * One call of an engine: the call machine, and the media graph that follows what it negotiated.
 * Owned by the control thread; every function here runs there.
 *
 * The graph, in the order it is built; it is taken down in the reverse order:
 *
 *   link -> net -> audio out, video out (sinks) -> audio in, video in (sources)
 */

#include "engine/audio_in.h"
#include "engine/call_channel.h"
#include "engine/call_path.h"
#include "engine/call_region.h"
#include "engine/core/latency_budget.h"
#include "engine/core/lipsync.h"
#include "engine/core/silence.h"
#include "engine/latency.h"
#include "engine/net.h"
#include "engine/video_in.h"
#include "engine/video_plan.h"
#include "render/recorder.h"
#include "signalling/call.h"

struct tandem_call {
    struct tandem *engine;
    struct tandem_call *next;
    struct tdm_call_machine machine;
    struct tdm_call_out out;
    tdm_time machine_wake;
    struct tdm_media_plan plan;
    bool planned; /* The program has said what to use. */
    char local_address[64];
    bool confidential; /* Its signalling goes over TLS. */
    bool media_open;
    bool announced_up, ending, ended, muted, dark;
    tdm_time up_at, ended_at, up_cpu;
    bool real_time;

    struct tdm_link link;
    struct tdm_net *net;
    bool web; /* A browser calls (engine/whip.h), not SIP. */
    struct tdm_call_path path;
    struct tdm_call_channel channel;
    struct tdm_call_region region;
    struct tdm_audio_in *audio_in;
    struct tdm_audio_out *audio_out;
    struct tdm_video_in *video_in;
    struct tdm_video_out *video_out;
    enum tdm_codec_id audio_in_codec; /* What the senders were made for. */
    const struct tdm_video_encoder_ops *video_in_encoder;
    char video_in_preset[TDM_PRESET_MAX];
    int video_in_width, video_in_height;
    unsigned video_in_threads;
    char video_in_fmtp[192], audio_in_fmtp[192];
    struct tdm_audio_format audio_in_format;
    uint32_t camera_bps;                 /* At most, of what the video's line may send. */
    struct tdm_stream_config configs[2]; /* As last given to the net, by enum tdm_media_kind. */

    struct tdm_recorder *_Atomic recorder; /* Read by two media threads, */
    _Atomic bool recording[2];             /* each of which says so while it uses it. */
    enum tdm_codec_id recorded_codec;
    bool recorded_sound;              /* The recording has a track for it. */
    char recorded_path[TDM_SPEC_MAX]; /* Of the first part. */
    int recorded_parts;
    struct tdm_lipsync lipsync;
    tdm_time lipsync_at;
    struct tdm_latency latency;
    struct tdm_latency_budget budget;
    struct tdm_net_status status, status_before;
    tdm_time status_before_at;
    struct tandem_stats rates; /* send_bps, receive_bps and fps_now of the last second. */
    uint64_t shown_before;
    struct tdm_playout_stats playout;
    struct tandem_stats final;             /* Once ended. */
    bool two_way;                          /* Both have sent: only then is sending less a hold. */
    bool audio_paused;                     /* Nothing to hear is expected: hold, or dropped. */
    char told[256];                        /* The agreement as the program knows it. */
    char broken[256];                      /* Why the graph could not follow; "" = it could. */
    struct tdm_video_in_stats sent_before; /* By senders that are gone. */
    struct tdm_silence silence;
    bool refers_further; /* The codec was changed for it, once. */
    bool vanished;       /* Nothing came for so long that the call ended. */
};

/** A new call that is not in the engine's list yet; NULL when there is no memory. */
struct tandem_call *tdm_call_create(struct tandem *engine);
void tdm_call_free(struct tandem_call *call);

/** Opens each source and file of a plan for a moment, so that what is missing is known early. */
enum tdm_err tdm_call_check(const struct tdm_media_plan *plan, struct tdm_cause *cause);

/** Finds our own address towards `to`. Blocks while a name is looked up. */
enum tdm_err tdm_call_route(struct tandem_call *call, const char *to, struct tdm_cause *cause);

/** Opens the graph's ports and dials; the route is known. */
enum tdm_err tdm_call_dial(struct tandem_call *call, const char *to,
                           const struct tdm_media_plan *plan, struct tdm_cause *cause);

/** An invitation came. */
void tdm_call_invited(struct tandem_call *call, const struct tdm_sig_event *event);

enum tdm_err tdm_call_answer(struct tandem_call *call, const struct tdm_media_plan *plan,
                             struct tdm_cause *cause);

/** A signalling event of this call. */
void tdm_call_signalled(struct tandem_call *call, const struct tdm_sig_event *event);

/** A user's input to the call machine. */
void tdm_call_input(struct tandem_call *call, const struct tdm_call_in *in);

/** What has come from the media threads, and what is due. */
void tdm_call_run(struct tandem_call *call, tdm_time now);

/** When tdm_call_run wants to be called at the latest. */
tdm_time tdm_call_wake(const struct tandem_call *call);

enum tdm_err tdm_call_digit(struct tandem_call *call, char digit, uint16_t duration_ms,
                            struct tdm_cause *cause);
/** Offers what is new about the ways: late candidates, other credentials. */
void tdm_call_offer_paths(struct tandem_call *call);

/** Offers what the plan now says: a source where there was none. */
void tdm_call_offer_plan(struct tandem_call *call);

/** What the plan can do now, as it is offered or answered with. */
void tdm_call_capability(const struct tandem_call *call, struct tdm_capability *capability);

/** Gives the video stream's settings to the net anew. */
enum tdm_err tdm_call_configure_video(struct tandem_call *call);

/** Adds or drops the data channel. */
void tdm_call_set_channel(struct tandem_call *call, bool on);

enum tdm_err tdm_call_set_video_source(struct tandem_call *call, const char *spec,
                                       struct tdm_cause *cause);
enum tdm_err tdm_call_set_audio_source(struct tandem_call *call, const char *spec,
                                       struct tdm_cause *cause);
enum tdm_err tdm_call_set_audio_sink(struct tandem_call *call, const char *spec,
                                     struct tdm_cause *cause);
enum tdm_err tdm_call_set_video_sink(struct tandem_call *call, const char *spec,
                                     struct tdm_cause *cause);
/** Offers other video codecs; only the codecs and the preset of the plan change. */
enum tdm_err tdm_call_set_video_codecs(struct tandem_call *call, const char *codecs,
                                       const char *preset, struct tdm_cause *cause);

/** Offers, once in a call, the agreed codec first whose encoder refers further back. */
void tdm_call_refer_further(struct tandem_call *call);
enum tdm_err tdm_call_record(struct tandem_call *call, const char *path, struct tdm_cause *cause);

/** When what comes is not what the recording was begun for (video came later, or in another codec,
 * or sound came later), goes on in a file of its own. */
void tdm_call_continue_recording(struct tandem_call *call);

/** The public statistics, live or final. */
void tdm_call_stats_of(struct tandem_call *call, struct tandem_stats *stats);

/** Opens the sinks of the wanted media that are not open yet. call_graph.c, like the next two. */
enum tdm_err tdm_call_open_sinks(struct tandem_call *call, const bool wanted[TDM_MEDIA_KINDS],
                                 struct tdm_cause *cause);

/** Adds up what the sender that is about to go has done. call_stats.c */
void tdm_call_keep_sent(struct tandem_call *call);

/** Opens the sockets, starts the net thread and gathers candidates. `outgoing`: we offer. */
enum tdm_err tdm_call_open_net(struct tandem_call *call, bool outgoing, struct tdm_cause *cause);

/** Looks again at what to tell the program: something beside signalling changed. */
void tdm_call_announce(struct tandem_call *call);

/** Dials or answers, once candidates are there. */
void tdm_call_go(struct tandem_call *call);

/** Makes the graph match what is agreed now; what did not change is not touched. Hangs up, with a
 *  notice, when it cannot. */
void tdm_call_follow(struct tandem_call *call);

/** The call is over at once, without a word to the other side: the engine is closing. */
void tdm_call_close_media(struct tandem_call *call);

#endif
