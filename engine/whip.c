/* SPDX-License-Identifier: MIT */
#include "engine/whip.h"

#include "engine/call_page.h"
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/http.h"
#include "engine/sdp_fragment.h"
#include "signalling/sdp.h"
#include "signalling/sig_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS_MAX     8
#define NAME_SIZE     33 /* 128 bits in hex. */
#define TOKEN_MAX     200
#define POSTS_MAX     8              /* At once; */
#define POST_EVERY    (500 * TDM_MS) /* then one in that time. */
#define SDP_TYPE      "application/sdp"
#define FRAGMENT_TYPE "application/trickle-ice-sdpfrag"

enum session_state { FREE, ASKED, UP };

/* A call: the resource that Location names. */
struct session {
    enum session_state state;
    tdm_sig_id id;
    uint32_t request; /* ASKED: what accept answers. */
    bool watches;     /* WHEP */
    char name[NAME_SIZE];
    char tag[NAME_SIZE]; /* Of its ICE session (RFC 9725 section 4.3). */
    uint32_t restart;    /* A request that waits for the answer to a restart of ICE; 0: none. */
    size_t offer_size;
    char offer[TDM_SIG_BODY_MAX]; /* As it stands: what a restart changes. */
};

struct tdm_sig {
    struct tdm_http *http;
    struct tdm_sig_queue events;
    tdm_sig_id last_id;
    uint32_t calls_max;
    char token[TOKEN_MAX];
    tdm_time posts_due; /* When all posts so far are worked off, at one in POST_EVERY. */
    struct session sessions[CALLS_MAX];
};

static void new_name(char name[NAME_SIZE])
{
    (void)snprintf(name, NAME_SIZE, "%016llx%016llx", (unsigned long long)tdm_entropy_u64(),
                   (unsigned long long)tdm_entropy_u64());
}

static struct session *session_of(struct tdm_sig *sig, tdm_sig_id id)
{
    for (int i = 0; i < CALLS_MAX; i++)
        if (sig->sessions[i].state != FREE && sig->sessions[i].id == id)
            return &sig->sessions[i];
    return NULL;
}

static void tell(struct tdm_sig *sig, enum tdm_sig_kind kind, tdm_sig_id id, uint16_t code,
                 const char *reason)
{
    struct tdm_sig_event event = {.kind = kind, .id = id, .code = code};

    (void)snprintf(event.reason, sizeof event.reason, "%s", reason);
    (void)tdm_sig_queue_push(&sig->events, &event);
    tdm_http_poke(sig->http);
}

static void end(struct tdm_sig *sig, struct session *session, const char *reason)
{
    if (session->restart)
        (void)tdm_http_answer(sig->http, session->restart,
                              &(struct tdm_http_response){.status = 404});
    session->restart = 0;
    session->state = FREE;
    tell(sig, TDM_SIG_ENDED, session->id, 0, reason);
}

/* In a time that does not tell where they differ. */
static bool same_secret(const char *said, const char *secret)
{
    size_t size = strlen(secret);
    unsigned differ = strlen(said) != size;

    if (differ)
        return false;
    for (size_t i = 0; i < size; i++)
        differ |= (unsigned)(said[i] ^ secret[i]);
    return !differ;
}

static bool is_numeric(const char *host)
{
    return strspn(host, "0123456789.") == strlen(host) || host[0] == '[';
}

/* Without a token: the request is of a page from here, or of no page. A name that is not ours by
 * nature may have been pointed here by its owner, to pass for a page from here. */
static bool is_from_here(const struct tdm_http_request *r)
{
    char host[TDM_HTTP_TEXT_MAX];
    const char *origin = strstr(r->origin, "://");
    const char *port = strrchr(r->host, ':');
    size_t size = port && !strchr(port, ']') ? (size_t)(port - r->host) : strlen(r->host);

    memcpy(host, r->host, size);
    host[size] = 0;
    if (!is_numeric(host) && strcmp(host, "localhost") != 0)
        return false;
    return !r->origin[0] || (origin && strcmp(origin + 3, r->host) == 0);
}

static bool has_token(const struct tdm_sig *sig, const struct tdm_http_request *r)
{
    static const char scheme[] = "Bearer ";

    return strncmp(r->authorization, scheme, sizeof scheme - 1) == 0 &&
           same_secret(r->authorization + sizeof scheme - 1, sig->token);
}

static void add_header(struct tdm_http_response *response, const char *name, const char *value)
{
    response->headers[response->header_count++] = (struct tdm_http_header){name, value};
}

/* What every answer has: who may read it. */
static enum tdm_err answer(struct tdm_sig *sig, uint32_t request,
                           struct tdm_http_response *response)
{
    if (sig->token[0]) {
        add_header(response, "Access-Control-Allow-Origin", "*");
        add_header(response, "Access-Control-Expose-Headers", "Location, ETag");
    }
    add_header(response, "X-Content-Type-Options", "nosniff");
    return tdm_http_answer(sig->http, request, response);
}

static void refuse_with(struct tdm_sig *sig, const struct tdm_http_request *r, uint16_t status,
                        const char *header, const char *value, const char *why)
{
    struct tdm_http_response response = {
        .status = status, .content_type = "text/plain", .body = why, .body_size = strlen(why)};

    if (header)
        add_header(&response, header, value);
    (void)answer(sig, r->id, &response);
}

static void refuse(struct tdm_sig *sig, const struct tdm_http_request *r, uint16_t status,
                   const char *why)
{
    refuse_with(sig, r, status, NULL, NULL, why);
}

/* Whether this one may do something; the refusal is sent otherwise. */
static bool allowed(struct tdm_sig *sig, const struct tdm_http_request *r)
{
    if (sig->token[0] && !has_token(sig, r)) {
        refuse_with(sig, r, 401, "WWW-Authenticate", "Bearer",
                    "a token is needed: Authorization: Bearer TOKEN, as this side was started "
                    "with\n");
        return false;
    }
    if (!sig->token[0] && !is_from_here(r)) {
        refuse(sig, r, 403,
               "pages from elsewhere may not call here: open this server's own page, by its "
               "number or as localhost, or start it with a token\n");
        return false;
    }
    return true;
}

static struct session *free_session(struct tdm_sig *sig)
{
    uint32_t used = 0;
    struct session *found = NULL;

    for (int i = 0; i < CALLS_MAX; i++) {
        used += sig->sessions[i].state != FREE;
        if (!found && sig->sessions[i].state == FREE)
            found = &sig->sessions[i];
    }
    return used < sig->calls_max ? found : NULL;
}

static bool too_many_posts(struct tdm_sig *sig)
{
    tdm_time now = tdm_clock_now();

    if (sig->posts_due > now + POSTS_MAX * POST_EVERY)
        return true;
    sig->posts_due = tdm_time_max(sig->posts_due, now) + POST_EVERY;
    return false;
}

/* Whether the body is an offer that a call could be made of. WHEP only watches. */
static bool is_offer(struct tdm_sig *sig, const struct tdm_http_request *r, bool watches)
{
    struct tdm_media_desc desc;
    struct tdm_cause cause = {""};
    char why[300];

    if (tdm_sdp_parse((const char *)r->body, r->body_size, &desc, &cause) != TDM_OK) {
        (void)snprintf(why, sizeof why, "the offer cannot be read: %s\n", cause.text);
        refuse(sig, r, 400, why);
        return false;
    }
    for (uint8_t i = 0; watches && i < desc.media_count; i++)
        if (!desc.media[i].other && desc.media[i].direction & TDM_SENDONLY) {
            refuse(sig, r, 422, "WHEP only watches: offer recvonly, or use /whip\n");
            return false;
        }
    return true;
}

static void ring(struct tdm_sig *sig, const struct tdm_http_request *r, struct session *session)
{
    struct tdm_sig_event event = {.kind = TDM_SIG_CALL_IN, .body_size = (uint32_t)r->body_size};

    session->state = ASKED;
    session->request = r->id;
    session->id = event.id = ++sig->last_id;
    new_name(session->name);
    new_name(session->tag);
    (void)snprintf(event.from, sizeof event.from, "http:%s", r->peer);
    (void)snprintf(event.from_name, sizeof event.from_name, "%s",
                   session->watches ? "browser (watches)" : "browser");
    (void)snprintf(event.peer_address, sizeof event.peer_address, "%s", r->peer);
    (void)snprintf(event.content_type, sizeof event.content_type, "%s", SDP_TYPE);
    memcpy(event.body, r->body, r->body_size);
    memcpy(session->offer, r->body, r->body_size);
    session->offer_size = r->body_size;
    session->restart = 0;
    if (tdm_sig_queue_push(&sig->events, &event) == TDM_OK)
        return;
    session->state = FREE;
    refuse_with(sig, r, 503, "Retry-After", "5", "too much waits here: try again later\n");
}

static void post(struct tdm_sig *sig, const struct tdm_http_request *r, bool watches)
{
    struct session *session;

    if (!allowed(sig, r))
        return;
    if (strcmp(r->content_type, SDP_TYPE) != 0)
        refuse_with(sig, r, 415, "Accept-Post", SDP_TYPE, "an offer is application/sdp\n");
    else if (r->body_too_long)
        refuse(sig, r, 413, "that is too long for an offer\n");
    else if (too_many_posts(sig))
        refuse_with(sig, r, 429, "Retry-After", "1", "too many calls in a short time\n");
    else if (!(session = free_session(sig)))
        refuse_with(sig, r, 503, "Retry-After", "5", "busy: all lines are taken\n");
    else if (is_offer(sig, r, watches)) {
        session->watches = watches;
        ring(sig, r, session);
    }
}

/* RFC 9725 section 4.3.3: as if the browser had offered anew. The answer to that goes back. */
static void restart(struct tdm_sig *sig, const struct tdm_http_request *r, struct session *session)
{
    struct tdm_sig_event event = {.kind = TDM_SIG_OFFER, .id = session->id};
    size_t size;

    if (session->restart) {
        refuse_with(sig, r, 503, "Retry-After", "1", "another restart is on its way\n");
    } else if (tdm_sdp_fragment_apply(session->offer, session->offer_size, (const char *)r->body,
                                      r->body_size, (char *)event.body, sizeof event.body,
                                      &size) != TDM_OK) {
        refuse(sig, r, 400, "a restart says a=ice-ufrag, a=ice-pwd and candidates\n");
    } else {
        event.body_size = (uint32_t)size;
        (void)snprintf(event.content_type, sizeof event.content_type, "%s", SDP_TYPE);
        memcpy(session->offer, event.body, size);
        session->offer_size = size;
        session->restart = r->id;
        if (tdm_sig_queue_push(&sig->events, &event) == TDM_OK)
            return;
        session->restart = 0;
        refuse_with(sig, r, 503, "Retry-After", "1", "too much waits here: try again later\n");
    }
}

/* RFC 9725 section 4.3.1: candidates that come later, or with "*" a restart. */
static void patch(struct tdm_sig *sig, const struct tdm_http_request *r, struct session *session)
{
    char tag[NAME_SIZE + 2];
    struct tdm_sig_event event = {
        .kind = TDM_SIG_CANDIDATES, .id = session->id, .body_size = (uint32_t)r->body_size};

    (void)snprintf(tag, sizeof tag, "\"%s\"", session->tag);
    if (strcmp(r->content_type, FRAGMENT_TYPE) != 0) {
        refuse_with(sig, r, 415, "Accept-Patch", FRAGMENT_TYPE,
                    "candidates are " FRAGMENT_TYPE "\n");
    } else if (r->body_too_long) {
        refuse(sig, r, 413, "that is too long for candidates\n");
    } else if (strcmp(r->if_match, "*") == 0) {
        restart(sig, r, session);
    } else if (!r->if_match[0]) {
        refuse(sig, r, 428, "say of which ICE session: If-Match with the ETag of the answer\n");
    } else if (strcmp(r->if_match, tag) != 0) {
        refuse(sig, r, 412, "candidates of another ICE session\n");
    } else {
        (void)snprintf(event.content_type, sizeof event.content_type, "%s", FRAGMENT_TYPE);
        memcpy(event.body, r->body, r->body_size);
        /* Lost when the queue is full: candidates also show themselves by their checks. */
        (void)tdm_sig_queue_push(&sig->events, &event);
        (void)answer(sig, r->id, &(struct tdm_http_response){.status = 204});
    }
}

static void options(struct tdm_sig *sig, const struct tdm_http_request *r)
{
    struct tdm_http_response response = {.status = 204};

    add_header(&response, "Accept-Post", SDP_TYPE);
    if (sig->token[0]) {
        add_header(&response, "Access-Control-Allow-Methods", "POST, PATCH, DELETE, OPTIONS");
        add_header(&response, "Access-Control-Allow-Headers",
                   "Authorization, Content-Type, If-Match");
        add_header(&response, "Access-Control-Max-Age", "3600");
    }
    (void)answer(sig, r->id, &response);
}

static void get_page(struct tdm_sig *sig, const struct tdm_http_request *r)
{
    struct tdm_http_response response = {
        .status = 200,
        .content_type = "text/html; charset=utf-8",
        .body = tdm_call_page,
        .body_size = tdm_call_page_size,
        .body_static = true,
    };

    add_header(&response, "Content-Security-Policy",
               "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
               "frame-ancestors 'none'");
    add_header(&response, "Cache-Control", "no-cache");
    (void)answer(sig, r->id, &response);
}

/* The session that a path like /whip/NAME names; NULL: none, any more. */
static struct session *named(struct tdm_sig *sig, const char *path)
{
    bool watches = strncmp(path, "/whep/", 6) == 0;

    if (!watches && strncmp(path, "/whip/", 6) != 0)
        return NULL;
    for (int i = 0; i < CALLS_MAX; i++)
        if (sig->sessions[i].state == UP && sig->sessions[i].watches == watches &&
            same_secret(path + 6, sig->sessions[i].name))
            return &sig->sessions[i];
    return NULL;
}

static void take_for_session(struct tdm_sig *sig, const struct tdm_http_request *r)
{
    struct session *session = named(sig, r->path);

    if (!allowed(sig, r))
        return;
    if (!session) {
        refuse(sig, r, 404, "there is no such call, or it has ended\n");
    } else if (r->method == TDM_HTTP_PATCH) {
        patch(sig, r, session);
    } else if (r->method == TDM_HTTP_DELETE) {
        end(sig, session, "the other side hung up");
        (void)answer(sig, r->id, &(struct tdm_http_response){.status = 200});
    } else {
        refuse_with(sig, r, 405, "Allow", "PATCH, DELETE, OPTIONS", "not on a call\n");
    }
}

static void take(struct tdm_sig *sig, const struct tdm_http_request *r)
{
    bool whip = strcmp(r->path, "/whip") == 0;
    bool whep = strcmp(r->path, "/whep") == 0;
    bool page = strcmp(r->path, "/") == 0;

    if (r->head_too_long)
        refuse(sig, r, 431, "the request's head is too long\n");
    else if (r->method == TDM_HTTP_OPTIONS)
        options(sig, r);
    else if (page && (r->method == TDM_HTTP_GET || r->method == TDM_HTTP_HEAD))
        get_page(sig, r);
    else if (page)
        refuse_with(sig, r, 405, "Allow", "GET, HEAD, OPTIONS", "the page can only be read\n");
    else if ((whip || whep) && r->method == TDM_HTTP_POST)
        post(sig, r, whep);
    else if (whip || whep)
        refuse_with(sig, r, 405, "Allow", "POST, OPTIONS", "POST an offer here\n");
    else
        take_for_session(sig, r);
}

static enum tdm_err next(struct tdm_sig *sig, struct tdm_sig_event *event)
{
    const struct tdm_http_request *r;

    while (tdm_sig_queue_pop(&sig->events, event) != TDM_OK) {
        if (tdm_http_next(sig->http, &r) != TDM_OK)
            return TDM_E_AGAIN;
        take(sig, r);
    }
    return TDM_OK;
}

static enum tdm_err start(struct tdm_sig **out, const struct tdm_sig_config *config,
                          struct tdm_cause *cause)
{
    struct tdm_sig *sig = calloc(1, sizeof *sig);
    struct tdm_http_config http = {
        .address = config->bind_address,
        .port = config->port,
        .certificate = config->certificate,
        .key = config->key,
    };

    if (!sig)
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory for the HTTP server");
    sig->calls_max =
        config->calls_max && config->calls_max < CALLS_MAX ? config->calls_max : CALLS_MAX;
    if (config->token && strlen(config->token) >= sizeof sig->token) {
        free(sig);
        return tdm_fail(cause, TDM_E_MALFORMED, "a token has at most %d characters", TOKEN_MAX - 1);
    }
    (void)snprintf(sig->token, sizeof sig->token, "%s", config->token ? config->token : "");
    (void)tdm_sig_queue_init(&sig->events, false, NULL);
    enum tdm_err err = tdm_http_open(&sig->http, &http, cause);

    if (err != TDM_OK && config->port_may_change) {
        http.port = 0;
        err = tdm_http_open(&sig->http, &http, cause);
    }
    if (err == TDM_OK) {
        *out = sig;
        return TDM_OK;
    }
    tdm_sig_queue_destroy(&sig->events);
    free(sig);
    return err;
}

/* A browser learns it by the end of its media; who still waits for an answer is told. */
static void stop(struct tdm_sig *sig)
{
    tdm_http_close(sig->http);
    tdm_sig_queue_destroy(&sig->events);
    free(sig);
}

static uint16_t port(const struct tdm_sig *sig)
{
    return tdm_http_port(sig->http);
}

static int fd(const struct tdm_sig *sig)
{
    return tdm_http_fd(sig->http);
}

static enum tdm_err no_call(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                            const struct tdm_sig_body *offer, tdm_sig_id *id,
                            struct tdm_cause *cause)
{
    (void)sig, (void)account, (void)uri, (void)offer, (void)id;
    return tdm_fail(cause, TDM_E_UNSUPPORTED, "a browser cannot be called: it must call");
}

static enum tdm_err no_ring(struct tdm_sig *sig, tdm_sig_id id)
{
    (void)sig, (void)id;
    return TDM_OK; /* The browser waits. */
}

static enum tdm_err no_progress(struct tdm_sig *sig, tdm_sig_id id, const struct tdm_sig_body *body)
{
    (void)sig, (void)id, (void)body;
    return TDM_OK;
}

static enum tdm_err accept_call(struct tdm_sig *sig, tdm_sig_id id, const struct tdm_sig_body *body)
{
    struct session *session = session_of(sig, id);
    char location[NAME_SIZE + 8], tag[NAME_SIZE + 2];

    if (!session || session->state != ASKED)
        return TDM_OK;
    if (body->size > TDM_SIG_BODY_MAX)
        return TDM_E_UNSUPPORTED;
    struct tdm_http_response response = {
        .status = 201, .content_type = SDP_TYPE, .body = body->data, .body_size = body->size};

    (void)snprintf(location, sizeof location, "/%s/%s", session->watches ? "whep" : "whip",
                   session->name);
    (void)snprintf(tag, sizeof tag, "\"%s\"", session->tag);
    add_header(&response, "Location", location);
    add_header(&response, "ETag", tag);
    add_header(&response, "Accept-Patch", FRAGMENT_TYPE);
    session->state = UP;
    if (answer(sig, session->request, &response) == TDM_OK)
        tell(sig, TDM_SIG_CONFIRMED, id, 0, "");
    else
        end(sig, session, "the browser left before it was answered");
    return TDM_OK;
}

/* The HTTP status for a refusal that is a SIP code. */
static uint16_t status_of(uint16_t code)
{
    switch (code) {
    case 488:
    case 606:
        return 422;
    case 403:
    case 603:
        return 403;
    default:
        return 503;
    }
}

static enum tdm_err give_up(struct tdm_sig *sig, tdm_sig_id id, uint16_t code, const char *why,
                            const char *reason)
{
    struct session *session = session_of(sig, id);
    struct tdm_http_request asked = {0};

    if (!session)
        return TDM_OK;
    asked.id = session->request;
    if (session->state == ASKED)
        refuse(sig, &asked, status_of(code), why);
    end(sig, session, reason);
    return TDM_OK;
}

static enum tdm_err reject(struct tdm_sig *sig, tdm_sig_id id, uint16_t code)
{
    const char *why = "nobody takes the call\n";

    if (code == 488)
        why = "nothing in the offer can be agreed on: codecs, or a fingerprint and ICE are "
              "missing\n";
    else if (code == 486)
        why = "busy\n";
    else if (code == 603)
        why = "the call was declined\n";
    return give_up(sig, id, code, why, "refused");
}

static enum tdm_err hangup(struct tdm_sig *sig, tdm_sig_id id, const char *reason)
{
    return give_up(sig, id, 480, "the call was not taken\n", reason ? reason : "hung up");
}

static enum tdm_err offer(struct tdm_sig *sig, tdm_sig_id id, const struct tdm_sig_body *body)
{
    (void)body;
    tell(sig, TDM_SIG_OFFER_REFUSED, id, 488, "a browser's call cannot be changed from here");
    return TDM_OK;
}

static enum tdm_err answer_offer(struct tdm_sig *sig, tdm_sig_id id,
                                 const struct tdm_sig_body *body, uint16_t code)
{
    struct session *session = session_of(sig, id);
    struct tdm_http_response response = {.status = 200, .content_type = FRAGMENT_TYPE};
    char fragment[TDM_SIG_BODY_MAX], tag[NAME_SIZE + 2];
    uint32_t request = session ? session->restart : 0;

    (void)code;
    if (!request)
        return TDM_OK;
    session->restart = 0;
    response.body = fragment;
    if (!body || tdm_sdp_fragment_of(body->data, body->size, fragment, sizeof fragment,
                                     &response.body_size) != TDM_OK) {
        response = (struct tdm_http_response){.status = 422};
    } else {
        new_name(session->tag);
        (void)snprintf(tag, sizeof tag, "\"%s\"", session->tag);
        add_header(&response, "ETag", tag);
    }
    (void)answer(sig, request, &response);
    return TDM_OK;
}

static enum tdm_err no_options(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                               const struct tdm_sig_body *body, tdm_sig_id *id,
                               struct tdm_cause *cause)
{
    (void)sig, (void)account, (void)uri, (void)body, (void)id;
    return tdm_fail(cause, TDM_E_UNSUPPORTED, "a browser cannot be asked");
}

static enum tdm_err no_dtmf(struct tdm_sig *sig, tdm_sig_id id, char digit, uint16_t duration_ms)
{
    (void)sig, (void)id, (void)digit, (void)duration_ms;
    return TDM_E_UNSUPPORTED;
}

const struct tdm_sig_ops tdm_sig_whip = {
    .name = "whip",
    .open = start,
    .close = stop,
    .port = port,
    .fd = fd,
    .next = next,
    .call = no_call,
    .ring = no_ring,
    .progress = no_progress,
    .accept = accept_call,
    .reject = reject,
    .offer = offer,
    .answer = answer_offer,
    .hangup = hangup,
    .options = no_options,
    .dtmf_info = no_dtmf,
};
