#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The programs of examples/ call each other over loopback; what they print and record is looked at.
# usage: tests/examples/calls_test.sh BUILD_FOLDER
set -eu
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
for name in first_call answer_machine meter board; do
    [ -x "$build/examples/$name" ] || {
        echo "SKIP: this build has no examples"
        exit 77
    }
done
folder=$(mktemp -d)
machine=
trap '[ -z "$machine" ] || kill "$machine" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"

fail() { # WORDS
    echo "$*"
    tail -n 20 ./*.out ./*.err 2>/dev/null
    exit 1
}

# Usage errors are told and counted.
for name in first_call answer_machine meter board; do
    if "$build/examples/$name" 2>usage.err; then
        fail "$name without arguments succeeds"
    fi
    grep -q "usage: $name" usage.err || fail "$name without arguments says no usage"
done

"$build/examples/answer_machine" 5060 2 >machine.out 2>machine.err &
machine=$!
for _ in $(seq 100); do
    port=$(sed -n 's/^waiting on port //p' machine.out)
    [ -z "$port" ] || break
    kill -0 "$machine" || fail "the answering machine ended"
    read -r -t 0.1 <> <(:) || :
done
[ -n "$port" ] || fail "the answering machine does not listen"

timeout 40 "$build/examples/first_call" "127.0.0.1:$port" >report.json 2>call.err ||
    fail "first_call failed"
timeout 40 "$build/examples/meter" "127.0.0.1:$port" 3 >meter.out 2>meter.err ||
    fail "meter failed"
wait "$machine" || fail "the answering machine failed"
machine=

# Two that draw: each has what both drew, the page included.
"$build/examples/board" 5070 >board.out 2>board.err &
machine=$!
port=
for _ in $(seq 300); do
    port=$(sed -n 's/^waiting on port //p' board.out)
    [ -z "$port" ] || break
    kill -0 "$machine" || fail "the board that waits ended"
    read -r -t 0.1 <> <(:) || :
done
[ -n "$port" ] || fail "the board does not listen"
timeout 40 "$build/examples/board" 5080 "127.0.0.1:$port" >draw.out 2>draw.err ||
    fail "the board that calls failed"
wait "$machine" || fail "the board that waits failed"
machine=
grep -q "^they changed" draw.out || fail "nothing of the other's was told"

python3 "$root/tests/examples/report_check.py" report.json "$root/docs/cli.md" ||
    fail "the report of first_call is wrong"

# Three lines of figures, in the last one of which pictures come and the latencies are known.
[ "$(grep -c '^ *[0-9]' meter.out)" = 3 ] || fail "the meter does not print three lines"
tail -n 1 meter.out | awk '{ exit !($4 > 5 && $6 > 0 && $7 > 0 && $8 > 0) }' ||
    fail "the meter sees no call"

# What the machine recorded opens and has pictures and sound of both calls.
[ "$(grep -c '^call-[12]\.mkv: ' machine.out)" = 2 ] || fail "the machine does not tell of two calls"
if ! command -v ffprobe >/dev/null; then
    echo "SKIP: the recordings are not looked at: ffprobe is not installed"
    exit 77
fi
for number in 1 2; do
    streams=$(ffprobe -v error -count_frames -show_entries stream=codec_type,nb_read_frames \
        -of csv=p=0 "call-$number.mkv") || fail "call-$number.mkv does not open"
    awk -F , '$1 == "video" && $2 > 20 { v = 1 } $1 == "audio" && $2 > 20 { a = 1 }
        END { exit !(v && a) }' <<<"$streams" || fail "call-$number.mkv has only: $streams"
done
