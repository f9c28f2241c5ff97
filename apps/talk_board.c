/* SPDX-License-Identifier: MIT */
#include "apps/talk_board.h"

#include <string.h>
#include <sys/stat.h>

void talk_board_open(struct talk_board *b, struct options *o, struct terminal *terminal)
{
    struct tandem_board_config config = {.name = o->engine.display_name};
    struct tandem_cause cause = {""};

    *b = (struct talk_board){.terminal = terminal, .o = o};
    if (folders_data("boards", b->folder, sizeof b->folder)) {
        (void)mkdir(b->folder, 0700);
        config.folder = b->folder;
    }
    if (tandem_board_create(&config, &b->board, &cause) != TANDEM_OK) {
        terminal_print(terminal, cause.text);
        b->board = NULL;
    }
    o->media.board = b->board;
    o->media.channel |= o->board;
    o->media.channel_if_asked |= b->board != NULL;
}

void talk_board_close(struct talk_board *b)
{
    tandem_board_destroy(b->board);
    b->board = NULL;
}

int talk_board_fd(const struct talk_board *b)
{
    return b->board ? tandem_board_event_fd(b->board) : -1;
}

static void say(struct talk_board *b, const char *text)
{
    char line[600];

    (void)snprintf(line, sizeof line, "board: %.580s", text);
    terminal_print(b->terminal, line);
}

static void show(struct talk_board *b)
{
    struct tandem_cause cause = {""};
    char line[400];

    b->shown = tandem_board_open_window(b->board, "Board", &cause) == TANDEM_OK;
    if (b->shown)
        return;
    (void)snprintf(line, sizeof line, "kept, but it cannot be shown here: %.300s", cause.text);
    say(b, line);
}

static void hide(struct talk_board *b)
{
    tandem_board_close_window(b->board);
    b->shown = false;
}

static void want(struct talk_board *b)
{
    b->wanted = true;
    (void)tandem_set_channel(b->call, true);
    tandem_board_invite(b->board);
}

static void ask(struct talk_board *b, const char *text)
{
    char line[600];

    if (b->o->board) { /* Which says that boards are welcome. */
        (void)tandem_board_answer(b->board, true, false, NULL);
        return;
    }
    if (!b->terminal->keys) {
        (void)tandem_board_answer(b->board, false, false, NULL);
        say(b, "they opened one, which is refused: nobody can be asked here; see --board");
        return;
    }
    b->asked = true;
    terminal_forget_keys(b->terminal);
    (void)snprintf(line, sizeof line,
                   "%.400s: y or a (always) draws with them, n or x (always) refuses", text);
    say(b, line);
}

static void joined(struct talk_board *b)
{
    bool again = b->met;

    b->asked = false;
    b->met = true;
    say(b, again ? "you draw together again" : "you draw together; b hides and shows it");
    if (!again && !b->shown)
        show(b);
}

static void take_event(struct talk_board *b, const struct tandem_board_event *e)
{
    switch (e->kind) {
    case TANDEM_BOARD_ASKED:
        ask(b, e->text);
        break;
    case TANDEM_BOARD_JOINED:
        joined(b);
        break;
    case TANDEM_BOARD_LEFT:
        b->asked = false;
        if (b->call)
            say(b, e->text);
        break;
    case TANDEM_BOARD_REFUSED:
        b->wanted = false;
        if (b->call)
            say(b, e->text);
        break;
    case TANDEM_BOARD_NOTICE:
        say(b, e->text);
        break;
    case TANDEM_BOARD_CLOSED:
        b->shown = false;
        say(b, "it goes on without its window; b shows it again");
        break;
    default:
        break;
    }
}

void talk_board_run(struct talk_board *b)
{
    struct tandem_board_event event;

    while (b->board && tandem_board_next_event(b->board, &event) == TANDEM_OK)
        take_event(b, &event);
}

void talk_board_dialed(struct talk_board *b, const char *to)
{
    if (!b->board || !b->o->board)
        return;
    (void)tandem_board_open_contact(b->board, to, NULL); /* There may be none yet. */
    show(b);
}

void talk_board_up(struct talk_board *b, struct tandem_call *call, bool chosen)
{
    b->call = call;
    /* Who answers whoever calls has agreed to nobody in particular: they may ask. */
    if (b->board && b->o->board && chosen)
        want(b);
}

void talk_board_channel(struct talk_board *b, int state, const char *text)
{
    if (!b->wanted)
        return;
    if (state == TANDEM_CHANNEL_UP) {
        tandem_board_invite(b->board); /* Again, when it is another channel than before. */
    } else if (state == TANDEM_CHANNEL_NONE || state == TANDEM_CHANNEL_FAILED) {
        b->wanted = false;
        say(b, text);
    }
}

void talk_board_over(struct talk_board *b)
{
    if (!b->board)
        return;
    talk_board_run(b);
    tandem_board_leave(b->board); /* The next caller is somebody else. */
    hide(b);
    b->call = NULL;
    b->asked = b->wanted = b->met = false;
}

bool talk_board_answer(struct talk_board *b, int key)
{
    if (!b->asked)
        return false;
    b->asked = false;
    b->wanted = key == 'y' || key == 'a';
    (void)tandem_board_answer(b->board, b->wanted, key == 'a' || key == 'x', NULL);
    return true;
}

void talk_board_key(struct talk_board *b)
{
    if (!b->board || !b->call || talk_board_answer(b, 'y'))
        return;
    if (b->shown) {
        hide(b);
        say(b, "hidden; b shows it again");
        return;
    }
    if (!b->wanted && !b->met)
        say(b, "they are asked whether they draw with you");
    if (!b->met)
        want(b);
    show(b);
}
