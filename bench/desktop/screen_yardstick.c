/* SPDX-License-Identifier: MIT */

/*
 * A yardstick for screen sharing, not a product: damage, shared memory, one zstd stream that is
 * kept, TCP; keys back. No security, no pointer, no rate control but a look at what is unsent.
 * What it takes is what the work itself costs.
 *
 *     DISPLAY=:1 screen_yardstick host PORT
 *     DISPLAY=:2 screen_yardstick view ADDRESS PORT
 */

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xcb/damage.h>
#include <xcb/shm.h>
#include <xcb/xcb.h>
#include <xcb/xtest.h>
#include <zstd.h>

#define UNSENT_MAX 32768
#define RECTS_MAX  256
#define BUFFER     (1 << 20)

struct screen {
    xcb_connection_t *c;
    const xcb_screen_t *x;
    xcb_shm_seg_t segment;
    uint8_t *pixels;
};

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}

static struct screen open_screen(void)
{
    struct screen s = {.c = xcb_connect(NULL, NULL)};

    check(!xcb_connection_has_error(s.c), "DISPLAY");
    s.x = xcb_setup_roots_iterator(xcb_get_setup(s.c)).data;
    int id = shmget(IPC_PRIVATE, (size_t)s.x->width_in_pixels * s.x->height_in_pixels * 4,
                    IPC_CREAT | 0600);

    check(id >= 0, "shmget");
    s.pixels = shmat(id, NULL, 0);
    s.segment = xcb_generate_id(s.c);
    free(xcb_request_check(s.c, xcb_shm_attach_checked(s.c, s.segment, (uint32_t)id, 0)));
    (void)shmctl(id, IPC_RMID, NULL);
    return s;
}

static void send_all(int fd, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t sent = send(fd, (const uint8_t *)data + done, size - done, MSG_NOSIGNAL);

        if (sent <= 0)
            exit(0); /* The other side has left. */
        done += (size_t)sent;
    }
}

static void press(struct screen *s, const uint8_t key[2])
{
    xcb_test_fake_input(s->c, key[0], key[1], 0, s->x->root, 0, 0, 0);
    xcb_flush(s->c);
}

struct host {
    struct screen screen;
    xcb_damage_damage_t damage;
    uint8_t damage_event;
    xcb_rectangle_t rects[RECTS_MAX];
    size_t count;
    ZSTD_CCtx *zstd;
    int fd;
};

static void compress(struct host *h, const void *data, size_t size, ZSTD_EndDirective end)
{
    static uint8_t out[BUFFER];
    ZSTD_inBuffer in = {data, size, 0};
    size_t left;

    do {
        ZSTD_outBuffer o = {out, sizeof out, 0};

        left = ZSTD_compressStream2(h->zstd, &o, &in, end);
        check(!ZSTD_isError(left), "zstd");
        send_all(h->fd, out, o.pos);
    } while (end == ZSTD_e_continue ? in.pos < in.size : left > 0);
}

static void hear(struct host *h)
{
    xcb_generic_event_t *event;

    while ((event = xcb_poll_for_event(h->screen.c))) {
        const xcb_damage_notify_event_t *e = (const void *)event;

        if ((event->response_type & 0x7f) == h->damage_event && h->count == RECTS_MAX) {
            h->rects[0] = (xcb_rectangle_t){0, 0, h->screen.x->width_in_pixels,
                                            h->screen.x->height_in_pixels};
            h->count = 1;
        } else if ((event->response_type & 0x7f) == h->damage_event) {
            h->rects[h->count++] = e->area;
        }
        free(event);
    }
}

static void send_rects(struct host *h)
{
    struct screen *s = &h->screen;

    xcb_damage_subtract(s->c, h->damage, XCB_NONE, XCB_NONE);
    for (size_t i = 0; i < h->count; i++) {
        const xcb_rectangle_t *r = &h->rects[i];
        xcb_shm_get_image_cookie_t asked =
            xcb_shm_get_image(s->c, s->x->root, r->x, r->y, r->width, r->height, ~0u,
                              XCB_IMAGE_FORMAT_Z_PIXMAP, s->segment, 0);

        free(xcb_shm_get_image_reply(s->c, asked, NULL));
        compress(h, r, sizeof *r, ZSTD_e_continue);
        compress(h, s->pixels, (size_t)r->width * r->height * 4, ZSTD_e_continue);
    }
    compress(h, NULL, 0, ZSTD_e_flush);
    h->count = 0;
}

static void run_host(uint16_t port)
{
    struct host h = {.screen = open_screen(), .zstd = ZSTD_createCCtx()};
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    const xcb_query_extension_reply_t *damage = xcb_get_extension_data(h.screen.c, &xcb_damage_id);
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    xcb_connection_t *c = h.screen.c;

    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    check(bind(listener, (struct sockaddr *)&any, sizeof any) == 0, "bind");
    check(listen(listener, 1) == 0, "listen");
    h.fd = accept(listener, NULL, NULL);
    check(h.fd >= 0, "accept");
    (void)setsockopt(h.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)ZSTD_CCtx_setParameter(h.zstd, ZSTD_c_compressionLevel, 1);
    (void)ZSTD_CCtx_setParameter(h.zstd, ZSTD_c_windowLog, 23);
    free(xcb_damage_query_version_reply(c, xcb_damage_query_version(c, 1, 1), NULL));
    h.damage_event = damage->first_event;
    h.damage = xcb_generate_id(c);
    xcb_damage_create(c, h.damage, h.screen.x->root, XCB_DAMAGE_REPORT_LEVEL_DELTA_RECTANGLES);
    h.rects[h.count++] =
        (xcb_rectangle_t){0, 0, h.screen.x->width_in_pixels, h.screen.x->height_in_pixels};
    for (;;) {
        int unsent = 0;

        hear(&h);
        (void)ioctl(h.fd, SIOCOUTQ, &unsent);
        if (h.count > 0 && unsent <= UNSENT_MAX) {
            send_rects(&h);
            continue;
        }
        struct pollfd ready[2] = {{.fd = h.fd, .events = POLLIN},
                                  {.fd = xcb_get_file_descriptor(c), .events = POLLIN}};

        xcb_flush(c);
        (void)poll(ready, 2, h.count > 0 ? 1 : -1);
        uint8_t key[2];

        if (ready[0].revents) {
            if (recv(h.fd, key, 2, MSG_WAITALL) != 2)
                return;
            press(&h.screen, key);
        }
    }
}

struct view {
    struct screen screen;
    xcb_window_t window;
    xcb_gcontext_t gc;
    ZSTD_DCtx *zstd;
    xcb_rectangle_t rect;
    size_t have; /* Bytes of the rectangle, its 8 of header first. */
};

static void show(struct view *v)
{
    const xcb_rectangle_t *r = &v->rect;

    xcb_shm_put_image(v->screen.c, v->window, v->gc, r->width, r->height, 0, 0, r->width, r->height,
                      r->x, r->y, v->screen.x->root_depth, XCB_IMAGE_FORMAT_Z_PIXMAP, 0,
                      v->screen.segment, 0);
    /* The memory is written again only when the server has read it. */
    free(xcb_get_input_focus_reply(v->screen.c, xcb_get_input_focus(v->screen.c), NULL));
    v->have = 0;
}

static void take(struct view *v, const uint8_t *data, size_t size)
{
    while (size > 0) {
        size_t head = sizeof v->rect;
        size_t whole = v->have < head ? head : head + (size_t)v->rect.width * v->rect.height * 4;
        size_t count = size < whole - v->have ? size : whole - v->have;
        uint8_t *to =
            v->have < head ? (uint8_t *)&v->rect + v->have : v->screen.pixels + (v->have - head);

        memcpy(to, data, count);
        v->have += count;
        data += count;
        size -= count;
        if (v->have > head && v->have == head + (size_t)v->rect.width * v->rect.height * 4)
            show(v);
    }
}

static void receive(struct view *v, int fd)
{
    static uint8_t in[BUFFER], out[BUFFER];
    ssize_t got = recv(fd, in, sizeof in, 0);
    ZSTD_inBuffer i = {in, got > 0 ? (size_t)got : 0, 0};
    ZSTD_outBuffer o;

    if (got <= 0)
        exit(0);
    do {
        o = (ZSTD_outBuffer){out, sizeof out, 0};
        check(!ZSTD_isError(ZSTD_decompressStream(v->zstd, &o, &i)), "zstd");
        take(v, out, o.pos);
    } while (i.pos < i.size || o.pos == o.size);
}

static void run_view(const char *address, uint16_t port)
{
    struct view v = {.screen = open_screen(), .zstd = ZSTD_createDCtx()};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    const uint32_t events[] = {1, XCB_EVENT_MASK_KEY_PRESS | XCB_EVENT_MASK_KEY_RELEASE};
    const xcb_screen_t *x = v.screen.x;
    xcb_connection_t *c = v.screen.c;
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    (void)ZSTD_DCtx_setParameter(v.zstd, ZSTD_d_windowLogMax, 23);
    check(inet_pton(AF_INET, address, &to.sin_addr) == 1, "address");
    check(connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "connect");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    v.window = xcb_generate_id(c);
    v.gc = xcb_generate_id(c);
    xcb_create_window(c, XCB_COPY_FROM_PARENT, v.window, x->root, 0, 0, x->width_in_pixels,
                      x->height_in_pixels, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT, XCB_COPY_FROM_PARENT,
                      XCB_CW_OVERRIDE_REDIRECT | XCB_CW_EVENT_MASK, events);
    xcb_create_gc(c, v.gc, v.window, 0, NULL);
    xcb_map_window(c, v.window);
    xcb_set_input_focus(c, XCB_INPUT_FOCUS_PARENT, v.window, XCB_CURRENT_TIME);
    for (;;) {
        xcb_generic_event_t *event;

        while ((event = xcb_poll_for_event(c))) {
            uint8_t type = event->response_type & 0x7f;

            if (type == XCB_KEY_PRESS || type == XCB_KEY_RELEASE)
                send_all(fd, (uint8_t[]){type, event->pad0}, 2);
            free(event);
        }
        struct pollfd ready[2] = {{.fd = fd, .events = POLLIN},
                                  {.fd = xcb_get_file_descriptor(c), .events = POLLIN}};

        xcb_flush(c);
        (void)poll(ready, 2, -1);
        if (ready[0].revents)
            receive(&v, fd);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "host") == 0)
        run_host((uint16_t)strtol(argv[2], NULL, 10));
    else if (argc == 4 && strcmp(argv[1], "view") == 0)
        run_view(argv[2], (uint16_t)strtol(argv[3], NULL, 10));
    else
        (void)fprintf(stderr, "screen_yardstick host PORT | view ADDRESS PORT\n");
    return 0;
}
