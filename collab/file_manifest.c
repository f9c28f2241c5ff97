/* SPDX-License-Identifier: MIT */
#include "collab/file_manifest.h"

enum { ENTRY_FOLDER = 1, ENTRY_PROGRAM = 2 };

enum tdm_err tdm_manifest_write(struct tdm_writer *w, const struct tdm_manifest_entry *entry)
{
    size_t length = strnlen(entry->path, TDM_FILE_PATH_MAX - 1);

    tdm_write_u8(
        w, (uint8_t)((entry->folder ? ENTRY_FOLDER : 0) | (entry->program ? ENTRY_PROGRAM : 0)));
    tdm_write_u64(w, entry->size);
    tdm_write_u64(w, (uint64_t)entry->date_s);
    tdm_write_u16(w, (uint16_t)length);
    tdm_write_bytes(w, entry->path, length);
    return w->ok ? TDM_OK : TDM_E_SPACE;
}

enum tdm_err tdm_manifest_next(struct tdm_reader *r, struct tdm_manifest_entry *entry)
{
    if (!tdm_reader_left(r))
        return r->ok ? TDM_E_GONE : TDM_E_MALFORMED;
    uint8_t flags = tdm_read_u8(r);

    entry->folder = flags & ENTRY_FOLDER;
    entry->program = flags & ENTRY_PROGRAM;
    entry->size = tdm_read_u64(r);
    entry->date_s = (int64_t)tdm_read_u64(r);

    uint16_t length = tdm_read_u16(r);
    const uint8_t *path = tdm_read_bytes(r, length);

    if (!r->ok || (entry->folder && entry->size) || entry->size > TDM_FILE_SIZE_MAX)
        return TDM_E_MALFORMED;
    return tdm_file_name_clean_path(entry->path, (const char *)path, length);
}

uint64_t tdm_manifest_end(uint32_t manifest_bytes)
{
    return (uint64_t)tdm_file_block_count(manifest_bytes) * TDM_FILE_BLOCK_BYTES;
}

enum tdm_err tdm_manifest_check(const uint8_t *manifest, const struct tdm_file_desc *desc)
{
    struct tdm_reader r = tdm_reader_of(manifest, desc->manifest_bytes);
    struct tdm_manifest_entry entry;
    uint64_t end = tdm_manifest_end(desc->manifest_bytes);
    uint32_t count = 0;
    enum tdm_err err;

    while ((err = tdm_manifest_next(&r, &entry)) == TDM_OK) {
        if (entry.size > desc->size || end + entry.size > desc->size || ++count > desc->entries)
            return TDM_E_MALFORMED;
        end += entry.size;
    }
    return err == TDM_E_GONE && end == desc->size && count == desc->entries ? TDM_OK
                                                                            : TDM_E_MALFORMED;
}
