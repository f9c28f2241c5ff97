/* SPDX-License-Identifier: MIT */
#include "signalling/rendezvous_state.h"

void tdm_rdv_put_string(struct tdm_writer *w, const char *text)
{
    size_t size = strlen(text);

    tdm_write_u16(w, (uint16_t)size);
    tdm_write_bytes(w, text, size);
}

bool tdm_rdv_get_string(struct tdm_reader *r, char *text, size_t capacity)
{
    size_t size = tdm_read_u16(r);
    const uint8_t *bytes = tdm_read_bytes(r, size);

    text[0] = '\0';
    if (!bytes || size >= capacity || memchr(bytes, '\0', size)) {
        r->ok = false;
        return false;
    }
    memcpy(text, bytes, size);
    text[size] = '\0';
    return true;
}

static void put_address(struct tdm_writer *w, const struct tdm_address *a)
{
    tdm_write_u8(w, a->family);
    tdm_write_bytes(w, a->bytes, sizeof a->bytes);
    tdm_write_u16(w, a->port);
}

static void get_address(struct tdm_reader *r, struct tdm_address *a)
{
    *a = (struct tdm_address){.family = tdm_read_u8(r)};
    const uint8_t *bytes = tdm_read_bytes(r, sizeof a->bytes);

    if (bytes)
        memcpy(a->bytes, bytes, sizeof a->bytes);
    a->port = tdm_read_u16(r);
    if (a->family != TDM_IPV4 && a->family != TDM_IPV6)
        *a = (struct tdm_address){.family = TDM_ADDRESS_NONE};
}

void tdm_rdv_put_flow(struct tdm_writer *w, const struct tdm_rdv_flow *flow)
{
    tdm_write_u8(w, flow->transport);
    put_address(w, &flow->remote);
    put_address(w, &flow->local);
}

/* Connections do not outlive the process: the link is 0. */
void tdm_rdv_get_flow(struct tdm_reader *r, struct tdm_rdv_flow *flow)
{
    *flow = (struct tdm_rdv_flow){.transport = tdm_read_u8(r)};
    get_address(r, &flow->remote);
    get_address(r, &flow->local);
    if (flow->transport > TDM_RDV_TLS)
        r->ok = false;
}
