/* SPDX-License-Identifier: MIT */
/*
 * An answering machine: takes every call, shows a test pattern to the caller and records what the
 * caller says and shows.
 *
 * usage: answer_machine PORT COUNT     ends after COUNT calls, whose recordings are call-1.mkv ...
 */
#include <stdio.h>
#include <stdlib.h>
#include <tandem/tandem.h>

static void answer(struct tandem_call *call, const char *path)
{
    const struct tandem_media media = {
        .video_source = "pattern",
        .audio_source = "tone",
        .video_sink = "null",
        .audio_sink = "null",
        .record_path = path,
    };
    struct tandem_cause cause = {""};

    if (tandem_answer(call, &media, &cause) == TANDEM_OK)
        return;
    fprintf(stderr, "cannot answer: %s\n", cause.text);
    (void)tandem_reject(call, false);
}

static void tell(const char *path, struct tandem_call *call, const char *why)
{
    struct tandem_stats stats;

    if (tandem_call_stats(call, &stats) == TANDEM_OK)
        printf("%s: %.1f s, %llu pictures of %dx%d: %s\n", path, stats.seconds,
               (unsigned long long)stats.frames_shown, stats.width, stats.height, why);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    long left = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    struct tandem_config config = {.listen = true, .sip_port_may_change = true};
    struct tandem_cause cause = {"usage: answer_machine PORT COUNT"};
    struct tandem_call *current = NULL; /* One caller at a time. */
    struct tandem_event event;
    struct tandem *engine;
    char path[32] = "";
    int number = 0;

    config.sip_port = argc == 3 ? (uint16_t)strtol(argv[1], NULL, 10) : 0;
    if (left < 1 || tandem_create(&config, &engine, &cause) != TANDEM_OK) {
        fprintf(stderr, "%s\n", cause.text);
        return 1;
    }
    printf("waiting on port %u\n", tandem_port(engine));
    (void)fflush(stdout);
    while (left > 0 && tandem_wait_event(engine, -1, &event) == TANDEM_OK) {
        if (event.kind == TANDEM_EVENT_INCOMING && current) {
            (void)tandem_reject(event.call, true);
        } else if (event.kind == TANDEM_EVENT_INCOMING) {
            current = event.call;
            (void)snprintf(path, sizeof path, "call-%d.mkv", ++number);
            answer(current, path);
        } else if (event.kind == TANDEM_EVENT_ENDED) {
            if (event.call == current) {
                tell(path, current, event.text);
                current = NULL;
                left--;
            }
            tandem_call_release(event.call);
        }
    }
    tandem_destroy(engine);
    return 0;
}
