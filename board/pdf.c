/* SPDX-License-Identifier: MIT */
#include "board/pdf.h"

#include "board/image.h"
#include "engine/io/helper.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DPI        150.0
#define SIDE_MAX   4096.0 /* px of a page's image. */
#define POINT      (96 / 72.0)
#define LIMIT      (30 * TDM_S) /* For one page. */
#define MEMORY_MAX ((size_t)2 << 30)
#define PAGE_MAX   ((size_t)64 << 20)
#define INFO_MAX   ((size_t)1 << 20)

static enum tdm_err run(const char *const *words, int fd, size_t output_max, uint8_t **data,
                        size_t *size, struct tdm_cause *cause)
{
    struct tdm_helper helper = {.words = words,
                                .input = fd,
                                .limit = LIMIT,
                                .memory_max = MEMORY_MAX,
                                .output_max = output_max};

    return tdm_helper_run(&helper, data, size, cause);
}

/* The number behind "Pages:"; 0: it says none. */
static uint32_t count_pages(const char *info)
{
    for (const char *line = info; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, "Pages:", 6) == 0)
            return (uint32_t)strtoul(line + 6, NULL, 10);
    }
    return 0;
}

/* "Page size:      595.28 x 841.89 pts (A4)", of the first of the pages that were asked for. */
static bool page_size(const char *info, double *width, double *height)
{
    const char *at = strstr(info, " size:");

    return at && sscanf(at, " size: %lf x %lf pts", width, height) == 2 && *width > 0 &&
           *height > 0 && *width < 1e6 && *height < 1e6;
}

/* What pdfinfo says of page `page`. */
static enum tdm_err look(int fd, uint32_t page, uint32_t *count, double *width, double *height,
                         struct tdm_cause *cause)
{
    char number[16];
    const char *const words[] = {"pdfinfo", "-f", number, "-l", number, "-", NULL};
    uint8_t *info;
    size_t size;

    (void)snprintf(number, sizeof number, "%u", page);
    enum tdm_err err = run(words, fd, INFO_MAX, &info, &size, cause);

    if (err != TDM_OK)
        return err;
    *count = count_pages((const char *)info);
    *width = 595;
    *height = 842;
    if (!page_size((const char *)info, width, height) && !*count)
        err = tdm_fail(cause, TDM_E_MALFORMED, "this PDF has no pages that can be shown");
    free(info);
    return err;
}

static enum tdm_err draw(int fd, uint32_t page, double dpi, uint8_t **data, size_t *size,
                         struct tdm_cause *cause)
{
    char number[16], resolution[32];
    const char *const words[] = {"pdftocairo", "-q", "-png",     "-singlefile", "-f", number, "-l",
                                 number,       "-r", resolution, "-",           "-",  NULL};

    (void)snprintf(number, sizeof number, "%u", page);
    (void)snprintf(resolution, sizeof resolution, "%u", (unsigned)fmax(1, dpi));
    return run(words, fd, PAGE_MAX, data, size, cause);
}

static enum tdm_err take_page(struct tdm_drawing *d, int fd, uint32_t page, double width,
                              double height, double dpi, struct tdm_cause *cause)
{
    uint8_t *data;
    size_t size;
    struct tdm_image_info info;
    double side = fmax(width, height) / 72;
    enum tdm_err err =
        draw(fd, page, side * dpi > SIDE_MAX ? SIDE_MAX / side : dpi, &data, &size, cause);

    if (err != TDM_OK)
        return err;
    struct tdm_drawing_item *item = tdm_drawing_add(d, TDM_BOARD_PAGE);

    if (item)
        item = tdm_drawing_add(d, TDM_BOARD_IMAGE);
    if (tdm_image_look(&info, data, size) != TDM_OK) {
        err = tdm_fail(cause, TDM_E_MALFORMED, "page %u of this PDF cannot be shown", page);
    } else if (item) {
        item->image = tdm_drawing_image_add(d, data, size);
        item->w = tdm_drawing_unit(width * POINT);
        item->h =
            tdm_drawing_unit(width * POINT * info.height / info.width); /* It may be turned. */
        item->width = 0;
        item->locked = true;
    }
    free(data);
    if (err == TDM_OK && (!item || item->image < 0))
        err = tdm_fail(cause, TDM_E_SPACE, "this PDF is too large for a board: take some pages");
    return err;
}

enum tdm_err tdm_pdf_read(struct tdm_drawing *drawing, const char *path,
                          const struct tdm_pdf_choice *choice, struct tdm_cause *cause)
{
    uint32_t count = 0, first = choice->first ? choice->first : 1, last;
    double width, height, dpi = choice->dpi ? choice->dpi : DPI;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum tdm_err err;

    tdm_drawing_init(drawing);
    if (fd < 0)
        return tdm_fail(cause, TDM_E_GONE, "cannot open %.140s", path);
    err = look(fd, first, &count, &width, &height, cause);
    last = choice->last && choice->last < count ? choice->last : count;
    if (err == TDM_OK && (first > last))
        err = tdm_fail(cause, TDM_E_MALFORMED, "this PDF has %u pages, none from %u on", count,
                       first);
    else if (err == TDM_OK && last - first >= TDM_PDF_PAGES_MAX)
        err = tdm_fail(cause, TDM_E_SPACE, "%u pages are too many: take at most %d at once",
                       last - first + 1, TDM_PDF_PAGES_MAX);
    for (uint32_t page = first; err == TDM_OK && page <= last; page++) {
        if (page > first)
            err = look(fd, page, &count, &width, &height, cause);
        if (err == TDM_OK)
            err = take_page(drawing, fd, page, width, height, dpi, cause);
    }
    (void)close(fd);
    return err;
}
