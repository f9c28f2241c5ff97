/* SPDX-License-Identifier: MIT */
/* include/tandem/share.h: the program's side of a shared screen. */
#include "engine/share_state.h"

#include "engine/engine.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"
#include "engine/share_freeze.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SCOPES_ALL TDM_SCOPES_ALL

_Static_assert((int)TANDEM_SHARE_VIEW == TDM_SCOPE_VIEW &&
                   (int)TANDEM_SHARE_POINT == TDM_SCOPE_POINT &&
                   (int)TANDEM_SHARE_POINTER == TDM_SCOPE_POINTER &&
                   (int)TANDEM_SHARE_KEYBOARD == TDM_SCOPE_KEYBOARD &&
                   (int)TANDEM_SHARE_CLIPBOARD_IN == TDM_SCOPE_CLIPBOARD_IN &&
                   (int)TANDEM_SHARE_CLIPBOARD_OUT == TDM_SCOPE_CLIPBOARD_OUT &&
                   (int)TANDEM_SHARE_FILES == TDM_SCOPE_FILES &&
                   (int)TANDEM_SHARE_ANNOTATE == TDM_SCOPE_ANNOTATE,
               "scopes go through as they are");
_Static_assert((int)TANDEM_SHARE_SHIFT == TDM_MOD_SHIFT && (int)TANDEM_SHARE_CTRL == TDM_MOD_CTRL &&
                   (int)TANDEM_SHARE_ALT == TDM_MOD_ALT &&
                   (int)TANDEM_SHARE_SUPER == TDM_MOD_SUPER &&
                   (int)TANDEM_SHARE_ALT_GR == TDM_MOD_ALTGR &&
                   (int)TANDEM_SHARE_CAPS_LOCK == TDM_MOD_CAPS &&
                   (int)TANDEM_SHARE_NUM_LOCK == TDM_MOD_NUM,
               "so do modifiers");
_Static_assert(TANDEM_SHARE_CURSOR_MAX == TDM_SCREEN_CURSOR_SIDE_MAX &&
                   TANDEM_SHARE_DAMAGE_MAX == TDM_SHARE_DAMAGE_MAX &&
                   TANDEM_SHARE_SURFACES_MAX == TDM_SCREEN_SURFACES_MAX,
               "and what is public fits");

static enum tandem_status status_with(enum tdm_err err, const struct tdm_cause *why,
                                      struct tandem_cause *cause)
{
    if (cause && err != TDM_OK)
        (void)snprintf(cause->text, sizeof cause->text, "%s", why->text);
    return tdm_engine_status(err);
}

static enum tandem_status fail(struct tandem_cause *cause, enum tandem_status status,
                               const char *text)
{
    if (cause)
        (void)snprintf(cause->text, sizeof cause->text, "%s", text);
    return status;
}

void tdm_share_tell(struct tandem_share *s, enum tandem_share_event_kind kind, unsigned scopes,
                    uint32_t seconds, const char *text)
{
    struct tandem_share_event event = {.kind = kind, .scopes = scopes, .seconds = seconds};

    (void)snprintf(event.text, sizeof event.text, "%s", text);
    if (tdm_ring_push(&s->events, &event) == TDM_OK)
        tdm_wake_signal(s->event_fd);
}

/* In the window: what its user may do, and until when. The lock is held. */
static void say_allowed(struct tandem_share *s)
{
    static const struct {
        unsigned scope;
        const char *word;
    } words[] = {{TANDEM_SHARE_POINT, "point"},
                 {TANDEM_SHARE_POINTER, "pointer"},
                 {TANDEM_SHARE_KEYBOARD, "keyboard"},
                 {TANDEM_SHARE_CLIPBOARD_IN | TANDEM_SHARE_CLIPBOARD_OUT, "clipboard"},
                 {TANDEM_SHARE_FILES, "files"},
                 {TANDEM_SHARE_ANNOTATE, "draw"}};
    char text[128] = "you may: look";

    if (!s->window)
        return;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (s->allowed & words[i].scope)
            (void)snprintf(text + strlen(text), sizeof text - strlen(text), ", %s", words[i].word);
    size_t used = strlen(text);

    if (s->allowed & ~(unsigned)TANDEM_SHARE_VIEW && s->allowed_until != TDM_NEVER) {
        time_t wall = (time_t)((s->allowed_until + tdm_clock_wall_offset()) / TDM_S);
        struct tm local;

        (void)strftime(text + used, sizeof text - used, " until %H:%M:%S",
                       localtime_r(&wall, &local));
    }
    if (!(s->allowed & TANDEM_SHARE_VIEW))
        (void)snprintf(text, sizeof text, "nothing is shown now");
    tdm_screen_window_say(s->window, text, (s->allowed & TANDEM_SHARE_POINTER) != 0);
}

void tdm_share_hear(void *arg, const struct tdm_hand_event *e)
{
    static const enum tandem_share_event_kind event_kinds[] = {
        [TDM_HAND_ASKED] = TANDEM_SHARE_ASKED,     [TDM_HAND_ALLOWED] = TANDEM_SHARE_ALLOWED,
        [TDM_HAND_REFUSED] = TANDEM_SHARE_REFUSED, [TDM_HAND_REVOKED] = TANDEM_SHARE_REVOKED,
        [TDM_HAND_NOTICE] = TANDEM_SHARE_NOTICE,   [TDM_HAND_POINTED] = TANDEM_SHARE_POINTED,
    };
    struct tandem_share *s = arg;
    struct tandem_share_event event = {.kind = event_kinds[e->kind],
                                       .scopes = e->scopes,
                                       .seconds = e->seconds,
                                       .x = e->x,
                                       .y = e->y,
                                       .value = e->value};

    (void)snprintf(event.text, sizeof event.text, "%s", e->text);
    pthread_mutex_lock(&s->lock);
    if (tdm_ring_push(&s->events, &event) == TDM_OK)
        tdm_wake_signal(s->event_fd);
    if (e->kind == TDM_HAND_ALLOWED || e->kind == TDM_HAND_REVOKED) {
        s->allowed = e->scopes;
        s->allowed_until = e->seconds ? tdm_clock_now() + e->seconds * TDM_S : TDM_NEVER;
        say_allowed(s);
    }
    pthread_mutex_unlock(&s->lock);
}

static void ink_drawn(void *arg, uint32_t count)
{
    struct tandem_share *s = arg;
    const struct tandem_share_event event = {.kind = TANDEM_SHARE_DRAWN, .value = (int)count};

    pthread_mutex_lock(&s->lock);
    if (tdm_ring_push(&s->events, &event) == TDM_OK)
        tdm_wake_signal(s->event_fd);
    pthread_mutex_unlock(&s->lock);
}

static void ink_again(void *arg, struct tdm_rect rect)
{
    struct tandem_share *s = arg;

    pthread_mutex_lock(&s->lock);
    if (s->give)
        tdm_share_give_again(s->give, rect);
    pthread_mutex_unlock(&s->lock);
}

static void ink_painted(void *arg)
{
    tdm_wake_signal(((struct tandem_share *)arg)->picture_fd);
}

static enum tdm_err create_inks(struct tandem_share *s, struct tdm_cause *why)
{
    const struct tdm_share_ink_config host = {
        .host = true, .wake = tdm_share_wake, .drawn = ink_drawn, .again = ink_again, .arg = s};
    const struct tdm_share_ink_config view = {
        .wake = tdm_share_wake, .drawn = ink_drawn, .painted = ink_painted, .arg = s};
    enum tdm_err err = tdm_share_ink_create(&s->host_ink, &host, why);

    return err == TDM_OK ? tdm_share_ink_create(&s->view_ink, &view, why) : err;
}

static bool keep(char **to, const char *from)
{
    *to = from ? strdup(from) : NULL;
    return !from || *to;
}

/* "class,other class": each is a part of a window's class or of its title. @return how many. */
static size_t never_rules(const char *list, struct tdm_desktop_rule rules[TDM_SHARE_NEVER])
{
    size_t count = 0;

    for (const char *at = list; at && *at && count + 2 <= TDM_SHARE_NEVER;) {
        size_t size = strcspn(at, ",");

        if (size) {
            rules[count] = rules[count + 1] = (struct tdm_desktop_rule){.class_part = ""};
            (void)snprintf(rules[count].class_part, sizeof rules[count].class_part, "%.*s",
                           (int)size, at);
            (void)snprintf(rules[count + 1].title_part, sizeof rules[count + 1].title_part, "%.*s",
                           (int)size, at);
            count += 2;
        }
        at += size + (at[size] == ',');
    }
    return count;
}

enum tandem_status tandem_share_create(const struct tandem_share_config *config,
                                       struct tandem_share **share, struct tandem_cause *cause)
{
    static const struct tandem_share_config defaults;
    const struct tandem_share_config *c = config ? config : &defaults;
    struct tandem_share *s = calloc(1, sizeof *s);
    struct tdm_cause why = {"no memory to share a screen"};
    const struct tdm_share_hand_config view = {
        .display = NULL, .wake = tdm_share_wake, .tell = tdm_share_hear, .arg = s};

    if (!s)
        return fail(cause, TANDEM_FAILED, why.text);
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_mutex_init(&s->give_lock, NULL);
    tdm_ring_init(&s->events, s->event_slots, sizeof *s->event_slots, TDM_SHARE_EVENTS);
    tdm_share_media_init(&s->media);
    s->epoch = 1;
    s->event_fd = tdm_wake_open(&why);
    s->picture_fd = tdm_wake_open(&why);
    bool kept = keep(&s->desktop, c->desktop) && keep(&s->never, c->never) &&
                keep(&s->log_path, c->log_path) && keep(&s->revoke_key, c->revoke_key);
    enum tdm_err err = kept && s->event_fd >= 0 && s->picture_fd >= 0 ? TDM_OK : TDM_E_SYSTEM;

    if (err == TDM_OK)
        err = create_inks(s, &why);
    const struct tdm_share_watch_config watch = {.wake = tdm_share_wake,
                                                 .arg = s,
                                                 .picture_fd = s->picture_fd,
                                                 .media = &s->media,
                                                 .ink = s->view_ink};

    if (err == TDM_OK)
        err = tdm_share_watch_create(&s->watch, &watch, &why);
    if (err == TDM_OK)
        err = tdm_share_hand_create(&s->view, &view, &why);
    if (err != TDM_OK) {
        tandem_share_destroy(s);
        return status_with(err, &why, cause);
    }
    *share = s;
    return TANDEM_OK;
}

/* Takes what gives out of the rider's sight, then ends its threads. */
static void stop_giving(struct tandem_share *s)
{
    pthread_mutex_lock(&s->lock);
    struct tdm_share_give *give = s->give;
    struct tdm_share_hand *host = s->host;

    s->give = NULL;
    s->host = NULL;
    s->ended = give != NULL;
    if (s->seat)
        tdm_rider_wake(s->seat);
    pthread_mutex_unlock(&s->lock);
    pthread_mutex_lock(&s->give_lock);
    tdm_share_give_destroy(give);
    pthread_mutex_unlock(&s->give_lock);
    tdm_share_hand_destroy(host);
    tdm_share_ink_end(s->host_ink);
}

void tandem_share_destroy(struct tandem_share *s)
{
    if (!s)
        return;
    assert(!s->seat);
    tandem_share_close_window(s);
    stop_giving(s);
    tdm_share_hand_destroy(s->view);
    tdm_share_watch_destroy(s->watch);
    tdm_share_ink_destroy(s->host_ink);
    tdm_share_ink_destroy(s->view_ink);
    if (s->event_fd >= 0)
        (void)close(s->event_fd);
    if (s->picture_fd >= 0)
        (void)close(s->picture_fd);
    tdm_share_media_free(&s->media);
    (void)pthread_mutex_destroy(&s->lock);
    (void)pthread_mutex_destroy(&s->give_lock);
    free(s->desktop);
    free(s->never);
    free(s->log_path);
    free(s->revoke_key);
    free(s);
}

/* The display of "x11:1"; NULL: that of the environment. */
static const char *display_of(const char *argument, char *display, size_t capacity)
{
    if (!*argument)
        return NULL;
    (void)snprintf(display, capacity, "%s%s", strchr(argument, ':') ? "" : ":", argument);
    return display;
}

static enum tdm_err open_parts(struct tandem_share *s, const struct tandem_share_offer *offer,
                               struct tdm_share_give **give, struct tdm_share_hand **host,
                               struct tdm_cause *why)
{
    struct tdm_desktop_rule never[TDM_SHARE_NEVER];
    const char *argument = "";
    char display[64];
    const struct tdm_desktop_ops *ops =
        tdm_desktop_find(s->desktop ? s->desktop : "", &argument, why);
    struct tdm_share_give_config config = {.ops = ops,
                                           .desktop = {.argument = argument,
                                                       .never = never,
                                                       .never_count = never_rules(s->never, never)},
                                           .media = &s->media,
                                           .ink = s->host_ink,
                                           .wake = tdm_share_wake,
                                           .arg = s};

    if (!ops)
        return TDM_E_GONE;
    enum tdm_err err =
        tdm_desktop_pick_parse(offer->what ? offer->what : "all", &config.desktop.pick, why);

    if (err != TDM_OK)
        return err;
    bool x11 = strcmp(ops->kind, "x11") == 0;
    const char *screen = x11 ? display_of(argument, display, sizeof display) : NULL;

    if (screen)
        config.desktop.argument = screen;
    if (config.desktop.pick.what == TDM_DESKTOP_WINDOW && !config.desktop.pick.window) {
        err = ops->choose ? ops->choose(config.desktop.argument, &config.desktop.pick.window, why)
                          : tdm_fail(why, TDM_E_MALFORMED,
                                     "no window of this desktop can be clicked: name window:ID");
        if (err != TDM_OK)
            return err;
    }
    const struct tdm_share_hand_config hand = {
        .host = true,
        .no_display = !x11,
        .display = screen,
        .log_path = s->log_path,
        .revoke_key = s->revoke_key,
        .consent = {.never_control = offer->view_only,
                    .known = offer->allow != 0,
                    .seq = (uint32_t)tdm_clock_now()},
        .offer = offer->unasked_view ? TDM_SCOPES_SEEN : 0,
        .allow = (uint16_t)(offer->allow & SCOPES_ALL),
        .allow_s = offer->allow_s,
        .wake = tdm_share_wake,
        .tell = tdm_share_hear,
        .arg = s,
    };

    err = tdm_share_hand_create(host, &hand, why);
    tdm_share_ink_begin(s->host_ink, screen, !x11,
                        config.desktop.pick.what == TDM_DESKTOP_WINDOW ? config.desktop.pick.window
                                                                       : 0);
    return err == TDM_OK ? tdm_share_give_create(give, &config, why) : err;
}

enum tandem_status tandem_share_give(struct tandem_share *s, const struct tandem_share_offer *offer,
                                     struct tandem_cause *cause)
{
    static const struct tandem_share_offer defaults;
    struct tdm_share_give *give = NULL;
    struct tdm_share_hand *host = NULL;
    struct tdm_cause why = {""};

    pthread_mutex_lock(&s->lock);
    bool gives = s->give;

    pthread_mutex_unlock(&s->lock);
    if (gives)
        return fail(cause, TANDEM_INVALID, "a screen is given already: end that first");
    enum tdm_err err = open_parts(s, offer ? offer : &defaults, &give, &host, &why);

    if (err != TDM_OK) {
        tdm_share_hand_destroy(host);
        return status_with(err, &why, cause);
    }
    pthread_mutex_lock(&s->lock);
    s->give = give;
    s->host = host;
    s->relinks = 0;
    tdm_share_hand_known(host, s->known);
    if (s->up)
        tdm_share_hand_up(host, s->peer, false);
    if (s->seat)
        tdm_rider_wake(s->seat);
    pthread_mutex_unlock(&s->lock);
    return TANDEM_OK;
}

void tandem_share_end(struct tandem_share *s)
{
    stop_giving(s);
}

enum tandem_status tandem_share_answer(struct tandem_share *s, unsigned scopes, uint32_t seconds,
                                       struct tandem_cause *cause)
{
    pthread_mutex_lock(&s->lock);
    bool gives = s->host;
    bool fits = gives && tdm_share_hand_answer(s->host, (uint16_t)(scopes & SCOPES_ALL), seconds);

    pthread_mutex_unlock(&s->lock);
    return !gives ? fail(cause, TANDEM_INVALID, "no screen is given")
           : fits ? TANDEM_OK
                  : fail(cause, TANDEM_AGAIN, "too much at once: wait a moment");
}

static bool view_input(struct tandem_share *s, const struct tdm_control_view_in *in)
{
    return tdm_share_hand_input(s->view, in);
}

enum tandem_status tandem_share_ask(struct tandem_share *s, unsigned scopes)
{
    struct tdm_control_view_in in = {.kind = TDM_VIEW_ASK};
    bool fits = true;

    in.record.scopes = (uint16_t)(scopes & SCOPES_ALL);
    pthread_mutex_lock(&s->lock);
    s->wish = in.record.scopes;
    if (s->up)
        fits = view_input(s, &in);
    if (s->seat)
        tdm_rider_wake(s->seat);
    pthread_mutex_unlock(&s->lock);
    return fits ? TANDEM_OK : TANDEM_AGAIN;
}

void tandem_share_give_back(struct tandem_share *s, unsigned scopes)
{
    (void)scopes; /* The wire knows all or nothing beyond sight. */
    (void)view_input(s, &(struct tdm_control_view_in){.kind = TDM_VIEW_LEAVE});
}

int tandem_share_surfaces(struct tandem_share *s,
                          struct tandem_share_surface surfaces[TANDEM_SHARE_SURFACES_MAX])
{
    struct tdm_screen_surface list[TDM_SCREEN_SURFACES_MAX];
    uint32_t count = tdm_share_watch_surfaces(s->watch, list);

    for (uint32_t i = 0; i < count; i++) {
        surfaces[i] = (struct tandem_share_surface){.id = list[i].id,
                                                    .x = list[i].x,
                                                    .y = list[i].y,
                                                    .width = list[i].width,
                                                    .height = list[i].height,
                                                    .primary = list[i].primary};
        (void)snprintf(surfaces[i].name, sizeof surfaces[i].name, "%.*s", TDM_SCREEN_NAME_MAX,
                       list[i].name);
    }
    return (int)count;
}

enum tandem_status tandem_share_picture(struct tandem_share *s, uint32_t surface,
                                        struct tandem_share_picture *picture)
{
    struct tdm_share_picture p;

    tdm_wake_clear(s->picture_fd);
    if (surface >= TDM_SCREEN_SURFACES_MAX ||
        !tdm_share_watch_lock(s->watch, (uint8_t)surface, false, &p))
        return TANDEM_AGAIN;
    *picture = (struct tandem_share_picture){.surface = surface,
                                             .width = p.surface.width,
                                             .height = p.surface.height,
                                             .stride = (size_t)p.stride,
                                             .pixels = (const uint32_t *)(const void *)p.pixels,
                                             .number = p.number,
                                             .exact = p.exact,
                                             .captured_ns = p.captured_at,
                                             .damage_count = (int)p.damage_count};
    for (uint32_t i = 0; i < p.damage_count; i++)
        picture->damage[i] = (struct tandem_share_rect){p.damage[i].x, p.damage[i].y,
                                                        p.damage[i].width, p.damage[i].height};
    return TANDEM_OK;
}

void tandem_share_picture_done(struct tandem_share *s)
{
    tdm_share_watch_unlock(s->watch);
}

int tandem_share_picture_fd(struct tandem_share *s)
{
    return s->picture_fd;
}

enum tandem_status tandem_share_snapshot(struct tandem_share *s, const char *path,
                                         struct tandem_cause *cause)
{
    struct tdm_screen_surface list[TDM_SCREEN_SURFACES_MAX];
    struct tdm_share_picture picture;
    struct tdm_cause why = {""};

    if (!tdm_share_watch_surfaces(s->watch, list) ||
        !tdm_share_watch_lock(s->watch, list[0].id, true, &picture))
        return fail(cause, TANDEM_AGAIN, "there is no picture yet");
    enum tdm_err err = tdm_screen_picture_save(&picture, path, &why);

    tdm_share_watch_unlock(s->watch);
    return status_with(err, &why, cause);
}

enum tandem_status tandem_share_cursor(struct tandem_share *s, struct tandem_share_cursor *cursor)
{
    uint8_t pixels[TDM_SHARE_SHAPE_BYTES];
    struct tdm_share_pointer p;

    if (!tdm_share_watch_cursor(s->watch, &p, pixels))
        return TANDEM_AGAIN;
    *cursor = (struct tandem_share_cursor){.visible = p.at.visible,
                                           .surface = p.at.surface,
                                           .x = p.at.x,
                                           .y = p.at.y,
                                           .hot_x = p.shape.hot_x,
                                           .hot_y = p.shape.hot_y,
                                           .width = p.shape.width,
                                           .height = p.shape.height,
                                           .number = p.number};
    for (size_t i = 0; i < (size_t)p.shape.width * p.shape.height; i++) {
        const uint8_t *from = pixels + 4 * i;
        uint32_t alpha = from[3], argb = alpha << 24;

        for (int n = 0; n < 3; n++)
            argb |= (from[n] * alpha + 127) / 255 << (8 * n);
        cursor->argb[i] = argb;
    }
    return TANDEM_OK;
}

/* A pixel's middle in 65536ths of the side. */
static uint16_t part_of(int at, int side)
{
    int64_t inside = at < 0 ? 0 : at >= side ? side - 1 : at;

    return (uint16_t)((inside * 65536 + 32768) / (side ? side : 1));
}

static bool place(struct tandem_share *s, const struct tandem_share_input *input,
                  struct tdm_control_record *record)
{
    struct tdm_screen_surface list[TDM_SCREEN_SURFACES_MAX];
    uint32_t count = tdm_share_watch_surfaces(s->watch, list);

    for (uint32_t i = 0; i < count; i++)
        if (list[i].id == input->surface) {
            record->surface = list[i].id;
            record->x = part_of(input->x, list[i].width);
            record->y = part_of(input->y, list[i].height);
            return true;
        }
    return false;
}

static bool translate(struct tandem_share *s, const struct tandem_share_input *input,
                      struct tdm_control_view_in *in)
{
    static const enum tdm_control_view_input kinds[] = {
        [TANDEM_SHARE_MOVE] = TDM_VIEW_MOVE,   [TANDEM_SHARE_BUTTON] = TDM_VIEW_BUTTON,
        [TANDEM_SHARE_WHEEL] = TDM_VIEW_WHEEL, [TANDEM_SHARE_NUDGE] = TDM_VIEW_NUDGE,
        [TANDEM_SHARE_KEY] = TDM_VIEW_KEY,     [TANDEM_SHARE_TEXT] = TDM_VIEW_TEXT,
        [TANDEM_SHARE_FOCUS] = TDM_VIEW_FOCUS, [TANDEM_SHARE_GHOST] = TDM_VIEW_GHOST,
    };
    size_t size = strnlen(input->text, sizeof input->text);
    enum tdm_press press = input->down ? TDM_PRESS_DOWN : TDM_PRESS_UP;

    if ((unsigned)input->kind >= sizeof kinds / sizeof *kinds)
        return false;
    *in = (struct tdm_control_view_in){.kind = kinds[input->kind]};
    in->record.press = press;
    in->record.mods = input->modifiers;
    in->record.button = input->button;
    in->record.dx = (int16_t)input->x;
    in->record.dy = (int16_t)input->y;
    if (in->kind == TDM_VIEW_TEXT) {
        in->record.data = (const uint8_t *)input->text;
        in->record.size = (uint32_t)size;
    }
    if (in->kind == TDM_VIEW_KEY)
        in->key = (struct tdm_view_key){.evdev = tdm_key_evdev_of_usage(input->code),
                                        .press = press,
                                        .keysym = input->symbol,
                                        .mods = input->modifiers,
                                        .text = input->text,
                                        .size = (uint32_t)size};
    return (in->kind != TDM_VIEW_MOVE && in->kind != TDM_VIEW_BUTTON) ||
           place(s, input, &in->record);
}

enum tandem_status tandem_share_input(struct tandem_share *s,
                                      const struct tandem_share_input *input)
{
    struct tdm_control_view_in in;

    if (!translate(s, input, &in))
        return TANDEM_INVALID;
    return view_input(s, &in) ? TANDEM_OK : TANDEM_AGAIN;
}

enum tandem_status tandem_share_request(struct tandem_share *s, const char *request, char **answer,
                                        struct tandem_cause *cause)
{
    json_error_t error;
    json_t *parsed = json_loads(request, 0, &error), *done = NULL;
    struct tdm_cause why = {"a request is a JSON object"};
    enum tdm_err err = TDM_E_MALFORMED;

    if (answer)
        *answer = NULL;
    if (json_is_object(parsed))
        err = tdm_share_ask_ink(s, parsed, &done, &why);
    if (err == TDM_OK)
        (void)json_object_set_new(done, "ok", json_true());
    else
        done = json_pack("{s:b,s:s}", "ok", 0, "why", why.text);
    const json_t *tag = json_object_get(parsed, "tag");

    if (tag)
        (void)json_object_set(done, "tag", (json_t *)(uintptr_t)tag);
    if (answer)
        *answer = json_dumps(done, JSON_COMPACT);
    json_decref(done);
    json_decref(parsed);
    if (err == TDM_E_DENIED || err == TDM_E_GONE) /* Said wrongly, to whoever asks. */
        err = TDM_E_MALFORMED;
    return status_with(err, &why, cause);
}

void tandem_share_freeze_to(struct tandem_share *s, struct tandem_board *board)
{
    pthread_mutex_lock(&s->lock);
    s->board = board;
    pthread_mutex_unlock(&s->lock);
}

int tandem_share_event_fd(struct tandem_share *s)
{
    return s->event_fd;
}

enum tandem_status tandem_share_next_event(struct tandem_share *s, struct tandem_share_event *event)
{
    pthread_mutex_lock(&s->lock);
    enum tdm_err err = tdm_ring_pop(&s->events, event);

    if (err != TDM_OK)
        tdm_wake_clear(s->event_fd);
    pthread_mutex_unlock(&s->lock);
    return err == TDM_OK ? TANDEM_OK : TANDEM_AGAIN;
}

static void distribution(struct tandem_distribution *to, const struct tdm_histogram *from)
{
    *to = (struct tandem_distribution){
        .count = from->count,
        .mean = (double)tdm_histogram_mean(from) / 1e6,
        .p50 = (double)tdm_histogram_quantile(from, 0.5) / 1e6,
        .p95 = (double)tdm_histogram_quantile(from, 0.95) / 1e6,
        .p99 = (double)tdm_histogram_quantile(from, 0.99) / 1e6,
        .max = from->count ? (double)from->max / 1e6 : 0,
    };
}

static void give_stats(struct tandem_share *s, struct tandem_share_stats *stats)
{
    struct tdm_share_give_figures give;
    struct tdm_hand_figures hand;

    tdm_share_give_figures(s->give, &give);
    tdm_share_hand_figures(s->host, &hand);
    stats->giving = true;
    stats->allowed = tdm_share_hand_scopes(s->host, &stats->seconds);
    stats->frames = give.core.frames;
    stats->bytes = give.core.bytes;
    stats->refined = give.core.refinements;
    stats->repaired = give.core.resyncs;
    stats->moving = give.units;
    stats->moving_rtp = give.rtp_units;
    stats->exact_share = give.exact ? 1 : 0;
    stats->input_done = hand.done;
    stats->input_refused = hand.refused;
    distribution(&stats->capture_ms, &give.capture);
    distribution(&stats->encode_ms, &give.encode);
    distribution(&stats->answer_ms, &give.answer);
}

static void watch_stats(struct tandem_share *s, struct tandem_share_stats *stats)
{
    struct tdm_share_watch_figures watch;
    struct tdm_hand_figures hand;

    tdm_share_watch_figures(s->watch, &watch);
    tdm_share_hand_figures(s->view, &hand);
    stats->watching = s->shown;
    stats->input_sent = hand.sent;
    distribution(&stats->decode_ms, &watch.decode);
    if (stats->giving)
        return;
    stats->allowed = tdm_share_hand_scopes(s->view, &stats->seconds);
    stats->frames = watch.core.frames;
    stats->bytes = watch.core.bytes;
    stats->repaired = watch.core.resyncs;
    stats->moving = watch.units;
    stats->moving_rtp = watch.rtp_units;
    stats->exact_share = watch.exact_share;
}

enum tandem_status tandem_share_stats(struct tandem_share *s, struct tandem_share_stats *stats)
{
    *stats = (struct tandem_share_stats){.giving = false};
    pthread_mutex_lock(&s->lock);
    stats->connected = s->up;
    (void)snprintf(stats->peer, sizeof stats->peer, "%s", s->peer);
    if (s->give)
        give_stats(s, stats);
    watch_stats(s, stats);
    pthread_mutex_unlock(&s->lock);
    return TANDEM_OK;
}

/* What the window asks for. */

static uint32_t window_surfaces(void *arg, struct tdm_screen_surface list[TDM_SCREEN_SURFACES_MAX])
{
    return tdm_share_watch_surfaces(((struct tandem_share *)arg)->watch, list);
}

static bool window_take(void *arg, uint8_t surface, bool again, struct tdm_share_picture *picture)
{
    return tdm_share_watch_lock(((struct tandem_share *)arg)->watch, surface, again, picture);
}

static void window_give_back(void *arg)
{
    tdm_share_watch_unlock(((struct tandem_share *)arg)->watch);
}

static bool window_pointer(void *arg, struct tdm_share_pointer *pointer,
                           uint8_t pixels[TDM_SHARE_SHAPE_BYTES])
{
    return tdm_share_watch_cursor(((struct tandem_share *)arg)->watch, pointer, pixels);
}

static void window_input(void *arg, const struct tdm_control_view_in *in)
{
    (void)view_input(arg, in);
}

static void window_ask(void *arg)
{
    (void)tandem_share_ask(arg, TANDEM_SHARE_POINTER | TANDEM_SHARE_KEYBOARD |
                                    TANDEM_SHARE_CLIPBOARD_IN | TANDEM_SHARE_CLIPBOARD_OUT);
}

static void window_closed(void *arg)
{
    struct tandem_share *s = arg;

    pthread_mutex_lock(&s->lock);
    tdm_share_tell(s, TANDEM_SHARE_CLOSED, 0, 0, "the window was closed");
    pthread_mutex_unlock(&s->lock);
}

static bool window_ink(void *arg, uint8_t surface, bool again, struct tdm_ink_pixels *pixels)
{
    return tdm_share_ink_lock(((struct tandem_share *)arg)->view_ink, surface, again, pixels);
}

static void window_ink_done(void *arg)
{
    tdm_share_ink_unlock(((struct tandem_share *)arg)->view_ink);
}

static void window_hand(void *arg, enum tdm_ink_act act, enum tdm_ink_tool tool, uint8_t surface,
                        int32_t x, int32_t y)
{
    tdm_share_ink_hand(((struct tandem_share *)arg)->view_ink, act, tool, surface, x, y);
}

/* What came of it is told: the window has no other place for it. */
static void window_ink_do(void *arg, const char *what)
{
    struct tandem_share *s = arg;
    struct tandem_cause cause = {""};
    char request[64];
    uint32_t seconds;

    if (strcmp(what, "ask") == 0) {
        if (!(tdm_share_hand_scopes(s->view, &seconds) & TDM_SCOPE_ANNOTATE))
            (void)tandem_share_ask(s, TANDEM_SHARE_VIEW | TANDEM_SHARE_ANNOTATE);
        return;
    }
    (void)snprintf(request, sizeof request, "{\"do\":\"%.40s\"}", what);
    if (tandem_share_request(s, request, NULL, &cause) == TANDEM_OK && strcmp(what, "freeze") != 0)
        return;
    pthread_mutex_lock(&s->lock);
    tdm_share_tell(s, TANDEM_SHARE_NOTICE, 0, 0,
                   *cause.text ? cause.text : "the frame is a page of the board now");
    pthread_mutex_unlock(&s->lock);
}

enum tandem_status tandem_share_open_window(struct tandem_share *s, const char *title,
                                            struct tandem_cause *cause)
{
    const struct tdm_screen_window_source source = {.arg = s,
                                                    .fd = s->picture_fd,
                                                    .surfaces = window_surfaces,
                                                    .take = window_take,
                                                    .give_back = window_give_back,
                                                    .pointer = window_pointer,
                                                    .input = window_input,
                                                    .ask = window_ask,
                                                    .closed = window_closed,
                                                    .ink = window_ink,
                                                    .ink_done = window_ink_done,
                                                    .hand = window_hand,
                                                    .ink_do = window_ink_do};
    struct tdm_screen_window *window;
    struct tdm_cause why = {""};

    if (s->window)
        return TANDEM_OK;
    enum tdm_err err =
        tdm_screen_window_open(&window, NULL, title ? title : "Tandem", &source, &why);

    pthread_mutex_lock(&s->lock);
    s->window = window;
    say_allowed(s);
    pthread_mutex_unlock(&s->lock);
    return status_with(err, &why, cause);
}

void tandem_share_close_window(struct tandem_share *s)
{
    pthread_mutex_lock(&s->lock);
    struct tdm_screen_window *window = s->window;

    s->window = NULL;
    pthread_mutex_unlock(&s->lock);
    tdm_screen_window_close(window);
}
