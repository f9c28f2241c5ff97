/* SPDX-License-Identifier: MIT */
/*
 * Two programs on one board, without a window: the one that calls draws, the other tells what it
 * sees and answers with a note. Each keeps a copy in memory, and both end with the same.
 *
 * usage: board PORT              waits for one caller
 *        board PORT ADDRESS     calls and draws
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tandem/board.h>

#define PATIENCE_MS 30000

struct program {
    struct tandem *engine;
    struct tandem_board *board;
    struct tandem_call *call;
    int calls, seen; /* calls: it is the one that calls. seen: objects of the other's. */
    int over;
};

static void ask(struct tandem_board *board, const char *request)
{
    struct tandem_cause cause = {""};
    char *answer = NULL;

    if (tandem_board_request(board, request, &answer, &cause) != TANDEM_OK)
        fprintf(stderr, "%s\n", cause.text);
    else
        printf("%s\n", answer);
    tandem_free(answer);
}

static void draw(struct program *p)
{
    if (p->calls) {
        ask(p->board, "{\"do\": \"add\", \"type\": \"rectangle\", \"x\": 100, \"y\": 80,"
                      " \"w\": 240, \"h\": 120, \"fill\": \"#ffe8a0\"}");
        ask(p->board, "{\"do\": \"add\", \"type\": \"pen\", \"x\": 120, \"y\": 100,"
                      " \"points\": [[0, 0], [40, 30], [90, -5], [150, 60]]}");
    } else {
        ask(p->board, "{\"do\": \"add\", \"type\": \"note\", \"x\": 400, \"y\": 80,"
                      " \"text\": \"seen\"}");
    }
}

static void board_event(struct program *p, const struct tandem_board_event *e)
{
    switch (e->kind) {
    case TANDEM_BOARD_ASKED: /* A person would be asked: "%s, may they?" */
        (void)tandem_board_answer(p->board, 1, 0, NULL);
        break;
    case TANDEM_BOARD_SYNCED:
        if (p->calls)
            draw(p);
        break;
    case TANDEM_BOARD_CHANGED:
        if (!e->theirs || !e->object[0])
            break;
        printf("they changed %s\n", e->object);
        if (++p->seen == 2 && !p->calls)
            draw(p);
        p->over = p->calls;
        break;
    case TANDEM_BOARD_REFUSED:
    case TANDEM_BOARD_NOTICE:
        fprintf(stderr, "%s\n", e->text);
        break;
    default:
        break;
    }
}

static void call_event(struct program *p, const struct tandem_event *e)
{
    /* A call of the data channel alone: neither sound nor picture. */
    const struct tandem_media media = {.video_source = "off",
                                       .video_sink = "off",
                                       .audio_source = "off",
                                       .audio_sink = "off",
                                       .channel = 1,
                                       .board = p->board};

    if (e->kind == TANDEM_EVENT_INCOMING && !p->call) {
        p->call = e->call;
        (void)tandem_answer(e->call, &media, NULL);
    } else if (e->kind == TANDEM_EVENT_ENDED) {
        p->over = 1;
    }
}

static void run(struct program *p)
{
    struct tandem_event event;
    struct tandem_board_event drawn;

    while (!p->over) {
        struct pollfd fds[] = {{.fd = tandem_event_fd(p->engine), .events = POLLIN},
                               {.fd = tandem_board_event_fd(p->board), .events = POLLIN}};

        if (poll(fds, 2, PATIENCE_MS) <= 0)
            break;
        while (tandem_board_next_event(p->board, &drawn) == TANDEM_OK)
            board_event(p, &drawn);
        while (tandem_next_event(p->engine, &event) == TANDEM_OK)
            call_event(p, &event);
    }
}

static enum tandem_status dial(struct program *p, const char *to, struct tandem_cause *cause)
{
    const struct tandem_media media = {.video_source = "off",
                                       .video_sink = "off",
                                       .audio_source = "off",
                                       .audio_sink = "off",
                                       .channel = 1,
                                       .board = p->board};

    tandem_board_invite(p->board);
    return tandem_dial(p->engine, to, &media, &p->call, cause);
}

int main(int argc, char **argv)
{
    struct program p = {.calls = argc == 3};
    struct tandem_config config = {.listen = !p.calls, .sip_port_may_change = 1};
    struct tandem_cause cause = {"usage: board PORT [ADDRESS]"};
    struct tandem_board_stats stats;

    config.sip_port = argc > 1 ? (uint16_t)strtol(argv[1], NULL, 10) : 0;
    if (argc < 2 || argc > 3 || tandem_board_create(NULL, &p.board, &cause) != TANDEM_OK ||
        tandem_create(&config, &p.engine, &cause) != TANDEM_OK ||
        (p.calls && dial(&p, argv[2], &cause) != TANDEM_OK)) {
        fprintf(stderr, "%s\n", cause.text);
        return 1;
    }
    printf("%s on port %u\n", p.calls ? "calling" : "waiting", tandem_port(p.engine));
    (void)fflush(stdout);
    run(&p);
    (void)tandem_board_stats(p.board, &stats);
    printf("%u objects, digest %s\n", stats.objects, stats.digest);
    tandem_destroy(p.engine);
    tandem_board_destroy(p.board);
    return stats.objects == 4 ? 0 : 1; /* Two, one, and the page. */
}
