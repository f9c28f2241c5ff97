/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_HTTP_H
#define TDM_IO_HTTP_H

/*
 * A small HTTP/1.1 server over libmicrohttpd: whole requests with bounded bodies come out as
 * values, and each is answered when its owner likes. It decides how much and how slowly a client
 * may send, and nothing about what a request means (engine/whip.h).
 *
 * Owned by one thread, which calls everything here; no thread of its own, and nothing is called
 * back. While `fd` is readable, call tdm_http_next until it says TDM_E_AGAIN.
 *
 * A client that is too slow, opens too many connections, or sends too much is cut off here.
 */

#include "engine/base/err.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_HTTP_BODY_MAX        16384
#define TDM_HTTP_TEXT_MAX        256
#define TDM_HTTP_CONNECTIONS_MAX 32
#define TDM_HTTP_REQUEST_TIME    (10 * TDM_S) /* For a request to come whole. */

enum tdm_http_method {
    TDM_HTTP_GET,
    TDM_HTTP_HEAD,
    TDM_HTTP_POST,
    TDM_HTTP_PATCH,
    TDM_HTTP_DELETE,
    TDM_HTTP_OPTIONS,
    TDM_HTTP_OTHER,
};

/** One request; stays as it is until it is answered, or `gone`. */
struct tdm_http_request {
    uint32_t id;
    enum tdm_http_method method;
    char path[TDM_HTTP_TEXT_MAX]; /* Without what is behind '?'. */
    char content_type[64];        /* Lower case, without parameters; "" = none. */
    char authorization[TDM_HTTP_TEXT_MAX];
    char if_match[TDM_HTTP_TEXT_MAX];
    char host[TDM_HTTP_TEXT_MAX];
    char origin[TDM_HTTP_TEXT_MAX];
    char peer[64];                     /* Numeric address. */
    bool head_too_long, body_too_long; /* Something above is cut off; the body is. */
    size_t body_size;
    uint8_t body[TDM_HTTP_BODY_MAX];
};

#define TDM_HTTP_HEADERS_MAX 8

struct tdm_http_header {
    const char *name, *value;
};

/** Borrowed for the call; the body is copied, unless `body_static`. */
struct tdm_http_response {
    uint16_t status;
    const char *content_type; /* NULL: none. */
    const void *body;
    size_t body_size;
    bool body_static; /* It outlives the server. */
    uint8_t header_count;
    struct tdm_http_header headers[TDM_HTTP_HEADERS_MAX];
};

struct tdm_http_config {
    const char *address;           /* Numeric; NULL: 127.0.0.1. */
    uint16_t port;                 /* 0: any free one. */
    const char *certificate, *key; /* PEM text, for HTTPS; NULL: HTTP. */
};

struct tdm_http;

/** Starts listening. TDM_E_SYSTEM with a cause that says what to do. */
enum tdm_err tdm_http_open(struct tdm_http **http, const struct tdm_http_config *config,
                           struct tdm_cause *cause);

/** Drops every connection and frees. */
void tdm_http_close(struct tdm_http *http);

uint16_t tdm_http_port(const struct tdm_http *http);
int tdm_http_fd(const struct tdm_http *http);

/** Makes the fd readable, for who waits on it in another's place. */
void tdm_http_poke(struct tdm_http *http);

/** Moves bytes, and gives the oldest request that is whole, valid until it is answered or gone;
 *  TDM_E_AGAIN when there is none. */
enum tdm_err tdm_http_next(struct tdm_http *http, const struct tdm_http_request **request);

/** Answers a request. TDM_E_GONE when its client is no longer there. */
enum tdm_err tdm_http_answer(struct tdm_http *http, uint32_t id,
                             const struct tdm_http_response *response);

#endif
