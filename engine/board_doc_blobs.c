/* SPDX-License-Identifier: MIT */
/* The images of a document: beside its journal, or in memory when it has none. */
#include "engine/board_doc_state.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_MAX ((size_t)256 << 20) /* Bytes in memory. */

static const struct tdm_doc_blob *find_kept(const struct tdm_board_doc *d,
                                            const uint8_t hash[TDM_SHA256_BYTES])
{
    const struct tdm_doc_blob *blob = d->kept;

    while (blob && memcmp(blob->hash, hash, TDM_SHA256_BYTES) != 0)
        blob = blob->next;
    return blob;
}

static enum tdm_err keep(struct tdm_board_doc *d, const void *data, size_t size,
                         uint8_t hash[TDM_SHA256_BYTES], struct tdm_cause *cause)
{
    if (!size || size > TDM_BLOB_MAX || size > KEPT_MAX - d->kept_bytes)
        return tdm_fail(cause, TDM_E_SPACE,
                        "a board in memory holds %zu MB of images, of at most %zu MB each",
                        KEPT_MAX >> 20, TDM_BLOB_MAX >> 20);
    tdm_sha256(data, size, hash);
    if (find_kept(d, hash))
        return TDM_OK;
    struct tdm_doc_blob *blob = malloc(sizeof *blob + size);

    if (!blob)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for an image");
    blob->next = d->kept;
    blob->size = size;
    memcpy(blob->hash, hash, sizeof blob->hash);
    memcpy(blob->data, data, size);
    d->kept = blob;
    d->kept_bytes += size;
    return TDM_OK;
}

enum tdm_err tdm_board_doc_blob_put(struct tdm_board_doc *d, const void *data, size_t size,
                                    uint8_t hash[TDM_SHA256_BYTES], struct tdm_cause *cause)
{
    if (!d->file)
        return keep(d, data, size, hash, cause);
    if (d->read_only)
        return tdm_fail(cause, TDM_E_DENIED, "a board that is only looked at takes no images");
    return tdm_board_blobs_put(&d->blobs, data, size, hash, cause);
}

enum tdm_err tdm_board_doc_blob_get(struct tdm_board_doc *d, const uint8_t hash[TDM_SHA256_BYTES],
                                    uint8_t **data, size_t *size, struct tdm_cause *cause)
{
    if (d->file)
        return tdm_board_blobs_get(&d->blobs, hash, data, size, cause);
    const struct tdm_doc_blob *blob = find_kept(d, hash);

    *data = blob ? malloc(blob->size) : NULL;
    if (!*data)
        return tdm_fail(cause, TDM_E_GONE, "an image of the board is not here yet");
    memcpy(*data, blob->data, blob->size);
    *size = blob->size;
    return TDM_OK;
}

bool tdm_board_doc_blob_has(struct tdm_board_doc *d, const uint8_t hash[TDM_SHA256_BYTES])
{
    return d->file ? tdm_board_blobs_has(&d->blobs, hash) : find_kept(d, hash) != NULL;
}

uint32_t tdm_board_doc_images_missing(struct tdm_board_doc *d)
{
    struct tdm_board_view view;
    uint32_t missing = 0;

    for (const struct tdm_board_object *o = tdm_board_first(d->board); o; o = tdm_board_next(o)) {
        tdm_board_read(d->board, o, &view);
        missing += !view.deleted && view.image && !tdm_board_doc_blob_has(d, view.image);
    }
    return missing;
}

static bool is_shown(void *arg, const uint8_t hash[TDM_SHA256_BYTES])
{
    const struct tdm_board *b = arg;
    struct tdm_board_view view;

    for (const struct tdm_board_object *o = tdm_board_first(b); o; o = tdm_board_next(o)) {
        tdm_board_read(b, o, &view);
        if (!view.deleted && view.image && memcmp(view.image, hash, TDM_SHA256_BYTES) == 0)
            return true;
    }
    return false;
}

void tdm_doc_blobs_sweep(struct tdm_board_doc *d)
{
    (void)tdm_board_blobs_sweep(&d->blobs, is_shown, d->board);
}

void tdm_doc_blobs_free(struct tdm_board_doc *d)
{
    for (struct tdm_doc_blob *blob = d->kept, *next; blob; blob = next) {
        next = blob->next;
        free(blob);
    }
}
