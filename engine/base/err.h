/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_ERR_H
#define TDM_BASE_ERR_H

/*
 * World errors, named by what the caller does about them. A programmer's error is an assert
 * (on in release too) and never comes this way; bytes from a peer never trip an assert.
 */

#include <assert.h>

#define TDM_MUST_USE __attribute__((warn_unused_result))

/* On a type, which makes every function that returns it must-use; gcc knows it on functions only,
 * so the clang build is the one that enforces it. */
#ifdef __clang__
#define TDM_MUST_USE_TYPE TDM_MUST_USE
#else
#define TDM_MUST_USE_TYPE
#endif
#define TDM_PRINTF(format_index, first_index)                                                      \
    __attribute__((format(printf, format_index, first_index)))

enum TDM_MUST_USE_TYPE tdm_err {
    TDM_OK = 0,
    TDM_E_AGAIN,       /* Nothing now; try when the event source says so. */
    TDM_E_SPACE,       /* The caller's buffer, or a bounded store, is too small. */
    TDM_E_MALFORMED,   /* Bytes do not follow their format: drop them and count. */
    TDM_E_UNSUPPORTED, /* Well formed, but not something this build does: offer another way. */
    TDM_E_DENIED,      /* Refused by the other side, a permission or a consent. */
    TDM_E_GONE,        /* The device, file, peer or call is no longer there. */
    TDM_E_SYSTEM,      /* The operating system or a library failed; the cause says how. */
};

/** Why something failed, in one sentence that tells a person what to do. Recorded once. */
struct tdm_cause {
    char text[256];
};

/** Writes the cause (when `cause` is not NULL) and hands `err` back, so that it reads
 *  `return tdm_fail(cause, TDM_E_GONE, "...")`. */
enum tdm_err tdm_fail(struct tdm_cause *cause, enum tdm_err err, const char *format, ...)
    TDM_PRINTF(3, 4);

/** The error's name in plain English, for logs. */
const char *tdm_err_name(enum tdm_err err);

#endif
