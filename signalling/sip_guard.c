/* SPDX-License-Identifier: MIT */
/*
 * What is kept from libre, and what it does not answer. It writes to stderr when TCP fails, which a
 * level switches off, and for each datagram that it cannot read, which nothing does: a stranger
 * could fill the terminal. So such datagrams are taken away before libre sees them. Its UDP socket
 * is only known from a message that came over it; that is why each stack gets a first one from
 * ourselves, before anybody else's.
 */
#include "signalling/sip_events.h"
#include "signalling/sip_state.h"

#define DEBUG_MODULE "sip" /* re_dbg.h wants these two. */
#define DEBUG_LEVEL  0
#include <re/re_dbg.h>

void tdm_sip_silence(void)
{
    dbg_init(DBG_EMERG, DBG_NONE);
}

bool tdm_sip_is_readable(struct mbuf *mb)
{
    struct stun_unknown_attr unknown;
    struct stun_msg *stun = NULL; /* Keep-alives of RFC 5626, which libre answers. */
    struct sip_msg *msg = NULL;
    size_t start = mb->pos;
    bool readable = stun_msg_decode(&stun, mb, &unknown) == 0;

    mb->pos = start;
    if (!readable)
        readable = sip_msg_decode(&msg, mb) == 0;
    mb->pos = start;
    mem_deref(stun);
    mem_deref(msg);
    return readable;
}

static struct tdm_address address_of(const struct sa *sa)
{
    struct tdm_address a = {.family = TDM_ADDRESS_NONE};

    if (sa_af(sa) == AF_INET6) {
        a.family = TDM_IPV6;
        sa_in6(sa, a.bytes);
    } else {
        a.family = TDM_IPV4;
        for (int i = 0; i < 4; i++)
            a.bytes[i] = (uint8_t)(sa_in(sa) >> (24 - 8 * i));
    }
    return a;
}

bool tdm_sip_admit(struct tdm_sip_stack *stack, const struct sip_msg *msg)
{
    struct tdm_address from = address_of(&msg->src);

    /* Over connections libre forgets at once what it answered, but for an INVITE. */
    return (msg->tp != SIP_TRANSP_UDP && pl_strcmp(&msg->met, "INVITE")) ||
           tdm_request_limit_admit(&stack->limit, tdm_sip_events_now(), &from);
}

void tdm_sip_guard_call(const struct sa *local)
{
    static const char text[] = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP localhost;branch=z9hG4bK0\r\n"
                               "From: <sip:tandem@localhost>;tag=0\r\n"
                               "To: <sip:tandem@localhost>;tag=0\r\nCall-ID: guard\r\n"
                               "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    struct mbuf *mb = mbuf_alloc(sizeof text);

    if (mb && mbuf_write_str(mb, text) == 0) {
        mb->pos = 0;
        (void)udp_send_anon(local, mb);
    }
    mem_deref(mb);
}

static bool receive(struct sa *from, struct mbuf *mb, void *arg)
{
    (void)from;
    (void)arg;
    return !tdm_sip_is_readable(mb); /* True: libre sees nothing of it. */
}

void tdm_sip_guard(struct tdm_sip_stack *stack, const struct sip_msg *msg)
{
    if (!stack->guard && msg->tp == SIP_TRANSP_UDP)
        (void)udp_register_helper(&stack->guard, msg->sock, 0, NULL, receive, NULL);
}
