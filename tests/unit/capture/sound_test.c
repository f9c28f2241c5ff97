/* SPDX-License-Identifier: MIT */

/* Microphone and speaker through a private PulseAudio whose null sink is both: what the speaker
 * plays comes back from the microphone. Skipped where PulseAudio is not installed.
 * PortAudio itself writes two lines to stderr when a device disappears. */

#include "capture/source.h"
#include "render/sink.h"

#include "engine/base/chirp.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
/* After the four headers that it needs. */
#include <cmocka.h>

#define FOLDER_BYTES 40
#define TEXT_BYTES   1024

static char folder[FOLDER_BYTES];
static pid_t server;

/* The libraries below are not built with the thread sanitizer. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:libpulse\nrace:libasound\nrace:libportaudio\n";
}

/* What they keep until the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libasound\nleak:libpulse\nleak:libportaudio\nleak:libjack\nleak:libdbus\n";
}

static void write_config(void)
{
    char path[TEXT_BYTES], lists[TEXT_BYTES + 64];

    (void)snprintf(path, sizeof path, "%s/alsa.conf", folder);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    (void)fprintf(file,
                  "pcm.!default { type asym\n"
                  " playback.pcm { type pulse server \"unix:%s/sock\" device \"both\" }\n"
                  " capture.pcm { type pulse server \"unix:%s/sock\" device \"both.monitor\" } }\n"
                  "ctl.!default { type pulse server \"unix:%s/sock\" }\n",
                  folder, folder, folder);
    (void)fclose(file);
    (void)snprintf(lists, sizeof lists, "/usr/share/alsa/alsa.conf:%s", path);
    (void)setenv("ALSA_CONFIG_PATH", lists, 1);
    (void)snprintf(path, sizeof path, "unix:%s/sock", folder);
    (void)setenv("PULSE_SERVER", path, 1);
}

static void run_server(void)
{
    char module[TEXT_BYTES];
    int null = open("/dev/null", O_RDWR);

    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)dup2(null, 1);
    (void)dup2(null, 2);
    (void)setenv("HOME", folder, 1);
    (void)setenv("XDG_RUNTIME_DIR", folder, 1);
    (void)snprintf(module, sizeof module,
                   "module-native-protocol-unix auth-anonymous=1 socket=%s/sock", folder);
    (void)execlp("pulseaudio", "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1",
                 "--use-pid-file=no", "-L", module, "-L",
                 "module-null-sink sink_name=both rate=48000 channels=2", (char *)NULL);
    _exit(127);
}

static void start_server(void)
{
    char sock[TEXT_BYTES];

    server = fork();
    if (server == 0)
        run_server();
    (void)snprintf(sock, sizeof sock, "%s/sock", folder);
    for (int i = 0; i < 100 && access(sock, F_OK); i++) {
        if (waitpid(server, NULL, WNOHANG) == server) {
            server = 0; /* Not installed. */
            break;
        }
        (void)usleep(50000);
    }
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/tandem-sound-XXXXXX");
    assert_non_null(mkdtemp(folder));
    write_config();
    start_server();
    return 0;
}

static void stop_server(void)
{
    if (server > 0) {
        (void)kill(server, SIGTERM);
        (void)waitpid(server, NULL, 0);
    }
    server = 0;
}

static int tear_down(void **state)
{
    char command[TEXT_BYTES];

    (void)state;
    stop_server();
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

struct player {
    _Atomic int64_t chirp_at; /* When the first sample of the last chirp is to be heard. */
    atomic_int pulls, late;
    uint64_t samples;
};

/* A chirp each half second. */
static void pull(void *arg, int16_t *pcm, uint32_t samples, tdm_time now, tdm_time play_at)
{
    struct player *p = arg;

    for (uint32_t i = 0; i < samples; i++, p->samples++) {
        uint32_t at = (uint32_t)(p->samples % 24000);

        if (at == 0)
            atomic_store(&p->chirp_at, play_at + tdm_time_of_units(i, 48000));
        pcm[i] = (int16_t)(at < tdm_chirp_samples(48000) ? 10000 * tdm_chirp_sample(at, 48000) : 0);
    }
    if (play_at < now || play_at > now + 500 * TDM_MS)
        atomic_fetch_add(&p->late, 1);
    atomic_fetch_add(&p->pulls, 1);
}

static enum tdm_err open_speaker(const char *spec, struct player *p, struct tdm_audio_sink **sink,
                                 struct tdm_cause *cause)
{
    const char *argument;
    const struct tdm_audio_sink_ops *ops = tdm_audio_sink_find(spec, &argument, NULL);
    const struct tdm_audio_sink_config config = {
        .argument = argument, .sample_hz = 48000, .channels = 1, .arg = p, .pull = pull};

    return ops->create(&config, sink, cause);
}

static enum tdm_err open_mic(const char *spec, uint32_t hz, struct tdm_audio_source **source,
                             struct tdm_cause *cause)
{
    const char *argument;
    const struct tdm_audio_source_ops *ops = tdm_audio_source_find(spec, &argument, NULL);
    const struct tdm_audio_source_config config = {.argument = argument,
                                                   .sample_hz = hz,
                                                   .channels = 1,
                                                   .block_samples = hz / 100,
                                                   .wake_fd = -1};

    return ops->create(&config, source, cause);
}

static const struct tdm_audio_source_ops *mic_ops(void)
{
    const char *rest;

    return tdm_audio_source_find("mic", &rest, NULL);
}

static void what_the_speaker_plays_comes_back(void **state)
{
    (void)state;
    if (!server)
        skip();
    struct player player = {0};
    struct tdm_audio_sink *sink = NULL;
    struct tdm_audio_source *source = NULL;
    struct tdm_cause cause = {""};
    struct tdm_chirp_detector detector;
    const char *rest;
    int16_t pcm[480];
    tdm_time captured = 0, before = 0;
    int found = 0;
    double arrival;

    tdm_chirp_detector_init(&detector);
    enum tdm_err err = open_speaker("speaker", &player, &sink, &cause);

    if (err)
        print_message("%s\n", cause.text);
    assert_int_equal(err, TDM_OK);
    assert_int_equal(open_mic("mic", 48000, &source, &cause), TDM_OK);
    for (int block = 0; block < 300; block++) {
        assert_int_equal(mic_ops()->read(source, pcm, &captured, &cause), TDM_OK);
        assert_true(captured > before && captured <= tdm_clock_now());
        before = captured;
        for (int i = 0; i < 480; i++) {
            if (!tdm_chirp_detector_push(&detector, pcm[i], &arrival))
                continue;
            found++;
            print_message("chirp heard %.1f ms after it was to be heard\n",
                          (double)(captured -
                                   (tdm_time)((block * 480.0 + 479 - arrival) * 1e9 / 48000) -
                                   atomic_load(&player.chirp_at)) /
                              1e6);
        }
    }
    assert_in_range(found, 4, 7);
    assert_int_equal(atomic_load(&player.late), 0);
    assert_true(atomic_load(&player.pulls) > 500);
    tdm_audio_sink_find("speaker", &rest, NULL)->destroy(sink);
    mic_ops()->destroy(source);
}

#define LEFT_HZ  400.0
#define RIGHT_HZ 1000.0

/* Another tone on each side. */
static void pull_sides(void *arg, int16_t *pcm, uint32_t samples, tdm_time now, tdm_time play_at)
{
    struct player *p = arg;

    (void)now, (void)play_at;
    for (uint32_t i = 0; i < samples; i++, p->samples++)
        for (int c = 0; c < 2; c++)
            pcm[2 * i + (uint32_t)c] = (int16_t)(8000 * sin(2 * M_PI * (c ? RIGHT_HZ : LEFT_HZ) *
                                                            (double)(p->samples % 48000) / 48000));
}

static double level_of(const int16_t *pcm, uint32_t channel, double hz)
{
    double cosine = 0, sine = 0;

    for (uint32_t i = 0; i < 4800; i++) {
        cosine += pcm[2 * i + channel] * cos(2 * M_PI * hz * i / 48000);
        sine += pcm[2 * i + channel] * sin(2 * M_PI * hz * i / 48000);
    }
    return hypot(cosine, sine) / 4800 * 2 / 8000;
}

/* In the shortest and the longest blocks that a call asks for. */
static void sides_stay_apart(void **state)
{
    static const uint32_t blocks[] = {120, 2880};
    static int16_t pcm[2 * (4800 + 2880)];
    struct player player = {0};
    struct tdm_audio_sink *sink;
    const char *rest;
    const struct tdm_audio_sink_ops *speaker = tdm_audio_sink_find("speaker", &rest, NULL);
    const struct tdm_audio_sink_config out = {
        .argument = "", .sample_hz = 48000, .channels = 2, .arg = &player, .pull = pull_sides};

    (void)state;
    if (!server)
        skip();
    assert_int_equal(speaker->create(&out, &sink, NULL), TDM_OK);
    for (size_t k = 0; k < 2; k++) {
        const struct tdm_audio_source_config in = {.argument = "",
                                                   .sample_hz = 48000,
                                                   .channels = 2,
                                                   .block_samples = blocks[k],
                                                   .wake_fd = -1};
        struct tdm_audio_source *source;
        tdm_time captured, before = 0;
        uint32_t have = 0;

        assert_int_equal(mic_ops()->create(&in, &source, NULL), TDM_OK);
        for (uint32_t heard = 0; heard < 48000; heard += blocks[k]) { /* It settles meanwhile. */
            assert_int_equal(mic_ops()->read(source, pcm, &captured, NULL), TDM_OK);
            assert_true(captured > before);
            before = captured;
        }
        for (; have < 4800; have += blocks[k])
            assert_int_equal(mic_ops()->read(source, pcm + (size_t)2 * have, &captured, NULL),
                             TDM_OK);
        mic_ops()->destroy(source);
        for (uint32_t c = 0; c < 2; c++) {
            double left = level_of(pcm, c, LEFT_HZ), right = level_of(pcm, c, RIGHT_HZ);

            print_message("blocks of %u: channel %u has %.2f and %.2f\n", blocks[k], c, left,
                          right);
            assert_true((c ? right : left) > 0.5);
            assert_true((c ? left : right) < 0.15);
        }
    }
    speaker->destroy(sink);
}

static void other_rates_are_served(void **state)
{
    (void)state;
    if (!server)
        skip();
    const uint32_t rates[] = {8000, 16000, 44100};

    for (size_t i = 0; i < 3; i++) {
        struct tdm_audio_source *source = NULL;
        int16_t pcm[480];
        tdm_time captured;

        assert_int_equal(open_mic("mic", rates[i], &source, NULL), TDM_OK);
        for (int block = 0; block < 10; block++)
            assert_int_equal(mic_ops()->read(source, pcm, &captured, NULL), TDM_OK);
        mic_ops()->destroy(source);
    }
}

static enum tdm_err open_desktop_sound(const char *spec, struct tdm_audio_source **source,
                                       const struct tdm_audio_source_ops **ops,
                                       struct tdm_cause *cause)
{
    struct tdm_audio_source_config config = {
        .sample_hz = 48000, .channels = 1, .block_samples = 480, .wake_fd = -1};

    *ops = tdm_audio_source_find(spec, &config.argument, cause);
    return (*ops)->create(&config, source, cause);
}

static void what_the_desktop_plays_is_heard(void **state)
{
    (void)state;
    if (!server)
        skip();
    struct player player = {0};
    struct tdm_audio_sink *sink = NULL;
    struct tdm_audio_source *source = NULL;
    const struct tdm_audio_source_ops *ops;
    struct tdm_cause cause = {""};
    struct tdm_chirp_detector detector;
    const char *rest;
    int16_t pcm[480];
    tdm_time captured = 0, before = 0;
    int found = 0;
    double arrival;

    tdm_chirp_detector_init(&detector);
    assert_int_equal(open_desktop_sound("desktop:zebra", &source, &ops, &cause), TDM_E_GONE);
    assert_non_null(strstr(cause.text, "no sink \"zebra\""));
    assert_int_equal(open_desktop_sound("desktop:both", &source, &ops, &cause), TDM_OK);
    for (int block = 0; block < 20; block++) { /* Nothing plays. */
        assert_int_equal(ops->read(source, pcm, &captured, &cause), TDM_OK);
        for (int i = 0; i < 480; i++)
            assert_int_equal(pcm[i], 0);
    }
    assert_int_equal(open_speaker("speaker", &player, &sink, &cause), TDM_OK);
    for (int block = 0; block < 500 && found < 2; block++) {
        assert_int_equal(ops->read(source, pcm, &captured, &cause), TDM_OK);
        assert_true(captured > before && captured <= tdm_clock_now());
        before = captured;
        for (int i = 0; i < 480; i++)
            found += tdm_chirp_detector_push(&detector, pcm[i], &arrival);
    }
    assert_int_equal(found, 2);
    tdm_audio_sink_find("speaker", &rest, NULL)->destroy(sink);
    ops->destroy(source);
}

/* Takes the server away. */
static void a_sound_server_that_disappears_is_told(void **state)
{
    (void)state;
    start_server(); /* The test before took it away. */
    if (!server)
        skip();
    struct tdm_audio_source *source = NULL;
    const struct tdm_audio_source_ops *ops;
    struct tdm_cause cause = {""};
    enum tdm_err err = TDM_OK;
    int16_t pcm[480];
    tdm_time captured;

    assert_int_equal(open_desktop_sound("desktop", &source, &ops, &cause), TDM_OK);
    assert_int_equal(ops->read(source, pcm, &captured, &cause), TDM_OK);
    stop_server();
    for (int i = 0; i < 3000 && !err; i++)
        err = ops->read(source, pcm, &captured, &cause);
    assert_int_equal(err, TDM_E_GONE);
    assert_non_null(strstr(cause.text, "is gone"));
    ops->destroy(source);
    assert_int_equal(open_desktop_sound("desktop", &source, &ops, &cause), TDM_E_GONE);
    assert_non_null(strstr(cause.text, "does not run"));
}

static void unknown_devices_are_explained(void **state)
{
    (void)state;
    struct player player = {0};
    struct tdm_audio_sink *sink = NULL;
    struct tdm_audio_source *source = NULL;
    struct tdm_cause cause;

    assert_int_equal(open_mic("mic:zebra", 48000, &source, &cause), TDM_E_GONE);
    assert_string_equal(cause.text, "no microphone \"zebra\": use mic alone for the default one");
    assert_int_equal(open_speaker("speaker:zebra", &player, &sink, &cause), TDM_E_GONE);
    assert_string_equal(cause.text, "no speaker \"zebra\": use speaker alone for the default one");
}

/* Last of those with a server: it takes it away. */
static void a_microphone_that_disappears_is_told(void **state)
{
    (void)state;
    if (!server)
        skip();
    struct player player = {0};
    struct tdm_audio_sink *sink = NULL;
    struct tdm_audio_source *source = NULL;
    struct tdm_cause cause;
    const char *rest;
    int16_t pcm[480];
    tdm_time captured;
    enum tdm_err err = TDM_OK;

    assert_int_equal(open_speaker("speaker", &player, &sink, &cause), TDM_OK);
    assert_int_equal(open_mic("mic", 48000, &source, &cause), TDM_OK);
    assert_int_equal(mic_ops()->read(source, pcm, &captured, &cause), TDM_OK);
    stop_server();
    for (int i = 0; i < 2000 && !err; i++)
        err = mic_ops()->read(source, pcm, &captured, &cause);
    assert_int_equal(err, TDM_E_GONE);
    assert_non_null(strstr(cause.text, "the microphone is gone"));
    mic_ops()->destroy(source);
    tdm_audio_sink_find("speaker", &rest, NULL)->destroy(sink);
}

static void no_device_is_explained(void **state)
{
    (void)state;
    struct player player = {0};
    struct tdm_audio_sink *sink = NULL;
    struct tdm_audio_source *source = NULL;
    struct tdm_cause cause = {""};

    stop_server();
    assert_int_equal(open_mic("mic", 48000, &source, &cause), TDM_E_GONE);
    assert_non_null(strstr(cause.text, "use --audio file:PATH, tone or off"));
    assert_int_equal(open_speaker("speaker", &player, &sink, &cause), TDM_E_GONE);
    assert_non_null(strstr(cause.text, "null"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_devices_are_explained),
        cmocka_unit_test(what_the_speaker_plays_comes_back),
        cmocka_unit_test(sides_stay_apart),
        cmocka_unit_test(other_rates_are_served),
        cmocka_unit_test(what_the_desktop_plays_is_heard),
        cmocka_unit_test(a_microphone_that_disappears_is_told),
        cmocka_unit_test(a_sound_server_that_disappears_is_told),
        cmocka_unit_test(no_device_is_explained),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
