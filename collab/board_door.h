/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_DOOR_H
#define TDM_COLLAB_BOARD_DOOR_H

/*
 * Who draws with whom, and on which board: invitation and consent of one side, before a byte of a
 * board crosses. Pure. It knows neither streams nor files; what it wants of them comes out as bits.
 *
 * Each side that wants to draw opens its streams and says a preface on that of the operations:
 * which board it means. A side that does not want to yet is asked (or has a rule for this peer),
 * and opens its own in answer, or resets the other's. Both prefaces there: the two are joined, and
 * the bytes behind the prefaces are the link's (collab/board_link.h).
 *
 *     preface   "TDBP" | version 1 | which u8 | document, 16 bytes | size u8 | its name, UTF-8
 *
 * Which: 0, the board of the two contacts, whatever its number is at either side; 1, this document.
 * Who means the contacts' board goes along with a document that the other side names; two different
 * documents are not mixed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_DOOR_ID_BYTES     16
#define TDM_DOOR_NAME_MAX     96
#define TDM_DOOR_PREFACE_HEAD (4 + 1 + 1 + TDM_DOOR_ID_BYTES + 1)
#define TDM_DOOR_PREFACE_MAX  (TDM_DOOR_PREFACE_HEAD + TDM_DOOR_NAME_MAX)

struct tdm_door_preface {
    bool document; /* Else the contacts'. */
    uint8_t id[TDM_DOOR_ID_BYTES];
    char name[TDM_DOOR_NAME_MAX + 1]; /* Shown to who is asked. */
};

/** @return bytes written. */
size_t tdm_door_preface_write(const struct tdm_door_preface *preface,
                              uint8_t bytes[TDM_DOOR_PREFACE_MAX]);

enum tdm_door_input {
    TDM_DOOR_UP,     /* The channel stands; resumed: streams go on. */
    TDM_DOOR_DOWN,   /* It broke, and may come again. */
    TDM_DOOR_OVER,   /* It is over. */
    TDM_DOOR_INVITE, /* Our user wants to draw with the other side. */
    TDM_DOOR_LEAVE,  /* And no longer. */
    TDM_DOOR_OPENED, /* The other side's streams are there. */
    TDM_DOOR_BYTES,  /* data, size: of its operations' stream. */
    TDM_DOOR_RESET,  /* It gave the streams up, ours or its. */
    TDM_DOOR_RULE,   /* rule: the answer to LOOK_UP. */
    TDM_DOOR_ANSWER, /* yes: our user's, to ASK. */
    TDM_DOOR_READY,  /* The document that OPEN asked for is open, */
    TDM_DOOR_FAILED, /* or is not to be had. */
};

enum tdm_door_rule { TDM_DOOR_ASKS, TDM_DOOR_ALWAYS, TDM_DOOR_NEVER };

struct tdm_door_in {
    enum tdm_door_input kind;
    bool resumed, yes;
    enum tdm_door_rule rule;
    const uint8_t *data;
    size_t size;
};

/** What to do, in this order. Bits. */
enum tdm_door_act {
    TDM_DOOR_LOOK_UP = 1 << 0,  /* Find the rule for this peer, say RULE. */
    TDM_DOOR_ASK = 1 << 1,      /* Ask our user: `theirs` says about what. */
    TDM_DOOR_FORGET = 1 << 2,   /* What was asked needs no answer any more. */
    TDM_DOOR_OPEN = 1 << 3,     /* Have the document open that is meant (tdm_door_meant). */
    TDM_DOOR_STREAMS = 1 << 4,  /* Open our streams, and say the preface. */
    TDM_DOOR_CLOSE = 1 << 5,    /* Reset all streams, both sides'. */
    TDM_DOOR_JOINED = 1 << 6,   /* Begin the link; */
    TDM_DOOR_GO_ON = 1 << 7,    /* take it up where it was; */
    TDM_DOOR_BROKEN = 1 << 8,   /* it waits for the channel; */
    TDM_DOOR_LEFT = 1 << 9,     /* it is over: `why`. */
    TDM_DOOR_REFUSED = 1 << 10, /* Our invitation is: `why`. */
};

struct tdm_door_out {
    uint32_t acts;
    size_t consumed; /* BYTES: so much was the preface; the rest is the link's if joined. */
    const char *why;
};

struct tdm_board_door {
    bool file; /* We have a document of our own to show: `ours`. */
    struct tdm_door_preface ours, theirs;
    bool up, wish, opened, heard; /* opened: their streams are; heard: their preface is whole. */
    bool streams;                 /* Ours are. */
    bool asking, looking, opening, ready, joined;
    bool broken; /* joined, and the channel is away. */
    uint32_t size;
    uint8_t bytes[TDM_DOOR_PREFACE_MAX];
};

/** `ours` NULL: the board of the contact is meant. */
void tdm_door_init(struct tdm_board_door *d, const struct tdm_door_preface *ours);
void tdm_door_step(struct tdm_board_door *d, const struct tdm_door_in *in,
                   struct tdm_door_out *out);

/** The document that both mean now; NULL: the contacts'. */
const struct tdm_door_preface *tdm_door_meant(const struct tdm_board_door *d);

#endif
