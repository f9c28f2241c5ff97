/* SPDX-License-Identifier: MIT */
#include "render/x_pixels.h"

#include "engine/io/entropy.h"
#include "render/x_errors.h"

#include <X11/Xutil.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#define PROOF_PIXELS 4
/* What goes wrong where the server cannot reach our memory. */
#define SHARING (TDM_X_DENIED | TDM_X_NO_ROOM | TDM_X_OTHER)

static XImage image_of(struct tdm_x_pixels *p, const uint8_t *pixels, ptrdiff_t stride, int width,
                       int height)
{
    return (XImage){.width = width,
                    .height = height,
                    .format = ZPixmap,
                    .data = (char *)(uintptr_t)pixels,
                    .byte_order = LSBFirst,
                    .bitmap_unit = 32,
                    .bitmap_bit_order = LSBFirst,
                    .bitmap_pad = 32,
                    .depth = DefaultDepth(p->display, DefaultScreen(p->display)),
                    .bytes_per_line = (int)stride,
                    .bits_per_pixel = 32,
                    .obdata = (char *)&p->segment};
}

/* Behind what lies there already; the caller has seen to the room. */
static void put_shared(struct tdm_x_pixels *p, Drawable to, const uint8_t *pixels, ptrdiff_t stride,
                       struct tdm_rect rect)
{
    size_t row = (size_t)rect.width * 4;
    uint8_t *room = (uint8_t *)p->segment.shmaddr + p->used;
    XImage image = image_of(p, room, (ptrdiff_t)row, rect.width, rect.height);

    for (int y = 0; y < rect.height; y++)
        memcpy(room + (size_t)y * row, pixels + (rect.y + y) * stride + (ptrdiff_t)4 * rect.x, row);
    (void)XShmPutImage(p->display, to, p->gc, &image, 0, 0, rect.x, rect.y, (unsigned)rect.width,
                       (unsigned)rect.height, False);
    p->used += row * (size_t)rect.height;
}

/* A server elsewhere may have memory of its own under the same number: what it draws says whether
 * it is ours. */
static bool is_ours(struct tdm_x_pixels *p)
{
    const struct tdm_rect all = {0, 0, PROOF_PIXELS, 1};
    uint32_t sent[PROOF_PIXELS];
    bool same = true;
    Pixmap seen = XCreatePixmap(p->display, DefaultRootWindow(p->display), PROOF_PIXELS, 1,
                                (unsigned)DefaultDepth(p->display, DefaultScreen(p->display)));

    tdm_entropy(sent, sizeof sent);
    put_shared(p, seen, (const uint8_t *)sent, sizeof sent, all);
    p->used = 0;
    XImage *image = XGetImage(p->display, seen, 0, 0, PROOF_PIXELS, 1, AllPlanes, ZPixmap);

    for (int i = 0; image && i < PROOF_PIXELS; i++)
        same = same && (XGetPixel(image, i, 0) & 0xffffff) == (sent[i] & 0xffffff);
    if (image)
        (void)XDestroyImage(image);
    (void)XFreePixmap(p->display, seen);
    return image && same;
}

static bool share(struct tdm_x_pixels *p, size_t size)
{
    if (!size || !XShmQueryExtension(p->display))
        return false;
    p->segment.shmid = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
    if (p->segment.shmid < 0)
        return false;
    void *memory = shmat(p->segment.shmid, NULL, 0);

    if (memory == (void *)-1) { /* NOLINT(performance-no-int-to-ptr): as shmat says it. */
        (void)shmctl(p->segment.shmid, IPC_RMID, NULL);
        return false;
    }
    p->segment.shmaddr = memory;
    p->segment.readOnly = True;
    p->size = size;
    (void)tdm_x_errors_take(SHARING);
    (void)XShmAttach(p->display, &p->segment);
    (void)XSync(p->display, False);
    (void)shmctl(p->segment.shmid, IPC_RMID, NULL); /* When both have left it. */
    if (tdm_x_errors_take(SHARING))
        return false;
    bool ours = is_ours(p);

    ours = !tdm_x_errors_take(SHARING) && ours;
    if (!ours)
        (void)XShmDetach(p->display, &p->segment);
    return ours;
}

void tdm_x_pixels_open(struct tdm_x_pixels *p, Display *display, GC gc, size_t size)
{
    *p = (struct tdm_x_pixels){.display = display, .gc = gc};
    if (!share(p, size))
        tdm_x_pixels_forget(p);
}

void tdm_x_pixels_forget(struct tdm_x_pixels *p)
{
    if (p->segment.shmaddr)
        (void)shmdt(p->segment.shmaddr);
    p->segment.shmaddr = NULL;
}

void tdm_x_pixels_close(struct tdm_x_pixels *p)
{
    if (p->segment.shmaddr)
        (void)XShmDetach(p->display, &p->segment);
    tdm_x_pixels_forget(p);
}

void tdm_x_pixels_settle(struct tdm_x_pixels *p)
{
    if (p->used)
        (void)XSync(p->display, False);
    else
        (void)XFlush(p->display);
    p->used = 0;
}

/* As many rows as have room. */
static int rows_with_room(struct tdm_x_pixels *p, struct tdm_rect rect)
{
    size_t row = (size_t)rect.width * 4;

    if (p->size - p->used < row)
        tdm_x_pixels_settle(p);
    size_t rows = (p->size - p->used) / row;

    return rows < (size_t)rect.height ? (int)rows : rect.height;
}

void tdm_x_pixels_put(struct tdm_x_pixels *p, Drawable to, const uint8_t *pixels, ptrdiff_t stride,
                      struct tdm_rect rect)
{
    if (p->segment.shmaddr && (size_t)rect.width * 4 <= p->size) {
        while (!tdm_rect_empty(rect)) {
            struct tdm_rect part = rect;

            part.height = rows_with_room(p, rect);
            put_shared(p, to, pixels, stride, part);
            rect.y += part.height;
            rect.height -= part.height;
        }
        return;
    }
    XImage image = image_of(p, pixels, stride, rect.x + rect.width, rect.y + rect.height);

    if (XInitImage(&image))
        (void)XPutImage(p->display, to, p->gc, &image, rect.x, rect.y, rect.x, rect.y,
                        (unsigned)rect.width, (unsigned)rect.height);
}
