/* SPDX-License-Identifier: MIT */
/* A document as other programs' files: painted, or as a drawing. */
#include "engine/board_doc_formats.h"

#include "board/excalidraw.h"
#include "board/image.h"
#include "engine/io/entropy.h"
#include "render/board_export.h"
#include "render/board_feed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define PAGES_MAX 1000
#define PATH_ROOM 1024

/* Painting ------------------------------------------------------------------------------------ */

struct painted {
    struct tdm_board_scene *scenes[PAGES_MAX];
    size_t count;
};

static void give_picture(struct tdm_board_doc *doc, struct tdm_board_scene *scene,
                         const uint8_t *hash)
{
    struct tdm_image_pixels image;
    uint8_t *data;
    size_t size;

    /* One that is not here, or is spoiled, is painted as such. */
    if (tdm_board_scene_has_picture(scene, hash) ||
        tdm_board_doc_blob_get(doc, hash, &data, &size, NULL) != TDM_OK)
        return;
    if (tdm_image_decode(&image, data, size, NULL) == TDM_OK) {
        const struct tdm_board_picture picture = {.hash = hash,
                                                  .width = (int)image.width,
                                                  .height = (int)image.height,
                                                  .stride = (int)image.stride,
                                                  .pixels = image.bgra};

        (void)!tdm_board_scene_picture(scene, &picture);
        tdm_image_free(&image);
    }
    free(data);
}

static enum tdm_err make_scene(struct tdm_board_doc *doc, struct tdm_board_id page,
                               struct tdm_board_scene **scene, struct tdm_cause *cause)
{
    const struct tdm_board *b = tdm_board_doc_board(doc);
    enum tdm_err err = tdm_board_scene_create(scene, cause);
    struct tdm_board_feed feed;
    struct tdm_board_view view;

    if (err != TDM_OK)
        return err;
    for (const struct tdm_board_object *o = tdm_board_lowest(b, page); o; o = tdm_board_above(o)) {
        tdm_board_read(b, o, &view);
        if (view.image)
            give_picture(doc, *scene, view.image);
    }
    tdm_board_feed_init(&feed, *scene);
    err = tdm_board_feed(&feed, b, page);
    tdm_board_feed_free(&feed);
    return err == TDM_OK ? TDM_OK : tdm_fail(cause, err, "no memory to paint the board");
}

static enum tdm_err paint(struct tdm_board_doc *doc, int page, struct painted *p,
                          struct tdm_cause *cause)
{
    const struct tdm_board *b = tdm_board_doc_board(doc);
    enum tdm_err err = TDM_OK;
    int at = 0;

    for (const struct tdm_board_object *o = tdm_board_lowest(b, TDM_BOARD_NONE);
         o && err == TDM_OK && p->count < PAGES_MAX; o = tdm_board_above(o)) {
        if (++at != page && page)
            continue;
        err = make_scene(doc, tdm_board_id_of(o), &p->scenes[p->count], cause);
        p->count += p->scenes[p->count] != NULL;
    }
    if (err == TDM_OK && !p->count)
        err = tdm_fail(cause, TDM_E_MALFORMED, "the board has %d pages, and no page %d", at, page);
    return err;
}

static enum tdm_err write_painted(struct tdm_board_doc *doc, const char *ending, FILE *file,
                                  const struct tdm_board_export_choice *choice,
                                  struct tdm_cause *cause)
{
    const struct tdm_board_export options = {.theme =
                                                 choice->dark ? TDM_THEME_DARK : TDM_THEME_LIGHT,
                                             .scale = choice->scale > 0 ? choice->scale : 1,
                                             .margin = -1};
    bool pdf = strcmp(ending, "pdf") == 0;
    struct painted *p = calloc(1, sizeof *p);
    enum tdm_err err;

    if (!p)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory to paint the board");
    err = paint(doc, choice->page || pdf ? choice->page : 1, p, cause);
    if (err == TDM_OK && pdf)
        err =
            tdm_board_export_pdf(p->scenes, p->count, &options, tdm_board_write_file, file, cause);
    else if (err == TDM_OK)
        err = (strcmp(ending, "png") == 0 ? tdm_board_export_png : tdm_board_export_svg)(
            p->scenes[0], &options, tdm_board_write_file, file, cause);
    for (size_t i = 0; i < p->count; i++)
        tdm_board_scene_destroy(p->scenes[i]);
    free(p);
    return err;
}

/* As a drawing -------------------------------------------------------------------------------- */

/* Groups of the board that the drawing has: the drawing's number is the index, from 1 on. */
struct groups {
    struct tdm_board_id *ids;
    uint32_t count;
};

/* The drawing's number of a group of the board; those around it first. */
static uint32_t group_of(const struct tdm_board *b, struct tdm_drawing *d, struct groups *g,
                         struct tdm_board_id id)
{
    struct tdm_board_id path[64];
    struct tdm_board_view view;
    uint32_t deep = 0, group = TDM_DRAWING_NO_GROUP;
    const struct tdm_board_object *o;

    while (!tdm_board_same(id, TDM_BOARD_NONE) && deep < 64 && (o = tdm_board_find(b, id))) {
        path[deep++] = id;
        tdm_board_read(b, o, &view);
        id = view.group;
    }
    while (deep--) {
        uint32_t at = 0;

        while (at < g->count && !tdm_board_same(g->ids[at], path[deep]))
            at++;
        if (at == g->count) {
            struct tdm_board_id *longer = realloc(g->ids, (at + 1) * sizeof *longer);

            if (!longer || tdm_drawing_group(d, group) != at + 1) {
                g->ids = longer ? longer : g->ids;
                return TDM_DRAWING_NO_GROUP;
            }
            g->ids = longer;
            g->ids[g->count++] = path[deep];
        }
        group = at + 1;
    }
    return group;
}

static int32_t scaled(int32_t value, int32_t scale)
{
    return (int32_t)((int64_t)value * scale / TDM_BOARD_SCALE_ONE);
}

static bool draw_points(struct tdm_drawing *d, struct tdm_drawing_item *item,
                        const struct tdm_board_object *o, const struct tdm_board_view *view)
{
    struct tdm_board_point *points = tdm_drawing_room(d, view->points * sizeof *points);
    struct tdm_board_points from = tdm_board_points(o);

    if (!points)
        return false;
    while (item->point_count < view->points &&
           tdm_board_point_next(&from, &points[item->point_count])) {
        points[item->point_count].x = scaled(points[item->point_count].x, view->scale_x);
        points[item->point_count].y = scaled(points[item->point_count].y, view->scale_y);
        item->point_count++;
    }
    item->points = points;
    return true;
}

static bool draw_text(struct tdm_drawing *d, struct tdm_drawing_item *item,
                      const struct tdm_board_object *o, const struct tdm_board_view *view)
{
    char *text = tdm_drawing_room(d, (size_t)view->text_bytes + 1);

    if (!text)
        return false;
    text[tdm_board_text(o, text, view->text_bytes)] = '\0';
    item->text = text;
    return true;
}

static bool draw_image(struct tdm_board_doc *doc, struct tdm_drawing *d,
                       struct tdm_drawing_item *item, const struct tdm_board_view *view)
{
    uint8_t *data;
    size_t size;

    if (tdm_board_doc_blob_get(doc, view->image, &data, &size, NULL) != TDM_OK) {
        item->image = tdm_drawing_image_name(d, view->image);
    } else {
        item->image = tdm_drawing_image_add(d, data, size);
        free(data);
    }
    return item->image >= 0;
}

static void draw_values(struct tdm_drawing_item *item, const struct tdm_board_view *view)
{
    item->x = view->x;
    item->y = view->y;
    item->w = view->w;
    item->h = view->h;
    item->angle = view->angle;
    item->colour = view->colour;
    item->fill = view->fill;
    item->width = view->width;
    item->dash = view->dash;
    item->opacity = view->opacity;
    item->corner = view->corner;
    item->locked = view->locked;
    item->head_start = view->head_start;
    item->head_end = view->head_end;
    item->font = view->font;
    item->align = view->align;
    item->font_size = view->font_size;
    item->background = view->background;
    if (view->type != TDM_BOARD_IMAGE)
        return;
    item->flipped_x = view->scale_x < 0;
    item->flipped_y = view->scale_y < 0;
    if (view->crop[0] || view->crop[1] || view->crop[2] != UINT16_MAX ||
        view->crop[3] != UINT16_MAX)
        memcpy(item->crop, view->crop, sizeof item->crop);
}

static bool draw_object(struct tdm_board_doc *doc, struct tdm_drawing *d, struct groups *g,
                        const struct tdm_board_object *o)
{
    const struct tdm_board *b = tdm_board_doc_board(doc);
    struct tdm_board_view view;

    tdm_board_read(b, o, &view);
    if (view.type == TDM_BOARD_GROUP || view.type > TDM_BOARD_GROUP)
        return true;
    uint32_t group = group_of(b, d, g, view.group);
    struct tdm_drawing_item *item = tdm_drawing_add(d, (enum tdm_board_type)view.type);
    bool good = item != NULL;

    if (!good)
        return false;
    draw_values(item, &view);
    item->group = group;
    if (view.type == TDM_BOARD_PAGE && view.name_size)
        item->text = tdm_drawing_text(d, view.name, view.name_size);
    if (view.link_size)
        item->link = tdm_drawing_text(d, view.link, view.link_size);
    if (view.points)
        good = draw_points(d, item, o, &view);
    if (good && view.text_bytes)
        good = draw_text(d, item, o, &view);
    if (good && view.image)
        good = draw_image(doc, d, item, &view);
    return good;
}

static enum tdm_err draw(struct tdm_board_doc *doc, int page, struct tdm_drawing *d,
                         struct tdm_cause *cause)
{
    const struct tdm_board *b = tdm_board_doc_board(doc);
    struct groups groups = {.count = 0};
    bool good = true;
    int at = 0;

    for (const struct tdm_board_object *p = tdm_board_lowest(b, TDM_BOARD_NONE); p && good;
         p = tdm_board_above(p)) {
        if (++at != page && page)
            continue;
        good = draw_object(doc, d, &groups, p);
        for (const struct tdm_board_object *o = tdm_board_lowest(b, tdm_board_id_of(p)); o && good;
             o = tdm_board_above(o))
            good = draw_object(doc, d, &groups, o);
    }
    free(groups.ids);
    if (!good)
        return tdm_fail(cause, TDM_E_SPACE, "the board is too large for this format");
    return d->count ? TDM_OK
                    : tdm_fail(cause, TDM_E_MALFORMED, "the board has %d pages, and no page %d", at,
                               page);
}

static enum tdm_err write_excalidraw(struct tdm_board_doc *doc, FILE *file,
                                     const struct tdm_board_export_choice *choice,
                                     struct tdm_cause *cause)
{
    struct tdm_drawing drawing;
    char *text = NULL;
    size_t size;

    tdm_drawing_init(&drawing);
    enum tdm_err err = draw(doc, choice->page, &drawing, cause);

    if (err == TDM_OK)
        err = tdm_excalidraw_write(&drawing, &text, &size, cause);
    if (err == TDM_OK && fwrite(text, 1, size, file) != size)
        err = tdm_fail(cause, TDM_E_SYSTEM, "the disk is full, or refuses");
    free(text);
    tdm_drawing_free(&drawing);
    return err;
}

/* Files --------------------------------------------------------------------------------------- */

static const char *ending_of(const char *path)
{
    static const char *const endings[] = {"png", "svg", "pdf", "excalidraw"};
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');

    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot + 1, endings[i]) == 0)
            return endings[i];
    return NULL;
}

enum tdm_err tdm_board_doc_export(struct tdm_board_doc *doc, const char *path,
                                  const struct tdm_board_export_choice *choice,
                                  struct tdm_cause *cause)
{
    const char *ending = ending_of(path);
    char beside[PATH_ROOM];

    if (!ending)
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "%.120s: a board is written as .png, .svg, .pdf or .excalidraw", path);
    if (snprintf(beside, sizeof beside, "%s.%016llx.new", path,
                 (unsigned long long)tdm_entropy_u64()) >= (int)sizeof beside)
        return tdm_fail(cause, TDM_E_SYSTEM, "the name %.120s... is too long", path);
    FILE *file = fopen(beside, "wxe");

    if (!file)
        return tdm_fail(cause, TDM_E_SYSTEM, "cannot write %.140s: %s", path,
                        strerrordesc_np(errno));
    enum tdm_err err = strcmp(ending, "excalidraw") == 0
                           ? write_excalidraw(doc, file, choice, cause)
                           : write_painted(doc, ending, file, choice, cause);
    bool closed = fclose(file) == 0;

    if (err == TDM_OK && (!closed || rename(beside, path) != 0))
        err =
            tdm_fail(cause, TDM_E_SYSTEM, "cannot write %.140s: %s", path, strerrordesc_np(errno));
    if (err != TDM_OK)
        (void)unlink(beside);
    return err;
}
