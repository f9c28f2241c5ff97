/* SPDX-License-Identifier: MIT */
/* What goes on while a call runs: reports from the media threads, lip sync, and watching for
 * what stops without a word. */
#include "engine/call.h"

#include "engine/call_budget.h"

#include "engine/engine.h"
#include "engine/io/clock.h"

#include <stdio.h>

#define LIPSYNC_EVERY   (100 * TDM_MS)
#define SPEAKER_STOPPED (5 * TDM_S)

static void drain_traces(struct tandem_call *call)
{
    struct tdm_video_trace video;
    struct tdm_audio_trace audio;
    struct tdm_cause said;

    while (call->video_out && tdm_video_out_next_trace(call->video_out, &video)) {
        tdm_latency_video(&call->latency, &video);
        if (tdm_call_budget_picture(&call->budget, &video, &said))
            tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0, "%s", said.text);
    }
    while (call->audio_out && tdm_audio_out_next_trace(call->audio_out, &audio)) {
        tdm_latency_audio(&call->latency, &audio);
        if (tdm_call_budget_sound(&call->budget, &audio, &said))
            tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0, "%s", said.text);
    }
    if (call->audio_out)
        (void)tdm_audio_out_stats(call->audio_out, &call->playout);
}

static void drain_events(struct tandem_call *call)
{
    struct tdm_net_event event;
    struct tdm_cause notice;
    int key;

    while (call->net && tdm_net_next_event(call->net, &event) == TDM_OK)
        if (event.kind == TDM_NET_DIGIT)
            tdm_engine_tell(call->engine, call, TANDEM_EVENT_DIGIT, event.digit, "%c", event.digit);
        else
            tdm_call_path_told(call, &event, tdm_clock_now());
    while (call->video_out && tdm_video_out_next_key(call->video_out, &key))
        tdm_engine_tell(call->engine, call,
                        key == TDM_VIDEO_OUT_CLOSED ? TANDEM_EVENT_WINDOW_CLOSED : TANDEM_EVENT_KEY,
                        key, "key");
    if (call->video_in)
        tdm_video_in_follow(call->video_in);
    while (call->video_in && tdm_video_in_notice(call->video_in, &notice))
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0, "%s", notice.text);
    while (call->audio_in && tdm_audio_in_notice(call->audio_in, &notice))
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0, "%s", notice.text);
    struct tdm_recorder *recorder = atomic_load(&call->recorder);

    if (recorder && tdm_recorder_error(recorder, &notice) != TDM_OK)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0, "%s", notice.text);
}

static void take_status(struct tandem_call *call)
{
    struct tdm_net_status status;

    if (!call->net || !tdm_net_status(call->net, &status))
        return;
    call->status = status;
    tdm_call_channel_share(call);
    if (status.better_elsewhere)
        tdm_call_refer_further(call);
    tdm_time passed = status.at - call->status_before.at;

    if (!call->status_before.at)
        call->status_before = status;
    if (passed < TDM_S || call->status_before.at == status.at)
        return;
    struct tandem_stream_stats *rates[2] = {&call->rates.audio, &call->rates.video};

    for (int i = 0; i < 2; i++) {
        const struct tdm_stream_stats *now = &status.streams[i];
        const struct tdm_stream_stats *then = &call->status_before.streams[i];
        double per_s = 8e9 / (double)passed;

        rates[i]->send_bps = (double)(now->bytes_sent - then->bytes_sent) * per_s;
        rates[i]->receive_bps = (double)(now->bytes_received - then->bytes_received) * per_s;
    }
    call->rates.fps_now = (double)(call->latency.shown - call->shown_before) * 1e9 / (double)passed;
    call->shown_before = call->latency.shown;
    call->status_before = status;
}

static void watch_silence(struct tandem_call *call, tdm_time now)
{
    struct tdm_silence_out out;

    tdm_time heard = call->status.last_received;
    bool has_media = call->machine.negotiated.media[TDM_AUDIO].active ||
                     call->machine.negotiated.media[TDM_VIDEO].active;

    if (has_media && !call->status.at)
        return;
    /* Without sound and picture the channel is the sign of life; it watches its own way. */
    if (!has_media) {
        if (call->channel.agreed && call->channel.status.state == TDM_CHANNEL_UP)
            call->channel.up_at = now;
        heard = call->channel.up_at ? call->channel.up_at : TDM_NEVER;
    }
    tdm_silence_step(&call->silence, now,
                     &(struct tdm_silence_in){
                         .up = call->announced_up && call->machine.state == TDM_CALL_UP,
                         .held = call->machine.held_local || call->machine.held_remote,
                         .last_received = heard,
                         .notice = call->engine->silence_notice,
                         .end = call->engine->silence_end,
                     },
                     &out);
    if (out.tell)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0,
                        "nothing has come from the other side for %d s", (int)(out.quiet / TDM_S));
    if (!out.over)
        return;
    call->vanished = true;
    tdm_call_input(call, &(struct tdm_call_in){.kind = TDM_CALL_HANG_UP});
}

static void sync_lips(struct tandem_call *call, tdm_time now)
{
    if (!call->audio_out || !call->announced_up || now < call->lipsync_at)
        return;
    call->lipsync_at = now + LIPSYNC_EVERY;
    tdm_time ask = tdm_lipsync_step(&call->lipsync, now,
                                    &(struct tdm_lipsync_in){
                                        .audio_latency = call->latency.mouth_now,
                                        .video_latency = call->latency.glass_now,
                                        .playout_delay = call->playout.delay,
                                    });

    /* Sound does not break the budget for the picture's sake. */
    if (call->budget.budget)
        ask = tdm_time_min(ask, tdm_latency_budget_playout(call->budget.budget));
    tdm_audio_out_min_delay(call->audio_out, ask);
    tdm_time age = tdm_lipsync_picture_age(&call->lipsync);

    if (call->budget.budget)
        age = tdm_time_min(age, call->budget.budget);
    if (call->video_out)
        tdm_video_out_age(call->video_out, age);
}

/* A speaker that was pulled out only stops pulling. The call goes on without it. */
static void watch_speaker(struct tandem_call *call, tdm_time now)
{
    if (!call->audio_out || now - tdm_audio_out_pulled_at(call->audio_out) < SPEAKER_STOPPED)
        return;
    if (tdm_audio_out_set_sink(call->audio_out, "null", NULL) == TDM_OK)
        tdm_engine_tell(call->engine, call, TANDEM_EVENT_NOTICE, 0,
                        "the speaker has stopped: check that it is plugged in, and call again");
}

void tdm_call_run(struct tandem_call *call, tdm_time now)
{
    if (call->ended)
        return;
    drain_traces(call);
    drain_events(call);
    take_status(call);
    tdm_call_channel_run(call, now);
    tdm_call_region_run(call, now);
    if (call->net && tdm_call_path_status(call))
        tdm_call_announce(call);
    tdm_call_continue_recording(call);
    sync_lips(call, now);
    watch_speaker(call, now);
    watch_silence(call, now);
    tdm_call_path_run(call, now);
    if (call->path.failed && !call->ended && !call->broken[0]) {
        (void)snprintf(call->broken, sizeof call->broken, "%s", call->path.why);
        tdm_call_input(call, &(struct tdm_call_in){.kind = TDM_CALL_HANG_UP});
    }
    if (call->path.pending && tdm_call_path_gathered(call, now))
        tdm_call_go(call);
    if (now >= call->machine_wake)
        tdm_call_input(call, NULL);
}

tdm_time tdm_call_wake(const struct tandem_call *call)
{
    return call->ended ? TDM_NEVER : tdm_time_min(call->machine_wake, tdm_call_path_wake(call));
}
