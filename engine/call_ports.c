/* SPDX-License-Identifier: MIT */
#include "engine/call_ports.h"

#include "engine/engine.h"
#include "engine/io/look.h"
#include "engine/io/port_map.h"

#include <string.h>

void tdm_call_ports_open(struct tandem_call *call)
{
    struct tdm_call_ports *p = &call->path.ports;
    struct tdm_port_map *map = call->engine->reach.ports;

    if (!map || p->open || call->engine->reach.relay_only)
        return;
    memset(p, 0, sizeof *p);
    p->open = true;
    for (uint8_t way = 0; way < TDM_NET_WAYS; way++) {
        p->ports[way] = tdm_net_port(call->net, way);
        tdm_port_map_want(map, p->ports[way], false);
    }
}

void tdm_call_ports_close(struct tandem_call *call)
{
    struct tdm_call_ports *p = &call->path.ports;

    if (!p->open)
        return;
    for (uint8_t way = 0; way < TDM_NET_WAYS; way++)
        tdm_port_map_drop(call->engine->reach.ports, p->ports[way], false);
    p->open = false;
}

void tdm_call_ports_follow(struct tandem_call *call)
{
    struct tdm_call_ports *p = &call->path.ports;

    for (uint8_t way = 0; p->open && way < TDM_NET_WAYS; way++) {
        struct tdm_address external, base;

        if (!tdm_port_map_of(call->engine->reach.ports, p->ports[way], false, &external) ||
            tdm_address_equal(&external, &p->told[way]) ||
            tdm_look_source(&external, &base) != TDM_OK)
            continue;
        base.port = p->ports[way];
        p->told[way] = external;
        (void)tdm_net_mapped(call->net, way, &base, &external);
    }
}

bool tdm_call_ports_pending(const struct tandem_call *call)
{
    const struct tdm_call_ports *p = &call->path.ports;
    bool all = true;

    if (!p->open || !tdm_port_map_found(call->engine->reach.ports))
        return false;
    for (uint8_t way = 0; way < TDM_NET_WAYS; way++)
        all &= p->told[way].family != TDM_ADDRESS_NONE;
    return !all;
}
