/* SPDX-License-Identifier: MIT */
#include "engine/video_plan.h"

#include "codecs/codec.h"
#include "measure/cost_table.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Appends ",name" or "name". */
static void add_name(char *names, size_t capacity, const char *name)
{
    size_t used = strlen(names);

    (void)snprintf(names + used, capacity - used, "%s%s", used ? "," : "", name);
}

void tdm_video_codec_names(char *names, size_t capacity)
{
    enum tdm_codec_id id;

    names[0] = 0;
    for (size_t i = 0; (id = tdm_codec_at(TDM_VIDEO, i)); i++)
        if (tdm_video_encoder_find(id) && tdm_video_decoder_find(id))
            add_name(names, capacity, tdm_codec_short_name(id));
}

static enum tdm_err unknown_video_codec(const char *name, size_t size, struct tdm_cause *cause)
{
    char codecs[64], encoders[96] = "";
    const struct tdm_video_encoder_ops *ops;

    tdm_video_codec_names(codecs, sizeof codecs);
    for (size_t i = 0; (ops = tdm_video_encoder_at(i)); i++)
        if (!tdm_codec_of_name(TDM_VIDEO, ops->name, strlen(ops->name)))
            add_name(encoders, sizeof encoders, ops->name);
    return tdm_fail(cause, TDM_E_UNSUPPORTED, "unknown video codec \"%.*s\": use %s%s%s",
                    size < 40 ? (int)size : 40, name, codecs,
                    encoders[0] ? ", or one encoder's name: " : "", encoders);
}

static int index_of(const struct tdm_media_plan *plan, enum tdm_codec_id codec)
{
    for (int i = 0; i < plan->video_codec_count; i++)
        if (plan->video_codecs[i] == codec)
            return i;
    return -1;
}

/* Of two encoders for one codec the first stays: a codec is offered once. */
static void add_video_codec(struct tdm_media_plan *plan, enum tdm_codec_id id,
                            const struct tdm_video_encoder_ops *encoder)
{
    if (index_of(plan, id) >= 0)
        return;
    if (plan->video_codec_count == TDM_CODECS_MAX)
        return;
    plan->video_encoders[plan->video_codec_count] = encoder;
    plan->video_codecs[plan->video_codec_count++] = id;
}

static enum tdm_err parse_video_codecs(struct tdm_media_plan *plan, const char *list,
                                       struct tdm_cause *cause)
{
    for (const char *at = list; *at;) {
        size_t size = strcspn(at, ",");
        enum tdm_codec_id id = tdm_codec_of_name(TDM_VIDEO, at, size);
        const struct tdm_video_encoder_ops *encoder = id ? tdm_video_encoder_find(id) : NULL;

        for (size_t i = 0; !id && (encoder = tdm_video_encoder_at(i)); i++)
            if (strlen(encoder->name) == size && strncasecmp(encoder->name, at, size) == 0)
                id = encoder->id;
        if (!id || !tdm_video_decoder_find(id))
            return unknown_video_codec(at, size, cause);
        add_video_codec(plan, id, encoder);
        at += size + (at[size] == ',');
    }
    for (uint8_t i = 0; i < plan->video_codec_count; i++)
        if (plan->video_encoders[i])
            return TDM_OK;
    return plan->video_codec_count
               ? tdm_fail(cause, TDM_E_UNSUPPORTED,
                          "%s can only be received: name a codec to send, too", list)
               : tdm_fail(cause, TDM_E_MALFORMED, "the list of codecs is empty");
}

static bool has_preset(const struct tdm_video_encoder_ops *encoder, const char *preset)
{
    for (size_t i = 0; encoder && encoder->presets && encoder->presets[i]; i++)
        if (strcmp(encoder->presets[i], preset) == 0)
            return true;
    return false;
}

/* A preset is of one encoder; the others in the list keep their own choice. */
static enum tdm_err check_preset(const struct tdm_media_plan *plan, const char *preset,
                                 struct tdm_cause *cause)
{
    const struct tdm_video_encoder_ops *first = NULL;
    char names[128] = "";

    for (uint8_t i = 0; i < plan->video_codec_count; i++) {
        if (has_preset(plan->video_encoders[i], preset))
            return TDM_OK;
        const struct tdm_video_encoder_ops *encoder = plan->video_encoders[i];

        if (!first && encoder && encoder->presets && encoder->presets[0])
            first = encoder;
    }
    for (size_t i = 0; first && first->presets[i]; i++)
        add_name(names, sizeof names, first->presets[i]);
    return first ? tdm_fail(cause, TDM_E_UNSUPPORTED,
                            "\"%.40s\" is no preset of the encoder %s: use one of %s", preset,
                            first->name, names)
                 : tdm_fail(cause, TDM_E_UNSUPPORTED, "these encoders have no presets");
}

/* Everything that the build has; what it can only receive is not offered but accepted. */
static void default_video_codecs(struct tdm_media_plan *plan)
{
    enum tdm_codec_id id;

    for (size_t i = 0; (id = tdm_codec_at(TDM_VIDEO, i)); i++)
        if (tdm_video_decoder_find(id))
            add_video_codec(plan, id, tdm_video_encoder_find(id));
}

static struct tdm_choice_wish wish_of(const struct tdm_media_plan *plan, uint32_t bps)
{
    bool screen = strncmp(plan->video_source, "screen", strlen("screen")) == 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return (struct tdm_choice_wish){
        .content = screen ? TDM_CONTENT_SCREEN : TDM_CONTENT_CAMERA,
        .preset = plan->video_preset[0] ? plan->video_preset : NULL,
        .width = plan->width,
        .height = plan->height,
        .size_fixed = plan->size_asked,
        .fps = plan->fps,
        .bps = bps,
        .cores = cores < 1 ? 1 : (unsigned)cores,
    };
}

/* The codec to prefer on this machine at this rate first, then the rest in the usual order. */
static enum tdm_err choose_video_codecs(struct tdm_media_plan *plan, struct tdm_cause *cause)
{
    enum tdm_codec_id order[TDM_CODECS_MAX];
    enum tdm_err err = tdm_cost_table_get(&plan->costs, NULL, cause);
    struct tdm_choice_wish wish = wish_of(plan, plan->video_bps);
    uint8_t count;

    if (err != TDM_OK)
        return err;
    count = tdm_choice_order(&plan->costs, &wish, order, TDM_CODECS_MAX);
    for (uint8_t i = 0; i < count; i++)
        if (tdm_video_decoder_find(order[i]))
            add_video_codec(plan, order[i], tdm_video_encoder_find(order[i]));
    default_video_codecs(plan);
    return TDM_OK;
}

enum tdm_err tdm_video_plan_of(struct tdm_media_plan *plan, const struct tandem_media *m,
                               struct tdm_cause *cause)
{
    enum tdm_err err = TDM_OK;

    bool chosen = m->video_codecs && strcmp(m->video_codecs, TDM_VIDEO_AUTO) == 0;

    plan->video_codecs_named = m->video_codecs && !chosen;
    if (chosen)
        err = choose_video_codecs(plan, cause);
    else if (m->video_codecs)
        err = parse_video_codecs(plan, m->video_codecs, cause);
    else
        default_video_codecs(plan);
    if (err != TDM_OK || !m->video_preset || !m->video_preset[0])
        return err;
    err = check_preset(plan, m->video_preset, cause);
    if (err == TDM_OK)
        (void)snprintf(plan->video_preset, sizeof plan->video_preset, "%s", m->video_preset);
    return err;
}

static uint8_t chains_of(const struct tdm_video_encoder_ops *encoder)
{
    return encoder && encoder->refer ? encoder->reach.chains : 0;
}

const struct tdm_video_encoder_ops *
tdm_video_plan_further(const struct tdm_media_plan *plan, const struct tdm_negotiated_media *agreed)
{
    int sent = index_of(plan, agreed->send.id);
    uint8_t most = sent < 0 ? UINT8_MAX : chains_of(plan->video_encoders[sent]);
    const struct tdm_video_encoder_ops *further = NULL;

    if (plan->video_codecs_named)
        return NULL;
    for (uint8_t i = 0; i < agreed->receive_count; i++) {
        int at = index_of(plan, agreed->receive[i].id);

        if (at >= 0 && chains_of(plan->video_encoders[at]) > most) {
            further = plan->video_encoders[at];
            most = chains_of(further);
        }
    }
    return further;
}

void tdm_video_plan_prefer(struct tdm_media_plan *plan, enum tdm_codec_id codec)
{
    int at = index_of(plan, codec);

    if (at <= 0)
        return;
    const struct tdm_video_encoder_ops *encoder = plan->video_encoders[at];

    memmove(&plan->video_codecs[1], plan->video_codecs, (size_t)at * sizeof plan->video_codecs[0]);
    memmove(&plan->video_encoders[1], plan->video_encoders,
            (size_t)at * sizeof plan->video_encoders[0]);
    plan->video_codecs[0] = codec;
    plan->video_encoders[0] = encoder;
}

struct tdm_video_choice tdm_video_plan_choose(const struct tdm_media_plan *plan,
                                              enum tdm_codec_id codec, uint32_t bps)
{
    struct tdm_video_choice choice = {
        .encoder = tdm_video_encoder_find(codec),
        .preset = "",
        .threads = plan->video_threads ? plan->video_threads : 1,
        .width = plan->width,
        .height = plan->height,
    };
    struct tdm_choice_wish wish = wish_of(plan, bps);

    int at = index_of(plan, codec);

    if (at >= 0)
        choice.encoder = plan->video_encoders[at];
    if (has_preset(choice.encoder, plan->video_preset))
        choice.preset = plan->video_preset;
    else
        wish.preset = NULL; /* It is another encoder's. */
    if (!plan->costs.count)
        return choice;
    wish.codec = codec;
    struct tdm_choice best = tdm_choice_make(&plan->costs, &wish);

    if (!best.cost)
        return choice;
    choice.encoder = tdm_video_encoder_named(best.cost->encoder);
    choice.preset = best.cost->preset;
    choice.threads = plan->video_threads ? plan->video_threads : best.threads;
    choice.width = best.width;
    choice.height = best.height;
    return choice;
}
