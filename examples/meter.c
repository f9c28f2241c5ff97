/* SPDX-License-Identifier: MIT */
/*
 * A meter: calls, and prints once a second how the call is. With time codes in the pictures of both
 * sides, the trace's latency stands beside that of the pixels (one machine, one clock).
 *
 * usage: meter ADDRESS SECONDS
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <tandem/tandem.h>

static void print_line(struct tandem_call *call)
{
    struct tandem_stats s;

    if (tandem_call_stats(call, &s) != TANDEM_OK)
        return;
    printf("%6.1f %8.2f %8.2f %6.1f %6.2f %8.1f %8.1f %8.1f\n", s.seconds, s.video.send_bps / 1e6,
           s.video.receive_bps / 1e6, s.shown_fps, 100 * s.video.loss, s.glass_to_glass.p50,
           s.pixel_latency.p50, s.mouth_to_ear.p50);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    const struct tandem_media media = {
        .video_source = "pattern",
        .audio_source = "tone",
        .video_sink = "null",
        .audio_sink = "null",
        .time_code = true,
    };
    long left = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    struct tandem_cause cause = {"usage: meter ADDRESS SECONDS"};
    struct tandem_event event = {.kind = TANDEM_EVENT_NONE};
    struct tandem *engine = NULL;
    struct tandem_call *call;
    bool up = false;

    if (left < 1 || tandem_create(NULL, &engine, &cause) != TANDEM_OK ||
        tandem_dial(engine, argv[1], &media, &call, &cause) != TANDEM_OK) {
        fprintf(stderr, "%s\n", cause.text);
        tandem_destroy(engine);
        return 1;
    }
    puts("     s  out Mb/s  in Mb/s    fps  loss%    glass   pixels      ear");
    while (event.kind != TANDEM_EVENT_ENDED) {
        if (tandem_wait_event(engine, 1000, &event) == TANDEM_OK) {
            up |= event.kind == TANDEM_EVENT_UP;
        } else if (up) {
            print_line(call);
            if (--left == 0)
                (void)tandem_hangup(call);
        }
    }
    fprintf(stderr, "%s\n", event.text);
    tandem_destroy(engine);
    return event.value == TANDEM_END_HERE ? 0 : 1;
}
