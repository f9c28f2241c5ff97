/* SPDX-License-Identifier: MIT */
/* What the program is told of a board. Any thread. */
#include "engine/board_state.h"

#include "engine/io/wake.h"

#include <stdio.h>
#include <string.h>

/* The newest that the program has not taken; NULL: there is none. */
static struct tandem_board_event *newest(struct tandem_board *b)
{
    return b->event_count ? &b->events[(b->event_first + b->event_count - 1) % TDM_BOARD_EVENTS]
                          : NULL;
}

/* Says the same as one that waits still, or makes it out of date. */
static bool renews(const struct tandem_board_event *old, const struct tandem_board_event *event)
{
    bool passing = event->kind == TANDEM_BOARD_CHANGED || event->kind == TANDEM_BOARD_CURSOR ||
                   event->kind == TANDEM_BOARD_LASER || event->kind == TANDEM_BOARD_VIEW;

    return old && passing && old->kind == event->kind && old->theirs == event->theirs &&
           (event->kind != TANDEM_BOARD_CHANGED || strcmp(old->object, event->object) == 0);
}

void tdm_board_tell_event(struct tandem_board *b, const struct tandem_board_event *event)
{
    pthread_mutex_lock(&b->event_lock);
    if (renews(newest(b), event)) {
        *newest(b) = *event;
    } else if (b->event_count < TDM_BOARD_EVENTS - 1) {
        b->event_count++;
        *newest(b) = *event;
    } else if (event->kind == TANDEM_BOARD_CHANGED) {
        b->event_lost = true; /* Of all of it the program hears one "list again". */
    } else if (event->kind < TANDEM_BOARD_CURSOR || event->kind > TANDEM_BOARD_VIEW) {
        /* The last place is for what must not be missed. */
        b->event_count += b->event_count < TDM_BOARD_EVENTS;
        *newest(b) = *event;
    }
    tdm_wake_signal(b->event_fd);
    pthread_mutex_unlock(&b->event_lock);
}

void tdm_board_tell(struct tandem_board *b, enum tandem_board_event_kind kind, const char *text)
{
    struct tandem_board_event event = {.kind = kind};

    (void)snprintf(event.text, sizeof event.text, "%s", text);
    tdm_board_tell_event(b, &event);
}

int tandem_board_event_fd(struct tandem_board *b)
{
    return b->event_fd;
}

enum tandem_status tandem_board_next_event(struct tandem_board *b, struct tandem_board_event *event)
{
    enum tandem_status status = TANDEM_OK;

    pthread_mutex_lock(&b->event_lock);
    if (b->event_count) {
        *event = b->events[b->event_first];
        b->event_first = (b->event_first + 1) % TDM_BOARD_EVENTS;
        b->event_count--;
    } else if (b->event_lost) {
        b->event_lost = false;
        *event = (struct tandem_board_event){.kind = TANDEM_BOARD_CHANGED};
    } else {
        tdm_wake_clear(b->event_fd);
        status = TANDEM_AGAIN;
    }
    pthread_mutex_unlock(&b->event_lock);
    return status;
}
