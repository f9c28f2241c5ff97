/* SPDX-License-Identifier: MIT */
#include "desktop/x11_keymap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/xkb.h>
#include <xkbcommon/xkbcommon-x11.h>

#define MODS  7 /* Of enum tdm_mod. */
#define CODES 256

struct tdm_x11_keys {
    xcb_connection_t *connection;
    struct xkb_context *context;
    struct xkb_keymap *keymap;
    struct xkb_state *state;
    int32_t device;
    xkb_layout_index_t group;
    xkb_mod_mask_t real[MODS]; /* The server's modifiers for ours. */
    uint8_t spares[TDM_KEYMAP_SPARES];
    uint32_t spare_count;
    bool spares_known;
};

/* xkbcommon says nothing on stderr in our name. */
static struct xkb_context *silent_context(void)
{
    struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_DEFAULT_INCLUDES);

    if (context)
        xkb_context_set_log_level(context, XKB_LOG_LEVEL_CRITICAL);
    return context;
}

static void forget(struct tdm_x11_keys *k)
{
    xkb_state_unref(k->state);
    xkb_keymap_unref(k->keymap);
    k->state = NULL;
    k->keymap = NULL;
}

static bool fetch(struct tdm_x11_keys *k)
{
    forget(k);
    k->keymap = xkb_x11_keymap_new_from_device(k->context, k->connection, k->device,
                                               XKB_KEYMAP_COMPILE_NO_FLAGS);
    if (k->keymap)
        k->state = xkb_x11_state_new_from_device(k->keymap, k->connection, k->device);
    if (k->state)
        k->group = xkb_state_serialize_layout(k->state, XKB_STATE_LAYOUT_EFFECTIVE);
    return k->state != NULL;
}

static bool select_events(struct tdm_x11_keys *k)
{
    uint16_t events = XCB_XKB_EVENT_TYPE_NEW_KEYBOARD_NOTIFY | XCB_XKB_EVENT_TYPE_MAP_NOTIFY |
                      XCB_XKB_EVENT_TYPE_STATE_NOTIFY;
    uint16_t parts = XCB_XKB_MAP_PART_KEY_TYPES | XCB_XKB_MAP_PART_KEY_SYMS |
                     XCB_XKB_MAP_PART_MODIFIER_MAP | XCB_XKB_MAP_PART_KEY_ACTIONS |
                     XCB_XKB_MAP_PART_VIRTUAL_MODS | XCB_XKB_MAP_PART_VIRTUAL_MOD_MAP;
    uint16_t states = XCB_XKB_STATE_PART_MODIFIER_LOCK | XCB_XKB_STATE_PART_GROUP_LOCK |
                      XCB_XKB_STATE_PART_GROUP_STATE;
    xcb_xkb_select_events_details_t details = {
        .affectNewKeyboard = XCB_XKB_NKN_DETAIL_KEYCODES,
        .newKeyboardDetails = XCB_XKB_NKN_DETAIL_KEYCODES,
        .affectState = states,
        .stateDetails = states,
    };
    xcb_generic_error_t *error = xcb_request_check(
        k->connection,
        xcb_xkb_select_events_aux_checked(k->connection, (xcb_xkb_device_spec_t)k->device, events,
                                          0, 0, parts, parts, &details));

    free(error);
    return error == NULL;
}

struct tdm_x11_keys *tdm_x11_keys_create(xcb_connection_t *connection, uint8_t *event)
{
    struct tdm_x11_keys *k = calloc(1, sizeof *k);

    if (!k)
        return NULL;
    k->connection = connection;
    k->context = silent_context();
    if (!k->context ||
        !xkb_x11_setup_xkb_extension(
            connection, XKB_X11_MIN_MAJOR_XKB_VERSION, XKB_X11_MIN_MINOR_XKB_VERSION,
            XKB_X11_SETUP_XKB_EXTENSION_NO_FLAGS, NULL, NULL, event, NULL) ||
        (k->device = xkb_x11_get_core_keyboard_device_id(connection)) < 0 || !fetch(k) ||
        !select_events(k)) {
        tdm_x11_keys_destroy(k);
        return NULL;
    }
    return k;
}

void tdm_x11_keys_destroy(struct tdm_x11_keys *k)
{
    if (!k)
        return;
    forget(k);
    xkb_context_unref(k->context);
    free(k);
}

enum tdm_x11_keys_news tdm_x11_keys_event(struct tdm_x11_keys *k, const xcb_generic_event_t *event,
                                          uint8_t *first, uint8_t *count)
{
    *first = *count = 0;
    /* XKB's events tell their kind where others have a detail. */
    switch (event->pad0) {
    case XCB_XKB_NEW_KEYBOARD_NOTIFY:
        return TDM_X11_KEYS_MAP;
    case XCB_XKB_MAP_NOTIFY: {
        const xcb_xkb_map_notify_event_t *map = (const void *)event;

        if (map->changed == XCB_XKB_MAP_PART_KEY_SYMS) {
            *first = map->firstKeySym;
            *count = map->nKeySyms;
        }
        return TDM_X11_KEYS_MAP;
    }
    case XCB_XKB_STATE_NOTIFY: {
        const xcb_xkb_state_notify_event_t *s = (const void *)event;

        (void)xkb_state_update_mask(k->state, s->baseMods, s->latchedMods, s->lockedMods,
                                    (xkb_layout_index_t)s->baseGroup,
                                    (xkb_layout_index_t)s->latchedGroup, s->lockedGroup);
        bool other = s->group != k->group;

        k->group = s->group;
        return other ? TDM_X11_KEYS_GROUP : TDM_X11_KEYS_STATE;
    }
    default:
        return TDM_X11_KEYS_OTHER;
    }
}

static uint32_t symbol(struct xkb_keymap *map, xkb_keycode_t code, xkb_layout_index_t layout,
                       xkb_level_index_t level)
{
    const xkb_keysym_t *symbols;

    return xkb_keymap_key_get_syms_by_level(map, code, layout, level, &symbols) == 1 ? *symbols : 0;
}

/* The group that a key uses; keys with fewer go round, as in the server's default. */
static xkb_layout_index_t layout_of(const struct tdm_x11_keys *k, xkb_keycode_t code)
{
    xkb_layout_index_t count = xkb_keymap_num_layouts_for_key(k->keymap, code);

    return count ? k->group % count : XKB_LAYOUT_INVALID;
}

static bool has_symbols(const struct tdm_x11_keys *k, xkb_keycode_t code)
{
    xkb_layout_index_t groups = xkb_keymap_num_layouts_for_key(k->keymap, code);

    for (xkb_layout_index_t g = 0; g < groups; g++) {
        xkb_level_index_t levels = xkb_keymap_num_levels_for_key(k->keymap, code, g);
        const xkb_keysym_t *symbols;

        for (xkb_level_index_t level = 0; level < levels; level++)
            if (xkb_keymap_key_get_syms_by_level(k->keymap, code, g, level, &symbols) > 0)
                return true;
    }
    return false;
}

/* Keys without a symbol, found once: later they may have ours. High ones first, as programs expect
 * least of them. */
static void find_spares(struct tdm_x11_keys *k)
{
    if (k->spares_known)
        return;
    k->spares_known = true;
    for (xkb_keycode_t code = CODES - 1; code > 8 && k->spare_count < TDM_KEYMAP_SPARES; code--)
        if (!has_symbols(k, code))
            k->spares[k->spare_count++] = (uint8_t)code;
}

bool tdm_x11_keys_is_spare(const struct tdm_x11_keys *k, uint8_t code)
{
    for (uint32_t i = 0; i < k->spare_count; i++)
        if (k->spares[i] == code)
            return true;
    return false;
}

/* Which keys make modifiers, and which of the server's modifiers these are: by pressing each in a
 * state of our own. */
static void learn_modifiers(struct tdm_x11_keys *k, struct tdm_keymap *map)
{
    memset(k->real, 0, sizeof k->real);
    for (xkb_keycode_t code = 8; code < CODES; code++) {
        uint16_t mod = tdm_key_mod_of_keysym(symbol(k->keymap, code, layout_of(k, code), 0));
        struct xkb_state *state = mod ? xkb_state_new(k->keymap) : NULL;

        if (!state)
            continue;
        (void)xkb_state_update_key(state, code, XKB_KEY_DOWN);
        xkb_mod_mask_t real = xkb_state_serialize_mods(state, XKB_STATE_MODS_EFFECTIVE);
        int i = __builtin_ctz((unsigned)mod);

        xkb_state_unref(state);
        if (!real)
            continue;
        map->code_mod[code] = (uint8_t)mod;
        k->real[i] |= real;
        if (!map->mod_code[i])
            map->mod_code[i] = (uint8_t)code;
    }
}

static uint8_t ours(const struct tdm_x11_keys *k, xkb_mod_mask_t real)
{
    uint8_t mods = 0;

    for (int i = 0; i < MODS; i++)
        if (k->real[i] & real)
            mods |= (uint8_t)(1u << i);
    return mods;
}

static xkb_mod_mask_t theirs(const struct tdm_x11_keys *k, unsigned mods)
{
    xkb_mod_mask_t real = 0;

    for (int i = 0; i < MODS; i++)
        if (mods & 1u << i)
            real |= k->real[i];
    return real;
}

static uint32_t character(uint32_t keysym)
{
    bool dead = keysym >= XKB_KEY_dead_grave && keysym <= XKB_KEY_dead_greek;
    uint32_t ucs = dead ? 0 : xkb_keysym_to_utf32(keysym);

    return ucs < 0x20 || ucs == 0x7f ? 0 : ucs;
}

/* Every combination of the modifiers that matter to a key, the fewest first as numbers go. */
static void add_key(struct tdm_x11_keys *k, struct tdm_keymap *map, struct xkb_state *state,
                    uint8_t code)
{
    xkb_layout_index_t layout = layout_of(k, code);

    if (layout == XKB_LAYOUT_INVALID || tdm_x11_keys_is_spare(k, code))
        return;
    uint8_t mask = ours(k, xkb_state_key_get_consumed_mods2(state, code, XKB_CONSUMED_MODE_XKB));

    for (unsigned want = 0; want <= mask && map->entry_count < TDM_KEYMAP_ENTRIES; want++) {
        if (want & ~(unsigned)mask)
            continue;
        (void)xkb_state_update_mask(state, theirs(k, want), 0, 0, 0, 0, k->group);
        uint32_t keysym =
            symbol(k->keymap, code, layout, xkb_state_key_get_level(state, code, layout));

        if (keysym)
            map->entries[map->entry_count++] = (struct tdm_keymap_entry){
                .keysym = keysym,
                .ucs = character(keysym),
                .code = code,
                .mask = mask,
                .want = (uint8_t)want,
            };
    }
    (void)xkb_state_update_mask(state, 0, 0, 0, 0, 0, k->group);
}

bool tdm_x11_keys_load(struct tdm_x11_keys *k, struct tdm_keymap *map)
{
    memset(map, 0, sizeof *map);
    if (!fetch(k))
        return false;
    find_spares(k);
    memcpy(map->spares, k->spares, sizeof map->spares);
    map->spare_count = k->spare_count;
    learn_modifiers(k, map);
    struct xkb_state *state = xkb_state_new(k->keymap);

    if (!state)
        return false;
    (void)xkb_state_update_mask(state, 0, 0, 0, 0, 0, k->group);
    for (unsigned code = 8; code < CODES; code++)
        add_key(k, map, state, (uint8_t)code);
    xkb_state_unref(state);
    if (!tdm_x11_keys_name(k, map->name))
        map->name[0] = '\0';
    return true;
}

uint32_t tdm_x11_keys_codes(const struct tdm_x11_keys *k, uint32_t keysym, uint8_t *codes,
                            uint32_t max)
{
    uint32_t found = 0;

    for (unsigned code = 8; keysym && code < CODES && found < max; code++) {
        xkb_layout_index_t groups = xkb_keymap_num_layouts_for_key(k->keymap, code);
        bool has = false;

        for (xkb_layout_index_t g = 0; g < groups; g++) {
            xkb_level_index_t levels = xkb_keymap_num_levels_for_key(k->keymap, code, g);

            for (xkb_level_index_t level = 0; level < levels; level++)
                has |= symbol(k->keymap, code, g, level) == keysym;
        }
        if (has && !tdm_x11_keys_is_spare(k, (uint8_t)code))
            codes[found++] = (uint8_t)code;
    }
    return found;
}

uint16_t tdm_x11_keys_locks(const struct tdm_x11_keys *k)
{
    bool caps = xkb_state_led_name_is_active(k->state, XKB_LED_NAME_CAPS) > 0;
    bool num = xkb_state_led_name_is_active(k->state, XKB_LED_NAME_NUM) > 0;

    return (uint16_t)((caps ? TDM_MOD_CAPS : 0) | (num ? TDM_MOD_NUM : 0));
}

uint16_t tdm_x11_keys_mods(const struct tdm_x11_keys *k)
{
    xcb_xkb_get_state_reply_t *reply = xcb_xkb_get_state_reply(
        k->connection, xcb_xkb_get_state(k->connection, (xcb_xkb_device_spec_t)k->device), NULL);
    uint16_t mods = reply ? ours(k, reply->mods) : 0;

    free(reply);
    return mods;
}

/* The n-th of "us,de,ru"; its size. */
static int part(const char *list, unsigned n, const char **start)
{
    const char *at = list;

    for (; n > 0 && at; n--)
        at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL;
    *start = at ? at : "";
    return (int)strcspn(*start, ",");
}

/* The root window's property has rules, model, layouts, variants and options, each ended by 0. */
bool tdm_x11_keys_name(const struct tdm_x11_keys *k, char name[TDM_CONTROL_LAYOUT_MAX])
{
    static const char atom_name[] = "_XKB_RULES_NAMES";
    xcb_window_t root = xcb_setup_roots_iterator(xcb_get_setup(k->connection)).data->root;
    xcb_intern_atom_reply_t *atom = xcb_intern_atom_reply(
        k->connection, xcb_intern_atom(k->connection, 1, sizeof atom_name - 1, atom_name), NULL);
    xcb_get_property_reply_t *reply =
        atom ? xcb_get_property_reply(
                   k->connection,
                   xcb_get_property(k->connection, 0, root, atom->atom, XCB_ATOM_STRING, 0, 256),
                   NULL)
             : NULL;
    char text[1024 + 1] = "";
    const char *fields[5] = {"", "", "", "", ""};
    const char *layout, *variant;
    int size = reply ? xcb_get_property_value_length(reply) : 0;

    free(atom);
    if (size > 0)
        memcpy(text, xcb_get_property_value(reply), (size_t)size);
    free(reply);
    for (int i = 0, at = 0; i < 5 && at < size; i++) {
        fields[i] = text + at;
        at += (int)strlen(text + at) + 1;
    }
    int layout_size = part(fields[2], k->group, &layout);
    int variant_size = part(fields[3], k->group, &variant);

    (void)snprintf(name, TDM_CONTROL_LAYOUT_MAX, "%.*s%s%.*s%s%s%s", layout_size, layout,
                   variant_size ? "(" : "", variant_size, variant, variant_size ? ")" : "",
                   *fields[4] ? ";" : "", fields[4]);
    return layout_size > 0;
}
