/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_SIP_MESSAGE_H
#define TDM_SIGNALLING_SIP_MESSAGE_H

/*
 * One SIP message as the server sees it (RFC 3261 section 25): the start line, where each header
 * stands, and the few of them that every decision needs. Nothing is copied: spans borrow from the
 * bytes. What a header means beyond that is read where it is used, with the functions at the end.
 *
 * It is strict where two readers could disagree: Content-Length, CSeq against the method, single
 * headers that stand twice, control characters.
 */

#include "engine/base/address.h"
#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "signalling/text.h"

#define TDM_SIP_HEADERS_MAX 96

enum tdm_sip_method {
    TDM_SIP_OTHER,
    TDM_SIP_INVITE,
    TDM_SIP_ACK,
    TDM_SIP_BYE,
    TDM_SIP_CANCEL,
    TDM_SIP_REGISTER,
    TDM_SIP_OPTIONS,
    TDM_SIP_SUBSCRIBE,
    TDM_SIP_NOTIFY,
    TDM_SIP_PUBLISH,
    TDM_SIP_MESSAGE,
    TDM_SIP_REFER,
    TDM_SIP_INFO,
    TDM_SIP_UPDATE,
    TDM_SIP_PRACK,
};

enum tdm_sip_header_kind {
    TDM_SIP_H_OTHER,
    TDM_SIP_H_VIA,
    TDM_SIP_H_FROM,
    TDM_SIP_H_TO,
    TDM_SIP_H_CALL_ID,
    TDM_SIP_H_CSEQ,
    TDM_SIP_H_CONTACT,
    TDM_SIP_H_CONTENT_LENGTH,
    TDM_SIP_H_CONTENT_TYPE,
    TDM_SIP_H_MAX_FORWARDS,
    TDM_SIP_H_ROUTE,
    TDM_SIP_H_RECORD_ROUTE,
    TDM_SIP_H_EXPIRES,
    TDM_SIP_H_EVENT,
    TDM_SIP_H_ACCEPT,
    TDM_SIP_H_AUTHORIZATION,
    TDM_SIP_H_PROXY_AUTHORIZATION,
    TDM_SIP_H_REQUIRE,
    TDM_SIP_H_PROXY_REQUIRE,
    TDM_SIP_H_SUPPORTED,
    TDM_SIP_H_IF_MATCH,
    TDM_SIP_H_ETAG,
    TDM_SIP_H_REASON,
    TDM_SIP_H_RETRY_AFTER,
    TDM_SIP_H_USER_AGENT,
    TDM_SIP_H_COUNT,
};

struct tdm_sip_header {
    enum tdm_sip_header_kind kind;
    struct tdm_text value; /* Trimmed; may hold folded lines. */
    struct tdm_text line;  /* All of it, with its line end. */
};

/** sip:user:password@host:port;params?headers */
struct tdm_sip_address {
    bool sips, tel;
    struct tdm_text all, user, host; /* host without brackets. */
    uint16_t port;                   /* 0: not said. */
    struct tdm_text params;          /* From the first ';'. */
};

struct tdm_sip_via {
    struct tdm_text transport, host, branch;
    uint16_t port; /* 0: not said. */
    bool rport;
    struct tdm_text all; /* This one, without those behind a comma. */
};

struct tdm_sip_message {
    bool request;
    enum tdm_sip_method method; /* Of a response: what CSeq says. */
    struct tdm_text method_text, uri;
    uint16_t status;
    struct tdm_text reason;

    uint32_t header_count;
    struct tdm_sip_header headers[TDM_SIP_HEADERS_MAX];
    struct tdm_text body;

    struct tdm_sip_via via; /* The top one. */
    struct tdm_text from, to, from_tag, to_tag, call_id;
    struct tdm_sip_address from_address, to_address;
    uint32_t cseq;
    uint32_t max_forwards; /* 70 when it is not there. */
};

/** `data` is one whole message (a datagram, or what tdm_sip_frame_size cut). TDM_E_MALFORMED: with
 *  `fault` a few words; when `answerable`, enough was read for a 400. */
enum tdm_err tdm_sip_read(struct tdm_sip_message *m, const uint8_t *data, size_t size,
                          bool *answerable, const char **fault);

enum tdm_sip_method tdm_sip_method_of(struct tdm_text text);

/** The first header of a kind, or NULL. */
const struct tdm_sip_header *tdm_sip_find(const struct tdm_sip_message *m,
                                          enum tdm_sip_header_kind kind);
/** Its value; empty when there is none. */
struct tdm_text tdm_sip_value(const struct tdm_sip_message *m, enum tdm_sip_header_kind kind);
/** Whether a list of words, in all headers of that kind, has `word`. */
bool tdm_sip_lists(const struct tdm_sip_message *m, enum tdm_sip_header_kind kind,
                   const char *word);

/** Cuts the next item off a list; commas in quotes and in <> do not count. False at the end. */
bool tdm_sip_next_item(struct tdm_text *list, struct tdm_text *item);

/** What stands in <> or before the first ';', as a URI; *params (may be NULL) is what follows. */
bool tdm_sip_read_name_address(struct tdm_text item, struct tdm_text *uri, struct tdm_text *params);
bool tdm_sip_read_uri(struct tdm_text text, struct tdm_sip_address *address);

/** The value of ";name=value" without quotes; *value empty for ";name". False: it is not there. */
bool tdm_sip_param(struct tdm_text params, const char *name, struct tdm_text *value);

/** Both as RFC 3261 section 19.1.4 wants it for user, host and port; other parts aside. */
bool tdm_sip_same_place(const struct tdm_sip_address *a, const struct tdm_sip_address *b);

/** With the line ends and tabs of folding stripped off both ends. */
struct tdm_text tdm_sip_trim(struct tdm_text t);

/* Writing: into a writer of engine/base/bytes.h. */
void tdm_sip_put(struct tdm_writer *w, const char *text);
void tdm_sip_put_text(struct tdm_writer *w, struct tdm_text text);
void tdm_sip_put_number(struct tdm_writer *w, uint64_t number);
void tdm_sip_put_hex(struct tdm_writer *w, const uint8_t *bytes, size_t size);
/** "10.0.0.7:5060", "[::1]:5060" */
void tdm_sip_put_address(struct tdm_writer *w, const struct tdm_address *address);

#endif
