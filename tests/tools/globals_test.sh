#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The libraries have no variable that outlives a call and is not the caller's: looked up in the
# object files, where nothing hides. First sees that the look-up finds one.
# usage: tests/tools/globals_test.sh BUILD_FOLDER
set -eu
build=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# FILE: SYMBOL of each object in .data, .bss or common storage. Constants with addresses in them
# (.data.rel.ro) and thread-local storage are fine.
globals_of() { # LIBRARY_OR_OBJECT...
    objdump -t "$@" | awk -F '\t' '
        / file format / { file = $1; sub(/: .*/, "", file) }
        NF == 2 {
            n = split($1, left, " "); split($2, right, " ")
            section = left[n]
            if (section ~ /^(\.data|\.bss|\*COM\*)/ && section !~ /^\.data\.rel\.ro/ &&
                right[1] !~ /^0+$/)
                print file ": " right[2]
        }'
}

cat >"$folder/example.c" <<'TEXT'
static int counter;
int set = 3;
const char *const fine[] = {"a"};
_Thread_local int depth;
int count(void)
{
    return counter++;
}
TEXT
cc -fPIC -c -o "$folder/example.o" "$folder/example.c"
found=$(globals_of "$folder/example.o" | sed 's/.*: //' | sort | tr '\n' ' ')
[ "$found" = "counter set " ] || {
    echo "the look-up is wrong: it found \"$found\""
    exit 1
}

mapfile -t libraries < <(find "$build/engine" "$build/codecs" "$build/capture" "$build/render" \
    "$build/signalling" "$build/sim" -name 'libtandem_*.a' 2>/dev/null)
[ "${#libraries[@]}" -gt 0 ] || {
    echo "there are no libraries in $build"
    exit 1
}
found=$(globals_of "${libraries[@]}")
[ -z "$found" ] || {
    printf 'global variables in the libraries:\n%s\n' "$found"
    exit 1
}
