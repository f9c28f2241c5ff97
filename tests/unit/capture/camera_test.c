/* SPDX-License-Identifier: MIT */

/* The camera source on a camera that is made of code. */

#include "capture/camera.h"

#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <linux/videodev2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>
/* After the four headers that it needs. */
#include <cmocka.h>

#define BUFFER_BYTES 200000
#define BUFFERS      4

struct fake {
    uint32_t format; /* The one that it has. */
    uint32_t slow;   /* And one that it has at 5 frames a second. */
    int open_errno, streamon_errno, dqbuf_errno;
    int fd;
    uint8_t *memory[BUFFERS];
    bool queued[BUFFERS];
    struct v4l2_buffer filled[BUFFERS];
    int filled_count;
    int mapped, opened, streaming;
    uint32_t bogus_index; /* Added to the index that DQBUF says. */
    int width, height;
};

static int fake_open(void *arg, const char *path)
{
    struct fake *f = arg;

    (void)path;
    if (f->open_errno) {
        errno = f->open_errno;
        return -1;
    }
    f->opened++;
    f->fd = tdm_wake_open(NULL);
    return f->fd;
}

static int refuse(int error)
{
    errno = error;
    return -1;
}

static int set_format(struct fake *f, struct v4l2_format *format)
{
    if (format->fmt.pix.pixelformat != f->format && format->fmt.pix.pixelformat != f->slow)
        return refuse(EINVAL);
    format->fmt.pix.width = (uint32_t)f->width;
    format->fmt.pix.height = (uint32_t)f->height;
    format->fmt.pix.bytesperline =
        (uint32_t)f->width * (format->fmt.pix.pixelformat == V4L2_PIX_FMT_YUYV ? 2 : 1);
    return 0;
}

static int take_frame(struct fake *f, struct v4l2_buffer *buffer)
{
    if (f->dqbuf_errno)
        return refuse(f->dqbuf_errno);
    if (!f->filled_count)
        return refuse(EAGAIN);
    *buffer = f->filled[0];
    buffer->index += f->bogus_index;
    f->filled_count--;
    memmove(f->filled, f->filled + 1, sizeof f->filled - sizeof *f->filled);
    if (!f->filled_count)
        tdm_wake_clear(f->fd);
    return 0;
}

static int fake_ioctl(void *arg, int fd, unsigned long request, void *data)
{
    struct fake *f = arg;
    struct v4l2_buffer *buffer = data;
    struct v4l2_frmivalenum *interval = data;

    assert_int_equal(fd, f->fd);
    switch (request) {
    case VIDIOC_QUERYCAP:
        ((struct v4l2_capability *)data)->capabilities =
            V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        return 0;
    case VIDIOC_TRY_FMT:
    case VIDIOC_S_FMT:
        return set_format(f, data);
    case VIDIOC_ENUM_FRAMEINTERVALS:
        if (interval->index)
            return refuse(EINVAL);
        interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
        interval->discrete = (struct v4l2_fract){1, interval->pixel_format == f->slow ? 5 : 30};
        return 0;
    case VIDIOC_S_PARM:
        return 0;
    case VIDIOC_REQBUFS:
        ((struct v4l2_requestbuffers *)data)->count = BUFFERS;
        return 0;
    case VIDIOC_QUERYBUF:
        buffer->length = BUFFER_BYTES;
        buffer->m.offset = buffer->index;
        return 0;
    case VIDIOC_QBUF:
        if (buffer->index >= BUFFERS || f->queued[buffer->index])
            return refuse(EINVAL);
        f->queued[buffer->index] = true;
        return 0;
    case VIDIOC_DQBUF:
        return take_frame(f, buffer);
    case VIDIOC_STREAMON:
        if (f->streamon_errno)
            return refuse(f->streamon_errno);
        f->streaming++;
        return 0;
    case VIDIOC_STREAMOFF:
        f->streaming--;
        return 0;
    default:
        return refuse(ENOTTY);
    }
}

static void *fake_map(void *arg, int fd, size_t size, off_t offset)
{
    struct fake *f = arg;

    (void)fd;
    assert_int_equal(size, BUFFER_BYTES);
    f->mapped++;
    f->memory[offset] = malloc(size); /* So that a sanitizer sees the end of it. */
    return f->memory[offset];
}

static void fake_unmap(void *arg, void *memory, size_t size)
{
    struct fake *f = arg;

    (void)size;
    f->mapped--;
    free(memory);
}

static void fake_close(void *arg, int fd)
{
    struct fake *f = arg;

    f->opened--;
    (void)close(fd);
}

/* The camera fills the next queued buffer. */
static void shoot(struct fake *f, const void *data, size_t size, uint8_t luma, tdm_time at,
                  uint32_t flags)
{
    for (uint32_t i = 0; i < BUFFERS; i++) {
        if (!f->queued[i])
            continue;
        f->queued[i] = false;
        if (data)
            memcpy(f->memory[i], data, size);
        else
            for (size_t n = 0; n < size; n += 2) {
                f->memory[i][n] = luma;
                f->memory[i][n + 1] = f->format == V4L2_PIX_FMT_YUYV ? 128 : luma;
            }
        f->filled[f->filled_count++] = (struct v4l2_buffer){
            .index = i,
            .bytesused = (uint32_t)size,
            .flags = flags | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
            .timestamp = {.tv_sec = at / TDM_S, .tv_usec = at % TDM_S / TDM_US},
        };
        tdm_wake_signal(f->fd);
        return;
    }
    fail_msg("no buffer is queued");
}

/* A wake-up that comes only after the source has looked at the frame. */
static void wake_soon(int timer_fd)
{
    const struct itimerspec soon = {.it_value = {.tv_nsec = 30 * 1000 * 1000}};

    assert_int_equal(timerfd_settime(timer_fd, 0, &soon, NULL), 0);
}

static struct tdm_camera_io io_of(struct fake *f)
{
    return (struct tdm_camera_io){.open = fake_open,
                                  .ioctl = fake_ioctl,
                                  .map = fake_map,
                                  .unmap = fake_unmap,
                                  .close = fake_close,
                                  .arg = f};
}

static const struct tdm_video_source_ops *camera_ops(void)
{
    const char *rest;

    return tdm_video_source_find("cam", &rest, NULL);
}

static enum tdm_err create(const struct tdm_camera_io *io, int wake_fd,
                           struct tdm_video_source **source, struct tdm_cause *cause)
{
    const struct tdm_video_source_config config = {
        .argument = "", .width = 320, .height = 180, .fps = 30, .wake_fd = wake_fd};

    return tdm_camera_create(&config, io, source, cause);
}

static void assert_released(const struct fake *f)
{
    assert_int_equal(f->opened, 0);
    assert_int_equal(f->mapped, 0);
    assert_int_equal(f->streaming, 0);
}

static void the_newest_frame_wins(void **state)
{
    (void)state;
    struct fake f = {.format = V4L2_PIX_FMT_YUYV, .width = 320, .height = 180};
    struct tdm_camera_io io = io_of(&f);
    struct tdm_video_source *source = NULL;
    struct tdm_picture pic;
    tdm_time now = tdm_clock_now() / TDM_US * TDM_US;

    assert_int_equal(create(&io, -1, &source, NULL), TDM_OK);
    for (uint32_t round = 0; round < 10; round++) {
        tdm_time at = now - 500 * TDM_MS + round * 40 * TDM_MS;

        shoot(&f, NULL, 320 * 180 * 2, 50, at - 2 * TDM_MS, 0);
        shoot(&f, NULL, 320 * 180 * 2, 100, at - TDM_MS, 0);
        shoot(&f, NULL, 320 * 180 * 2, (uint8_t)(150 + round), at, 0);
        assert_int_equal(camera_ops()->next(source, &pic, NULL), TDM_OK);
        assert_int_equal(pic.planes[0][90 * 320 + 160], 150 + round);
        assert_int_equal(pic.planes[1][45 * 160 + 80], 128);
        assert_int_equal(pic.captured, at);
        assert_int_equal(pic.frame_id, round);
    }
    camera_ops()->destroy(source);
    assert_released(&f);
}

static void formats_are_converted(void **state)
{
    (void)state;
    const uint32_t formats[] = {V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_YUV420};

    for (size_t i = 0; i < 2; i++) {
        struct fake f = {
            .format = formats[i], .slow = V4L2_PIX_FMT_YUYV, .width = 160, .height = 120};
        struct tdm_camera_io io = io_of(&f);
        struct tdm_video_source *source = NULL;
        struct tdm_picture pic;

        assert_int_equal(create(&io, -1, &source, NULL), TDM_OK);
        shoot(&f, NULL, 160 * 120 * 3 / 2, 90, tdm_clock_now(), 0);
        assert_int_equal(camera_ops()->next(source, &pic, NULL), TDM_OK);
        assert_int_equal(pic.planes[0][90 * 320 + 160], 90); /* 240 wide, bars of 40. */
        assert_int_equal(pic.planes[0][90 * 320 + 10], 16);
        assert_int_equal(pic.planes[2][45 * 160 + 80], 90);
        camera_ops()->destroy(source);
        assert_released(&f);
    }
}

static size_t make_jpeg(uint8_t *out, size_t out_max)
{
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
    AVCodecContext *encoder = avcodec_alloc_context3(codec);
    AVFrame *frame = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();

    encoder->width = frame->width = 320;
    encoder->height = frame->height = 180;
    encoder->pix_fmt = AV_PIX_FMT_YUVJ420P;
    frame->format = AV_PIX_FMT_YUVJ420P;
    encoder->time_base = (AVRational){1, 30};
    assert_int_equal(avcodec_open2(encoder, codec, NULL), 0);
    assert_int_equal(av_frame_get_buffer(frame, 0), 0);
    memset(frame->data[0], 255, (size_t)frame->linesize[0] * 180); /* Full range white. */
    memset(frame->data[1], 128, (size_t)frame->linesize[1] * 90);
    memset(frame->data[2], 128, (size_t)frame->linesize[2] * 90);
    assert_int_equal(avcodec_send_frame(encoder, frame), 0);
    assert_int_equal(avcodec_receive_packet(encoder, packet), 0);
    size_t size = (size_t)packet->size;

    assert_true(size <= out_max);
    memcpy(out, packet->data, size);
    av_packet_free(&packet);
    av_frame_free(&frame);
    avcodec_free_context(&encoder);
    return size;
}

static void jpeg_is_decoded_and_torn_frames_are_skipped(void **state)
{
    (void)state;
    static uint8_t jpeg[BUFFER_BYTES];
    size_t size = make_jpeg(jpeg, sizeof jpeg);
    /* Raw at 5 frames a second, JPEG at 30: JPEG it is. */
    struct fake f = {
        .format = V4L2_PIX_FMT_MJPEG, .slow = V4L2_PIX_FMT_YUYV, .width = 320, .height = 180};
    struct tdm_camera_io io = io_of(&f);
    struct tdm_video_source *source = NULL;
    struct tdm_picture pic;
    int wake_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    tdm_time at = tdm_clock_now() - 900 * TDM_MS;

    assert_int_equal(create(&io, wake_fd, &source, NULL), TDM_OK);
    shoot(&f, jpeg, size, 0, at, 0);
    assert_int_equal(camera_ops()->next(source, &pic, NULL), TDM_OK);
    assert_in_range(pic.planes[0][90 * 320 + 160], 233, 237);
    const struct {
        size_t size;
        uint32_t flags;
    } torn[] = {{0, 0}, {10, 0}, {size, V4L2_BUF_FLAG_ERROR}};

    for (size_t i = 0; i < 3; i++) {
        /* Skipped: then there is nothing but the wake-up. */
        shoot(&f, jpeg, torn[i].size, 0, at + (tdm_time)(i + 1) * 100 * TDM_MS, torn[i].flags);
        wake_soon(wake_fd);
        assert_int_equal(camera_ops()->next(source, &pic, NULL), TDM_E_AGAIN);
        assert_int_equal(f.filled_count, 0);
        tdm_wake_clear(wake_fd);
    }
    shoot(&f, jpeg, size, 0, at + 500 * TDM_MS, 0);
    assert_int_equal(camera_ops()->next(source, &pic, NULL), TDM_OK);
    assert_int_equal(pic.frame_id, 1);
    camera_ops()->destroy(source);
    assert_released(&f);
    (void)close(wake_fd);
}

static void short_raw_frames_are_skipped(void **state)
{
    (void)state;
    struct fake f = {.format = V4L2_PIX_FMT_YUYV, .width = 320, .height = 180};
    struct tdm_camera_io io = io_of(&f);
    struct tdm_video_source *source = NULL;
    struct tdm_picture pic;

    int wake_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    tdm_time at = tdm_clock_now() - 500 * TDM_MS;

    assert_int_equal(create(&io, wake_fd, &source, NULL), TDM_OK);
    shoot(&f, NULL, 320 * 180 * 2, 70, at, 0);
    assert_int_equal(camera_ops()->next(source, &pic, NULL), TDM_OK);
    shoot(&f, NULL, 320 * 180, 200, at + 40 * TDM_MS, 0);
    shoot(&f, NULL, 320 * 180 * 2, 80, at + 80 * TDM_MS, 0);
    assert_int_equal(camera_ops()->next(source, &pic, NULL), TDM_OK);
    assert_int_equal(pic.planes[0][90 * 320 + 160], 80);
    shoot(&f, NULL, 320 * 180, 200, at + 140 * TDM_MS, 0);
    wake_soon(wake_fd);
    assert_int_equal(camera_ops()->next(source, &pic, NULL), TDM_E_AGAIN);
    assert_int_equal(f.filled_count, 0);
    camera_ops()->destroy(source);
    (void)close(wake_fd);
}

static void failures_are_explained(void **state)
{
    (void)state;
    const struct {
        int open_errno, streamon_errno;
        enum tdm_err err;
        const char *says;
    } cases[] = {
        {ENOENT, 0, TDM_E_GONE,
         "no camera at /dev/video0: plug one in, or use --video file:PATH or pattern"},
        {EACCES, 0, TDM_E_DENIED, "group \"video\""},
        {EBUSY, 0, TDM_E_DENIED, "in use by another program"},
        {ENODEV, 0, TDM_E_GONE, "is gone"},
        {0, EBUSY, TDM_E_DENIED, "in use by another program"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake f = {.format = V4L2_PIX_FMT_YUYV,
                         .width = 320,
                         .height = 180,
                         .open_errno = cases[i].open_errno,
                         .streamon_errno = cases[i].streamon_errno};
        struct tdm_camera_io io = io_of(&f);
        struct tdm_video_source *source = NULL;
        struct tdm_cause cause = {""};

        assert_int_equal(create(&io, -1, &source, &cause), cases[i].err);
        assert_non_null(strstr(cause.text, cases[i].says));
        assert_released(&f);
    }
    struct fake none = {.format = V4L2_PIX_FMT_H264, .width = 320, .height = 180};
    struct tdm_camera_io io = io_of(&none);
    struct tdm_video_source *source = NULL;
    struct tdm_cause cause;

    assert_int_equal(create(&io, -1, &source, &cause), TDM_E_UNSUPPORTED);
    assert_released(&none);
}

static void a_camera_that_disappears_is_told(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        struct fake f = {.format = V4L2_PIX_FMT_YUYV, .width = 320, .height = 180};
        struct tdm_camera_io io = io_of(&f);
        struct tdm_video_source *source = NULL;
        struct tdm_picture pic;
        struct tdm_cause cause;

        assert_int_equal(create(&io, -1, &source, NULL), TDM_OK);
        shoot(&f, NULL, 320 * 180 * 2, 70, tdm_clock_now(), 0);
        if (round)
            f.bogus_index = 7; /* A driver that lies. */
        else
            f.dqbuf_errno = ENODEV;
        assert_int_equal(camera_ops()->next(source, &pic, &cause), TDM_E_GONE);
        assert_non_null(strstr(cause.text, "/dev/video0"));
        camera_ops()->destroy(source);
        assert_released(&f);
    }
}

static void no_real_camera_is_explained(void **state)
{
    (void)state;
    const struct tdm_video_source_config config = {
        .argument = "/dev/video-none", .width = 320, .height = 180, .fps = 30, .wake_fd = -1};
    struct tdm_video_source *source = NULL;
    struct tdm_cause cause;

    assert_int_equal(camera_ops()->create(&config, &source, &cause), TDM_E_GONE);
    assert_string_equal(cause.text, "no camera at /dev/video-none: plug one in, or use --video "
                                    "file:PATH or pattern");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_frame_wins),
        cmocka_unit_test(formats_are_converted),
        cmocka_unit_test(jpeg_is_decoded_and_torn_frames_are_skipped),
        cmocka_unit_test(short_raw_frames_are_skipped),
        cmocka_unit_test(failures_are_explained),
        cmocka_unit_test(a_camera_that_disappears_is_told),
        cmocka_unit_test(no_real_camera_is_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
