#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds small trees, each with one violation, and sees that tools/tidy finds it alone."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
C = "/* SPDX-License-Identifier: MIT */\n"
SCRIPT = "#!/bin/sh\n# SPDX-License-Identifier: MIT\n"
CMAKE = "# SPDX-License-Identifier: MIT\n"

# A tree without findings: one file on each floor, each allowed kind of include once.
CLEAN = {
    "README.md": "See [the page](docs/page.md) and tests/unit/FOLDER/NAME_test.c.\n",
    "docs/page.md": "Built from engine/base/a.h; capture/render are devices. See ../README.md.\n",
    "engine/base/CMakeLists.txt": CMAKE + "tandem_floor(tandem_base)\n",
    "engine/base/a.h": C + "int tdm_a(int time);\n",
    "engine/base/a.c": C + '#include "engine/base/a.h"\n\n#include <string.h>\n\n'
                       "static const int table[] = {1};\n\n"
                       "int tdm_a(int time)\n{\n    /* malloc(3) and free(3) in words */\n"
                       "    return p->free(table) + v.time(time);\n}\n",
    "engine/io/CMakeLists.txt": CMAKE + "tandem_floor(tandem_io)\n",
    "engine/io/clock.h": C + "int tdm_clock(void);\n",
    "engine/io/clock.c": C + '#include "engine/io/clock.h"\n\n#include "engine/base/a.h"\n\n'
                         "int tdm_clock(void)\n{\n    return clock_gettime(0, 0);\n}\n",
    "codecs/CMakeLists.txt": CMAKE + "tandem_floor(tandem_codecs)\n",
    "codecs/codec.h": C,
    "codecs/one.c": C + '#include "codecs/codec.h"\n#include "codecs/one_bits.h"\n\n'
                    "#include <opus.h>\n\nvoid *one_create(void)\n{\n    return malloc(1);\n}\n",
    "codecs/one_bits.h": C,
    "capture/CMakeLists.txt": CMAKE + "tandem_floor(tandem_capture)\n",
    "capture/mic.c": C + '#include "engine/io/clock.h"\n\n#include <xcb/xcb.h>\n',
    "signalling/CMakeLists.txt": CMAKE + "tandem_floor(tandem_signalling)\n",
    "signalling/sdp.h": C,
    "signalling/sip_libre.c": C + '#include "signalling/sdp.h"\n\n#include <re/re.h>\n',
    "sim/CMakeLists.txt": CMAKE + "tandem_floor(tandem_sim)\n",
    "sim/call.c": C + '#include "signalling/sdp.h"\n',
    "include/tandem/tandem.h": C,
    "apps/CMakeLists.txt": CMAKE + "add_executable(tandem_command main.c)\n",
    "apps/main.c": C + '#include "tandem/tandem.h"\n\n#include <stdio.h>\n',
    "tests/CMakeLists.txt": CMAKE + "file(GLOB s ${CMAKE_CURRENT_SOURCE_DIR}/unit/*/*_test.c)\n",
    "tests/unit/base/a_test.c": C + '#include "engine/base/a.h"\n',
    "tools/help.sh": SCRIPT,
    "run": SCRIPT + "tools/help.sh\n",
}


def tidy(tree, *options):
    with tempfile.TemporaryDirectory() as folder:
        for path, text in tree.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
        done = subprocess.run([ROOT / "tools/tidy", "--root", folder, "--json", *options],
                              capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


class TidyTest(unittest.TestCase):
    def assert_finds(self, rule, words, path, text, at=None):
        """`text` as a file (or added to the clean one) gives exactly one finding, in that file."""
        tree = dict(CLEAN)
        if path in tree:
            text = tree[path] + text
        elif path.endswith(".c") and rule == "words":
            text = C + text
        tree[path] = text
        code, report = tidy(tree)
        found = [(f["rule"], f["path"]) for f in report["findings"]]
        self.assertEqual(found, [(rule, at or path)], report["findings"])
        self.assertIn(words, report["findings"][0]["text"])
        self.assertEqual(code, 1)

    def test_clean_tree_passes(self):
        code, report = tidy(CLEAN)
        self.assertEqual(report["findings"], [])
        self.assertEqual(code, 0)

    def test_floors(self):
        cases = (
            ("engine/base/a.c", '#include "engine/io/clock.h"', "floor 0"),
            ("codecs/one.c", '#include "engine/io/clock.h"', "floor 2"),
            ("engine/io/clock.c", '#include "codecs/two.h"', None),
            ("codecs/one.c", '#include "codecs/two.h"', "another codec"),
            ("codecs/two.c", '#include "codecs/two.h"', None),
            ("codecs/registry.c", '#include "codecs/two.h"', None),
            ("codecs/one.c", '#include "codecs/shared.h"', None),
            ("capture/mic.c", '#include "render/sink.h"', "render/sink.h"),
            ("engine/core/x.c", '#include "codecs/codec.h"', "codecs/codec.h"),
            ("engine/io/clock.c", '#include "render/sink.h"', "render/sink.h"),
            ("signalling/sip_libre.c", '#include "sim/net.h"', "sim/net.h"),
            ("sim/call.c", '#include "engine/graph.h"', "engine/graph.h"),
            ("engine/graph.c", '#include "signalling/sdp.h"', None),
            ("engine/graph.c", '#include "tandem/tandem.h"', None),
            ("engine/base/a.c", '#include "apps/args.h"', "floor 5"),
            ("engine/base/a.c", '#include "tests/help.h"', "tests/help.h"),
            ("apps/main.c", '#include "apps/args.h"', None),
            ("apps/main.c", '#include "engine/base/a.h"', "own folder and include/tandem/"),
            ("include/tandem/tandem.h", '#include "engine/base/a.h"', "include/tandem/"),
            ("engine/base/a.c", '#include "a.h"', "written from the root"),
            ("signalling/call.c", "#include <re.h>", "sip_libre.c"),
            ("render/window.c", "#include <SDL2/SDL.h>", None),
            ("capture/mic.c", "#include <SDL2/SDL.h>", "render/"),
            ("capture/mic.c", "#include <portaudio.h>", "engine/io/sound"),
            ("engine/io/sound.h", "#include <portaudio.h>", None),
            ("engine/io/sound.c", "#include <alsa/asoundlib.h>", None),
            ("apps/main.c", "#include <opus/opus.h>", "codecs/"),
            ("engine/core/x.c", "#include <pthread.h>", "engine/"),
            ("engine/base/a.c", "#include <cmocka.h>", "tests"),
        )
        extra = {name: C for name in ("codecs/two.h", "codecs/shared.h", "render/sink.h",
                                      "sim/net.h", "engine/graph.h", "apps/args.h",
                                      "tests/help.h")}
        extra["codecs/two.c"] = C + "const struct tdm_audio_encoder_ops tdm_two = {0};\n"
        users = C + "".join(f'#include "{name}"\n' for name in extra if name[-1] == "h")
        for path, include, words in cases:
            with self.subTest(path=path, include=include):
                tree = {**CLEAN, **extra, "tests/unit/base/users_test.c": users}
                for floor in ("engine", "engine/core", "render"):
                    tree[floor + "/CMakeLists.txt"] = CMAKE + "tandem_floor(x)\n"
                tree[path] = tree.get(path, C) + "\n" + include + "\n"
                _, report = tidy(tree)
                found = [f for f in report["findings"] if f["rule"] == "floors"]
                self.assertEqual(len(found), 1 if words else 0, report["findings"])
                if words:
                    self.assertIn(words, found[0]["text"])

    def test_words(self):
        cases = (
            ("engine/base/a.c", "clock_gettime(0, 0);"),
            ("engine/base/a.c", "x = time (NULL);"),
            ("engine/base/a.c", "malloc(3);"),
            ("engine/base/a.c", "printf(x);"),
            ("engine/base/a.c", "pthread_mutex_t m;"),
            ("engine/base/a.c", "poll(fds, 1, 0);"),
            ("sim/call.c", "gettimeofday(&t, 0);"),
            ("sim/call.c", "x = rand();"),
            ("sim/call.c", "calloc(1, 2);"),
            ("signalling/sdp.h", "free(p);"),
            ("signalling/sip_words.c", "free(p);"),
            ("signalling/sip_libre.c", "getrandom(p, 1, 0);"),
            ("signalling/sip_checks.c", "free(p);"),
            ("capture/mic.c", "clock_gettime(0, 0);"),
            ("capture/mic.c", "usleep(1);"),
            ("capture/mic.c", "fputs(x, stderr);"),
            ("capture/mic.c", "socket(1, 2, 3);"),
            ("apps/main.c", "sleep(1);"),
            ("codecs/one.c", "\nint one_encode(void)\n{\n    return !malloc(1);\n}\n"),
            ("tests/unit/base/a_test.c", "atoi(x);"),
            ("engine/io/clock.c", "strcpy(a, b);"),
            ("engine/io/clock.c", "exit(1);"),
            ("engine/io/clock.c", "static int counter;"),
            ("engine/io/clock.c", "static int counter = 3;"),
            ("engine/io/clock.c", "static struct x *list[4];"),
            ("engine/io/clock.c", "static int (*hook)(int);"),
            ("engine/io/clock.c", "\nvoid f(void)\n{\n    static int calls;\n}\n"),
        )
        for path, code in cases:
            with self.subTest(path=path, code=code):
                self.assert_finds("words", "", path, code + "\n")

    def test_words_that_are_allowed(self):
        cases = (
            ("engine/base/a.c", 'x = "malloc(3)"; // free(p)\n'),
            ("engine/base/a.c", "runtime(1); my_free(2); o->time(3); s.rand(4); xpthread_x;\n"),
            ("engine/base/a.c", "static const char *const names[] = {0};\n"),
            ("engine/base/a.c", "static _Thread_local int depth;\n"),
            ("engine/base/a.c", "static int run(void *(*go)(void *), int x)\n{\n}\n"),
            ("engine/base/a.c", "static inline int f(int x)\n{\n}\n"),
            ("engine/io/clock.c", "getrandom(p, 1, 0); socket(1, 2, 3); malloc(1);\n"),
            ("signalling/sip_libre.c", "malloc(1); pthread_self();\n"),
            ("signalling/sig_memory.c", "malloc(1);\n"),
            ("tests/unit/base/a_test.c", "static int calls; printf(x); malloc(1); usleep(1);\n"),
            ("apps/main.c", "static int stop; printf(x); exit(1);\n"),
        )
        for path, code in cases:
            with self.subTest(path=path, code=code):
                _, report = tidy({**CLEAN, path: CLEAN.get(path, C) + code})
                self.assertEqual(report["findings"], [])

    def test_dead_files(self):
        for path, text, words in (
                ("engine/loose/b.c", C, "no CMakeLists.txt"),
                ("tests/unit/base/a_tests.c", C, "no CMakeLists.txt"),
                ("tests/unit/base/deep/b_test.c", C, "no CMakeLists.txt"),
                ("apps/second.c", C, "no CMakeLists.txt"),
                ("engine/base/unused.h", C, "no file includes"),
                ("docs/lonely.md", "Nobody links here.\n", "no other page"),
                ("tools/lonely.sh", SCRIPT, "nothing mentions"),
        ):
            with self.subTest(path=path):
                self.assert_finds("dead", words, path, text)

    def test_stale_paths(self):
        for path, text in (
                ("docs/page.md", "See engine/base/gone.h.\n"),
                ("README.md", "See [it](docs/gone.md).\n"),
                ("docs/page.md", "The folder `engine/gone/` is gone.\n"),
                ("engine/base/a.c", "/* As tests/gone_test.c shows. */\n"),
                ("engine/base/a.c", "// As tests/gone_test.c shows.\n"),
                ("run", "# Reads tools/gone.txt.\n"),
                ("apps/CMakeLists.txt", "# Like cmake/gone.cmake.\n"),
        ):
            with self.subTest(path=path, text=text):
                self.assert_finds("stale", "", path, text)

    def test_mentions_that_are_not_stale(self):
        for text in ("tests/fuzz/corpus/NAME/ holds them.\n", "engine/*/gone.c, codecs/<name>.c\n",
                     "build/release/apps/tandem\n",
                     "the build's apps/tandem and engine/base/a\n", "codecs/capture/render\n", "engine/base/a.h.\n",
                     "[web](https://example.org/docs/x.md) [part](#part)\n"):
            with self.subTest(text=text):
                _, report = tidy({**CLEAN, "docs/page.md": CLEAN["docs/page.md"] + text})
                self.assertEqual(report["findings"], [])

    def test_form(self):
        note = "TO" + "DO"
        for path, text, words in (
                ("engine/base/b.c", "int b;\n", "first line"),
                ("apps/main.c", "int b; \n", "blanks"),
                ("apps/main.c", "\tint b;\n", "tab"),
                ("apps/main.c", "/* " + "x" * 95 + " */\n", "columns"),
                ("apps/main.c", f"/* {note}: later */\n", "note to self"),
                ("apps/main.c", "/* " + "FIX" + "ME */\n", "note to self"),
                ("apps/main.c", "int b;", "no newline"),
                ("README.md", "It lies in /" + "home/me/tandem.\n", "machine"),
                ("engine/base/data.json", '["/' + 'root/x"]\n', "machine"),
                ("README.md", "See `.." + "/shared/style.md`.\n", "outside"),
        ):
            with self.subTest(text=text):
                self.assert_finds("form", words, path, text)
        tree = {**CLEAN, "tools/help.sh": "#!/bin/sh\n", "run": SCRIPT + "tools/help.sh\n"}
        self.assertEqual([f["path"] for f in tidy(tree)[1]["findings"]], ["tools/help.sh"])

    def test_notes_with_a_reason_and_binary_files_pass(self):
        tree = {**CLEAN, "tests/fuzz/corpus/x/1": b"\xff\xfe\t \n",
                "apps/main.c": CLEAN["apps/main.c"] + "/* " + "TO" + "DO(needs RFC 9999) */\n"}
        self.assertEqual(tidy(tree)[1]["findings"], [])

    def test_outliers_are_listed_and_do_not_fail(self):
        body = "int tdm_long(int a, int b, int c, int (*d)(int, int), int e, int f, int g)\n{\n"
        body += "    a++;\n" * 80 + "}\n\nint tdm_short(void)\n{\n}\n"
        code, report = tidy({**CLEAN, "engine/base/a.c": C + body + "\n" * 400})
        self.assertEqual(code, 0, report["findings"])
        self.assertEqual([(f["name"], f["lines"]) for f in report["long_functions"]],
                         [("tdm_long", 83)])
        self.assertEqual([(f["name"], f["parameters"]) for f in report["wide_functions"]],
                         [("tdm_long", 7)])
        self.assertEqual([f["path"] for f in report["long_files"]], ["engine/base/a.c"])


if __name__ == "__main__":
    sys.exit(unittest.main())
