/* SPDX-License-Identifier: MIT */
#include "measure/plan_codecs.h"

#include "measure/list.h"
#include "measure/preset.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 24

void tdm_codec_name(char *name, size_t capacity, const char *rtp_name)
{
    size_t i = 0;

    for (; rtp_name[i] && i + 1 < capacity; i++)
        name[i] = (char)tolower((unsigned char)rtp_name[i]);
    name[i] = '\0';
}

static bool is_name(const struct tdm_item *item, const char *rtp_name)
{
    char name[NAME_BYTES];

    tdm_codec_name(name, sizeof name, rtp_name);
    return tdm_item_is(item, name);
}

static void append(char *text, size_t capacity, const char *word)
{
    size_t used = strlen(text);

    (void)snprintf(text + used, capacity - used, "%s%s", used ? ", " : "", word);
}

/* Codecs that some builds decode without an encoder. */
static bool is_only_received(const struct tdm_item *name)
{
    static const struct {
        const char *name;
        enum tdm_codec_id id;
    } codecs[] = {{"h265", TDM_CODEC_H265}, {"hevc", TDM_CODEC_H265}, {"h264", TDM_CODEC_H264},
                  {"vp8", TDM_CODEC_VP8},   {"vp9", TDM_CODEC_VP9},   {"av1", TDM_CODEC_AV1}};

    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (tdm_item_is(name, codecs[i].name))
            return tdm_video_decoder_find(codecs[i].id) && !tdm_video_encoder_find(codecs[i].id);
    return false;
}

static enum tandem_status fail_codec(const struct tdm_item *item, struct tdm_cause *cause)
{
    char names[200] = "", name[NAME_BYTES];

    if (is_only_received(item)) {
        (void)tdm_fail(cause, TDM_E_UNSUPPORTED,
                       "%.*s is only received by this build, there is nothing to encode",
                       (int)item->size, item->text);
        return TANDEM_UNSUPPORTED;
    }
    for (size_t i = 0; tdm_video_encoder_at(i); i++)
        append(names, sizeof names, tdm_video_encoder_at(i)->name);
    for (size_t i = 0; tdm_audio_encoder_at(i); i++) {
        tdm_codec_name(name, sizeof name, tdm_audio_encoder_at(i)->rtp_name);
        append(names, sizeof names, name);
    }
    (void)tdm_fail(cause, TDM_E_UNSUPPORTED, "this build has no codec \"%.*s\": it has %s",
                   item->size > 40 ? 40 : (int)item->size, item->text, names);
    return TANDEM_UNSUPPORTED;
}

static enum tandem_status fail_preset(const char *encoder, const char *const *presets,
                                      const struct tdm_item *preset, struct tdm_cause *cause)
{
    char names[160] = "";

    for (size_t i = 0; presets && presets[i]; i++)
        append(names, sizeof names, presets[i]);
    (void)tdm_fail(cause, TDM_E_UNSUPPORTED, "%s has no preset \"%.*s\"%s%s", encoder,
                   preset->size > 24 ? 24 : (int)preset->size, preset->text,
                   names[0] ? ": it has " : "", names);
    return TANDEM_UNSUPPORTED;
}

static bool same(const struct tdm_pick *a, const struct tdm_pick *b)
{
    return a->video == b->video && a->audio == b->audio && a->wish == b->wish &&
           a->preset == b->preset;
}

static enum tandem_status add(struct tdm_picks *picks, const struct tdm_pick *pick,
                              struct tdm_cause *cause)
{
    for (size_t i = 0; i < picks->count; i++)
        if (same(&picks->list[i], pick))
            return TANDEM_OK;
    if (picks->count == TDM_PICKS_MAX) {
        (void)tdm_fail(cause, TDM_E_SPACE, "more than %d codecs are too many for one bench",
                       TDM_PICKS_MAX);
        return TANDEM_INVALID;
    }
    picks->list[picks->count++] = *pick;
    return TANDEM_OK;
}

/* "x264:superfast" in its two parts; the second one's text is NULL when there is no colon. */
static void split(const struct tdm_item *item, struct tdm_item *name, struct tdm_item *preset)
{
    const char *colon = memchr(item->text, ':', item->size);

    *name = *item;
    *preset = (struct tdm_item){0};
    if (!colon)
        return;
    name->size = (size_t)(colon - item->text);
    *preset = (struct tdm_item){.text = colon + 1, .size = item->size - name->size - 1};
}

static enum tandem_status add_video(struct tdm_picks *picks,
                                    const struct tdm_video_encoder_ops *ops,
                                    const struct tdm_item *preset, struct tdm_cause *cause)
{
    struct tdm_pick pick = {.video = ops, .wish = TDM_PRESET_NEIGHBOURS};

    if (preset->text && tdm_item_is(preset, "all"))
        pick.wish = TDM_PRESET_EVERY;
    else if (preset->text) {
        pick.wish = TDM_PRESET_NAMED;
        pick.preset = tdm_preset_index(ops, preset->text, preset->size);
        if (pick.preset == tdm_preset_count(ops))
            return fail_preset(ops->name, ops->presets, preset, cause);
    }
    return add(picks, &pick, cause);
}

static enum tandem_status add_audio(struct tdm_picks *picks,
                                    const struct tdm_audio_encoder_ops *ops,
                                    const struct tdm_item *preset, struct tdm_cause *cause)
{
    if (preset->text)
        return fail_preset(ops->rtp_name, NULL, preset, cause);
    return add(picks, &(struct tdm_pick){.audio = ops}, cause);
}

/* A preset goes with the encoders that know it: "h264:superfast" means x264 alone. */
static bool knows(const struct tdm_video_encoder_ops *ops, const struct tdm_item *preset)
{
    return !preset->text || tdm_item_is(preset, "all") ||
           tdm_preset_index(ops, preset->text, preset->size) < tdm_preset_count(ops);
}

static enum tandem_status take_item(struct tdm_picks *picks, const struct tdm_item *item,
                                    bool no_audio, struct tdm_cause *cause)
{
    enum tandem_status status = TANDEM_OK;
    const struct tdm_video_encoder_ops *video, *ignorant = NULL;
    const struct tdm_audio_encoder_ops *audio;
    struct tdm_item name, preset;
    bool known = false;

    split(item, &name, &preset);
    bool all = tdm_item_is(&name, "all") && !preset.text;

    for (size_t i = 0; !status && (video = tdm_video_encoder_at(i)); i++) {
        bool exact = tdm_item_is(&name, video->name);

        if (!all && !exact && !is_name(&name, video->rtp_name))
            continue;
        if (!exact && !knows(video, &preset)) {
            ignorant = video;
            continue;
        }
        known = true;
        status = add_video(picks, video, &preset, cause);
    }
    for (size_t i = 0; !status && (audio = tdm_audio_encoder_at(i)); i++) {
        if (all ? no_audio : !is_name(&name, audio->rtp_name))
            continue;
        known = true;
        status = add_audio(picks, audio, &preset, cause);
    }
    if (status || known)
        return status;
    return ignorant ? fail_preset(ignorant->rtp_name, ignorant->presets, &preset, cause)
                    : fail_codec(&name, cause);
}

enum tandem_status tdm_picks_parse(struct tdm_picks *picks, const char *text, bool no_audio,
                                   struct tdm_cause *cause)
{
    const char *at = text ? text : "all";
    struct tdm_item item;

    *picks = (struct tdm_picks){0};
    while (tdm_list_next(&at, &item)) {
        enum tandem_status status = take_item(picks, &item, no_audio, cause);

        if (status)
            return status;
    }
    return TANDEM_OK;
}
