/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_BOARD_TOOLS_STATE_H
#define TDM_COLLAB_BOARD_TOOLS_STATE_H

/* What the files of collab/board_tools.h share. The board changes through tdm_hand_set() and its
 * like alone, which ask for room and note that there is something to draw. */

#include "collab/board_tools.h"

#define TDM_HAND_REACH       6.0  /* Pixels of the window around a pointer; */
#define TDM_HAND_TOUCH_REACH 14.0 /* of a finger. */
#define TDM_HAND_SLACK       3.0  /* Pixels that a click may move. */
#define TDM_HAND_TURN_STEM   26.0 /* Pixels from the box to the handle that turns it. */

/* board_tools_edit.c: the document. Each returns whether it was done. */
void tdm_hand_open(struct tdm_board_tools *t);  /* From here on one step of undo, */
void tdm_hand_close(struct tdm_board_tools *t); /* up to here; twice is once. */
/** Takes back what was done since tdm_hand_open(). */
void tdm_hand_take_back(struct tdm_board_tools *t);
bool tdm_hand_add(struct tdm_board_tools *t, enum tdm_board_type type,
                  const struct tdm_board_value *values, size_t count, struct tdm_board_id *id);
bool tdm_hand_set(struct tdm_board_tools *t, struct tdm_board_id id,
                  const struct tdm_board_value *values, size_t count);
bool tdm_hand_set_int(struct tdm_board_tools *t, struct tdm_board_id id, enum tdm_board_prop prop,
                      int64_t number);
bool tdm_hand_delete(struct tdm_board_tools *t, struct tdm_board_id id);
bool tdm_hand_ink(struct tdm_board_tools *t, struct tdm_board_id id,
                  const struct tdm_board_point *points, size_t count);
bool tdm_hand_seal(struct tdm_board_tools *t, struct tdm_board_id id);
bool tdm_hand_insert(struct tdm_board_tools *t, struct tdm_board_id id, uint32_t at,
                     const char *text, size_t size);
bool tdm_hand_remove(struct tdm_board_tools *t, struct tdm_board_id id, uint32_t at,
                     uint32_t count);
/** What stands in an object of this page that is not deleted; false: there is none such. */
bool tdm_hand_read(const struct tdm_board_tools *t, struct tdm_board_id id,
                   struct tdm_board_view *view);
bool tdm_hand_has_text(uint32_t type);
/** Lines whose box is their way from one end to the other. */
bool tdm_hand_is_line(const struct tdm_board_view *view);
bool tdm_hand_is_ink(const struct tdm_board_view *view);
static inline bool tdm_hand_none(struct tdm_board_id id)
{
    return id.actor == 0 && id.seq == 0;
}

/* board_tools_select.c */
bool tdm_hand_is_selected(const struct tdm_board_tools *t, struct tdm_board_id id);
void tdm_hand_select_none(struct tdm_board_tools *t);
/** With all of its outermost group; `alone`: without. */
void tdm_hand_select(struct tdm_board_tools *t, struct tdm_board_id id, bool alone);
void tdm_hand_unselect(struct tdm_board_tools *t, struct tdm_board_id id);
void tdm_hand_select_all(struct tdm_board_tools *t);
/** Forgets what is gone, and works the box out anew. */
void tdm_hand_look_again(struct tdm_board_tools *t);
/** The corners of a frame, turned about its middle, as an upright frame around them. */
struct tdm_board_frame tdm_hand_turned(struct tdm_board_frame frame, double angle);
double tdm_hand_radians(uint16_t angle);
uint16_t tdm_hand_turns(double radians);
void tdm_hand_turn_point(double *x, double *y, double middle_x, double middle_y, double angle);
enum tdm_board_handle tdm_hand_handle_at(const struct tdm_board_tools *t, double x, double y,
                                         double reach);
bool tdm_hand_in_box(const struct tdm_board_tools *t, double x, double y);
/** The topmost object under a point; the selection's own first. */
bool tdm_hand_hit(struct tdm_board_tools *t, double x, double y, struct tdm_board_id *id);
double tdm_hand_reach(const struct tdm_board_tools *t); /* px of the board */
void tdm_hand_band(struct tdm_board_tools *t);

/* board_tools_change.c: move, resize, turn. */
void tdm_hand_start_change(struct tdm_board_tools *t, enum tdm_board_gesture gesture);
void tdm_hand_change(struct tdm_board_tools *t);
void tdm_hand_nudge(struct tdm_board_tools *t, double dx, double dy);
void tdm_hand_apply(struct tdm_board_tools *t);

/* board_tools_snap.c */
void tdm_hand_snap_begin(struct tdm_board_tools *t);
/** Moves (dx, dy) of the frame so that its edges or middle meet those of others, or the grid. */
void tdm_hand_snap_move(struct tdm_board_tools *t, struct tdm_board_frame frame, double *dx,
                        double *dy);
void tdm_hand_snap_point(struct tdm_board_tools *t, double *x, double *y);
/** A way of (dx, dy) brought to the nearest 15 degrees. */
void tdm_hand_snap_angle(double *dx, double *dy);

/* board_tools_draw.c */
void tdm_hand_draw_begin(struct tdm_board_tools *t, const struct tdm_board_in *in);
void tdm_hand_draw(struct tdm_board_tools *t, const struct tdm_board_in *in);
void tdm_hand_draw_write(struct tdm_board_tools *t);
void tdm_hand_draw_end(struct tdm_board_tools *t);
void tdm_hand_place_image(struct tdm_board_tools *t, const struct tdm_board_in *in);
void tdm_hand_laser_age(struct tdm_board_tools *t);

/* board_tools_text.c */
void tdm_hand_edit(struct tdm_board_tools *t, struct tdm_board_id id, bool all);
void tdm_hand_edit_new(struct tdm_board_tools *t, double x, double y, double w);
void tdm_hand_edit_end(struct tdm_board_tools *t);
/** False: not a key of the editing. */
bool tdm_hand_edit_key(struct tdm_board_tools *t, const struct tdm_board_in *in);
void tdm_hand_edit_type(struct tdm_board_tools *t, const char *text, size_t size);
void tdm_hand_edit_down(struct tdm_board_tools *t, const struct tdm_board_in *in);
void tdm_hand_edit_drag(struct tdm_board_tools *t);
bool tdm_hand_edit_over(const struct tdm_board_tools *t, double x, double y);
void tdm_hand_edit_load(struct tdm_board_tools *t);
void tdm_hand_edit_cut(struct tdm_board_tools *t);
void tdm_hand_edit_all(struct tdm_board_tools *t);
void tdm_hand_paste_text(struct tdm_board_tools *t, const struct tdm_board_in *in);

/* board_tools_clip.c */
void tdm_hand_paste(struct tdm_board_tools *t, const struct tdm_board_in *in);
/** Copies of the selection, moved by so much, which are selected instead. */
void tdm_hand_duplicate(struct tdm_board_tools *t, double dx, double dy);

/* board_tools_order.c, board_tools_style.c, board_tools_pages.c: commands on the selection, on how
 * it looks, and on pages. False: not one of these. */
bool tdm_hand_order(struct tdm_board_tools *t, enum tdm_board_command command, uint32_t value);
void tdm_hand_copied(struct tdm_board_tools *t);
bool tdm_hand_restyle(struct tdm_board_tools *t, enum tdm_board_command command, uint32_t value);
bool tdm_hand_turn_page(struct tdm_board_tools *t, enum tdm_board_command command, uint32_t value);
void tdm_hand_go_to(struct tdm_board_tools *t, struct tdm_board_id page);

/* board_tools_pointer.c */
void tdm_hand_point(struct tdm_board_tools *t, const struct tdm_board_in *in);
void tdm_hand_wheel(struct tdm_board_tools *t, const struct tdm_board_in *in);
void tdm_hand_hover(struct tdm_board_tools *t);
void tdm_hand_end_gesture(struct tdm_board_tools *t);
/** As if it had not been. */
void tdm_hand_cancel(struct tdm_board_tools *t);
/** By our own hand: it ends following. */
void tdm_hand_view_moved(struct tdm_board_tools *t);
/** Writes what was put off, when it is due. @return when the rest is. */
tdm_time tdm_hand_catch_up(struct tdm_board_tools *t);

/* board_tools_command.c */
void tdm_hand_key(struct tdm_board_tools *t, const struct tdm_board_in *in);
void tdm_hand_command(struct tdm_board_tools *t, enum tdm_board_command command, uint32_t value);

/* board_tools.c */
void tdm_hand_use(struct tdm_board_tools *t, enum tdm_board_tool tool);
void tdm_hand_say(struct tdm_board_tools *t, const char *say);
/** The tool has made something: it is selected, unless the tool stays. */
void tdm_hand_made(struct tdm_board_tools *t, struct tdm_board_id id);

#endif
