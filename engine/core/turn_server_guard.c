/* SPDX-License-Identifier: MIT */
/* Who may use the server, with whom they may speak, and how much an unknown host is told. */

#include "engine/core/turn_server_state.h"

#include <stdio.h>

#define NONCE_TIME_DIGITS 8
#define NONCE_MAC_DIGITS  16
#define NONCE_SIZE        (NONCE_TIME_DIGITS + NONCE_MAC_DIGITS)

/* More bytes than were asked for, to one host and to all together. */
#define RATION_BYTES_PER_S     1000
#define RATION_BURST           8000
#define RATION_ALL_BYTES_PER_S 64000
#define RATION_ALL_BURST       256000

static uint64_t seconds_since_start(const struct tdm_turn_server *s, tdm_time now)
{
    return now > s->started ? (uint64_t)((now - s->started) / TDM_S) : 0;
}

static int64_t wall_now_s(const struct tdm_turn_server *s, tdm_time now)
{
    return s->wall_s + (now - s->wall_at) / TDM_S;
}

/* The time it was made and a hash of that and of the client, in hexadecimal: nothing is kept. */
static void make_nonce(const struct tdm_turn_server *s, uint64_t second,
                       const struct tdm_turn_server_in *in, char nonce[NONCE_SIZE + 1])
{
    uint8_t text[64], digest[TDM_SHA1_BYTES];
    struct tdm_writer w = tdm_writer_of(text, sizeof text);

    tdm_write_u64(&w, second);
    tdm_write_u32(&w, in->link);
    tdm_write_bytes(&w, in->from.bytes, sizeof in->from.bytes);
    tdm_write_u16(&w, in->from.port);
    tdm_hmac_sha1(s->config.nonce_key, sizeof s->config.nonce_key, text, tdm_writer_size(&w),
                  digest);
    (void)snprintf(nonce, NONCE_SIZE + 1, "%08x", (unsigned)(second & UINT32_MAX));
    for (size_t i = 0; i < NONCE_MAC_DIGITS / 2; i++)
        (void)snprintf(nonce + NONCE_TIME_DIGITS + 2 * i, 3, "%02x", digest[i]);
}

static bool nonce_is_good(const struct tdm_turn_server *s, tdm_time now,
                          const struct turn_request *r)
{
    char nonce[NONCE_SIZE + 1];
    uint64_t second = 0, now_s = seconds_since_start(s, now);

    if (r->m.nonce.size != NONCE_SIZE)
        return false;
    for (int i = 0; i < NONCE_TIME_DIGITS; i++) {
        uint8_t c = r->m.nonce.data[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

        if (digit < 0)
            return false;
        second = second << 4 | (uint64_t)digit;
    }
    make_nonce(s, second, r->in, nonce);
    return tdm_equal_in_constant_time(nonce, r->m.nonce.data, NONCE_SIZE) && second <= now_s &&
           now_s - second < s->config.nonce_s;
}

void tdm_turn_write_challenge(struct tdm_turn_server *s, tdm_time now, const struct turn_request *r,
                              struct tdm_writer *w)
{
    char nonce[NONCE_SIZE + 1];

    make_nonce(s, seconds_since_start(s, now), r->in, nonce);
    tdm_stun_write_text(w, TDM_STUN_REALM, s->realm);
    tdm_stun_write_text(w, TDM_STUN_NONCE, nonce);
}

static bool signed_with(struct tdm_turn_server *s, struct turn_request *r, const char *password)
{
    tdm_stun_long_term_key(r->m.username, tdm_stun_span_of(s->realm), password, r->key);
    return tdm_stun_check(&r->m, r->key, sizeof r->key) == TDM_OK;
}

static bool knows_password(struct tdm_turn_server *s, tdm_time now, struct turn_request *r)
{
    char password[TDM_TURN_REST_PASSWORD_SIZE];
    int64_t expiry_s;

    for (size_t i = 0; i < TDM_TURN_SERVER_USERS_MAX; i++)
        if (s->users[i].user[0] && strcmp(s->users[i].user, r->user) == 0 &&
            signed_with(s, r, s->users[i].password))
            return true;
    if (tdm_turn_rest_expiry(r->user, &expiry_s) != TDM_OK || expiry_s <= wall_now_s(s, now))
        return false;
    for (size_t i = 0; i < TDM_TURN_SERVER_SECRETS_MAX; i++) {
        if (!s->secrets[i][0])
            continue;
        tdm_turn_rest_password(password, s->secrets[i], r->user);
        if (signed_with(s, r, password))
            return true;
    }
    return false;
}

uint16_t tdm_turn_authenticate(struct tdm_turn_server *s, tdm_time now, struct turn_request *r)
{
    const struct tdm_stun *m = &r->m;

    if (!m->integrity_at && !m->integrity_sha256_at)
        return TDM_STUN_UNAUTHENTICATED;
    if (!m->username.data || !m->realm.data || !m->nonce.data)
        return TDM_STUN_BAD_REQUEST;
    if (!nonce_is_good(s, now, r))
        return TDM_STUN_STALE_NONCE;
    if (m->username.size >= sizeof r->user || memchr(m->username.data, 0, m->username.size)) {
        s->stats.wrong_credentials++;
        return TDM_STUN_UNAUTHENTICATED;
    }
    memcpy(r->user, m->username.data, m->username.size);
    r->user[m->username.size] = '\0';
    if (!knows_password(s, now, r)) {
        s->stats.wrong_credentials++;
        return TDM_STUN_UNAUTHENTICATED;
    }
    r->authenticated = true;
    if (r->allocation && strcmp(r->allocation->user, r->user) != 0)
        return TDM_STUN_WRONG_CREDENTIALS;
    return 0;
}

bool tdm_turn_bucket_take(struct turn_bucket *b, tdm_time now, uint64_t bytes_per_s, uint64_t bytes,
                          uint64_t burst)
{
    if (!bytes_per_s)
        return true;
    tdm_time since = tdm_time_min(tdm_time_max(now - b->filled_at, 0), 1000 * TDM_S);
    int64_t filled = (int64_t)((double)since / (double)TDM_S * (double)bytes_per_s);

    if (filled > 0) { /* Less than a byte waits for the next time. */
        b->bytes += filled;
        b->filled_at = now;
    }
    if (b->bytes > (int64_t)burst)
        b->bytes = (int64_t)burst;
    if (b->bytes < (int64_t)bytes)
        return false;
    b->bytes -= (int64_t)bytes;
    return true;
}

/* The slot of the host, or the one that was longest without use. */
static struct turn_source *source_of(struct tdm_turn_server *s, tdm_time now,
                                     const struct tdm_address *address)
{
    struct tdm_address host = *address;
    struct turn_source *oldest = &s->sources[0];

    host.port = 0;
    if (host.family == TDM_IPV6)
        memset(host.bytes + 8, 0, 8);
    for (size_t i = 0; i < TURN_SOURCES_MAX; i++) {
        struct turn_source *source = &s->sources[i];

        if (tdm_address_equal(&source->host, &host))
            return source;
        if (source->ration.filled_at < oldest->ration.filled_at)
            oldest = source;
    }
    *oldest =
        (struct turn_source){.host = host, .ration = {.bytes = RATION_BURST, .filled_at = now}};
    return oldest;
}

bool tdm_turn_ration(struct tdm_turn_server *s, tdm_time now, const struct tdm_address *to,
                     size_t asked, size_t answer)
{
    size_t more = answer > asked ? answer - asked : 0;

    if (!more ||
        (tdm_turn_bucket_take(&source_of(s, now, to)->ration, now, RATION_BYTES_PER_S, more,
                              RATION_BURST) &&
         tdm_turn_bucket_take(&s->ration, now, RATION_ALL_BYTES_PER_S, more, RATION_ALL_BURST)))
        return true;
    s->stats.rationed++;
    return false;
}

/* The IPv4 address inside an IPv6 one that gateways unwrap: mapped and compatible (RFC 4291),
 * NAT64 (RFC 6052), 6to4 (RFC 3056). */
static bool embedded_v4(const struct tdm_address *a, struct tdm_address *v4)
{
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    static const uint8_t zeros[10];
    const uint8_t *at = NULL;

    *v4 = (struct tdm_address){.family = TDM_IPV4};
    if (a->family != TDM_IPV6)
        return false;
    if (memcmp(a->bytes, zeros, 10) == 0 || memcmp(a->bytes, nat64, 12) == 0)
        at = a->bytes + 12;
    else if (a->bytes[0] == 0x20 && a->bytes[1] == 0x02)
        at = a->bytes + 2;
    if (at)
        memcpy(v4->bytes, at, 4);
    return at != NULL;
}

/* No single host: nothing, multicast, broadcast and the reserved rest behind it. */
static bool is_special(const struct tdm_address *a)
{
    static const uint8_t none[16];

    if (a->family == TDM_IPV4)
        return a->bytes[0] == 0 || a->bytes[0] >= 224;
    return a->family != TDM_IPV6 || a->bytes[0] == 0xff || memcmp(a->bytes, none, 16) == 0;
}

static bool is_own(const struct tdm_turn_server *s, const struct tdm_address *a)
{
    for (uint8_t i = 0; i < s->config.own_count; i++)
        if (tdm_address_same_host(&s->config.own[i], a))
            return true;
    return false;
}

static bool is_relay_host(const struct tdm_turn_server *s, const struct tdm_address *a)
{
    return tdm_address_same_host(&s->config.relay[tdm_turn_family_index(a->family)], a);
}

bool tdm_turn_peer_is_allowed(const struct tdm_turn_server *s, const struct tdm_address *peer)
{
    struct tdm_address v4;

    if (is_special(peer) || tdm_address_is_link_local(peer))
        return false;
    if (tdm_address_is_loopback(peer))
        return s->config.allow_loopback;
    if (is_relay_host(s, peer))
        return true; /* Its relays, that is: tdm_turn_target_is_allowed. */
    if (embedded_v4(peer, &v4) && !tdm_turn_peer_is_allowed(s, &v4))
        return false;
    return (s->config.allow_private || !tdm_address_is_private(peer)) &&
           (s->config.allow_own || !is_own(s, peer));
}

bool tdm_turn_target_is_allowed(const struct tdm_turn_server *s, const struct tdm_address *peer)
{
    bool ours = is_relay_host(s, peer) || is_own(s, peer);
    bool allowed =
        s->config.allow_own || (s->config.allow_loopback && tdm_address_is_loopback(peer));

    return peer->port && (!ours || allowed || tdm_turn_is_relay(s, peer));
}
