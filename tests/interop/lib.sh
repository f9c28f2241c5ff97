# SPDX-License-Identifier: MIT
# What every interop test shares; sourced. A test is one script that starts real programs, lets them
# call each other and looks at what was DECODED on each side. It ends with pass, fail or skip.
#
#   BUILD   the build folder: its apps/tandem, bench/ and tests/interop/ programs are used
#   W       a temporary folder, gone at the end (KEEP=1 leaves it)
#
# Each script runs in a network namespace of its own where that is allowed, so nothing leaves the
# machine and no port is taken; it never lasts over LIMIT seconds and ends only what it started.
set -u
LIMIT=${LIMIT:-55}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TEST_NAME=$(basename "$0" .sh)
BUILD=${TANDEM_BUILD:-$HERE/../../build/release}
TANDEM=$BUILD/apps/tandem
SIZE=${SIZE:-640x480}

# -n is root's; with -r a user is root in there, who may also capture.
for flags in -n -rn; do
	if [ "${TANDEM_OWN_NET:-}" = "" ] && unshare $flags ip link set lo up 2>/dev/null; then
		exec env TANDEM_OWN_NET=1 unshare $flags "$BASH" "$0" "$@"
	fi
done
[ "${TANDEM_OWN_NET:-}" = 1 ] && ip link set lo up

W=$(mktemp -d "${TMPDIR:-/tmp}/tandem-$TEST_NAME.XXXXXX")
PIDS=()
export HOME=$W # No settings of the user's.
export PULSE_SERVER=unix:$W/none # No PulseAudio but that of sound, also none that a library starts.

leave() {
	local p n
	trap - EXIT INT TERM
	for p in "${PIDS[@]:-}"; do [ -n "$p" ] && kill -TERM "$p" 2>/dev/null; done
	for n in 1 2 3 4 5 6 7 8 9 10; do
		running "${PIDS[@]:-}" || break
		sleep 0.1
	done
	for p in "${PIDS[@]:-}"; do [ -n "$p" ] && kill -KILL "$p" 2>/dev/null; done
	wait 2>/dev/null
	if [ "${KEEP:-0}" = 1 ]; then echo "kept $W"; else rm -rf "$W"; fi
}

running() {
	local p
	for p in "$@"; do [ -n "$p" ] && kill -0 "$p" 2>/dev/null && return 0; done
	return 1
}

trap leave EXIT
trap 'exit 130' INT
trap 'echo "FAIL $TEST_NAME: not done in $LIMIT s"; exit 1' TERM
(
	trap - EXIT INT
	trap 'kill $sleeper 2>/dev/null; exit' TERM
	sleep "$LIMIT" >/dev/null 2>&1 &
	sleeper=$!
	wait $sleeper
	kill -TERM $$
) >/dev/null 2>&1 &
PIDS+=($!)

pass() {
	echo "PASS $TEST_NAME: $*"
	exit 0
}

skip() {
	echo "SKIP: $*"
	exit 77
}

# fail TEXT [LOG...]: says it, with the last lines of the logs in $W.
fail() {
	local log
	echo "FAIL $TEST_NAME: $1"
	for log in "${@:2}"; do
		echo "--- $log"
		tr '\r' '\n' <"$W/$log" 2>/dev/null | tail -n 15
	done
	exit 1
}

need() {
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null || [ -x "$program" ] || skip "$program is not installed"
	done
}

# wait_for SECONDS FILE REGEX: true when the file in $W matches in time.
wait_for() {
	local n
	for ((n = 0; n < $1 * 20; n++)); do
		grep -aqE "$3" "$W/$2" 2>/dev/null && return 0
		sleep 0.05
	done
	return 1
}

# start VAR LOG COMMAND...: in the background; the process id goes to VAR, what it says to $W/LOG.
start() {
	local var=$1 log=$2
	shift 2
	"$@" >"$W/$log" 2>&1 </dev/null &
	printf -v "$var" %s "$!"
	PIDS+=("$!")
}

# finish PID...: ends them as a user would (SIGTERM) and waits.
finish() {
	local p n
	for p in "$@"; do kill -TERM "$p" 2>/dev/null; done
	for ((n = 0; n < 40; n++)); do
		running "$@" || return 0
		sleep 0.1
	done
	return 1
}

# display VAR: a virtual display of SIZE; VAR becomes ":N".
display() {
	local number
	need Xvfb
	mkfifo "$W/$1.fd"
	start "$1_PID" "$1.log" bash -c 'exec Xvfb -displayfd 7 -screen 0 "$0"x24 -nolisten tcp -ac -noreset 7<>"$1"' \
		"$SIZE" "$W/$1.fd"
	read -r -t 10 number <"$W/$1.fd" || fail "Xvfb did not start" "$1.log"
	printf -v "$1" %s ":$number"
}

# sound: a private PulseAudio with the null sinks mic_a, spk_a, mic_b, spk_b; exports PULSE_SERVER.
sound() {
	local sinks=() sink n
	need pulseaudio pactl parec
	for sink in mic_a spk_a mic_b spk_b; do
		sinks+=(-L "module-null-sink sink_name=$sink rate=48000 channels=2 sink_properties=device.description=$sink")
	done
	start PULSE_PID pulse.log env HOME="$W" XDG_RUNTIME_DIR="$W" PULSE_RUNTIME_PATH="$W/pulse" pulseaudio -n \
		--daemonize=no --exit-idle-time=-1 --use-pid-file=no --realtime=no --high-priority=no \
		-L "module-native-protocol-unix auth-anonymous=1 socket=$W/pulse.socket" "${sinks[@]}"
	export HOME=$W # No settings of the user's.
export PULSE_SERVER=unix:$W/pulse.socket
	for ((n = 0; n < 50; n++)); do
		pactl info >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	fail "PulseAudio did not start" pulse.log
}

# record_sink SINK SECONDS: what is played there, to $W/SINK.raw (mono, 48 kHz, 16 bits).
record_sink() {
	timeout -s INT "$2" parec -d "$1.monitor" --raw --format=s16le --rate=48000 --channels=1 --latency-msec=20 >"$W/$1.raw" 2>/dev/null
}

# show_source DISPLAY: the moving picture with the time code, over the whole display.
show_source() {
	need "$BUILD/bench/glass_source"
	start SOURCE_PID source.log "$BUILD/bench/glass_source" --display "$1" --size "$SIZE" --rate 30
}

# --- What was decoded ------------------------------------------------------------------------------

# check_tone FILE HZ [SECONDS [CHANNEL]]: a .raw (as record_sink) or .wav in $W holds that tone for
# that long.
check_tone() {
	python3 "$HERE/sound_check.py" "$W/$1" "$2" "${3:-2}" "${4:-0}"
}

# check_glass DISPLAY [FPS]: time codes appear there, new ones at this rate at least.
check_glass() {
	local seen
	seen=$("$BUILD/bench/glass_sampler" --display "$1" --size "$SIZE" --rate 120 --wait 15 --warmup 1 --seconds 3) ||
		return 1
	echo "display $1: $seen"
	SEEN=$seen LEAST=${2:-10} python3 -c '
import json, os, sys
seen = json.loads(os.environ["SEEN"])
sys.exit(not (seen["fps"] >= float(os.environ["LEAST"]) and seen["unreadable"] < seen["samples"] / 2))'
}

# check_recording FILE [PICTURES]: a file that FFmpeg opens has so many readable, rising time codes.
check_recording() {
	need ffmpeg
	ffmpeg -nostdin -loglevel error -i "$W/$1" -map 0:v:0 -fps_mode passthrough -vf "scale=${SIZE/x/:}" -pix_fmt gray -f rawvideo - 2>"$W/ffmpeg.log" |
		"$BUILD/tests/interop/code_reader" "$SIZE" "${2:-30}"
}

# own_address: an address in this namespace that is not of the loopback interface, for programs whose
# ICE knows no other; in HOST.
own_address() {
	ip link add wire0 type veth peer name wire1 2>/dev/null || skip "no virtual wire here"
	ip addr add 10.200.0.1/24 dev wire0 && ip link set wire0 up && ip link set wire1 up
	HOST=10.200.0.1
}

# --- baresip ---------------------------------------------------------------------------------------

# baresip_config NAME SIP_PORT: writes $W/NAME/. Knobs: AUDIO (opus g711), VIDEO (vp8 avcodec none),
# TONE (Hz it says), SINK (where it plays, else nowhere), GRAB (display it sends), SHOW=1 (it opens a
# window on its $DISPLAY), RTP (first port), ENC (dtls_srtp, srtp-mand), NAT (ice), HOST (its address).
baresip_config() {
	local d=$W/$1 modules module path
	path=$(ls -d /usr/lib/baresip/modules /usr/lib/*/baresip/modules 2>/dev/null | head -n 1)
	need baresip
	modules="${AUDIO:-opus} ausine aubridge pulse"
	[ "${VIDEO:-none}" = none ] || modules+=" $VIDEO swscale fakevideo x11grab x11"
	case ${ENC:-} in dtls*) modules+=" dtls_srtp" ;; srtp*) modules+=" srtp" ;; esac
	modules+=${NAT:+ $NAT}
	mkdir -p "$d"
	for module in $modules; do
		[ -e "$path/$module.so" ] || skip "baresip has no $module.so (packages baresip-ffmpeg, baresip-x11)"
		echo "module $module.so"
	done >"$d/config"
	cat >>"$d/config" <<-CONFIG
		module ctrl_tcp.so
		module_path $path
		module_tmp uuid.so
		module_tmp account.so
		module_app menu.so
		ctrl_tcp_listen 127.0.0.1:$(($2 + 3))
		poll_method epoll
		sip_listen ${HOST:-127.0.0.1}:$2
		net_interface ${HOST:-127.0.0.1}
		rtp_ports ${RTP:-20000}-$((${RTP:-20000} + 100))
		rtp_stats yes
		audio_source ausine,${TONE:-440}
		audio_player $([ -n "${SINK:-}" ] && echo "pulse,$SINK" || echo aubridge,nil)
		ausrc_srate 48000
		auplay_srate 48000
		ausrc_channels 2
		auplay_channels 2
		jitter_buffer_delay 1-5
		video_size $SIZE
		video_fps 30
		video_bitrate 1500000
		videnc_format yuv420p
		avcodec_h264enc libx264
		avcodec_h264dec h264
		${GRAB:+video_source x11grab,:0}
		video_display $([ "${SHOW:-0}" = 1 ] && echo x11,nil || echo fakevideo,nil)
	CONFIG
	echo "<sip:$1@${HOST:-127.0.0.1}:$2>;regint=0;answermode=auto${ENC:+;mediaenc=$ENC}${NAT:+;medianat=$NAT}" \
		>"$d/accounts"
	: >"$d/contacts"
}

# start_baresip NAME DISPLAY [COMMAND]: waits until it is ready; COMMAND e.g. "/dial sip:...".
start_baresip() {
	start "BARESIP_$1" "$1.log" env HOME="$W" DISPLAY="$2" baresip -4 -f "$W/$1" -v ${3:+-e "$3"}
	wait_for 10 "$1.log" 'baresip is ready' || fail "baresip did not start" "$1.log"
}

# baresip_rx NAME audio|video: packets it received, after it was ended.
baresip_rx() {
	tr '\r' '\n' <"$W/$1.log" | awk -v s="$2" '$1==s && /Transmit:/{f=1} f && /^packets:/{print $3; exit}'
}

# --- linphonec -------------------------------------------------------------------------------------

# start_linphonec NAME SIP_PORT DISPLAY [FLAG...]: it speaks what is played into mic_NAME and plays
# into spk_NAME. AUDIO is opus or PCMU, VIDEO=1 adds VP8 with its still picture (Debian's build has no
# other camera and no H.264). Commands go to it by linphone_say NAME TEXT.
start_linphonec() {
	local name=$1 port=$2 on=$3 n=0 codec
	need linphonec
	mkdir -p "$W/$name/.local/share/linphone" "$W/$name/.config/linphone"
	cat >"$W/$name/rc" <<-CONFIG
		[sip]
		sip_port=$port
		sip_tcp_port=-1
		sip_tls_port=-1
		contact=sip:$name@127.0.0.1:$port
		use_ipv6=0
		[sound]
		playback_dev_id=PulseAudio Unknown: spk_$name
		capture_dev_id=PulseAudio: default
		ringer_dev_id=PulseAudio Unknown: spk_$name
		echocancellation=0
		[video]
		capture=1
		display=1
		show_local=0
		automatically_initiate=${VIDEO:-0}
		automatically_accept=${VIDEO:-0}
		device=StaticImage: Static picture
		size=vga
		[rtp]
		audio_rtp_port=$((port + 1000))-$((port + 1050))
		video_rtp_port=$((port + 1100))-$((port + 1150))
	CONFIG
	for codec in opus/48000/2 PCMU/8000/1; do
		IFS=/ read -r mime rate channels <<<"$codec"
		cat >>"$W/$name/rc" <<-CONFIG
			[audio_codec_$n]
			mime=$mime
			rate=$rate
			channels=$channels
			enabled=$([ "$mime" = "${AUDIO:-opus}" ] && echo 1 || echo 0)
		CONFIG
		n=$((n + 1))
	done
	mkfifo "$W/$name/in"
	pactl set-default-source "mic_$name.monitor"
	exec {fd}<>"$W/$name/in"
	printf -v "LINPHONE_IN_$name" %s "$fd"
	env HOME="$W/$name" DISPLAY="$on" linphonec \
		-c "$W/$name/rc" $([ "${VIDEO:-0}" = 1 ] && echo -V) -d 6 -l "$W/$name.core.log" "${@:4}" \
		<"$W/$name/in" >"$W/$name.log" 2>&1 &
	printf -v "LINPHONE_$name" %s "$!"
	PIDS+=("$!")
	wait_for 10 "$name.log" 'Ready|linphonec>' || fail "linphonec did not start" "$name.log"
	sleep 1
}

linphone_say() {
	local in=LINPHONE_IN_$1
	echo "$2" >&"${!in}"
}

# --- tandem ----------------------------------------------------------------------------------------

# tandem_side NAME DISPLAY VERB...: our command, its report in $W/NAME.json and what it says in
# $W/NAME.log; the process id goes to TANDEM_NAME. The one place that knows the options they share.
tandem_side() {
	local name=$1 on=$2
	shift 2
	[ -x "$TANDEM" ] || skip "$TANDEM is not built"
	env HOME="$W" DISPLAY="$on" "$TANDEM" "$@" --no-keys --json >"$W/$name.json" 2>"$W/$name.log" </dev/null &
	printf -v "TANDEM_$name" %s "$!"
	PIDS+=("$!")
}

# The options of a call whose content is checked: our tone and picture out, theirs kept.
# tandem_content NAME HZ prints them; the files are $W/NAME.mkv, .wav and .png.
tandem_content() {
	echo --audio "tone:$2" --video pattern -s "$SIZE" -r 30 -b:v 1500k --sink null \
		--record "$W/$1.mkv" --wav "$W/$1.wav" --sheet "$W/$1.png"
}

# await_tandem NAME SECONDS: our command has ended by itself, with status 0, and left a JSON report.
await_tandem() {
	local pid=TANDEM_$1 n status
	for ((n = 0; n < $2 * 10; n++)); do
		running "${!pid}" || break
		sleep 0.1
	done
	running "${!pid}" && fail "tandem did not end" "$1.log"
	wait "${!pid}"
	status=$?
	[ $status = 0 ] || fail "tandem ended with status $status" "$1.log"
	python3 -m json.tool "$W/$1.json" >/dev/null 2>&1 || fail "no JSON report" "$1.json" "$1.log"
}

# check_sheet FILE: a picture with real content, not one colour.
check_sheet() {
	local colours
	need identify
	colours=$(identify -format '%k' "$W/$1" 2>/dev/null) || colours=0
	echo "$1: $colours colours"
	[ "$colours" -gt 500 ]
}

# check_still FILE PICTURE: each picture that a recording in $W holds is that one, coded and scaled:
# 27 dB or more (VP8 at a low rate and two scalers: 29.7; the same one mirrored: 13).
check_still() {
	local psnr
	need ffmpeg
	psnr=$(ffmpeg -nostdin -i "$W/$1" -i "$2" -filter_complex "[0:v:0]scale=352:288,format=yuv420p,settb=1/1000[a];
		[1:v]loop=-1:1,scale=352:288,format=yuv420p,settb=1/1000[b];[a][b]psnr=shortest=1" -f null - 2>&1 |
		sed -n 's/.*PSNR .* min:\([0-9.inf]*\).*/\1/p')
	echo "$1: ${psnr:-no} dB at least against ${2##*/}"
	awk -v psnr="${psnr:-0}" 'BEGIN { exit !(psnr + 0 >= 27) }'
}

# check_snapshot FILE: one picture file holds a readable time code.
check_snapshot() {
	need ffmpeg
	ffmpeg -nostdin -loglevel error -i "$W/$1" -pix_fmt gray -f rawvideo - 2>>"$W/ffmpeg.log" |
		"$BUILD/tests/interop/code_reader" "$SIZE" 1
}
