/* SPDX-License-Identifier: MIT */
#include "engine/candidates.h"

#include <stdio.h>
#include <string.h>

static const struct {
    enum tdm_ice_type ice;
    enum tdm_candidate_type desc;
} types[] = {
    {TDM_ICE_HOST, TDM_CANDIDATE_HOST},
    {TDM_ICE_SRFLX, TDM_CANDIDATE_SRFLX},
    {TDM_ICE_PRFLX, TDM_CANDIDATE_PRFLX},
    {TDM_ICE_RELAY, TDM_CANDIDATE_RELAY},
};

#define TYPE_COUNT (sizeof types / sizeof *types)

void tdm_candidate_describe(const struct tdm_ice_candidate *candidate, uint8_t component,
                            struct tdm_candidate_desc *desc)
{
    char text[TDM_ADDRESS_TEXT_MAX];

    *desc = (struct tdm_candidate_desc){
        .component = component,
        .priority = candidate->priority,
        .port = candidate->address.port,
    };
    memcpy(desc->foundation, candidate->foundation, sizeof desc->foundation);
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (types[i].ice == candidate->type)
            desc->type = types[i].desc;
    tdm_address_host_text(&candidate->address, text);
    (void)snprintf(desc->host, sizeof desc->host, "%s", text);
    if (candidate->type == TDM_ICE_HOST || candidate->base.family == TDM_ADDRESS_NONE)
        return;
    tdm_address_host_text(&candidate->base, text);
    (void)snprintf(desc->related_host, sizeof desc->related_host, "%s", text);
    desc->related_port = candidate->base.port;
}

void tdm_candidate_at(const struct tdm_candidate_desc *desc, const struct tdm_address *address,
                      struct tdm_ice_candidate *candidate)
{
    *candidate = (struct tdm_ice_candidate){.address = *address, .priority = desc->priority};
    candidate->address.port = desc->port;
    memcpy(candidate->foundation, desc->foundation, sizeof candidate->foundation);
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (types[i].desc == desc->type)
            candidate->type = types[i].ice;
    if (tdm_address_parse(&candidate->base, desc->related_host, desc->related_port) != TDM_OK)
        candidate->base = (struct tdm_address){.family = TDM_ADDRESS_NONE};
}

enum tdm_err tdm_candidate_of(const struct tdm_candidate_desc *desc,
                              struct tdm_ice_candidate *candidate)
{
    struct tdm_address address;

    if (desc->tcp)
        return TDM_E_UNSUPPORTED;
    if (tdm_address_parse(&address, desc->host, desc->port) != TDM_OK)
        return TDM_E_AGAIN;
    tdm_candidate_at(desc, &address, candidate);
    return TDM_OK;
}
