/* SPDX-License-Identifier: MIT */
#include "engine/io/srtp_gcm.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define SALT_BYTES   12
#define TAG_BYTES    16
#define HEADER_BYTES 12
#define LABEL_KEY    0 /* RFC 3711 section 4.3.1. */
#define LABEL_SALT   2

struct tdm_srtp_gcm {
    EVP_CIPHER_CTX *ctx; /* Holds the session key. */
    uint8_t salt[SALT_BYTES];
};

/* RFC 3711 section 4.3.3, with the salt filled up by zeros (RFC 7714 section 11). */
static bool derive(const uint8_t *master, size_t key_size, uint8_t label, uint8_t *key, size_t size)
{
    const EVP_CIPHER *cipher = key_size == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t counter[16] = {0};
    int count = 0;

    memcpy(counter, master + key_size, SALT_BYTES);
    counter[7] ^= label;
    memset(key, 0, size);
    bool good = ctx && EVP_EncryptInit_ex(ctx, cipher, NULL, master, counter) == 1 &&
                EVP_EncryptUpdate(ctx, key, &count, key, (int)size) == 1 && count == (int)size;

    EVP_CIPHER_CTX_free(ctx);
    return good;
}

enum tdm_err tdm_srtp_gcm_create(struct tdm_srtp_gcm **gcm, const uint8_t *master, size_t key_size)
{
    const EVP_CIPHER *cipher = key_size == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
    struct tdm_srtp_gcm *g = calloc(1, sizeof *g);
    uint8_t key[32];

    *gcm = NULL;
    if (!g)
        return TDM_E_SYSTEM;
    g->ctx = EVP_CIPHER_CTX_new();
    bool good = g->ctx && derive(master, key_size, LABEL_KEY, key, key_size) &&
                derive(master, key_size, LABEL_SALT, g->salt, sizeof g->salt) &&
                EVP_EncryptInit_ex(g->ctx, cipher, NULL, key, NULL) == 1;

    explicit_bzero(key, sizeof key);
    if (!good) {
        tdm_srtp_gcm_destroy(g);
        return TDM_E_SYSTEM;
    }
    *gcm = g;
    return TDM_OK;
}

void tdm_srtp_gcm_destroy(struct tdm_srtp_gcm *gcm)
{
    if (!gcm)
        return;
    EVP_CIPHER_CTX_free(gcm->ctx);
    explicit_bzero(gcm, sizeof *gcm);
    free(gcm);
}

/* Contributing sources and the extension are in clear; 0: they do not fit. */
static size_t header_of(const uint8_t *packet, size_t size)
{
    size_t header = HEADER_BYTES + 4 * (size_t)(packet[0] & 15);

    if (packet[0] & 0x10) {
        if (size < header + 4)
            return 0;
        header += 4 + 4 * (size_t)(packet[header + 2] << 8 | packet[header + 3]);
    }
    return header <= size ? header : 0;
}

/* Section 8.1: SSRC, roll-over counter and sequence number under the salt. */
static void nonce_of(const struct tdm_srtp_gcm *g, uint32_t roc, const uint8_t *packet,
                     uint8_t nonce[SALT_BYTES])
{
    memcpy(nonce, g->salt, SALT_BYTES);
    for (int i = 0; i < 4; i++) {
        nonce[2 + i] ^= packet[8 + i];
        nonce[6 + i] ^= (uint8_t)(roc >> (24 - 8 * i));
    }
    nonce[10] ^= packet[2];
    nonce[11] ^= packet[3];
}

enum tdm_err tdm_srtp_gcm_seal(struct tdm_srtp_gcm *gcm, uint32_t roc, uint8_t *packet,
                               size_t *size)
{
    size_t header = *size >= HEADER_BYTES && packet[0] >> 6 == 2 ? header_of(packet, *size) : 0;
    uint8_t nonce[SALT_BYTES];
    uint8_t *body = packet + header;
    int count = 0;

    if (!header)
        return TDM_E_MALFORMED;
    nonce_of(gcm, roc, packet, nonce);
    if (EVP_EncryptInit_ex(gcm->ctx, NULL, NULL, NULL, nonce) != 1 ||
        EVP_EncryptUpdate(gcm->ctx, NULL, &count, packet, (int)header) != 1 ||
        EVP_EncryptUpdate(gcm->ctx, body, &count, body, (int)(*size - header)) != 1 ||
        EVP_EncryptFinal_ex(gcm->ctx, packet + *size, &count) != 1 ||
        EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, packet + *size) != 1)
        return TDM_E_SYSTEM;
    *size += TAG_BYTES;
    return TDM_OK;
}
