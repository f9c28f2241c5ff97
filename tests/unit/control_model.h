/* SPDX-License-Identifier: MIT */
#ifndef TDM_TESTS_UNIT_CONTROL_MODEL_H
#define TDM_TESTS_UNIT_CONTROL_MODEL_H

/*
 * Bytes become acts of the host's person, records of a hostile helper and time. A second, coarser
 * wording of the consent says what may have been injected at most, and an X server that only
 * counts says what is down. Shared by the fuzz target and a seeded unit test.
 */

#include "collab/control_host.h"
#include "engine/base/bytes.h"

#include <string.h>

#define MODEL_REVOKE 127

struct control_model {
    struct tdm_control_host host;
    tdm_time now;
    uint16_t may; /* At most, by what the host's person did. */
    tdm_time until;
    bool down;
    bool keys[256], buttons[32];
    uint64_t injected;
};

static inline void model_keymap(struct tdm_keymap *map)
{
    static const struct {
        uint8_t code;
        uint16_t mod;
        uint8_t index;
    } mods[] = {{50, TDM_MOD_SHIFT, 0},  {37, TDM_MOD_CTRL, 1},   {64, TDM_MOD_ALT, 2},
                {133, TDM_MOD_SUPER, 3}, {108, TDM_MOD_ALTGR, 4}, {66, TDM_MOD_CAPS, 5},
                {77, TDM_MOD_NUM, 6}};

    memset(map, 0, sizeof *map);
    memcpy(map->name, "us", 3);
    for (uint32_t c = 'a'; c <= 'z'; c++)
        for (uint8_t want = 0; want < 4; want++) {
            uint8_t mods_of =
                (uint8_t)((want & 1 ? TDM_MOD_SHIFT : 0) | (want & 2 ? TDM_MOD_CAPS : 0));
            uint32_t symbol = want == 1 || want == 2 ? c - 32 : c;

            map->entries[map->entry_count++] = (struct tdm_keymap_entry){
                .keysym = symbol,
                .ucs = symbol,
                .code = (uint8_t)(tdm_key_evdev_of_usage((uint16_t)(4 + c - 'a')) + 8),
                .mask = TDM_MOD_SHIFT | TDM_MOD_CAPS,
                .want = mods_of};
        }
    /* F1 with control and alt is an order to the server; Pause is the revoke key. */
    for (uint8_t want = 0; want < 4; want++)
        map->entries[map->entry_count++] = (struct tdm_keymap_entry){
            .keysym = want == 3 ? 0x1008fe01 : 0xffbe,
            .code = 67,
            .mask = TDM_MOD_CTRL | TDM_MOD_ALT,
            .want = (uint8_t)((want & 1 ? TDM_MOD_CTRL : 0) | (want & 2 ? TDM_MOD_ALT : 0))};
    map->entries[map->entry_count++] =
        (struct tdm_keymap_entry){.keysym = 0xff13, .code = MODEL_REVOKE};
    map->entries[map->entry_count++] = (struct tdm_keymap_entry){
        .keysym = '@', .ucs = '@', .code = 24, .mask = TDM_MOD_ALTGR, .want = TDM_MOD_ALTGR};
    for (size_t i = 0; i < sizeof mods / sizeof *mods; i++) {
        map->code_mod[mods[i].code] = (uint8_t)mods[i].mod;
        map->mod_code[mods[i].index] = mods[i].code;
    }
    for (uint8_t i = 0; i < 4; i++)
        map->spares[map->spare_count++] = (uint8_t)(240 + i);
}

static inline void model_need(const struct control_model *m, uint16_t scope)
{
    assert(!m->down && (m->may & scope) && (!(scope & TDM_SCOPES_CONTROL) || m->now < m->until));
}

static inline void model_take(struct control_model *m, const struct tdm_control_action *a)
{
    m->injected++;
    switch (a->act) {
    case TDM_ACT_KEY:
        assert(a->code != MODEL_REVOKE && m->keys[a->code] != a->down);
        assert(!(a->down && a->code == 67 && m->keys[37] && m->keys[64]));
        m->keys[a->code] = a->down;
        if (a->down)
            model_need(m, TDM_SCOPE_KEYBOARD);
        break;
    case TDM_ACT_BUTTON:
        assert(a->code > 0 && a->code < 32 && m->buttons[a->code] != a->down);
        m->buttons[a->code] = a->down;
        if (a->down)
            model_need(m, TDM_SCOPE_POINTER);
        break;
    case TDM_ACT_MOVE:
        assert(a->x >= -100 && a->x < 540 && a->y >= 0 && a->y < 480);
        model_need(m, TDM_SCOPE_POINTER);
        break;
    case TDM_ACT_NUDGE:
        model_need(m, TDM_SCOPE_POINTER);
        break;
    case TDM_ACT_MAP:
        assert(a->code >= 240 && a->code < 244 && a->keysym != 0xff13);
        if (a->keysym)
            model_need(m, TDM_SCOPE_KEYBOARD);
        break;
    case TDM_ACT_GHOST:
        model_need(m, TDM_SCOPE_POINT);
        break;
    case TDM_ACT_GHOST_GONE:
        break;
    }
}

static inline uint32_t model_held(const struct control_model *m)
{
    uint32_t count = 0;

    for (int i = 0; i < 256; i++)
        count += m->keys[i];
    for (int i = 0; i < 32; i++)
        count += m->buttons[i];
    return count;
}

static inline void model_step(struct control_model *m, const struct tdm_control_host_in *in)
{
    static struct tdm_control_host_out out;

    tdm_control_host_step(&m->host, m->now, in, &out);
    for (uint32_t i = 0; i < out.count; i++)
        model_take(m, &out.actions[i]);
    assert(model_held(m) == tdm_control_host_held(&m->host));
    assert(out.busy == (m->host.queue_count > 0));
    if (!m->may || m->down)
        assert(model_held(m) == 0);
}

/* What the host's person did widens or narrows what may happen; the helper can narrow it only. */
static inline void model_consent(struct control_model *m, const struct tdm_consent_in *in)
{
    uint32_t seconds = in->seconds ? in->seconds : TDM_CONSENT_SECONDS_DEFAULT;
    tdm_time until = m->now + tdm_time_min(seconds, TDM_CONSENT_SECONDS_MAX) * TDM_S;

    if (in->kind == TDM_CONSENT_IN_OFFER) {
        m->may |= TDM_SCOPES_SEEN;
    } else if (in->kind == TDM_CONSENT_IN_ALLOW || in->kind == TDM_CONSENT_IN_EXTEND) {
        m->may |= in->kind == TDM_CONSENT_IN_EXTEND ? 0 : in->scopes ? in->scopes : TDM_SCOPES_ALL;
        m->until = m->until == TDM_NEVER ? until : tdm_time_max(m->until, until);
    } else if (in->kind == TDM_CONSENT_IN_TAKE_BACK) {
        m->may &= (uint16_t) ~(in->scopes ? in->scopes : TDM_SCOPES_CONTROL);
        if (!(m->may & TDM_SCOPE_VIEW))
            m->may = 0;
    } else if (in->kind == TDM_CONSENT_IN_END) {
        m->may = 0;
        m->until = TDM_NEVER;
    } else if (in->kind == TDM_CONSENT_IN_DOWN) {
        m->down = true;
    } else if (in->kind == TDM_CONSENT_IN_UP) {
        m->down = false;
    }
    model_step(m, &(struct tdm_control_host_in){.kind = TDM_HOST_CONSENT, .consent = *in});
}

static inline void model_record(struct control_model *m, struct tdm_reader *r)
{
    struct tdm_control_record rec;
    uint8_t size = tdm_read_u8(r);
    uint8_t bytes[256];
    size_t take = size < tdm_reader_left(r) ? size : tdm_reader_left(r);
    const uint8_t *from = tdm_read_bytes(r, take);

    if (!from || take == 0)
        return;
    memcpy(bytes, from, take);
    /* Most are made under the grant that holds: a number that bytes would hardly guess. */
    if (take > 5 && bytes[0] >= TDM_CONTROL_KEY && bytes[1] & 0x80) {
        struct tdm_writer w = tdm_writer_of(bytes + 1, 4);

        tdm_write_u32(&w, m->host.consent.seq);
    }
    if (tdm_control_parse(&rec, bytes, take))
        return;
    if (rec.kind == TDM_CONTROL_LEAVE)
        m->may &= TDM_SCOPES_SEEN;
    model_step(m, &(struct tdm_control_host_in){.kind = TDM_HOST_RECORD, .record = &rec});
}

static inline void model_init(struct control_model *m)
{
    static struct tdm_keymap map;
    struct tdm_control_surface surfaces[TDM_CONTROL_SURFACES_MAX] = {
        {.id = 1, .x = -100, .width = 640, .height = 480}};
    struct tdm_control_host_config config = {
        .consent.known = true, .revoke_codes = {MODEL_REVOKE}, .revoke_count = 1};

    memset(m, 0, sizeof *m);
    m->now = 1000 * TDM_S;
    m->until = TDM_NEVER;
    tdm_control_host_init(&m->host, &config, m->now);
    model_keymap(&map);
    model_step(m, &(struct tdm_control_host_in){.kind = TDM_HOST_KEYMAP, .keymap = &map});
    model_step(m, &(struct tdm_control_host_in){.kind = TDM_HOST_SURFACES, .surfaces = surfaces});
}

/* The acts that the bytes say, and then the end of the connection. */
static inline void model_run(struct control_model *m, const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);

    while (tdm_reader_left(&r)) {
        uint8_t what = tdm_read_u8(&r);

        if (what < 160) {
            model_record(m, &r);
        } else if (what < 200) {
            m->now += (tdm_time)tdm_read_u16(&r) * TDM_MS;
            model_step(m, NULL);
        } else if (what < 240) {
            struct tdm_consent_in in = {
                .kind = (enum tdm_consent_input)(what % (TDM_CONSENT_IN_KNOWN + 1)),
                .scopes = tdm_read_u8(&r) & TDM_SCOPES_ALL,
                .seconds = tdm_read_u8(&r)};

            model_consent(m, &in);
        } else if (what < 248) {
            model_step(m, &(struct tdm_control_host_in){.kind = TDM_HOST_LOCAL});
            assert(model_held(m) == 0);
        } else {
            model_step(
                m, &(struct tdm_control_host_in){.kind = TDM_HOST_LOCKS, .mods = tdm_read_u8(&r)});
        }
    }
    m->now += TDM_CONTROL_SILENCE;
    for (int i = 0; i < 4000 && m->host.queue_count; i++) {
        m->now += 100 * TDM_MS;
        model_step(m, NULL);
    }
    m->now += TDM_CONTROL_SILENCE;
    model_step(m, NULL);
    assert(model_held(m) == 0); /* Nobody said a word for so long. */
    model_consent(m, &(struct tdm_consent_in){.kind = TDM_CONSENT_IN_DOWN});
    assert(model_held(m) == 0);
}

#endif
