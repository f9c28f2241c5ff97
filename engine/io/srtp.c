/* SPDX-License-Identifier: MIT */
#include "engine/io/srtp.h"

#include "engine/base/rt.h"
#include "engine/io/srtp_gcm.h"

#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW        1024 /* Packets that may be late, or sent again. */
#define RTP_HEADER    12
#define RTCP_HEADER   8
#define GCM_SALT      12
#define TAG_MAX       16 /* SRTCP has its index of 4 bytes beside. */
#define PROTECTED_MAX 65535

_Static_assert(TDM_SRTP_TRAILER >= TAG_MAX + 4, "a tag and SRTCP's index fit into the trailer");

/* One of our sources: what left under each of the last sequence numbers. */
struct source {
    uint32_t ssrc;
    bool used;
    int64_t newest; /* Highest index sent. */
    bool filled[WINDOW];
    uint16_t seqs[WINDOW];
    uint64_t tags[WINDOW]; /* Their last bytes. */
};

struct tdm_srtp {
    srtp_t out, in;
    struct tdm_srtp_gcm *gcm; /* Seals our RTP; NULL: `out` does, with the older cipher. */
    struct source *sources;   /* TDM_SRTP_SOURCES_MAX of them; pages never used cost nothing. */
    uint32_t received[TDM_SRTP_SOURCES_MAX]; /* SSRCs that proved themselves. */
    uint32_t received_count;
    size_t tag_size; /* At least so many bytes of a packet are its tag. */
};

/* The library's tables live as long as the process, must be made before any other call and do not
 * like to be made by two threads: before main there is one. If it fails, so does every srtp_create.
 */
__attribute__((constructor)) static void start_library(void)
{
    (void)srtp_init();
}

static bool set_policy(srtp_policy_t *policy, enum tdm_srtp_profile profile, size_t *key_size)
{
    switch (profile) {
    case TDM_SRTP_AEAD_AES_128_GCM:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtcp);
        *key_size = 16 + 12;
        return true;
    case TDM_SRTP_AEAD_AES_256_GCM:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtcp);
        *key_size = 32 + 12;
        return true;
    case TDM_SRTP_AES_CM_128_HMAC_SHA1_80:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp);
        *key_size = 16 + 14;
        return true;
    case TDM_SRTP_AES_CM_128_HMAC_SHA1_32:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy->rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp); /* RFC 4568 section 6.2.2. */
        *key_size = 16 + 14;
        return true;
    case TDM_SRTP_NONE:
        break;
    }
    return false;
}

static enum tdm_err open_way(srtp_t *way, const struct tdm_srtp_keys *keys, bool sending)
{
    uint8_t master[sizeof keys->local];
    srtp_policy_t policy = {
        .ssrc = {sending ? ssrc_any_outbound : ssrc_any_inbound, 0},
        .key = master,
        .window_size = WINDOW,
        .allow_repeat_tx = 1, /* may_leave says which repeats are harmless. */
    };
    size_t key_size;

    if (!set_policy(&policy, keys->profile, &key_size) || key_size != keys->size)
        return TDM_E_UNSUPPORTED;
    memcpy(master, sending ? keys->local : keys->remote, sizeof master);
    bool good = srtp_create(way, &policy) == srtp_err_status_ok;

    explicit_bzero(master, sizeof master);
    return good ? TDM_OK : TDM_E_SYSTEM;
}

enum tdm_err tdm_srtp_create(struct tdm_srtp **srtp, const struct tdm_srtp_keys *keys,
                             struct tdm_cause *cause)
{
    struct tdm_srtp *s;
    enum tdm_err err;

    *srtp = NULL;
    s = calloc(1, sizeof *s);
    if (s)
        s->sources = calloc(TDM_SRTP_SOURCES_MAX, sizeof *s->sources);
    if (!s || !s->sources) {
        tdm_srtp_destroy(s);
        return tdm_fail(cause, TDM_E_SYSTEM, "cannot set up SRTP: no memory");
    }
    err = open_way(&s->out, keys, true);
    if (err == TDM_OK)
        err = open_way(&s->in, keys, false);
    if (err == TDM_OK && keys->profile <= TDM_SRTP_AEAD_AES_256_GCM)
        err = tdm_srtp_gcm_create(&s->gcm, keys->local, keys->size - GCM_SALT);
    if (err != TDM_OK) {
        tdm_srtp_destroy(s);
        return tdm_fail(cause, err, "%s",
                        err == TDM_E_UNSUPPORTED ? "keys for SRTP that do not fit their profile"
                                                 : "libsrtp2 does not take the keys");
    }
    s->tag_size = keys->profile == TDM_SRTP_AES_CM_128_HMAC_SHA1_32   ? 4
                  : keys->profile == TDM_SRTP_AES_CM_128_HMAC_SHA1_80 ? 10
                                                                      : 16;
    *srtp = s;
    return TDM_OK;
}

void tdm_srtp_destroy(struct tdm_srtp *srtp)
{
    if (!srtp)
        return;
    if (srtp->out)
        (void)srtp_dealloc(srtp->out);
    if (srtp->in)
        (void)srtp_dealloc(srtp->in);
    tdm_srtp_gcm_destroy(srtp->gcm);
    free(srtp->sources);
    free(srtp);
}

static uint32_t u32_at(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static struct source *source_of(struct tdm_srtp *s, uint32_t ssrc, uint16_t first_seq)
{
    for (int i = 0; i < TDM_SRTP_SOURCES_MAX; i++) {
        struct source *source = &s->sources[i];

        if (source->used && source->ssrc == ssrc)
            return source;
        if (!source->used) {
            source->used = true;
            source->ssrc = ssrc;
            source->newest = first_seq;
            return source;
        }
    }
    return NULL;
}

/* RFC 3711 section 3.3.1: the index with this sequence number that is nearest to the newest. */
static int64_t index_of(const struct source *source, uint16_t seq)
{
    return source->newest + (int16_t)(uint16_t)(seq - (uint16_t)source->newest);
}

/* A nonce is made of the source and the index: used twice, it must hide the same, or it gives the
 * key away. The tag is of all that the packet holds, so equal tags mean the same packet. */
static enum tdm_err may_leave(struct source *source, int64_t index, const uint8_t *packet,
                              size_t size)
{
    size_t at = (size_t)index % WINDOW;
    uint64_t tag;

    memcpy(&tag, packet + size - sizeof tag, sizeof tag);
    if (source->filled[at] && source->seqs[at] == (uint16_t)index)
        return source->tags[at] == tag ? TDM_OK : TDM_E_DENIED;
    source->filled[at] = true;
    source->seqs[at] = (uint16_t)index;
    source->tags[at] = tag;
    if (index > source->newest)
        source->newest = index;
    return TDM_OK;
}

static enum tdm_err err_of(srtp_err_status_t status)
{
    switch (status) {
    case srtp_err_status_ok:
        return TDM_OK;
    case srtp_err_status_auth_fail:
    case srtp_err_status_cipher_fail: /* A wrong tag, too, by some versions with GCM. */
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
    case srtp_err_status_key_expired:
        return TDM_E_DENIED;
    case srtp_err_status_bad_param:
    case srtp_err_status_parse_err:
        return TDM_E_MALFORMED;
    default:
        return TDM_E_SYSTEM;
    }
}

static bool has_size(bool rtcp, size_t size, size_t more)
{
    return size >= (rtcp ? RTCP_HEADER : RTP_HEADER) + more && size <= PROTECTED_MAX;
}

static enum tdm_err seal(struct tdm_srtp *srtp, int64_t index, uint8_t *packet, size_t *size)
{
    int bytes = (int)*size;

    if (srtp->gcm)
        return tdm_srtp_gcm_seal(srtp->gcm, (uint32_t)(index >> 16), packet, size);
    enum tdm_err err = err_of(srtp_protect(srtp->out, packet, &bytes));

    if (err == TDM_OK)
        *size = (size_t)bytes;
    return err;
}

static enum tdm_err protect_rtp(struct tdm_srtp *srtp, uint8_t *packet, size_t *size)
{
    uint16_t seq = (uint16_t)(packet[2] << 8 | packet[3]);
    struct source *source = source_of(srtp, u32_at(packet + 8), seq);
    int64_t index = source ? index_of(source, seq) : 0;

    if (!source)
        return TDM_E_SPACE;
    if (index < 0 || index <= source->newest - WINDOW)
        return TDM_E_DENIED;
    enum tdm_err err = seal(srtp, index, packet, size);

    if (err == TDM_OK)
        err = may_leave(source, index, packet, *size);
    if (err == TDM_E_DENIED)
        memset(packet, 0, *size); /* Nobody may see it. */
    return err;
}

enum tdm_err tdm_srtp_protect(struct tdm_srtp *srtp, bool rtcp, uint8_t *packet, size_t *size)
{
    enum tdm_err err;
    int bytes = (int)*size;

    if (!has_size(rtcp, *size, 0))
        return TDM_E_MALFORMED;
    tdm_rt_foreign_enter();
    if (rtcp) {
        err = err_of(srtp_protect_rtcp(srtp->out, packet, &bytes));
        if (err == TDM_OK)
            *size = (size_t)bytes;
    } else {
        err = protect_rtp(srtp, packet, size);
    }
    tdm_rt_foreign_leave();
    return err;
}

/* The library makes a stream of each source that proves itself; nobody gets more than a bounded
 * number of them out of us. */
static bool knows(const struct tdm_srtp *s, uint32_t ssrc)
{
    for (uint32_t i = 0; i < s->received_count; i++)
        if (s->received[i] == ssrc)
            return true;
    return false;
}

enum tdm_err tdm_srtp_unprotect(struct tdm_srtp *srtp, bool rtcp, uint8_t *packet, size_t *size)
{
    srtp_err_status_t status;
    int bytes = (int)*size;
    uint32_t ssrc;
    bool known;

    if (!has_size(rtcp, *size, srtp->tag_size + (rtcp ? 4 : 0)))
        return TDM_E_MALFORMED;
    ssrc = u32_at(packet + (rtcp ? 4 : 8));
    known = knows(srtp, ssrc);
    if (!known && srtp->received_count == TDM_SRTP_SOURCES_MAX)
        return TDM_E_DENIED;
    tdm_rt_foreign_enter();
    status = rtcp ? srtp_unprotect_rtcp(srtp->in, packet, &bytes)
                  : srtp_unprotect(srtp->in, packet, &bytes);
    tdm_rt_foreign_leave();
    if (status == srtp_err_status_ok) {
        *size = (size_t)bytes;
        if (!known)
            srtp->received[srtp->received_count++] = ssrc;
    }
    return err_of(status);
}
