/* SPDX-License-Identifier: MIT */

/* The connection to the X server: its extensions, and pixels through memory that both share. */

#include "desktop/x11.h"
#include "engine/io/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xcb/screensaver.h>
#include <xcb/shape.h>
#include <xcb/xfixes.h>
#include <xcb/xinput.h>

#define SHARED_BYTES_MAX ((size_t)64 << 20)

static void detach(struct x11_link *link)
{
    if (link->shared) {
        (void)xcb_shm_detach(link->connection, link->segment);
        (void)munmap(link->shared, link->shared_bytes);
    }
    link->shared = NULL;
}

/* Memory of ours that the server maps; without it (a remote server) `shared` stays NULL. */
static void attach(struct x11_link *link)
{
    size_t bytes = (size_t)link->width * link->height * 4;

    detach(link);
    if (bytes > SHARED_BYTES_MAX)
        bytes = SHARED_BYTES_MAX;
    int fd = memfd_create("tandem-screen", MFD_CLOEXEC);

    if (fd < 0)
        return;
    void *memory = MAP_FAILED;

    if (ftruncate(fd, (off_t)bytes) == 0)
        memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        (void)close(fd);
        return;
    }
    link->segment = xcb_generate_id(link->connection);
    /* The fd is closed once it is sent. */
    xcb_generic_error_t *error = xcb_request_check(
        link->connection, xcb_shm_attach_fd_checked(link->connection, link->segment, fd, 0));

    if (error || xcb_connection_has_error(link->connection)) {
        (void)munmap(memory, bytes);
    } else {
        link->shared = memory;
        link->shared_bytes = bytes;
    }
    free(error);
}

static bool has_32_bits(const xcb_setup_t *setup, uint8_t depth)
{
    for (xcb_format_iterator_t it = xcb_setup_pixmap_formats_iterator(setup); it.rem;
         xcb_format_next(&it))
        if (it.data->depth == depth)
            return depth == 24 && it.data->bits_per_pixel == 32 &&
                   setup->image_byte_order == XCB_IMAGE_ORDER_LSB_FIRST;
    return false;
}

static enum tdm_err find_root(struct x11_link *link, int wanted, struct tdm_cause *cause)
{
    const xcb_setup_t *setup = xcb_get_setup(link->connection);
    xcb_screen_iterator_t it = xcb_setup_roots_iterator(setup);

    while (wanted-- > 0 && it.rem)
        xcb_screen_next(&it);
    if (!it.rem)
        return tdm_fail(cause, TDM_E_GONE, "display \"%s\" has no such screen", link->display);
    if (!has_32_bits(setup, it.data->root_depth))
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "display \"%s\" has %d-bit colour: 24 is needed",
                        link->display, it.data->root_depth);
    link->root = it.data->root;
    link->width = it.data->width_in_pixels;
    link->height = it.data->height_in_pixels;
    link->depth = it.data->root_depth;
    link->client_bits = 0x1fffffffu & ~setup->resource_id_mask;
    return TDM_OK;
}

/* The first event of an extension, or -1. */
static int first_event(struct x11_link *link, xcb_extension_t *id)
{
    const xcb_query_extension_reply_t *found = xcb_get_extension_data(link->connection, id);

    return found && found->present ? found->first_event : -1;
}

/* A server answers nothing else of these extensions before its version was asked for. */
static void find_extensions(struct x11_link *link)
{
    xcb_connection_t *c = link->connection;
    int first = first_event(link, &xcb_xfixes_id);

    if (first >= 0) {
        link->fixes_event = (uint8_t)(first + XCB_XFIXES_CURSOR_NOTIFY);
        free(xcb_xfixes_query_version_reply(c, xcb_xfixes_query_version(c, 5, 0), NULL));
        link->has_fixes = true;
    }
    first = first_event(link, &xcb_randr_id);
    if (first >= 0) {
        xcb_randr_query_version_reply_t *version =
            xcb_randr_query_version_reply(c, xcb_randr_query_version(c, 1, 5), NULL);

        link->randr_event = (uint8_t)first;
        link->has_randr = version && (version->major_version > 1 || version->minor_version >= 5);
        free(version);
    }
    first = first_event(link, &xcb_shape_id);
    link->has_shape = first >= 0;
    link->shape_event = (uint8_t)(first + XCB_SHAPE_NOTIFY);
    first = first_event(link, &xcb_screensaver_id);
    link->has_saver = first >= 0;
    link->saver_event = (uint8_t)(first + XCB_SCREENSAVER_NOTIFY);
    const xcb_query_extension_reply_t *input = xcb_get_extension_data(c, &xcb_input_id);

    if (input && input->present) {
        link->input_opcode = input->major_opcode;
        free(xcb_input_xi_query_version_reply(c, xcb_input_xi_query_version(c, 2, 1), NULL));
        link->has_input = true;
    }
}

static void watch_damage(struct x11_link *link)
{
    xcb_connection_t *c = link->connection;
    int first = first_event(link, &xcb_damage_id);

    if (first < 0)
        return;
    free(xcb_damage_query_version_reply(
        c, xcb_damage_query_version(c, XCB_DAMAGE_MAJOR_VERSION, XCB_DAMAGE_MINOR_VERSION), NULL));
    link->damage = xcb_generate_id(c);
    link->damage_event = (uint8_t)(first + XCB_DAMAGE_NOTIFY);
    /* The rectangles come with the events, each once until it is subtracted: no question, and no
     * more events than there are pixels. */
    (void)xcb_damage_create(c, link->damage, link->root, XCB_DAMAGE_REPORT_LEVEL_DELTA_RECTANGLES);
}

static void watch_root(struct x11_link *link)
{
    const uint32_t events = XCB_EVENT_MASK_SUBSTRUCTURE_NOTIFY | XCB_EVENT_MASK_STRUCTURE_NOTIFY |
                            XCB_EVENT_MASK_PROPERTY_CHANGE;

    (void)xcb_change_window_attributes(link->connection, link->root, XCB_CW_EVENT_MASK, &events);
    if (link->has_randr)
        (void)xcb_randr_select_input(link->connection, link->root,
                                     XCB_RANDR_NOTIFY_MASK_SCREEN_CHANGE |
                                         XCB_RANDR_NOTIFY_MASK_CRTC_CHANGE |
                                         XCB_RANDR_NOTIFY_MASK_OUTPUT_CHANGE);
    if (link->has_saver)
        (void)xcb_screensaver_select_input(link->connection, link->root,
                                           XCB_SCREENSAVER_EVENT_NOTIFY_MASK);
}

static void intern_atoms(struct x11_link *link)
{
    static const char *const names[X11_ATOM_COUNT] = {
        [X11_WM_STATE] = "WM_STATE",        [X11_WM_CLIENT_LEADER] = "WM_CLIENT_LEADER",
        [X11_NET_WM_NAME] = "_NET_WM_NAME", [X11_NET_ACTIVE_WINDOW] = "_NET_ACTIVE_WINDOW",
        [X11_UTF8_STRING] = "UTF8_STRING",
    };
    xcb_intern_atom_cookie_t asked[X11_ATOM_COUNT];

    for (int i = 0; i < X11_ATOM_COUNT; i++)
        asked[i] = xcb_intern_atom(link->connection, 0, (uint16_t)strlen(names[i]), names[i]);
    for (int i = 0; i < X11_ATOM_COUNT; i++) {
        xcb_intern_atom_reply_t *reply = xcb_intern_atom_reply(link->connection, asked[i], NULL);

        link->atoms[i] = reply ? reply->atom : XCB_ATOM_NONE;
        free(reply);
    }
}

static bool shares_memory(struct x11_link *link)
{
    const xcb_query_extension_reply_t *shm = xcb_get_extension_data(link->connection, &xcb_shm_id);

    if (!shm || !shm->present)
        return false;
    xcb_shm_query_version_reply_t *version = xcb_shm_query_version_reply(
        link->connection, xcb_shm_query_version(link->connection), NULL);
    bool takes_fds = version && (version->major_version > 1 || version->minor_version >= 2);

    free(version);
    return takes_fds;
}

enum tdm_err x11_link_open(struct x11_link *link, const char *display, bool hints,
                           struct tdm_cause *cause)
{
    const char *name = *display ? display : tdm_environment("DISPLAY");
    int wanted = 0;

    if (!name || !*name)
        return tdm_fail(cause, TDM_E_GONE,
                        "there is no display to share: run this in a desktop session, or set "
                        "DISPLAY, or name one as x11:DISPLAY");
    (void)snprintf(link->display, sizeof link->display, "%s", name);
    link->connection = xcb_connect(name, &wanted);
    if (xcb_connection_has_error(link->connection))
        return tdm_fail(cause, TDM_E_GONE,
                        "cannot open display \"%s\": is it running, and may you use it (xauth)?",
                        link->display);
    enum tdm_err err = find_root(link, wanted, cause);

    if (err)
        return err;
    find_extensions(link);
    intern_atoms(link);
    if (shares_memory(link))
        attach(link);
    watch_root(link);
    if (hints)
        watch_damage(link);
    (void)xcb_flush(link->connection);
    return TDM_OK;
}

void x11_link_close(struct x11_link *link)
{
    if (!link->connection)
        return;
    detach(link);
    xcb_disconnect(link->connection);
    link->connection = NULL;
}

bool x11_link_gone(const struct x11_link *link)
{
    return xcb_connection_has_error(link->connection) != 0;
}

enum tdm_err x11_link_lost(const struct x11_link *link, struct tdm_cause *cause)
{
    return tdm_fail(cause, TDM_E_GONE,
                    "display \"%s\" has closed: sharing goes on when it is opened again",
                    link->display);
}

void x11_link_resize(struct x11_link *link, uint16_t width, uint16_t height)
{
    bool shared = link->shared;

    link->width = width;
    link->height = height;
    if (shared)
        attach(link);
}

int x11_link_rows(const struct x11_link *link, int width)
{
    size_t bytes = link->shared ? link->shared_bytes : (size_t)1 << 20;
    size_t rows = bytes / ((size_t)width * 4);

    return rows < 1 ? 1 : (int)(rows > INT16_MAX ? INT16_MAX : rows);
}

static enum tdm_err grab_shared(struct x11_link *link, struct tdm_rect rect,
                                struct x11_pixels *pixels)
{
    xcb_shm_get_image_cookie_t asked = xcb_shm_get_image(
        link->connection, link->root, (int16_t)rect.x, (int16_t)rect.y, (uint16_t)rect.width,
        (uint16_t)rect.height, ~0u, XCB_IMAGE_FORMAT_Z_PIXMAP, link->segment, 0);
    xcb_shm_get_image_reply_t *reply = xcb_shm_get_image_reply(link->connection, asked, NULL);

    pixels->sequence = asked.sequence;

    if (!reply)
        return TDM_E_AGAIN;
    free(reply);
    pixels->data = link->shared;
    return TDM_OK;
}

static enum tdm_err grab_connection(struct x11_link *link, struct tdm_rect rect,
                                    struct x11_pixels *pixels)
{
    size_t needed = (size_t)rect.width * (size_t)rect.height * 4;
    xcb_get_image_cookie_t asked =
        xcb_get_image(link->connection, XCB_IMAGE_FORMAT_Z_PIXMAP, link->root, (int16_t)rect.x,
                      (int16_t)rect.y, (uint16_t)rect.width, (uint16_t)rect.height, ~0u);
    xcb_get_image_reply_t *reply = xcb_get_image_reply(link->connection, asked, NULL);

    pixels->sequence = asked.sequence;

    if (!reply || (size_t)xcb_get_image_data_length(reply) < needed) {
        free(reply);
        return TDM_E_AGAIN;
    }
    pixels->data = xcb_get_image_data(reply);
    pixels->reply = reply;
    return TDM_OK;
}

enum tdm_err x11_link_grab(struct x11_link *link, struct tdm_rect rect, struct x11_pixels *pixels)
{
    const struct tdm_rect root = {0, 0, link->width, link->height};

    *pixels = (struct x11_pixels){.stride = (ptrdiff_t)rect.width * 4};
    if (!tdm_rect_equal(tdm_rect_both(rect, root), rect))
        return TDM_E_AGAIN;
    return link->shared ? grab_shared(link, rect, pixels) : grab_connection(link, rect, pixels);
}

void x11_link_release(struct x11_pixels *pixels)
{
    free(pixels->reply);
    pixels->reply = NULL;
}
