/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_SRV_RECORDS_H
#define TDM_SIGNALLING_SRV_RECORDS_H

/*
 * SRV records of a DNS answer (RFC 1035, RFC 2782), and the order in which to try their targets.
 * Pure. Who asks whom is not its business.
 */

#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define TDM_SRV_MAX 8

struct tdm_srv_record {
    uint16_t priority, weight, port;
    char target[256];
};

/** The SRV records among the answers; *count may be 0. TDM_E_MALFORMED. */
enum tdm_err tdm_srv_parse(const uint8_t *data, size_t size,
                           struct tdm_srv_record records[TDM_SRV_MAX], uint32_t *count);

/** By priority, and at random by weight within one. */
void tdm_srv_order(struct tdm_srv_record *records, uint32_t count, uint64_t seed);

#endif
