/* SPDX-License-Identifier: MIT */
#include "sim/event_log.h"

/* One word into the hash: the multiply spreads upwards, the rotate brings the top back down. */
static inline uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9fb21c651e98df25u;
    return hash << 29 | hash >> 35;
}

static inline uint64_t word_at(const uint8_t *bytes)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < 8; i++)
        word |= (uint64_t)bytes[i] << 8 * i;
    return word;
}

uint64_t tdm_sim_hash(uint64_t start, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t hash = mix(start, size);
    uint64_t rest = 0;

    for (; size >= 8; bytes += 8, size -= 8)
        hash = mix(hash, word_at(bytes));
    for (size_t i = 0; i < size; i++)
        rest |= (uint64_t)bytes[i] << 8 * i;
    hash = mix(hash, rest);
    return hash ^ hash >> 31;
}

void tdm_sim_log_init(struct tdm_sim_log *log, struct tdm_sim_event *records, size_t record_max)
{
    *log = (struct tdm_sim_log){
        .records = records, .record_max = record_max, .hash = 0x2545f4914f6cdd1du};
}

void tdm_sim_log_add(struct tdm_sim_log *log, const struct tdm_sim_event *event)
{
    uint64_t words = (uint64_t)event->a << 32 | (uint64_t)event->kind << 16 |
                     (uint64_t)event->side << 8 | event->stream;

    log->hash = mix(mix(mix(log->hash, (uint64_t)event->at), words), event->b);
    if (log->record_max)
        log->records[log->count % log->record_max] = *event;
    log->count++;
}

const struct tdm_sim_event *tdm_sim_log_at(const struct tdm_sim_log *log, uint64_t number)
{
    if (number >= log->count || log->count - number > log->record_max)
        return NULL;
    return &log->records[number % log->record_max];
}
