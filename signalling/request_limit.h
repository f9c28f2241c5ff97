/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_REQUEST_LIMIT_H
#define TDM_SIGNALLING_REQUEST_LIMIT_H

/*
 * How many requests a user agent answers. The SIP library remembers each one that was answered for
 * 32 s and walks lists of them; what is beyond these rates is not answered and so not remembered,
 * which bounds both. Copies of a request do not come here. Pure.
 */

#include "engine/base/address.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_REQUEST_SOURCES     32
#define TDM_REQUEST_SOURCE_RATE 100 /* A second from one host; twice that at once, */
#define TDM_REQUEST_TOTAL_RATE  400 /* and from all. */

/** Zero to begin with. */
struct tdm_request_limit {
    struct tdm_request_bucket {
        struct tdm_address host; /* Port 0; none: nobody's yet. */
        int64_t spent;           /* Billionths of a request; 0: it is full. */
        tdm_time seen;
    } sources[TDM_REQUEST_SOURCES], total;
};

/** Whether a request that came now is to be answered. Who was silent longest is forgotten first. */
bool tdm_request_limit_admit(struct tdm_request_limit *limit, tdm_time now,
                             const struct tdm_address *from);

#endif
