/* SPDX-License-Identifier: MIT */
#include "signalling/sip_message.h"

#include <stdio.h>

#define NUMBER_MAX 0x7fffffff

static const char *const methods[] = {
    [TDM_SIP_INVITE] = "INVITE",
    [TDM_SIP_ACK] = "ACK",
    [TDM_SIP_BYE] = "BYE",
    [TDM_SIP_CANCEL] = "CANCEL",
    [TDM_SIP_REGISTER] = "REGISTER",
    [TDM_SIP_OPTIONS] = "OPTIONS",
    [TDM_SIP_SUBSCRIBE] = "SUBSCRIBE",
    [TDM_SIP_NOTIFY] = "NOTIFY",
    [TDM_SIP_PUBLISH] = "PUBLISH",
    [TDM_SIP_MESSAGE] = "MESSAGE",
    [TDM_SIP_REFER] = "REFER",
    [TDM_SIP_INFO] = "INFO",
    [TDM_SIP_UPDATE] = "UPDATE",
    [TDM_SIP_PRACK] = "PRACK",
};

struct header_name {
    const char *name;
    char compact; /* 0: none. */
    bool single;
};

static const struct header_name names[TDM_SIP_H_COUNT] = {
    [TDM_SIP_H_OTHER] = {"", 0, false},
    [TDM_SIP_H_VIA] = {"Via", 'v', false},
    [TDM_SIP_H_FROM] = {"From", 'f', true},
    [TDM_SIP_H_TO] = {"To", 't', true},
    [TDM_SIP_H_CALL_ID] = {"Call-ID", 'i', true},
    [TDM_SIP_H_CSEQ] = {"CSeq", 0, true},
    [TDM_SIP_H_CONTACT] = {"Contact", 'm', false},
    [TDM_SIP_H_CONTENT_LENGTH] = {"Content-Length", 'l', true},
    [TDM_SIP_H_CONTENT_TYPE] = {"Content-Type", 'c', true},
    [TDM_SIP_H_MAX_FORWARDS] = {"Max-Forwards", 0, true},
    [TDM_SIP_H_ROUTE] = {"Route", 0, false},
    [TDM_SIP_H_RECORD_ROUTE] = {"Record-Route", 0, false},
    [TDM_SIP_H_EXPIRES] = {"Expires", 0, true},
    [TDM_SIP_H_EVENT] = {"Event", 'o', true},
    [TDM_SIP_H_ACCEPT] = {"Accept", 0, false},
    [TDM_SIP_H_AUTHORIZATION] = {"Authorization", 0, false},
    [TDM_SIP_H_PROXY_AUTHORIZATION] = {"Proxy-Authorization", 0, false},
    [TDM_SIP_H_REQUIRE] = {"Require", 0, false},
    [TDM_SIP_H_PROXY_REQUIRE] = {"Proxy-Require", 0, false},
    [TDM_SIP_H_SUPPORTED] = {"Supported", 'k', false},
    [TDM_SIP_H_IF_MATCH] = {"SIP-If-Match", 0, true},
    [TDM_SIP_H_ETAG] = {"SIP-ETag", 0, true},
    [TDM_SIP_H_REASON] = {"Reason", 0, false},
    [TDM_SIP_H_RETRY_AFTER] = {"Retry-After", 0, false},
    [TDM_SIP_H_USER_AGENT] = {"User-Agent", 0, false},
};

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_token(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-.!%*_+`'~", c));
}

static bool all_token(struct tdm_text t)
{
    bool good = t.at < t.end;

    for (const char *at = t.at; at < t.end; at++)
        good = good && is_token(*at);
    return good;
}

struct tdm_text tdm_sip_trim(struct tdm_text t)
{
    while (t.at < t.end && is_white(*t.at))
        t.at++;
    while (t.at < t.end && is_white(t.end[-1]))
        t.end--;
    return t;
}

enum tdm_sip_method tdm_sip_method_of(struct tdm_text text)
{
    for (size_t i = 1; i < sizeof methods / sizeof *methods; i++)
        if (tdm_text_size(text) == strlen(methods[i]) &&
            memcmp(text.at, methods[i], strlen(methods[i])) == 0)
            return (enum tdm_sip_method)i;
    return TDM_SIP_OTHER;
}

static enum tdm_sip_header_kind kind_of(struct tdm_text name)
{
    for (size_t i = 1; i < TDM_SIP_H_COUNT; i++)
        if (tdm_text_equals(name, names[i].name) || (names[i].compact && tdm_text_size(name) == 1 &&
                                                     tdm_text_lower(*name.at) == names[i].compact))
            return (enum tdm_sip_header_kind)i;
    if (tdm_text_size(name) == 1 && tdm_text_lower(*name.at) == 'u') /* Allow-Events, no 'Event'. */
        return TDM_SIP_H_OTHER;
    return TDM_SIP_H_OTHER;
}

/* One line without its end; *line has it. False at the end of the text. */
static bool next_line(struct tdm_text *rest, struct tdm_text *line, struct tdm_text *content)
{
    const char *stop =
        rest->at < rest->end ? memchr(rest->at, '\n', (size_t)(rest->end - rest->at)) : NULL;

    if (!stop)
        return false;
    *line = (struct tdm_text){rest->at, stop + 1};
    *content = (struct tdm_text){rest->at, stop};
    if (content->at < content->end && content->end[-1] == '\r')
        content->end--;
    rest->at = stop + 1;
    return true;
}

/* No control characters; a tab is one that may be. */
static bool is_clean(struct tdm_text t)
{
    for (const char *at = t.at; at < t.end; at++)
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f)
            return false;
    return true;
}

static bool read_start(struct tdm_sip_message *m, struct tdm_text line)
{
    struct tdm_text first = tdm_text_until(&line, ' ');
    uint64_t status;

    if (tdm_text_equals(first, "SIP/2.0")) {
        if (!tdm_text_number(&line, 699, &status) || status < 100)
            return false;
        m->status = (uint16_t)status;
        m->reason = tdm_text_trim(line);
        return true;
    }
    m->request = true;
    m->method_text = first;
    m->method = tdm_sip_method_of(first);
    m->uri = tdm_text_until(&line, ' ');
    return all_token(first) && m->uri.at < m->uri.end && tdm_text_equals(line, "SIP/2.0");
}

static bool add_header(struct tdm_sip_message *m, struct tdm_text line, struct tdm_text content)
{
    struct tdm_text value = content;
    struct tdm_text name = tdm_text_trim(tdm_text_until(&value, ':'));

    if (m->header_count == TDM_SIP_HEADERS_MAX || !all_token(name) || name.end == content.end)
        return false;
    m->headers[m->header_count++] =
        (struct tdm_sip_header){.kind = kind_of(name), .value = tdm_sip_trim(value), .line = line};
    return true;
}

static bool read_headers(struct tdm_sip_message *m, struct tdm_text *rest, const char **fault)
{
    struct tdm_text line, content;
    uint32_t seen = 0;

    while (next_line(rest, &line, &content)) {
        if (content.at == content.end)
            return true;
        *fault = "a header that cannot be read";
        if (!is_clean(content))
            return false;
        if (is_white(*content.at)) { /* Folded: it goes on with the header before. */
            if (!m->header_count)
                return false;
            struct tdm_sip_header *h = &m->headers[m->header_count - 1];

            h->line.end = line.end;
            h->value = tdm_sip_trim((struct tdm_text){h->value.at, content.end});
            continue;
        }
        if (!add_header(m, line, content))
            return false;
        enum tdm_sip_header_kind kind = m->headers[m->header_count - 1].kind;

        *fault = "a header that may stand once stands twice";
        if (names[kind].single && (seen & 1u << kind))
            return false;
        seen |= 1u << kind;
    }
    *fault = "no empty line behind the headers";
    return false;
}

const struct tdm_sip_header *tdm_sip_find(const struct tdm_sip_message *m,
                                          enum tdm_sip_header_kind kind)
{
    for (uint32_t i = 0; i < m->header_count; i++)
        if (m->headers[i].kind == kind)
            return &m->headers[i];
    return NULL;
}

struct tdm_text tdm_sip_value(const struct tdm_sip_message *m, enum tdm_sip_header_kind kind)
{
    const struct tdm_sip_header *h = tdm_sip_find(m, kind);

    return h ? h->value : (struct tdm_text){"", ""};
}

bool tdm_sip_lists(const struct tdm_sip_message *m, enum tdm_sip_header_kind kind, const char *word)
{
    for (uint32_t i = 0; i < m->header_count; i++) {
        struct tdm_text list = m->headers[i].value, item;

        while (m->headers[i].kind == kind && tdm_sip_next_item(&list, &item))
            if (tdm_text_equals(item, word))
                return true;
    }
    return false;
}

bool tdm_sip_next_item(struct tdm_text *list, struct tdm_text *item)
{
    bool quoted = false, angle = false;
    const char *at = list->at;

    if (list->at >= list->end)
        return false;
    for (; at < list->end; at++) {
        if (quoted && *at == '\\' && at + 1 < list->end)
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted && (*at == '<' || *at == '>'))
            angle = *at == '<';
        else if (*at == ',' && !quoted && !angle)
            break;
    }
    *item = tdm_sip_trim((struct tdm_text){list->at, at});
    list->at = at < list->end ? at + 1 : at;
    return true;
}

bool tdm_sip_read_name_address(struct tdm_text item, struct tdm_text *uri, struct tdm_text *params)
{
    bool quoted = false;
    const char *at = item.at;

    for (; at < item.end && (quoted || *at != '<'); at++) {
        if (quoted && *at == '\\' && at + 1 < item.end)
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted && *at == ';')
            break;
    }
    if (quoted)
        return false;
    if (at < item.end && *at == '<') {
        struct tdm_text rest = {at + 1, item.end};

        if (!memchr(rest.at, '>', tdm_text_size(rest)))
            return false;
        *uri = tdm_sip_trim(tdm_text_until(&rest, '>'));
        if (params)
            *params = tdm_sip_trim(rest);
    } else {
        *uri = tdm_sip_trim((struct tdm_text){item.at, at});
        if (params)
            *params = (struct tdm_text){at, item.end};
    }
    return uri->at < uri->end;
}

static bool read_port(struct tdm_text *t, uint16_t *port)
{
    uint64_t number;

    *port = 0;
    if (t->at == t->end || *t->at != ':')
        return true;
    t->at++;
    if (!tdm_text_number(t, 65535, &number) || !number)
        return false;
    *port = (uint16_t)number;
    return true;
}

/* "host:port", with brackets around an IPv6 address; stops at what follows. */
static bool read_host_port(struct tdm_text *t, struct tdm_text *host, uint16_t *port)
{
    if (t->at < t->end && *t->at == '[') {
        struct tdm_text inside = {t->at + 1, t->end};

        if (!memchr(inside.at, ']', tdm_text_size(inside)))
            return false;
        *host = tdm_text_until(&inside, ']');
        t->at = inside.at;
        for (const char *at = host->at; at < host->end; at++)
            if (!strchr("0123456789abcdefABCDEF:.", *at))
                return false;
    } else {
        host->at = t->at;
        while (t->at < t->end && (is_token(*t->at)))
            t->at++;
        host->end = t->at;
    }
    return host->at < host->end && read_port(t, port);
}

bool tdm_sip_read_uri(struct tdm_text text, struct tdm_sip_address *a)
{
    struct tdm_text rest = text;
    struct tdm_text scheme = tdm_text_until(&rest, ':');

    *a = (struct tdm_sip_address){.all = text,
                                  .user = {text.end, text.end},
                                  .host = {text.end, text.end},
                                  .params = {text.end, text.end}};
    for (const char *at = text.at; at < text.end; at++)
        if ((unsigned char)*at <= ' ' || *at == '<' || *at == '>' || *at == '"' || *at == 0x7f)
            return false;
    a->sips = tdm_text_equals(scheme, "sips");
    a->tel = tdm_text_equals(scheme, "tel");
    if (a->tel) {
        a->user = tdm_text_until(&rest, ';');
        return a->user.at < a->user.end;
    }
    if (!a->sips && !tdm_text_equals(scheme, "sip"))
        return false;
    const char *at = rest.at < rest.end ? memchr(rest.at, '@', tdm_text_size(rest)) : NULL;

    if (at) {
        struct tdm_text user = {rest.at, at};

        a->user = tdm_text_until(&user, ':');
        rest.at = at + 1;
        if (a->user.at == a->user.end)
            return false;
    }
    if (!read_host_port(&rest, &a->host, &a->port))
        return false;
    a->params = tdm_text_until(&rest, '?');
    return a->params.at == a->params.end || *a->params.at == ';';
}

bool tdm_sip_param(struct tdm_text params, const char *name, struct tdm_text *value)
{
    bool quoted = false;

    while (params.at < params.end && *params.at != ';')
        params.at++;
    while (params.at < params.end) {
        struct tdm_text one = {params.at + 1, params.at + 1};

        for (; one.end < params.end && (quoted || *one.end != ';'); one.end++)
            if (*one.end == '"')
                quoted = !quoted;
            else if (quoted && *one.end == '\\' && one.end + 1 < params.end)
                one.end++;
        params.at = one.end;
        struct tdm_text key = tdm_sip_trim(tdm_text_until(&one, '='));

        if (!tdm_text_equals(key, name))
            continue;
        *value = tdm_sip_trim(one);
        if (tdm_text_size(*value) >= 2 && *value->at == '"' && value->end[-1] == '"') {
            value->at++;
            value->end--;
        }
        return true;
    }
    return false;
}

static struct tdm_text lower_host(struct tdm_text host)
{
    while (host.at < host.end && host.end[-1] == '.') /* A root dot says nothing. */
        host.end--;
    return host;
}

static bool same(struct tdm_text a, struct tdm_text b, bool fold)
{
    if (tdm_text_size(a) != tdm_text_size(b))
        return false;
    for (size_t i = 0; i < tdm_text_size(a); i++)
        if (fold ? tdm_text_lower(a.at[i]) != tdm_text_lower(b.at[i]) : a.at[i] != b.at[i])
            return false;
    return true;
}

bool tdm_sip_same_place(const struct tdm_sip_address *a, const struct tdm_sip_address *b)
{
    return a->sips == b->sips && a->tel == b->tel && a->port == b->port &&
           same(a->user, b->user, false) && same(lower_host(a->host), lower_host(b->host), true);
}

static bool read_via(struct tdm_text value, struct tdm_sip_via *via)
{
    struct tdm_text item, port;
    uint64_t number;

    if (!tdm_sip_next_item(&value, &item))
        return false;
    via->all = item;
    struct tdm_text rest = item;
    struct tdm_text protocol = tdm_sip_trim(tdm_text_until(&rest, '/'));
    struct tdm_text version = tdm_sip_trim(tdm_text_until(&rest, '/'));

    rest = tdm_sip_trim(rest);
    via->transport.at = rest.at;
    while (rest.at < rest.end && is_token(*rest.at))
        rest.at++;
    via->transport.end = rest.at;
    if (!tdm_text_equals(protocol, "SIP") || !tdm_text_equals(version, "2.0") ||
        via->transport.at == via->transport.end || rest.at == rest.end || !is_white(*rest.at))
        return false;
    rest = tdm_sip_trim(rest);
    if (!read_host_port(&rest, &via->host, &via->port))
        return false;
    rest = tdm_sip_trim(rest);
    if (rest.at < rest.end && *rest.at != ';')
        return false;
    if (!tdm_sip_param(rest, "branch", &via->branch))
        via->branch = (struct tdm_text){rest.end, rest.end};
    via->rport = tdm_sip_param(rest, "rport", &port);
    (void)number;
    return true;
}

static bool read_party(const struct tdm_sip_message *m, enum tdm_sip_header_kind kind,
                       struct tdm_text *value, struct tdm_text *tag, struct tdm_sip_address *a)
{
    struct tdm_text uri, params;

    *value = tdm_sip_value(m, kind);
    if (!tdm_sip_read_name_address(*value, &uri, &params))
        return false;
    if (!tdm_sip_param(params, "tag", tag))
        *tag = (struct tdm_text){params.end, params.end};
    if (!tdm_sip_read_uri(uri, a)) /* Another scheme is somebody else's; it must only be one. */
        return memchr(uri.at, ':', tdm_text_size(uri)) != NULL &&
               !tdm_text_equals(
                   (struct tdm_text){uri.at, uri.at + 4 < uri.end ? uri.at + 4 : uri.end}, "sip:");
    return true;
}

static bool read_cseq(struct tdm_sip_message *m)
{
    struct tdm_text value = tdm_sip_value(m, TDM_SIP_H_CSEQ);
    uint64_t number;

    if (!tdm_text_number(&value, NUMBER_MAX, &number) || value.at == value.end ||
        !is_white(*value.at))
        return false;
    value = tdm_sip_trim(value);
    m->cseq = (uint32_t)number;
    if (m->request)
        return tdm_text_size(value) == tdm_text_size(m->method_text) &&
               memcmp(value.at, m->method_text.at, tdm_text_size(value)) == 0;
    m->method = tdm_sip_method_of(value);
    m->method_text = value;
    return all_token(value);
}

static bool read_body(struct tdm_sip_message *m, struct tdm_text rest)
{
    struct tdm_text value = tdm_sip_value(m, TDM_SIP_H_CONTENT_LENGTH);
    uint64_t length;

    m->body = rest;
    if (value.at == value.end)
        return true;
    if (!tdm_text_number(&value, NUMBER_MAX, &length) || value.at != value.end ||
        length > tdm_text_size(rest))
        return false;
    m->body.end = rest.at + length; /* More in a datagram is thrown away (section 18.3). */
    return true;
}

static bool read_max_forwards(struct tdm_sip_message *m)
{
    struct tdm_text value = tdm_sip_value(m, TDM_SIP_H_MAX_FORWARDS);
    uint64_t number;

    m->max_forwards = 70;
    if (value.at == value.end)
        return true;
    if (!tdm_text_number(&value, 255, &number) || value.at != value.end)
        return false;
    m->max_forwards = (uint32_t)number;
    return true;
}

enum tdm_err tdm_sip_read(struct tdm_sip_message *m, const uint8_t *data, size_t size,
                          bool *answerable, const char **fault)
{
    static const struct tdm_sip_message none;
    struct tdm_text rest = tdm_text_of((const char *)data, size), line, content;

    memcpy(m, &none, offsetof(struct tdm_sip_message, headers));
    memcpy(&m->body, &none.body, sizeof *m - offsetof(struct tdm_sip_message, body));
    *answerable = false;
    *fault = "no start line of SIP/2.0";
    if (!next_line(&rest, &line, &content) || !is_clean(content) || !read_start(m, content))
        return TDM_E_MALFORMED;
    bool headers = read_headers(m, &rest, fault);
    bool via = read_via(tdm_sip_value(m, TDM_SIP_H_VIA), &m->via);

    m->call_id = tdm_sip_value(m, TDM_SIP_H_CALL_ID);
    bool from = read_party(m, TDM_SIP_H_FROM, &m->from, &m->from_tag, &m->from_address);
    bool to = read_party(m, TDM_SIP_H_TO, &m->to, &m->to_tag, &m->to_address);
    bool cseq = read_cseq(m);

    *answerable = m->request && m->method != TDM_SIP_ACK && via && m->from.at < m->from.end &&
                  m->to.at < m->to.end && m->call_id.at < m->call_id.end &&
                  tdm_sip_find(m, TDM_SIP_H_CSEQ);
    if (!headers)
        return TDM_E_MALFORMED;
    const struct {
        bool good;
        const char *fault;
    } checks[] = {
        {via, "no Via that can be read"},
        {from && m->from_tag.at < m->from_tag.end, "no From with a tag"},
        {to, "no To that can be read"},
        {m->call_id.at < m->call_id.end, "no Call-ID"},
        {cseq, "no CSeq that fits the method"},
        {read_max_forwards(m), "no Max-Forwards that can be read"},
        {read_body(m, rest), "Content-Length is no number, or more than there is"},
    };

    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        *fault = checks[i].fault;
        if (!checks[i].good)
            return TDM_E_MALFORMED;
    }
    *fault = NULL;
    return TDM_OK;
}

/* --- Writing ---------------------------------------------------------------------------------- */

void tdm_sip_put(struct tdm_writer *w, const char *text)
{
    tdm_write_bytes(w, text, strlen(text));
}

void tdm_sip_put_text(struct tdm_writer *w, struct tdm_text text)
{
    tdm_write_bytes(w, text.at, tdm_text_size(text));
}

void tdm_sip_put_number(struct tdm_writer *w, uint64_t number)
{
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);

    tdm_write_bytes(w, digits, (size_t)size);
}

void tdm_sip_put_hex(struct tdm_writer *w, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        tdm_write_u8(w, (uint8_t)digits[bytes[i] >> 4]);
        tdm_write_u8(w, (uint8_t)digits[bytes[i] & 15]);
    }
}

void tdm_sip_put_address(struct tdm_writer *w, const struct tdm_address *address)
{
    char text[TDM_ADDRESS_TEXT_MAX];

    tdm_address_text(address, text);
    tdm_sip_put(w, text);
}
