#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs a build into an empty prefix and moves it; then another program is compiled against it
# with nothing but pkg-config, as a user would, and the command starts.
# usage: tests/tools/install_test.sh BUILD_FOLDER
set -eu
build=$1
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

if [ ! -f "$build/tandem.pc" ]; then
    echo "SKIP: this build makes no libtandem"
    exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cmake --install "$build" --prefix "$folder/first"
prefix=$folder/moved
mv "$folder/first" "$prefix"

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name tandem.pc)")
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH
version=$(pkg-config --modversion tandem)

# Every public header stands on its own: each is the first of a file, in strict C17 and in C++.
for header in "$root"/include/tandem/*.h; do
    name=tandem/$(basename "$header")
    printf '#include <%s>\nint main(void)\n{\n    return 0;\n}\n' "$name" >"$folder/alone.c"
    # shellcheck disable=SC2046 # pkg-config prints words.
    cc -std=c17 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags tandem) \
        -o "$folder/alone" "$folder/alone.c"
    if command -v clang++ >/dev/null; then
        # shellcheck disable=SC2046
        clang++ -x c++ -std=c++17 -Wall -Wextra -Werror $(pkg-config --cflags tandem) \
            -fsyntax-only "$folder/alone.c"
    fi
done

{
    find "$prefix/include/tandem" -name '*.h' -printf '#include <tandem/%f>\n' | sort
    printf '#include <stdio.h>\n\nint main(void)\n{\n    return puts(tandem_version()) < 0;\n}\n'
} >"$folder/user.c"
# shellcheck disable=SC2046
cc -std=c17 -o "$folder/user" "$folder/user.c" $(pkg-config --cflags --libs tandem)
said=$(LD_LIBRARY_PATH=$LD_LIBRARY_PATH "$folder/user")
if [ "$said" != "$version" ]; then
    echo "the library says it is version \"$said\", pkg-config says \"$version\""
    exit 1
fi

# Only the public functions can be seen, so that nobody builds on the inside.
seen=$(nm -D --defined-only "$LD_LIBRARY_PATH/libtandem.so" | awk '$2 ~ /[A-Z]/ {print $3}')
for symbol in $seen; do
    if ! grep -qhE "\b$symbol\(" "$prefix"/include/tandem/*.h; then
        echo "libtandem.so shows $symbol, which no public header declares"
        exit 1
    fi
done

if [ -e "$prefix/bin/tandem" ]; then
    "$prefix/bin/tandem" --version
fi
