/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_PIDF_H
#define TDM_SIGNALLING_PIDF_H

/*
 * Presence as a document: PIDF (RFC 3863) with the data model (RFC 4479), rich presence (RFC 4480)
 * and timed status (RFC 4481). A tuple is one device. What a device says of its person stands in a
 * <dm:person> whose id is the tuple's with "p-" before it; on reading, a person of another id
 * counts for every tuple that says nothing by itself.
 *
 * Pure and bounded: reading goes through expat without entities, doctypes or deep trees, and what
 * exceeds a limit is dropped (a tuple too many) or refused (a document too large).
 */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_PIDF_TYPE       "application/pidf+xml"
#define TDM_PIDF_MAX        16384 /* Bytes of a document. */
#define TDM_PIDF_TUPLES_MAX 12    /* Devices of one person. */
#define TDM_PIDF_TIMED_MAX  8     /* Periods that a device announces. */
#define TDM_PIDF_NOTE_MAX   200

enum tdm_activity {
    TDM_ACTIVITY_NONE,
    TDM_ACTIVITY_AWAY,
    TDM_ACTIVITY_BUSY,
    TDM_ACTIVITY_ON_THE_PHONE,
    TDM_ACTIVITY_MEETING,
    TDM_ACTIVITY_MEAL,
    TDM_ACTIVITY_VACATION,
    TDM_ACTIVITY_TRAVEL,
    TDM_ACTIVITY_SLEEPING,
    TDM_ACTIVITY_WORKING,
    TDM_ACTIVITY_OTHER, /* Any that has no name here. */
    TDM_ACTIVITY_COUNT
};

/** The element's name in RFC 4480, and what people type: "on-the-phone". "available" for NONE. */
const char *tdm_activity_name(enum tdm_activity activity);
/** False: there is no such activity. "offline" is none. */
bool tdm_activity_of_name(const char *name, size_t size, enum tdm_activity *activity);

/** A time to come at which the device will be open or not (RFC 4481). */
struct tdm_timed_status {
    bool open;
    int64_t from_s, until_s; /* Unix time; until_s 0: no end. */
};

struct tdm_presence_tuple {
    char id[40]; /* Of the device: an XML name without "p-" at its start. */
    bool open;
    enum tdm_activity activity;
    char note[TDM_PIDF_NOTE_MAX];
    char contact[256];        /* URI where it is reached, or "". */
    uint16_t priority;        /* Of the contact, thousandths; 0: not said. */
    int64_t since_s, until_s; /* Of the activity; 0: not said. */
    bool idle;                /* RPID user-input. */
    int64_t idle_since_s;     /* 0: not said. */
    int64_t timestamp_s;      /* When it was said; 0: not said. */
    uint32_t timed_count;
    struct tdm_timed_status timed[TDM_PIDF_TIMED_MAX];
};

struct tdm_pidf {
    char entity[256]; /* Whose presence: "sip:paul@example.org" */
    char note[TDM_PIDF_NOTE_MAX];
    uint32_t tuple_count;
    struct tdm_presence_tuple tuples[TDM_PIDF_TUPLES_MAX];
};

/** TDM_E_SPACE when it does not fit. *size without the terminator, which is written too. */
enum tdm_err tdm_pidf_write(const struct tdm_pidf *pidf, char *xml, size_t capacity, size_t *size);

/** TDM_E_MALFORMED: no PIDF, or one with a doctype, or deeper or larger than allowed. */
enum tdm_err tdm_pidf_parse(struct tdm_pidf *pidf, const void *xml, size_t size);

/** Adds the tuples of `from`: one of the same id that was said later replaces the other. */
void tdm_pidf_merge(struct tdm_pidf *into, const struct tdm_pidf *from);

/** What several devices mean together. */
struct tdm_presence_view {
    bool known; /* A document came. */
    bool open;  /* Some device can be reached. */
    enum tdm_activity activity;
    char note[TDM_PIDF_NOTE_MAX];
    int64_t since_s, until_s;
    uint32_t devices, open_devices;
};

/**
 * Composes at the time `unix_s`. An activity whose `until` has passed is no activity any more. Open
 * devices speak before closed ones; among them busy with people (on the phone, meeting) is told
 * before available, and available before away, as a person at one device is not away; the note is
 * of the device that decided, or the document's.
 */
void tdm_presence_compose(const struct tdm_pidf *pidf, int64_t unix_s,
                          struct tdm_presence_view *view);
/** When the view changes by time alone; INT64_MAX: never. */
int64_t tdm_presence_view_until(const struct tdm_pidf *pidf, int64_t unix_s);

/** Whether a device can be called now, by its status and the periods it announced. For servers that
 *  route by time of day. */
bool tdm_presence_tuple_open(const struct tdm_presence_tuple *tuple, int64_t unix_s);

#endif
