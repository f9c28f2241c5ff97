/* SPDX-License-Identifier: MIT */
#include "signalling/composing.h"

#include "signalling/text.h"
#include "signalling/xml_guard.h"

#include <stdio.h>
#include <string.h>

#define NAMESPACE    "urn:ietf:params:xml:ns:im-iscomposing"
#define IDLE_DEFAULT (120 * TDM_S) /* Of theirs, when they say none: section 3.3. */
#define REFRESH_MAX  3600
#define BODY_MAX     4096

enum tdm_err tdm_composing_write(const struct tdm_composing *c, char *xml, size_t capacity,
                                 size_t *size)
{
    char refresh[48] = "";
    int written;

    if (c->active && c->refresh_s)
        (void)snprintf(refresh, sizeof refresh, "<refresh>%u</refresh>", c->refresh_s);
    written = snprintf(xml, capacity,
                       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                       "<isComposing xmlns=\"" NAMESPACE "\"><state>%s</state>"
                       "<contenttype>text/plain</contenttype>%s</isComposing>\n",
                       c->active ? "active" : "idle", refresh);
    if (written < 0 || (size_t)written >= capacity)
        return TDM_E_SPACE;
    *size = (size_t)written;
    return TDM_OK;
}

struct reader {
    struct tdm_xml_guard guard; /* First: expat's handlers get it. */
    struct tdm_composing *c;
    bool root, state;
};

static void XMLCALL begin(void *arg, const char *name, const char **attributes)
{
    struct reader *r = arg;

    (void)attributes;
    if (tdm_xml_enter(&r->guard) && r->guard.depth == 1)
        r->root = strcmp(name, NAMESPACE "|isComposing") == 0;
}

static void XMLCALL end(void *arg, const char *name)
{
    struct reader *r = arg;
    const char *text = tdm_xml_text(&r->guard);
    struct tdm_text digits = tdm_text_of_string(text);
    uint64_t seconds;

    if (r->guard.depth == 2 && strcmp(name, NAMESPACE "|state") == 0) {
        r->state = true;
        r->c->active = strcmp(text, "active") == 0; /* Any other word is idle (section 3.5). */
    } else if (r->guard.depth == 2 && strcmp(name, NAMESPACE "|refresh") == 0) {
        if (tdm_text_number(&digits, UINT32_MAX, &seconds))
            r->c->refresh_s = seconds > REFRESH_MAX ? REFRESH_MAX : (uint32_t)seconds;
    }
    tdm_xml_leave(&r->guard);
}

enum tdm_err tdm_composing_parse(struct tdm_composing *c, const void *xml, size_t size)
{
    struct reader r = {.c = c};

    *c = (struct tdm_composing){.active = false};
    return size <= BODY_MAX && tdm_xml_read(&r.guard, xml, size, begin, end) && r.root && r.state
               ? TDM_OK
               : TDM_E_MALFORMED;
}

bool tdm_composing_typed(struct tdm_composing_out *out, tdm_time now, bool typing)
{
    bool due = typing ? !out->active || now >= out->refresh_at : out->active;

    out->active = typing;
    out->last_key = now;
    if (typing && due)
        out->refresh_at = now + TDM_COMPOSING_REFRESH * TDM_S * 2 / 3;
    return due;
}

bool tdm_composing_step(struct tdm_composing_out *out, tdm_time now, tdm_time *wake_at)
{
    bool idle = out->active && now >= out->last_key + TDM_COMPOSING_IDLE;

    if (idle)
        out->active = false;
    *wake_at = out->active ? out->last_key + TDM_COMPOSING_IDLE : TDM_NEVER;
    return idle;
}

tdm_time tdm_composing_until(const struct tdm_composing *c, tdm_time now)
{
    if (!c->active)
        return 0;
    return now + (c->refresh_s ? c->refresh_s * TDM_S : IDLE_DEFAULT);
}
