/* SPDX-License-Identifier: MIT */
#include "bench/blackbox/x_picture.h"

#include <stdio.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include <X11/Xutil.h>

bool tdm_x_picture_init(struct tdm_x_picture *picture, Display *display, uint32_t width,
                        uint32_t height)
{
    *picture = (struct tdm_x_picture){.display = display};
    int screen = DefaultScreen(display);
    if (!XShmQueryExtension(display) || DefaultDepth(display, screen) != 24) {
        fprintf(stderr, "The display %s needs MIT-SHM and a depth of 24 bits.\n",
                DisplayString(display));
        return false;
    }
    picture->image = XShmCreateImage(display, DefaultVisual(display, screen), 24, ZPixmap, NULL,
                                     &picture->shm, width, height);
    if (!picture->image)
        return false;
    size_t size = (size_t)picture->image->bytes_per_line * height;
    picture->shm.shmid = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
    if (picture->shm.shmid < 0) {
        perror("shmget");
        XDestroyImage(picture->image);
        return false;
    }
    picture->shm.shmaddr = shmat(picture->shm.shmid, NULL, 0);
    picture->image->data = picture->shm.shmaddr;
    XShmAttach(display, &picture->shm);
    XSync(display, False);
    /* Both sides have it; it goes when the last of them ends. */
    shmctl(picture->shm.shmid, IPC_RMID, NULL);
    return true;
}

void tdm_x_picture_fini(struct tdm_x_picture *picture)
{
    XShmDetach(picture->display, &picture->shm);
    XSync(picture->display, False);
    picture->image->data = NULL;
    XDestroyImage(picture->image);
    shmdt(picture->shm.shmaddr);
}
