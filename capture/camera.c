/* SPDX-License-Identifier: MIT */

/*
 * A V4L2 camera: cam, or cam:/dev/videoN. Streams through four mapped buffers; when several frames
 * wait, the newest wins. The capture time is the driver's own, where its clock is the monotonic
 * one. Formats: YUYV, NV12, I420, or JPEG where raw pictures come too slowly.
 */

#include "capture/camera.h"

#include "capture/fit.h"
#include "capture/pace.h"
#include "capture/registry.h"
#include "engine/base/rt.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define BUFFERS     4
#define SILENCE_MAX (10 * TDM_S)
#define FRAME_MAX   (64u * 1024 * 1024)

struct tdm_video_source {
    const struct tdm_camera_io *io;
    int fd;
    char path[64];
    uint32_t pixel_format; /* V4L2_PIX_FMT_*. */
    int width, height, stride;
    struct {
        uint8_t *memory;
        size_t size;
    } buffers[BUFFERS];
    uint32_t buffer_count;
    bool streaming;
    AVCodecContext *jpeg;
    AVPacket *packet;
    AVFrame *frame;
    uint8_t *jpeg_bytes; /* A frame with the padding that libavcodec needs. */
    struct tdm_fit fit;
    struct tdm_picture pic;
    uint8_t *storage;
    struct tdm_pace pace;
    uint32_t frame_id;
    int wake_fd;
};

static int real_open(void *arg, const char *path)
{
    (void)arg;
    return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static int real_ioctl(void *arg, int fd, unsigned long request, void *data)
{
    int done;

    (void)arg;
    do
        done = ioctl(fd, request, data);
    while (done < 0 && errno == EINTR);
    return done;
}

static void *real_map(void *arg, int fd, size_t size, off_t offset)
{
    (void)arg;
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
}

static void real_unmap(void *arg, void *memory, size_t size)
{
    (void)arg;
    (void)munmap(memory, size);
}

static void real_close(void *arg, int fd)
{
    (void)arg;
    (void)close(fd);
}

static const struct tdm_camera_io real_io = {
    .open = real_open,
    .ioctl = real_ioctl,
    .map = real_map,
    .unmap = real_unmap,
    .close = real_close,
};

static int control(struct tdm_video_source *s, unsigned long request, void *data)
{
    return s->io->ioctl(s->io->arg, s->fd, request, data);
}

static void destroy(struct tdm_video_source *s)
{
    if (!s)
        return;
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

    if (s->streaming)
        (void)control(s, VIDIOC_STREAMOFF, &type);
    for (uint32_t i = 0; i < s->buffer_count; i++)
        s->io->unmap(s->io->arg, s->buffers[i].memory, s->buffers[i].size);
    if (s->fd >= 0)
        s->io->close(s->io->arg, s->fd);
    avcodec_free_context(&s->jpeg);
    av_packet_free(&s->packet);
    av_frame_free(&s->frame);
    tdm_fit_close(&s->fit);
    free(s->jpeg_bytes);
    free(s->storage);
    free(s);
}

/* Turns errno of a camera call into what a person can do. */
static enum tdm_err camera_failed(const struct tdm_video_source *s, struct tdm_cause *cause)
{
    switch (errno) {
    case ENOENT:
    case ENXIO:
        return tdm_fail(cause, TDM_E_GONE,
                        "no camera at %s: plug one in, or use --video file:PATH or pattern",
                        s->path);
    case ENODEV:
    case EIO:
        return tdm_fail(cause, TDM_E_GONE,
                        "the camera at %s is gone: plug it in again, or use --video file:PATH or "
                        "pattern",
                        s->path);
    case EACCES:
    case EPERM:
        return tdm_fail(cause, TDM_E_DENIED,
                        "you may not use the camera at %s: add yourself to the group \"video\"",
                        s->path);
    case EBUSY:
        return tdm_fail(cause, TDM_E_DENIED,
                        "the camera at %s is in use by another program: close that, or use --video "
                        "file:PATH or pattern",
                        s->path);
    default:
        return tdm_fail(cause, TDM_E_SYSTEM, "the camera at %s fails (error %d)", s->path, errno);
    }
}

/* The best rate that the camera says it has at a size, in frames a second; 0 when it is silent. */
static double best_rate(struct tdm_video_source *s, uint32_t format, int width, int height)
{
    double best = 0;

    for (uint32_t i = 0; i < 64; i++) {
        struct v4l2_frmivalenum interval = {.index = i,
                                            .pixel_format = format,
                                            .width = (uint32_t)width,
                                            .height = (uint32_t)height};

        if (control(s, VIDIOC_ENUM_FRAMEINTERVALS, &interval) < 0)
            break;
        const struct v4l2_fract *shortest = interval.type == V4L2_FRMIVAL_TYPE_DISCRETE
                                                ? &interval.discrete
                                                : &interval.stepwise.min;
        double rate = shortest->numerator ? (double)shortest->denominator / shortest->numerator : 0;

        best = rate > best ? rate : best;
        if (interval.type != V4L2_FRMIVAL_TYPE_DISCRETE)
            break;
    }
    return best;
}

static struct v4l2_format wanted_format(uint32_t format, int width, int height)
{
    struct v4l2_format f = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE};

    f.fmt.pix.width = (uint32_t)width;
    f.fmt.pix.height = (uint32_t)height;
    f.fmt.pix.pixelformat = format;
    f.fmt.pix.field = V4L2_FIELD_NONE;
    return f;
}

/* The first format that the camera has at the asked rate; else JPEG, which is narrower on the
 * bus; else whatever it has. 0 when it has none of ours. */
static uint32_t choose_format(struct tdm_video_source *s,
                              const struct tdm_video_source_config *config)
{
    static const uint32_t known[] = {V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_YUV420, V4L2_PIX_FMT_YUYV,
                                     V4L2_PIX_FMT_MJPEG};
    uint32_t slow = 0;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct v4l2_format f = wanted_format(known[i], config->width, config->height);

        if (control(s, VIDIOC_TRY_FMT, &f) < 0 || f.fmt.pix.pixelformat != known[i])
            continue;
        double rate = best_rate(s, known[i], (int)f.fmt.pix.width, (int)f.fmt.pix.height);

        if (rate <= 0 || rate * 1.1 >= config->fps)
            return known[i];
        slow = known[i];
    }
    return slow;
}

static size_t raw_bytes_needed(const struct tdm_video_source *s)
{
    size_t plane = (size_t)s->stride * (size_t)s->height;

    return s->pixel_format == V4L2_PIX_FMT_YUYV ? plane : plane + plane / 2;
}

static enum tdm_err set_format(struct tdm_video_source *s,
                               const struct tdm_video_source_config *config,
                               struct tdm_cause *cause)
{
    struct v4l2_capability able = {0};

    if (control(s, VIDIOC_QUERYCAP, &able) < 0)
        return camera_failed(s, cause);
    uint32_t bits = able.capabilities & V4L2_CAP_DEVICE_CAPS ? able.device_caps : able.capabilities;

    if (!(bits & V4L2_CAP_VIDEO_CAPTURE) || !(bits & V4L2_CAP_STREAMING))
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "%s is not a camera that streams: try cam:/dev/video0 or another number",
                        s->path);
    uint32_t chosen = choose_format(s, config);

    if (!chosen)
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "the camera at %s gives none of YUYV, NV12, I420 and JPEG", s->path);
    struct v4l2_format f = wanted_format(chosen, config->width, config->height);

    if (control(s, VIDIOC_S_FMT, &f) < 0)
        return camera_failed(s, cause);
    s->pixel_format = chosen;
    s->width = (int)f.fmt.pix.width;
    s->height = (int)f.fmt.pix.height;
    s->stride = (int)f.fmt.pix.bytesperline;
    int row = chosen == V4L2_PIX_FMT_YUYV ? 2 * s->width : s->width;

    if (f.fmt.pix.pixelformat != chosen || s->width < 2 || s->height < 2 || s->width > 16384 ||
        s->height > 16384)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "the camera at %s changed its mind about %dx%d",
                        s->path, config->width, config->height);
    if (s->stride < row || s->stride > 8 * row)
        s->stride = row;
    struct v4l2_streamparm rate = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE};

    rate.parm.capture.timeperframe = (struct v4l2_fract){1, config->fps};
    (void)control(s, VIDIOC_S_PARM, &rate); /* A camera may have one rate only. */
    return TDM_OK;
}

static enum tdm_err map_buffers(struct tdm_video_source *s, struct tdm_cause *cause)
{
    struct v4l2_requestbuffers request = {
        .count = BUFFERS, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};

    if (control(s, VIDIOC_REQBUFS, &request) < 0)
        return camera_failed(s, cause);
    if (request.count < 2)
        return tdm_fail(cause, TDM_E_SYSTEM, "the camera at %s has no memory for frames", s->path);
    for (uint32_t i = 0; i < request.count && i < BUFFERS; i++) {
        struct v4l2_buffer buffer = {
            .index = i, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};

        if (control(s, VIDIOC_QUERYBUF, &buffer) < 0)
            return camera_failed(s, cause);
        void *memory = s->io->map(s->io->arg, s->fd, buffer.length, buffer.m.offset);

        if (memory == MAP_FAILED)
            return camera_failed(s, cause);
        s->buffers[i].memory = memory;
        s->buffers[i].size = buffer.length;
        s->buffer_count = i + 1;
        if (buffer.length > FRAME_MAX)
            return tdm_fail(cause, TDM_E_UNSUPPORTED, "the camera at %s has frames too large",
                            s->path);
        if (control(s, VIDIOC_QBUF, &buffer) < 0)
            return camera_failed(s, cause);
    }
    return TDM_OK;
}

static enum tdm_err open_jpeg(struct tdm_video_source *s, struct tdm_cause *cause)
{
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_MJPEG);

    if (s->pixel_format != V4L2_PIX_FMT_MJPEG)
        return TDM_OK;
    av_log_set_level(AV_LOG_QUIET); /* A torn frame is skipped in silence. */
    s->jpeg = codec ? avcodec_alloc_context3(codec) : NULL;
    s->packet = av_packet_alloc();
    s->frame = av_frame_alloc();
    s->jpeg_bytes = malloc(s->buffers[0].size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (s->jpeg)
        s->jpeg->thread_count = 1;
    if (!s->jpeg || !s->packet || !s->frame || !s->jpeg_bytes ||
        avcodec_open2(s->jpeg, codec, NULL) < 0)
        return tdm_fail(cause, TDM_E_SYSTEM, "cannot decode the JPEG frames of the camera at %s",
                        s->path);
    return TDM_OK;
}

static enum tdm_err start(struct tdm_video_source *s, const struct tdm_video_source_config *config,
                          struct tdm_cause *cause)
{
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

    (void)snprintf(s->path, sizeof s->path, "%s",
                   *config->argument ? config->argument : "/dev/video0");
    s->fd = s->io->open(s->io->arg, s->path);
    if (s->fd < 0)
        return camera_failed(s, cause);
    enum tdm_err err = set_format(s, config, cause);

    if (!err)
        err = map_buffers(s, cause);
    if (!err)
        err = open_jpeg(s, cause);
    if (!err && control(s, VIDIOC_STREAMON, &type) < 0)
        err = camera_failed(s, cause);
    s->streaming = !err;
    return err;
}

enum tdm_err tdm_camera_create(const struct tdm_video_source_config *config,
                               const struct tdm_camera_io *io, struct tdm_video_source **source,
                               struct tdm_cause *cause)
{
    struct tdm_video_source *s = calloc(1, sizeof *s);

    assert(config->fps > 0);
    if (s) {
        s->io = io ? io : &real_io;
        s->fd = -1;
        s->storage = malloc(tdm_picture_bytes(config->width, config->height));
    }
    if (!s || !s->storage || !tdm_fit_open(&s->fit, config->width, config->height)) {
        destroy(s);
        return tdm_fail(cause, TDM_E_SYSTEM,
                        "no memory for the camera's pictures: use a smaller -s");
    }
    s->wake_fd = config->wake_fd;
    s->pace.period = TDM_S / config->fps;
    tdm_picture_over(&s->pic, s->storage, config->width, config->height);
    enum tdm_err err = start(s, config, cause);

    if (err) {
        destroy(s);
        return err;
    }
    *source = s;
    return TDM_OK;
}

static enum tdm_err create(const struct tdm_video_source_config *config,
                           struct tdm_video_source **source, struct tdm_cause *cause)
{
    return tdm_camera_create(config, NULL, source, cause);
}

/* Takes the newest filled buffer; older ones go back at once. TDM_E_AGAIN when none is filled. */
static enum tdm_err take_newest(struct tdm_video_source *s, struct v4l2_buffer *newest,
                                struct tdm_cause *cause)
{
    bool have = false;

    for (uint32_t i = 0; i <= s->buffer_count; i++) {
        struct v4l2_buffer buffer = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
                                     .memory = V4L2_MEMORY_MMAP};

        if (control(s, VIDIOC_DQBUF, &buffer) < 0) {
            if (errno == EAGAIN)
                break;
            return camera_failed(s, cause);
        }
        if (have && control(s, VIDIOC_QBUF, newest) < 0)
            return camera_failed(s, cause);
        *newest = buffer;
        have = true;
        if (buffer.index >= s->buffer_count)
            return tdm_fail(cause, TDM_E_GONE,
                            "the camera at %s gives frames that it does not have", s->path);
    }
    return have ? TDM_OK : TDM_E_AGAIN;
}

static bool decode_jpeg(struct tdm_video_source *s, const uint8_t *data, size_t size,
                        struct tdm_raw_picture *raw)
{
    memcpy(s->jpeg_bytes, data, size);
    memset(s->jpeg_bytes + size, 0, AV_INPUT_BUFFER_PADDING_SIZE);
    s->packet->data = s->jpeg_bytes;
    s->packet->size = (int)size;
    if (avcodec_send_packet(s->jpeg, s->packet) < 0 || avcodec_receive_frame(s->jpeg, s->frame) < 0)
        return false;
    *raw = tdm_raw_of_frame(s->frame);
    return true;
}

static bool describe_raw(const struct tdm_video_source *s, const uint8_t *data, size_t size,
                         struct tdm_raw_picture *raw)
{
    size_t plane = (size_t)s->stride * (size_t)s->height;

    *raw = (struct tdm_raw_picture){.data = {data},
                                    .strides = {s->stride},
                                    .width = s->width,
                                    .height = s->height,
                                    .format = AV_PIX_FMT_YUYV422};
    if (s->pixel_format == V4L2_PIX_FMT_NV12) {
        raw->format = AV_PIX_FMT_NV12;
        raw->data[1] = data + plane;
        raw->strides[1] = s->stride;
    } else if (s->pixel_format == V4L2_PIX_FMT_YUV420) {
        raw->format = AV_PIX_FMT_YUV420P;
        raw->data[1] = data + plane;
        raw->data[2] = data + plane + plane / 4;
        raw->strides[1] = raw->strides[2] = s->stride / 2;
    }
    return size >= raw_bytes_needed(s);
}

/* False: a torn or empty frame, which is skipped. */
static bool convert(struct tdm_video_source *s, const struct v4l2_buffer *buffer)
{
    const uint8_t *data = s->buffers[buffer->index].memory;
    size_t size = s->buffers[buffer->index].size;
    struct tdm_raw_picture raw;

    size = buffer->bytesused < size ? buffer->bytesused : size;
    if (buffer->flags & V4L2_BUF_FLAG_ERROR || !size)
        return false;
    tdm_rt_foreign_enter();
    bool good = s->pixel_format == V4L2_PIX_FMT_MJPEG ? decode_jpeg(s, data, size, &raw)
                                                      : describe_raw(s, data, size, &raw);

    tdm_rt_foreign_leave();
    return good && !tdm_fit_into(&s->fit, &raw, &s->pic);
}

static tdm_time time_of(const struct v4l2_buffer *buffer)
{
    tdm_time now = tdm_clock_now();
    tdm_time said = (tdm_time)buffer->timestamp.tv_sec * TDM_S + buffer->timestamp.tv_usec * TDM_US;
    bool monotonic =
        (buffer->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;

    return monotonic && said <= now && said > now - TDM_S ? said : now;
}

static enum tdm_err next(struct tdm_video_source *s, struct tdm_picture *pic,
                         struct tdm_cause *cause)
{
    tdm_time silent_at = tdm_clock_now() + SILENCE_MAX;

    for (;;) {
        enum tdm_wait why = tdm_wait_until(silent_at, s->wake_fd, s->fd);
        struct v4l2_buffer buffer = {0};

        if (why == TDM_WAIT_WAKE)
            return TDM_E_AGAIN;
        if (why == TDM_WAIT_TIME)
            return tdm_fail(cause, TDM_E_GONE, "the camera at %s sends no pictures", s->path);
        enum tdm_err err = take_newest(s, &buffer, cause);

        if (err == TDM_E_AGAIN)
            continue;
        if (err)
            return err;
        tdm_time at = time_of(&buffer);
        bool good = tdm_pace_admits(&s->pace, at) && convert(s, &buffer);

        if (control(s, VIDIOC_QBUF, &buffer) < 0)
            return camera_failed(s, cause);
        if (!good)
            continue; /* Torn, or more than the asked rate. */
        s->pic.captured = at;
        s->pic.frame_id = s->frame_id++;
        *pic = s->pic;
        return TDM_OK;
    }
}

const struct tdm_video_source_ops tdm_camera_source = {
    .kind = "cam",
    .create = create,
    .destroy = destroy,
    .next = next,
};
