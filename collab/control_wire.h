/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_CONTROL_WIRE_H
#define TDM_COLLAB_CONTROL_WIRE_H

/*
 * Records of remote assistance as bytes of a stream, version 1: consent, input events and the
 * clipboard. Each is a size (16 bits) of what follows, a type (8 bits) and its fields, all
 * big-endian; types that are not known are stepped over, and fields may be added behind those that
 * are known. docs/control.md lists the fields. Pure.
 *
 * Two streams of kind TDM_KIND_INPUT carry them, both opened by the helper: one of class INPUT for
 * everything but CLIP_DATA, and one of class BULK for CLIP_DATA, so that a large picture delays no
 * key. Every record of the helper that asks for something to happen carries the number of the grant
 * that it was made under; what was made under another is dropped.
 */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_CONTROL_VERSION      1
#define TDM_CONTROL_HEAD_BYTES   3 /* Size and type. */
#define TDM_CONTROL_LAYOUT_MAX   64
#define TDM_CONTROL_KEY_TEXT_MAX 32
#define TDM_CONTROL_TEXT_MAX     512
#define TDM_CONTROL_DATA_MAX     8192 /* Of one CLIP_DATA. */
#define TDM_CONTROL_RECORD_MAX   (TDM_CONTROL_HEAD_BYTES + 32 + TDM_CONTROL_DATA_MAX)
#define TDM_CONTROL_FORMATS_MAX  4
#define TDM_CONTROL_BUTTON_MAX   16
#define TDM_CONTROL_TOUCH_MAX    15

/** What a helper may do; a set of bits. */
enum tdm_scope {
    TDM_SCOPE_VIEW = 1 << 0,          /* See the screen. */
    TDM_SCOPE_POINT = 1 << 1,         /* Show a pointer and suggest clicks; the host performs. */
    TDM_SCOPE_POINTER = 1 << 2,       /* Move the pointer, buttons, wheel, touch. */
    TDM_SCOPE_KEYBOARD = 1 << 3,      /* Keys and text. */
    TDM_SCOPE_CLIPBOARD_IN = 1 << 4,  /* The helper's clipboard to the host. */
    TDM_SCOPE_CLIPBOARD_OUT = 1 << 5, /* The host's clipboard to the helper. */
    TDM_SCOPE_FILES = 1 << 6,         /* Files on the clipboard, in the directions above. */
    TDM_SCOPE_ANNOTATE = 1 << 7,      /* Draw over the screen (docs/annotations.md). */
};
#define TDM_SCOPES_CONTROL                                                                         \
    (TDM_SCOPE_POINTER | TDM_SCOPE_KEYBOARD | TDM_SCOPE_CLIPBOARD_IN | TDM_SCOPE_CLIPBOARD_OUT |   \
     TDM_SCOPE_FILES | TDM_SCOPE_ANNOTATE)
#define TDM_SCOPES_SEEN (TDM_SCOPE_VIEW | TDM_SCOPE_POINT)
#define TDM_SCOPES_ALL  (TDM_SCOPES_SEEN | TDM_SCOPES_CONTROL)

/** Modifiers and locks, whatever key of whatever layout makes them. */
enum tdm_mod {
    TDM_MOD_SHIFT = 1 << 0,
    TDM_MOD_CTRL = 1 << 1,
    TDM_MOD_ALT = 1 << 2,
    TDM_MOD_SUPER = 1 << 3,
    TDM_MOD_ALTGR = 1 << 4, /* ISO_Level3_Shift */
    TDM_MOD_CAPS = 1 << 5,  /* Locks from here: what the LED says. */
    TDM_MOD_NUM = 1 << 6,
};
#define TDM_MODS_HELD  0x1f
#define TDM_MODS_LOCKS (TDM_MOD_CAPS | TDM_MOD_NUM)

enum tdm_consent_state {
    TDM_CONSENT_NONE,    /* Sees nothing. */
    TDM_CONSENT_VIEW,    /* Sees, and may point when POINT is given. */
    TDM_CONSENT_ASKED,   /* A question waits for the host; what was given before still holds. */
    TDM_CONSENT_GRANTED, /* Acts within scopes, until an hour. */
    TDM_CONSENT_REVOKED, /* The host ended it: nothing holds, and questions are refused. */
};

/** Why the consent changed. */
enum tdm_consent_cause {
    TDM_CAUSE_NONE,
    TDM_CAUSE_HOST_OFFERED, /* The host shares of its own accord. */
    TDM_CAUSE_HELPER_ASKED,
    TDM_CAUSE_HOST_ALLOWED,
    TDM_CAUSE_HOST_DENIED,
    TDM_CAUSE_HOST_TOOK_BACK, /* Some scopes, or control as a whole. */
    TDM_CAUSE_HOST_ENDED,     /* The revoke key, or the end of sharing. */
    TDM_CAUSE_EXPIRED,
    TDM_CAUSE_HELPER_LEFT, /* Gave back what it had. */
    TDM_CAUSE_DISCONNECTED,
    TDM_CAUSE_RECONNECTED, /* The same scopes under a new number. */
    TDM_CAUSE_UNANSWERED,
    TDM_CAUSE_TOO_OFTEN, /* A question that was refused unseen. */
    TDM_CAUSE_COUNT,
};

enum tdm_control_kind {
    TDM_CONTROL_OTHER = 0, /* As read: nothing that we know. */
    /* Both sides, first. */
    TDM_CONTROL_HELLO = 1, /* version, text: the name of the keyboard layout ("us", "de(neo)") */
    /* Consent. */
    TDM_CONTROL_ASK = 2,   /* helper: scopes, seconds (0: as the host likes) */
    TDM_CONTROL_LEAVE = 3, /* helper: gives everything but sight back */
    TDM_CONTROL_GRANT = 4, /* host: state, scopes, seq, seconds (left), cause */
    /* Input, by the helper; each with seq. */
    TDM_CONTROL_KEY = 16,    /* usage, press, keysym, mods (after it), text (what it makes) */
    TDM_CONTROL_TEXT = 17,   /* text: typed as such, for input methods and emoji */
    TDM_CONTROL_MOVE = 18,   /* surface, x, y */
    TDM_CONTROL_NUDGE = 19,  /* dx, dy in pixels: relative mode */
    TDM_CONTROL_BUTTON = 20, /* surface, x, y, button, press, mods */
    TDM_CONTROL_WHEEL = 21,  /* dx, dy: 120ths of a notch; right and down are positive */
    TDM_CONTROL_TOUCH = 22,  /* surface, x, y, touch, phase, pressure */
    TDM_CONTROL_BEAT = 23,   /* mods, stamp: still here, and these are down */
    TDM_CONTROL_FOCUS = 24,  /* press: the helper's window has the focus, mods */
    TDM_CONTROL_POINT = 25,  /* surface, x, y, button: 0 shows the pointer, else suggests a click */
    /* By the host. */
    TDM_CONTROL_ECHO = 32,  /* stamp of a BEAT */
    TDM_CONTROL_LOCKS = 33, /* mods: the LEDs of the host */
    TDM_CONTROL_YIELD = 34, /* milliseconds: the person there acts, remote input waits */
    /* Clipboard, either way; of the helper with seq. */
    TDM_CONTROL_CLIP_OFFER = 48, /* serial, origin, formats: what could be fetched; none: empty */
    TDM_CONTROL_CLIP_WANT = 49,  /* serial, format */
    TDM_CONTROL_CLIP_DATA = 50,  /* serial, format, offset, fin, data */
    TDM_CONTROL_CLIP_NONE = 51,  /* serial, format: it cannot be had */
};

enum tdm_press { TDM_PRESS_UP = 0, TDM_PRESS_DOWN = 1, TDM_PRESS_REPEAT = 2 };
enum tdm_touch_phase { TDM_TOUCH_BEGIN = 0, TDM_TOUCH_MOVE = 1, TDM_TOUCH_END = 2 };

enum tdm_clip_format {
    TDM_CLIP_TEXT = 0, /* UTF-8, line ends as "\n". */
    TDM_CLIP_HTML = 1, /* UTF-8. */
    TDM_CLIP_PNG = 2,
    TDM_CLIP_FILES = 3, /* As in collab/clip_files.h. */
};
#define TDM_CLIP_SIZE_UNKNOWN 0xffffffffu

struct tdm_clip_entry {
    uint8_t format; /* enum tdm_clip_format; entries of others are left out when parsed. */
    uint32_t size;
};

/** A record; which fields count is said above. Borrows text and data from what was parsed. */
struct tdm_control_record {
    enum tdm_control_kind kind;
    uint32_t seq;
    uint16_t version, scopes, cause;
    enum tdm_consent_state state;
    uint32_t seconds, milliseconds, stamp;
    uint16_t usage; /* USB HID usage of page 7, or TDM_USAGE_EVDEV | code: control_keys.h */
    uint16_t mods;  /* enum tdm_mod */
    enum tdm_press press;
    uint32_t keysym;  /* X11's numbers; 0: none. */
    uint16_t surface; /* Its id, as in the screen's records. */
    uint16_t x, y;    /* 0 to 65535 across the surface. */
    int16_t dx, dy;
    uint8_t button; /* 1 left, 2 middle, 3 right, 4 back, 5 forward, up to 16. */
    uint8_t touch;
    enum tdm_touch_phase phase;
    uint16_t pressure; /* 65535: as hard as can be. */
    uint32_t serial, offset;
    uint64_t origin; /* Whose copy it was at first. */
    uint8_t format, format_count;
    struct tdm_clip_entry formats[TDM_CONTROL_FORMATS_MAX];
    bool fin;
    const uint8_t *data; /* Or text: UTF-8 without a terminator. */
    uint32_t size;
};

/** Writes head and body. TDM_E_SPACE when there is no room or the record is too large. */
enum tdm_err tdm_control_write(const struct tdm_control_record *rec, uint8_t *data, size_t capacity,
                               size_t *size);

/** Reads what stands behind the size: type and fields. TDM_E_MALFORMED for a known type with too
 *  few bytes or a field out of its range; text that is no UTF-8 is one. */
enum tdm_err tdm_control_parse(struct tdm_control_record *rec, const uint8_t *data, size_t size);

/** The scope that a record of the helper needs, 0 for those that need none. */
uint16_t tdm_control_scope(const struct tdm_control_record *rec);

#endif
