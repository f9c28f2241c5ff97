/* SPDX-License-Identifier: MIT */
#include "signalling/request_limit.h"

#define ONE INT64_C(1000000000) /* A request, as it is counted. */

static struct tdm_request_bucket *bucket_of(struct tdm_request_limit *limit,
                                            const struct tdm_address *from)
{
    struct tdm_request_bucket *oldest = &limit->sources[0];
    struct tdm_address host = *from;

    host.port = 0;
    for (int i = 0; i < TDM_REQUEST_SOURCES; i++) {
        struct tdm_request_bucket *b = &limit->sources[i];

        if (b->host.family && tdm_address_equal(&b->host, &host))
            return b;
        if (oldest->host.family && (!b->host.family || b->seen < oldest->seen))
            oldest = b;
    }
    *oldest = (struct tdm_request_bucket){.host = host};
    return oldest;
}

static void refill(struct tdm_request_bucket *b, tdm_time now, int64_t rate)
{
    tdm_time passed = now - b->seen;

    b->spent = passed > 10 * TDM_S || passed * rate >= b->spent ? 0 : b->spent - passed * rate;
    b->seen = now;
}

static bool has_room(const struct tdm_request_bucket *b, int64_t rate)
{
    return b->spent + ONE <= 2 * rate * ONE;
}

bool tdm_request_limit_admit(struct tdm_request_limit *limit, tdm_time now,
                             const struct tdm_address *from)
{
    struct tdm_request_bucket *b = bucket_of(limit, from);

    refill(b, now, TDM_REQUEST_SOURCE_RATE);
    refill(&limit->total, now, TDM_REQUEST_TOTAL_RATE);
    if (!has_room(b, TDM_REQUEST_SOURCE_RATE) || !has_room(&limit->total, TDM_REQUEST_TOTAL_RATE))
        return false;
    b->spent += ONE;
    limit->total.spent += ONE;
    return true;
}
