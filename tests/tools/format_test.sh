#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/format-check over a small tree: it names what is wrong, mends it, and leaves builds alone.
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
command -v clang-format >/dev/null || {
    echo "SKIP: clang-format is not installed"
    exit 77
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/tools" "$folder/src" "$folder/build"
cp "$root/tools/format-check" "$folder/tools/"
cp "$root/.clang-format" "$folder/"
printf 'int one;\n' >"$folder/src/good.c"
printf 'int   two ;\n' >"$folder/src/bad one.c"
printf 'int   three ;\n' >"$folder/build/made.c"

if said=$("$folder/tools/format-check"); then
    echo "a bad file passed"
    exit 1
fi
grep -q ' src/bad one.c$' <<<"$said" || {
    echo "the bad file is not named: $said"
    exit 1
}
if grep -q 'good\|made' <<<"$said"; then
    echo "a file is blamed wrongly: $said"
    exit 1
fi
"$folder/tools/format-check" --fix
"$folder/tools/format-check"
[ "$(cat "$folder/src/bad one.c")" = "int two;" ]
[ "$(cat "$folder/build/made.c")" = "int   three ;" ]
