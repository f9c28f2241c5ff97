/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tandem/tandem.h>

int main(int argc, char **argv)
{
    /* Leave these out for camera, microphone, window and speaker. */
    struct tandem_media media = {.video_source = "pattern",
                                 .audio_source = "tone",
                                 .video_sink = "null",
                                 .audio_sink = "null"};
    struct tandem_event event = {.kind = TANDEM_EVENT_NONE};
    struct tandem_cause cause = {"usage: first_call ADDRESS"};
    struct tandem *engine = NULL;
    struct tandem_call *call = NULL;
    int wait_ms = -1;

    if (argc != 2 || tandem_create(NULL, &engine, &cause) != TANDEM_OK ||
        tandem_dial(engine, argv[1], &media, &call, &cause) != TANDEM_OK)
        fprintf(stderr, "%s\n", cause.text);
    while (call && event.kind != TANDEM_EVENT_ENDED) {
        if (tandem_wait_event(engine, wait_ms, &event) == TANDEM_AGAIN)
            (void)tandem_hangup(call); /* Up, and nothing new for five seconds. */
        else
            fprintf(stderr, "%s\n", event.text);
        if (event.kind == TANDEM_EVENT_UP)
            wait_ms = 5000;
    }
    char *report = call ? tandem_call_report(call) : NULL; /* JSON. */
    if (report)
        puts(report);
    tandem_free(report);
    tandem_destroy(engine); /* Releases the call, too. */
    return event.value == TANDEM_END_HERE && report ? 0 : 1;
}
