/* SPDX-License-Identifier: MIT */
#ifndef TANDEM_TANDEM_H
#define TANDEM_TANDEM_H

/*
 * Tandem: calls between two people, as a library. One engine (`struct tandem`) listens for SIP on
 * one port and holds any number of calls; a program may have any number of engines. The `tandem`
 * command is written on this header alone.
 *
 * Threads: every function may be called from any thread of the program; each returns when its work
 * is done (opening a device may take a moment). Nothing is ever called back: events are pulled.
 *
 * Errors: functions return TANDEM_OK or another enum tandem_status and, where they take a
 * `struct tandem_cause *` (may be NULL), say in one sentence what a person can do.
 *
 *     struct tandem *t;
 *     struct tandem_call *call;
 *     tandem_create(NULL, &t, &cause);
 *     tandem_dial(t, "10.0.0.7", NULL, &call, &cause);
 *     while (tandem_wait_event(t, -1, &event) == TANDEM_OK && event.kind != TANDEM_EVENT_ENDED)
 *         ...
 *     tandem_call_release(call);
 *     tandem_destroy(t);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_API __attribute__((visibility("default")))

/* clang knows it on a type, which makes every function that returns it must-use. */
#ifdef __clang__
#define TANDEM_MUST_USE __attribute__((warn_unused_result))
#else
#define TANDEM_MUST_USE
#endif

enum TANDEM_MUST_USE tandem_status {
    TANDEM_OK = 0,
    TANDEM_AGAIN,       /* Nothing now. */
    TANDEM_INVALID,     /* An argument or a state does not allow it; the cause says which. */
    TANDEM_UNSUPPORTED, /* This build or the other side cannot do it. */
    TANDEM_UNREACHABLE, /* No way to that address, or no such host. */
    TANDEM_FAILED,      /* The system, a device or the network failed. */
};

struct tandem_cause {
    char text[256];
};

struct tandem;          /* One engine. */
struct tandem_call;     /* One call of an engine; release it after its ENDED event. */
struct tandem_files;    /* Files with one person (tandem/files.h). */
struct tandem_chat;     /* tandem/chat.h */
struct tandem_presence; /* tandem/presence.h */
struct tandem_share;    /* Screens with one person (tandem/share.h). */
struct tandem_board;    /* A board with one person (tandem/board.h). */

/** Version of the library, e.g. "0.1.0". */
TANDEM_API const char *tandem_version(void);

struct tandem_config {
    const char *bind_address; /* Numeric address to listen on; NULL: all. */
    uint16_t sip_port;        /* 0 = 5060. */
    bool sip_port_may_change; /* Take any free port when it is taken. */
    bool listen;              /* Open the SIP port at once, so that calls can come in; else it
                                 opens with the first call. */
    const char *user;         /* User part of our address; NULL: "tandem". */
    const char *display_name; /* NULL: none. */
    uint16_t rtp_port_min, rtp_port_max; /* 0, 0: any free port. */
    /* Where the data channel may listen, one port a call. [1503 to 1518] */
    uint16_t channel_port_min, channel_port_max;
    uint16_t ring_seconds;    /* How long an incoming call may ring here. [60] */
    struct tandem_chat *chat; /* Messages by SIP are its; outlives the engine. NULL: none come. */

    struct tandem_presence *presence; /* Is published, and told to who asks; outlives the engine.
                                         NULL: nobody is told anything. */

    /* Calls are encrypted (DTLS-SRTP), and find their way by ICE. */
    const char *identity_path; /* Key and certificate, made at the first start, mode 0600, by which
                                  contacts know this user again; NULL: new ones at each start. */
    const char *known_path;    /* Certificates of contacts as first seen, to warn of a change; NULL:
                                  contacts are not remembered. */
    const char *ice_servers;   /* Servers that help to connect, separated by commas:
                                  "stun:HOST[:PORT]", "turn:USER:PASSWORD@HOST[:PORT]" with
                                  "?transport=tcp" or without, "turns:...". [none] */
    bool map_ports;            /* Have a gateway open ports (UPnP, NAT-PMP), looked for from now on
                                  and given back at the end. */
    bool relay_only;           /* Only by those relays, so that the other side does not learn this
                                  machine's addresses. */
    bool allow_plain;          /* Media in clear with who knows nothing better. */
    bool only_plain;           /* Media in clear alone, to look at packets or to measure. */
    bool allow_sdes;           /* Keys in the call set-up, which whoever carries it can read. */

    /* Where only one side can be called: the other one asks to be. */
    const char *service;    /* SIP server that both sides reach ("sip:sip.example.org"): who has not
                               answered after 4 s, or cannot be reached, is asked through it to call
                               us. NULL: nobody is. */
    bool service_first;     /* Ask at once. */
    const char *callback;   /* "HOST:PORT" where we can be called. [this machine's address towards
                               the other side, and the SIP port] */
    bool listen_tls;        /* Take TLS connections too, at the port behind the SIP port, with the
                               identity of identity_path. */
    const char *ca_file;    /* PEM: who may sign certificates of SIP servers and of who is called by
                               sips:. NULL: the system's list. */
    bool may_be_asked_back; /* Others may ask likewise: INCOMING comes with value 1, and answering
                                sends an invitation to where they say. Nobody proves who asks: let
                                a person decide. */

    /* Browsers call by WHIP and WHEP, from a page that this engine serves. The SIP port is open
     * too. */
    bool web;
    uint16_t web_port;           /* 0: any free port. */
    bool web_port_may_change;    /* Take any free port when it is taken. */
    const char *web_address;     /* Numeric address to listen on. ["127.0.0.1"] */
    const char *web_token;       /* What callers must show, from whatever page. NULL: nothing, and
                                    only from this engine's own page. */
    const char *web_certificate; /* PEM files, borrowed for tandem_create, for HTTPS: browsers give
                                    camera and microphone only to such pages, and to localhost. */
    const char *web_key;
};

/** A new engine with a control thread of its own. `config` NULL: any port, opened with the first
 *  call. TANDEM_FAILED when its port is taken or the system gives no thread; *engine is set only on
 *  TANDEM_OK and belongs to the caller, who destroys it. */
TANDEM_API enum tandem_status tandem_create(const struct tandem_config *config,
                                            struct tandem **engine, struct tandem_cause *cause);

/** Hangs up every call (a BYE leaves for each), ends every thread and frees. Calls not yet released
 *  are released. */
TANDEM_API void tandem_destroy(struct tandem *engine);

/** The SIP port in use; 0 while none is open. */
TANDEM_API uint16_t tandem_port(struct tandem *engine);

/** The port that browsers call at; 0 while none is open. */
TANDEM_API uint16_t tandem_web_port(struct tandem *engine);

/** Names of what this build can send, separated by commas: "h264,vp8,vp9,av1" and
 *  "opus,g722,pcmu,pcma,l16". The text stays as long as the calling thread. */
TANDEM_API const char *tandem_video_codecs(void);
TANDEM_API const char *tandem_audio_codecs(void);

/**
 * What one side of a call uses. Strings are borrowed for the call of the function. Zero and NULL
 * mean the default in brackets.
 *
 * Sources and sinks are "kind" or "kind:argument":
 *   video source   cam[:/dev/video0]  screen[:DISPLAY]  file:PATH  pattern  off
 *   audio source   mic[:DEVICE]  file:PATH  tone[:chirp|HZ]  off
 *   video sink     window[:TITLE]  null  off
 *   audio sink     speaker[:DEVICE]  wav:PATH  null[:PERIOD_MS]  off
 */
struct tandem_media {
    const char *video_source; /* ["cam"] */
    const char *audio_source; /* ["mic"] */
    const char *video_sink;   /* ["window"] */
    const char *audio_sink;   /* ["speaker"] */
    const char *video_codecs; /* In order of preference: codecs, or an encoder where there are two
                                 for one codec ("x264", "openh264"). "h265" is taken when the other
                                 side offers it, never offered or sent. "auto" orders them, and
                                 chooses encoder, preset, threads and (where width and height are 0)
                                 size, by what each costs on this machine (tandem/bench.h) and by
                                 video_bps. [all of the build] */
    const char *video_preset; /* One of the encoder's, as ffmpeg calls them; of several encoders the
                                 one that has it takes it. [the encoder's, by size and rate] */
    const char *audio_codecs; /* ["opus,g722,pcmu,pcma"] */
    uint32_t video_bps;       /* Most that the video may send. [1500000] */
    uint32_t audio_bps;       /* Opus up to 40000 a channel adds in-band redundancy and 4 ms.
                                 [48000 a channel, 64000 for music] */
    uint16_t width, height;   /* Of the sent picture; even. [1280, 720] */
    uint16_t fps;             /* [30] */
    uint16_t video_threads;   /* That encode a picture. [chosen] */
    uint16_t audio_frame_us; /* 2500, 5000, 10000, 20000, 40000 or 60000, where codec and other side
                                take it. [10000] */
    uint16_t audio_channels; /* 1, or 2 for stereo: Opus when the other side takes it, L16. [1] */
    bool audio_music;        /* Opus coded for music rather than for speech: 4 ms more. */
    const char *record_path; /* MKV of the other side; NULL: no recording. */
    const char *sheet_path;  /* PNG contact sheet of what was shown, written at the end. */
    uint16_t sheet_every_ms; /* [1500] */
    bool time_code;          /* Draw the capture time into the sent picture, and read it back from
                                the received one after rendering, as a check of the trace. */
    uint16_t latency_ms;     /* What a picture or a sound of the other side may take from its
                                capture to here, 20 to 10000: playout, pacing and queues keep to
                                it, NOTICEs and the figures say when and where it is not held. [0:
                                as little as it can] */
    uint16_t ring_seconds;   /* How long to let the other side ring. [60] */
    bool channel; /* Offer the data channel, and accept it: files, chat and what else is not sound
                     or picture. With all sources and sinks "off" it is all there is. */
    bool channel_if_asked;      /* Accept it when the other side offers it, now or later in the
                                   call; tandem_set_channel offers it. */
    struct tandem_chat *chat;   /* Rides on the channel, too (tandem/chat.h), of one call at a
                                   time. NULL: none. */
    struct tandem_files *files; /* Ride on the channel; outlive the call. NULL: none. */
    struct tandem_share *share; /* Likewise. */
    struct tandem_board *board; /* Likewise. */
};

/** Whether a call with `media` could start here now: names, numbers, devices and files. Opens each
 *  source for a moment. */
TANDEM_API enum tandem_status tandem_check(const struct tandem_media *media,
                                           struct tandem_cause *cause);

/** Calls `to`: "10.0.0.7", "10.0.0.7:5070", "user@host", "sip:user@host;transport=tcp",
 *  "sips:user@host"; with accounts (tandem/account.h) also "+49 30 1234" and "tel:" URIs. The
 *  call's events follow. *call belongs to the engine until it is released. TANDEM_INVALID or
 *  TANDEM_UNSUPPORTED for what `media` cannot mean, TANDEM_UNREACHABLE without a way to the
 * address, TANDEM_FAILED for a device or file; nothing was sent then. */
TANDEM_API enum tandem_status tandem_dial(struct tandem *engine, const char *to,
                                          const struct tandem_media *media,
                                          struct tandem_call **call, struct tandem_cause *cause);

/** Accepts an incoming call. TANDEM_INVALID when it is not ringing; otherwise as tandem_dial. On
 *  failure the call rings on: answer it differently, or reject it. */
TANDEM_API enum tandem_status tandem_answer(struct tandem_call *call,
                                            const struct tandem_media *media,
                                            struct tandem_cause *cause);

/** Refuses an incoming call: busy, or declined. ENDED follows. */
TANDEM_API enum tandem_status tandem_reject(struct tandem_call *call, bool busy);

/** Ends a call in any state. ENDED follows. */
TANDEM_API enum tandem_status tandem_hangup(struct tandem_call *call);

/** Frees a call whose ENDED event was taken (else hangs up first). The report is gone then. */
TANDEM_API void tandem_call_release(struct tandem_call *call);

enum tandem_event_kind {
    TANDEM_EVENT_NONE,
    TANDEM_EVENT_INCOMING, /* text = who calls. Answer or reject `call`. value = 1: for the data
                              channel alone, without sound and picture; 2: asks to be called
                              (may_be_asked_back), which answering does; a NOTICE says where. */
    TANDEM_EVENT_RINGING,  /* The other side rings. */
    TANDEM_EVENT_UP,       /* The call stands; text = what was agreed. */
    TANDEM_EVENT_CHANGED,  /* Hold, codec or streams changed; text = what is now agreed. */
    TANDEM_EVENT_DIGIT,    /* value = the DTMF digit that the other side sent. */
    TANDEM_EVENT_KEY, /* value = a key pressed in the call's window (ASCII, or 0x100 for F11). */
    TANDEM_EVENT_WINDOW_CLOSED,
    TANDEM_EVENT_STRANGER, /* The contact's certificate is not the one that it had before: somebody
                              may sit between, or it has a new machine. text = what to do: compare
                              the words of tandem_stats, then tandem_trust. */
    TANDEM_EVENT_NOTICE,  /* text = something to know: no real-time priority, a device is gone... */
    TANDEM_EVENT_ENDED,   /* text = why, value = one of enum tandem_end. */
    TANDEM_EVENT_CHANNEL, /* The data channel: value = one of enum tandem_channel_state, text = by
                             which way it goes, or why it does not. */
    TANDEM_EVENT_ACCOUNT, /* An account stands otherwise (tandem/account.h): value = its number,
                             text = how. */
    TANDEM_EVENT_DIRECTORY, /* tandem_directory_search is answered: value = how many were found; -1:
                               text = why not. */
};

enum tandem_end {
    TANDEM_END_HERE,  /* Hung up here, or */
    TANDEM_END_THERE, /* there. */
    TANDEM_END_CANCELLED,
    TANDEM_END_BUSY,
    TANDEM_END_DECLINED,
    TANDEM_END_NO_ANSWER,
    TANDEM_END_NO_COMMON_CODEC,
    TANDEM_END_NOT_FOUND,
    TANDEM_END_UNREACHABLE,
    TANDEM_END_FAILED,
    TANDEM_END_NOT_SECURE, /* Nothing that both sides allow protects it, or it was attacked. */
};

struct tandem_event {
    enum tandem_event_kind kind;
    struct tandem_call *call; /* NULL: about the engine. Stays valid until it is released. */
    int value;
    char text[256];
};

/** A file descriptor that is readable while events wait. */
TANDEM_API int tandem_event_fd(struct tandem *engine);

/** Takes the oldest event; TANDEM_AGAIN when there is none. */
TANDEM_API enum tandem_status tandem_next_event(struct tandem *engine, struct tandem_event *event);

/** Waits up to `timeout_ms` (-1: no limit) for an event and takes it; TANDEM_AGAIN on timeout. */
TANDEM_API enum tandem_status tandem_wait_event(struct tandem *engine, int timeout_ms,
                                                struct tandem_event *event);

/*
 * In a running call. What the state does not allow (a call that has ended, a medium that is not
 * there) does nothing and is TANDEM_OK, unless a function has a cause to say. hold and set_* of
 * streams ask the other side: CHANGED follows when it has agreed, NOTICE when it has not.
 */
TANDEM_API enum tandem_status tandem_hold(struct tandem_call *call, bool on);
/** Mute sends silence; the stream goes on. */
TANDEM_API enum tandem_status tandem_mute(struct tandem_call *call, bool on);
/** Camera off sends a dark picture; the stream goes on. */
TANDEM_API enum tandem_status tandem_camera(struct tandem_call *call, bool on);
/** Adds or drops the stream by re-INVITE; the other stream has no gap. */
TANDEM_API enum tandem_status tandem_set_video(struct tandem_call *call, bool on);
TANDEM_API enum tandem_status tandem_set_audio(struct tandem_call *call, bool on);
/** Adds or drops the data channel by re-INVITE; the streams have no gap. */
TANDEM_API enum tandem_status tandem_set_channel(struct tandem_call *call, bool on);

/** '0'-'9', '*', '#', 'A'-'D'; duration 40-2000 ms. Digits wait for each other. TANDEM_INVALID for
 *  another digit or duration, TANDEM_FAILED when the call is not up. */
TANDEM_API enum tandem_status tandem_send_digit(struct tandem_call *call, char digit,
                                                uint16_t duration_ms, struct tandem_cause *cause);
/** Swaps a source or sink while the call runs. On failure the old one goes on. */
TANDEM_API enum tandem_status tandem_set_video_source(struct tandem_call *call, const char *spec,
                                                      struct tandem_cause *cause);
TANDEM_API enum tandem_status tandem_set_audio_source(struct tandem_call *call, const char *spec,
                                                      struct tandem_cause *cause);
TANDEM_API enum tandem_status tandem_set_video_sink(struct tandem_call *call, const char *spec,
                                                    struct tandem_cause *cause);
TANDEM_API enum tandem_status tandem_set_audio_sink(struct tandem_call *call, const char *spec,
                                                    struct tandem_cause *cause);
/** Offers other video codecs, as in struct tandem_media; NULL: the defaults. When the other side
 *  agrees, both go on in the first one that they share; another encoder or preset for the same
 * codec is taken at once. TANDEM_UNSUPPORTED for a name that is unknown here; the call goes on as
 * it was. */
TANDEM_API enum tandem_status tandem_set_video_codecs(struct tandem_call *call, const char *codecs,
                                                      const char *preset,
                                                      struct tandem_cause *cause);
/** Starts recording the other side to an MKV, or stops it (path NULL). TANDEM_INVALID while another
 *  recording runs. When video or sound comes later or video changes its codec, the recording goes
 *  on in a second file, "name-2.mkv", and a NOTICE says so. */
TANDEM_API enum tandem_status tandem_record(struct tandem_call *call, const char *path,
                                            struct tandem_cause *cause);
/** Remembers the other side's certificate of this call as its contact's, after STRANGER. */
TANDEM_API enum tandem_status tandem_trust(struct tandem_call *call, struct tandem_cause *cause);
/** Text over the picture in the window; "" removes it. */
TANDEM_API enum tandem_status tandem_set_overlay(struct tandem_call *call, const char *text);
TANDEM_API enum tandem_status tandem_set_fullscreen(struct tandem_call *call, bool on);

/** A distribution in milliseconds. */
struct tandem_distribution {
    uint64_t count;
    double mean, p50, p95, p99, max;
};

enum tandem_call_state {
    TANDEM_STATE_DIALING,
    TANDEM_STATE_RINGING,
    TANDEM_STATE_INCOMING,
    TANDEM_STATE_UP,
    TANDEM_STATE_HELD, /* By us, by them, or both. */
    TANDEM_STATE_ENDED,
};

#define TANDEM_STAGES_MAX 12

/** A named part of a latency; the parts of one list add up to its total, frame by frame. */
struct tandem_stage {
    char name[24];
    struct tandem_distribution ms;
    double share_ms;     /* Of the latency budget; 0: there is none. */
    double over_seconds; /* For how long it was this stage that broke the budget. */
};

/** How the latency budget is held, of the pictures or of the sound. */
struct tandem_budget_line {
    bool over;           /* It is not, now. */
    char stage[24];      /* Which stage breaks it, or broke it last; "" = none ever did. */
    double now_ms;       /* What the whole takes lately. */
    double over_seconds; /* For how long it was not held, in all, */
    uint32_t times;      /* and how often. */
};

struct tandem_stream_stats {
    bool active;
    char send_codec[16], receive_codec[16]; /* "" = that direction is off. */
    uint64_t packets_sent, packets_received, packets_resent, packets_refused;
    int64_t packets_lost;
    uint64_t bytes_sent, bytes_received;
    double send_bps, receive_bps; /* Over the last second. */
    double loss;                  /* Of what we receive, fraction since the start. */
    double remote_loss;           /* Of what we send, as the other side reported last. */
    double jitter_ms;
    uint64_t nacks_sent, nacks_received, plis_sent, plis_received, repaired;
    uint64_t parity_sent, parity_bytes, parity_received; /* Repairs over a window of packets. */
    uint64_t mended, mended_late; /* Packets that these gave back; of them, too late. */
};

enum tandem_path {
    TANDEM_PATH_NONE,
    TANDEM_PATH_DIRECT,
    TANDEM_PATH_REFLEXIVE, /* Through a NAT that STUN or the other side saw. */
    TANDEM_PATH_MAPPED,    /* Through a port that the gateway maps. */
    TANDEM_PATH_RELAYED,   /* Through a TURN server, of this side or the other. */
};

enum tandem_protection {
    TANDEM_PROTECTION_NONE, /* In clear. */
    TANDEM_PROTECTION_SDES, /* SRTP with keys from the call set-up. */
    TANDEM_PROTECTION_DTLS, /* SRTP with keys that only the two ends know. */
};

enum tandem_contact {
    TANDEM_CONTACT_UNKNOWN, /* Not remembered. */
    TANDEM_CONTACT_NEW,     /* First seen in this call. */
    TANDEM_CONTACT_KNOWN,   /* The same as before. */
    TANDEM_CONTACT_CHANGED, /* Another certificate than before. */
};

/** How the call travels and who can read it. */
struct tandem_security {
    enum tandem_path path;
    bool ice;                   /* The path was found, and is watched, by ICE. */
    char local[64], remote[64]; /* Its ends: "10.0.0.7:5004"; "" = none yet. */
    enum tandem_protection protection;
    char profile[32]; /* "AEAD_AES_128_GCM"; "" = none. */
    char words[64];   /* DTLS: read aloud by both sides, the same only when nobody
                         sits between; "" = there are none. */
    enum tandem_contact contact;
    uint64_t refused;                   /* Datagrams of no agreed kind, or without right to come. */
    uint64_t denied;                    /* Media with a wrong tag, or replayed. */
    double path_ms, ready_ms, media_ms; /* From agreement to the first path, to keys, and to the
                                           first media from the other side; 0: not yet. */
};

enum tandem_channel_state {
    TANDEM_CHANNEL_NONE,        /* Not agreed on. */
    TANDEM_CHANNEL_CONNECTING,  /* Agreed; there is no connection yet. */
    TANDEM_CHANNEL_UP,          /* The right one is at the other end, and all is encrypted. */
    TANDEM_CHANNEL_INTERRUPTED, /* It was up; both sides try again, and go on where it broke. */
    TANDEM_CHANNEL_FAILED,      /* For this call. */
};

/** The data channel: TLS 1.3 over TCP, or where no TCP passes a stream over the media path, in its
 *  DTLS; both certificates checked. */
struct tandem_channel_stats {
    enum tandem_channel_state state;
    char text[256];    /* As the last TANDEM_EVENT_CHANNEL said it. */
    uint16_t port;     /* Where this side listens; 0 = nowhere. */
    char remote[64];   /* The other end of the TCP connection; "" = none. */
    bool dialed;       /* This side connected; else the other one. */
    bool over_media;   /* No TCP passes: it goes over the media path. */
    bool peer_checked; /* Its certificate is the one that its description named. */
    uint32_t refused;  /* Connections of strangers and of too many. */
    uint32_t reconnects;
    uint64_t bytes_sent, bytes_received;
    double rtt_ms, rate_bps; /* As the channel measures them; 0 = not yet. */
};

/** How the rate of the sent pictures is found. */
enum tandem_rate_mode {
    TANDEM_RATE_REPORTS, /* By receiver reports; of the way nothing more is known. */
    TANDEM_RATE_START,   /* By feedback on each packet, of which none came yet; */
    TANDEM_RATE_NORMAL,
    TANDEM_RATE_CROWD,   /* among others that give way, too; */
    TANDEM_RATE_COEXIST, /* among others that do not. */
};

/** The way of what this side sends. */
struct tandem_rate_stats {
    enum tandem_rate_mode mode;
    double target_bps, limit_bps; /* What pictures may have, in the mean, and at most. */
    double capacity_bps;          /* What the bottleneck lets pass of them; 0 = not known. */
    double acked_bps;             /* What of them arrives. */
    double queue_ms;              /* How long packets wait in the bottleneck; */
    double way_ms;                /* the shortest round trip of a packet and its feedback. */
    uint64_t inflight_bytes;      /* Sent and not told of. */
    uint64_t window_bytes;        /* Most that may be; 0 = any. */
    bool ecn;                     /* Packets leave marked ECT(1) (RFC 9331). */
    uint64_t marked;              /* That arrived with a mark of congestion. */
};

/** Why our pictures are smaller, or fewer a second, than asked for. */
enum tandem_sent_why {
    TANDEM_SENT_WHOLE,   /* They are not. */
    TANDEM_SENT_BY_RATE, /* The way gives no more. */
    TANDEM_SENT_BY_TIME, /* This machine does not code them fast enough. */
};

struct tandem_stats {
    enum tandem_call_state state;
    struct tandem_security security;
    struct tandem_channel_stats channel;
    double seconds; /* Since the call is up. */
    double rtt_ms, clock_offset_ms;
    bool clock_known;
    double cpu_percent;      /* Of one core, this process, since the call is up. */
    double net_cpu_percent;  /* Of one core, the net thread of this call; */
    double net_user_percent; /* the part of it outside the kernel. */
    bool real_time;          /* Media threads have real-time priority. */

    struct tandem_stream_stats audio, video;
    struct tandem_rate_stats rate;

    uint64_t frames_captured, frames_encoded, frames_skipped, frames_sent;
    uint64_t frames_cut; /* Of ours: coded, and then not sent whole. */
    uint64_t frames_received, frames_decoded, frames_shown, frames_replaced, decode_errors;
    uint64_t keyframes_received, freezes;
    double frozen_seconds, shown_fps;
    double fps_now, glass_now_ms, ear_now_ms; /* Of the last second; 0 while there is none. */
    int width, height;                        /* Of the received picture. */
    double encode_ms, decode_ms;              /* Means. */
    /* What our pictures took of what they might cost: mean and standard deviation. */
    double budget_percent, budget_spread_percent;
    char encoder[32]; /* "x264 superfast": what encodes the sent pictures; "" = nothing yet. */
    int sent_width, sent_height;     /* As our pictures are coded now, */
    int wanted_width, wanted_height; /* and as they should be; */
    uint32_t sent_fps, wanted_fps;   /* pictures a second. */
    enum tandem_sent_why sent_why;
    uint16_t encoder_threads;

    uint64_t samples_played, samples_concealed, samples_stretched, samples_shrunk;
    double playout_delay_ms, playout_target_ms, drift_ppm;

    struct tandem_distribution glass_to_glass; /* Capture there to presented here, by the trace. */
    struct tandem_distribution beyond_codec;   /* The same less encoding and decoding. */
    struct tandem_distribution mouth_to_ear;   /* Capture callback there to playing here. */
    struct tandem_distribution pixel_latency;  /* Time code read back from the shown pixels; valid
                                                  when both ends share a clock (one machine). */
    struct tandem_distribution trace_minus_pixels; /* Per frame, absolute. */
    struct tandem_distribution
        chirp_latency;               /* Chirps of a tone source found in what was played. */
    struct tandem_distribution skew; /* Audio latency less video latency. */
    double budget_ms;                /* The latency budget; 0 = none. */
    struct tandem_budget_line budget_picture, budget_sound;
    uint8_t video_stage_count, audio_stage_count;
    struct tandem_stage video_stages[TANDEM_STAGES_MAX];
    struct tandem_stage audio_stages[TANDEM_STAGES_MAX];
};

/** The state of the call now, or its final figures after ENDED. */
TANDEM_API enum tandem_status tandem_call_stats(struct tandem_call *call,
                                                struct tandem_stats *stats);

/** The same as JSON; free with tandem_free. NULL when there is no memory. */
TANDEM_API char *tandem_call_report(struct tandem_call *call);

/** Chrome-trace JSON of the last frames and packets' stages; opens in Perfetto. */
TANDEM_API enum tandem_status tandem_call_write_trace(struct tandem_call *call, const char *path,
                                                      struct tandem_cause *cause);

/** Writes the picture shown last as PNG. */
TANDEM_API enum tandem_status tandem_call_snapshot(struct tandem_call *call, const char *path,
                                                   struct tandem_cause *cause);

TANDEM_API void tandem_free(void *memory);

#ifdef __cplusplus
}
#endif

#endif
