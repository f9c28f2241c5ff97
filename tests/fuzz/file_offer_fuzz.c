/* SPDX-License-Identifier: MIT */
/*
 * Bytes as messages, heads of content, manifests, maps and names of files. Checked: what parses is
 * within its limits and safe, and what is written again parses to the same.
 */
#include "collab/file_manifest.h"
#include "collab/file_map.h"
#include "collab/file_rule.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name)
{
    char again[TDM_FILE_NAME_MAX];

    assert(name[0] && strlen(name) < TDM_FILE_NAME_MAX);
    assert(name[0] != '.' && name[0] != '-' && !strchr(name, '/') && !strchr(name, '\\'));
    for (const char *c = name; *c; c++)
        assert((unsigned char)*c >= 0x20 && *c != 0x7f);
    /* The characters that turn the direction of text: U+202A to U+202E. */
    for (const char *c = name; (c = strstr(c, "\xe2\x80")); c++)
        assert((unsigned char)c[2] < 0xaa || (unsigned char)c[2] > 0xae);
    assert(!tdm_file_name_clean(again, name, strlen(name)));
}

static void names(const uint8_t *data, size_t size)
{
    char name[TDM_FILE_NAME_MAX], path[TDM_FILE_PATH_MAX], numbered[TDM_FILE_NAME_MAX + 16];

    (void)tdm_file_name_clean(name, (const char *)data, size);
    check_name(name);
    (void)tdm_file_name_is_program(name);
    tdm_file_name_numbered(numbered, sizeof numbered, name, 9999);
    assert(strlen(numbered) <= strlen(name) + 7);
    if (tdm_file_name_clean_path(path, (const char *)data, size) != TDM_OK)
        return;
    for (char *at = path; at;) {
        char *slash = strchr(at, '/');

        if (slash)
            *slash = 0;
        check_name(at);
        at = slash ? slash + 1 : NULL;
    }
}

static void message(const uint8_t *data, size_t size)
{
    struct tdm_file_message m, again;
    uint8_t out[TDM_FILE_MESSAGE_MAX];

    if (!size || tdm_file_message_parse(&m, data[0], data + 1, size - 1) != TDM_OK)
        return;
    size_t written = tdm_file_message_write(&m, out);

    assert(written <= TDM_FILE_MESSAGE_MAX);
    assert(tdm_file_message_parse(&again, out[0], out + TDM_FILE_MESSAGE_HEAD,
                                  written - TDM_FILE_MESSAGE_HEAD) == TDM_OK);
    assert(again.id == m.id && again.first == m.first && again.end == m.end);
    if (m.kind != TDM_FILE_OFFER)
        return;
    check_name(m.desc.name);
    assert(strcmp(m.desc.name, again.desc.name) == 0 && strcmp(m.desc.type, again.desc.type) == 0);

    struct tdm_file_offerer offer = {"sip:a@b", &m.desc};
    uint8_t head[TDM_FILE_MAP_HEAD];

    (void)tdm_file_rule_takes("from:a,max:1M,type:image/*", &offer);
    tdm_file_map_write(&m.desc, head);
    assert(tdm_file_map_parse(&again.desc, head) == TDM_OK);
    assert(tdm_file_map_fits(&again.desc, &m.desc));
    head[m.id % TDM_FILE_MAP_HEAD] ^= 1;
    assert(tdm_file_map_parse(&again.desc, head) == TDM_E_MALFORMED);
}

static void manifest(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_manifest_entry entry;
    struct tdm_file_desc desc = {.manifest_bytes = (uint32_t)size, .size = 1 << 30, .entries = 9};

    (void)tdm_manifest_check(data, &desc);
    while (tdm_manifest_next(&r, &entry) == TDM_OK)
        assert(entry.path[0] && entry.path[0] != '/' && entry.size <= TDM_FILE_SIZE_MAX);
}

static void rest(const uint8_t *data, size_t size)
{
    struct tdm_file_frame frame;
    struct tdm_file_desc desc;
    uint8_t head[TDM_FILE_MAP_HEAD] = {0}, back[TDM_FILE_FRAME_HEAD];
    char rule[64];

    memcpy(head, data, size < sizeof head ? size : sizeof head);
    (void)tdm_file_map_parse(&desc, head);
    if (tdm_file_frame_parse(&frame, head) == TDM_OK) {
        tdm_file_frame_write(&frame, back);
        assert(memcmp(back, head, sizeof back) == 0);
        assert(tdm_file_frame_body(&frame) <=
               TDM_FILE_BLOCK_BYTES + TDM_FILE_PROOF_MAX * TDM_FILE_HASH_BYTES);
    }
    memcpy(rule, head, sizeof rule - 1);
    rule[sizeof rule - 1] = 0;
    (void)tdm_file_rule_check(rule, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    switch (data[0] & 3) {
    case 0:
        names(data + 1, size - 1);
        break;
    case 1:
        message(data + 1, size - 1);
        break;
    case 2:
        manifest(data + 1, size - 1);
        break;
    default:
        rest(data + 1, size - 1);
        break;
    }
    return 0;
}
