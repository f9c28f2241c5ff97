#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./run without its work: the texts and exit codes, with stubs for what belongs to the system.
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/tools" "$folder/bin"
cp "$root/run" "$folder/"
cp "$root/tools/packages.txt" "$root/tools/tally" "$folder/tools/"

failures=0

stub() { # NAME SCRIPT
    printf '#!/bin/sh\n%s\n' "$2" >"$folder/bin/$1"
    chmod +x "$folder/bin/$1"
}

# Runs ./run from another folder and compares its exit code and a line of what it prints.
expect() { # CODE WORDS ARGUMENTS...
    local want=$1 words=$2 code=0 said
    shift 2
    said=$(cd / && PATH="$folder/bin:$PATH" "$folder/run" "$@" 2>&1 </dev/null) || code=$?
    if [ "$code" != "$want" ] || ! grep -qF -- "$words" <<<"$said"; then
        printf 'run %s: exit code %s, want %s and "%s" in:\n%s\n' \
            "$*" "$code" "$want" "$words" "$said"
        failures=$((failures + 1))
    fi
}

# A machine where everything is there except cmocka, and a user without rights.
stub id 'echo 1000'
stub sudo 'exit 1'
# shellcheck disable=SC2016 # The stub expands it.
stub dpkg-query 'case "$*" in *libcmocka-dev*) exit 1 ;; *) echo installed ;; esac'
stub cmake 'echo "no compiler today"; exit 1'

expect 0 "usage: ./run VERB"
expect 0 "usage: ./run VERB" help
expect 2 'There is no verb "dance".' dance
expect 1 'takes nothing or the word quick, not "slow"' test slow
expect 1 'not "soon"' fuzz soon
expect 1 "tools/packages.txt has no group toys" install-packages toys
expect 1 "apt-get install --no-install-recommends libcmocka-dev" demo
expect 1 "apt-get install --no-install-recommends libcmocka-dev" test
expect 0 "" install-packages test

# The same user once root may install: apt is asked for exactly what is missing.
stub id 'echo 0'
# shellcheck disable=SC2016
stub apt-get 'echo "$@" >>'"$folder/apt.log"
expect 0 "install 1 packages (build)" install-packages build
grep -qE -- 'install -y --no-install-recommends libcmocka-dev$' "$folder/apt.log" || {
    echo "apt-get was asked for: $(cat "$folder/apt.log")"
    failures=$((failures + 1))
}

# A build that fails shows its log, is counted, and the closing line stands last.
expect 1 "no compiler today" build
expect 1 "1 failed, 0 skipped" test quick
expect 1 "FAILED" demo

[ "$failures" = 0 ]
