# SPDX-License-Identifier: MIT
"""The rules that tools/tidy keeps, as tables: who may include what, and which words a floor may not
use. Paths are prefixes from the repository's root; the longest one that fits a file decides."""

from typing import NamedTuple

# Includes go down or stay in the folder. Folders that are not listed (bench, tests, tools) may
# include anything.
FLOORS = {
    "engine/base/": 0,
    "engine/wire/": 1,
    "engine/core/": 2,
    "collab/": 2,
    "codecs/": 2,
    "capture/": 3,
    "render/": 3,
    "desktop/": 3,
    "board/": 3,
    "engine/io/": 3,
    "sim/": 4,
    "signalling/": 4,
    "measure/": 4,
    "include/tandem/": 4,
    "engine/": 4,
    "apps/": 5,
    "examples/": 5,
}

# (from, to): the sideways steps that are meant.
SIDEWAYS = {
    ("capture/", "engine/io/"),
    ("render/", "engine/io/"),
    ("desktop/", "engine/io/"),
    ("board/", "engine/io/"),
    ("sim/", "signalling/"),
    ("engine/", "signalling/"),
    ("engine/", "include/tandem/"),
    ("engine/", "measure/"),
    ("measure/", "include/tandem/"),
    ("sim/", "include/tandem/"),
}

# What these folders may include of this repository beside their own folder, whatever their floor.
ONLY = {
    "apps/": ("include/tandem/",),
    "examples/": ("include/tandem/",),
    "include/tandem/": (),
}

# A codec is a file in codecs/ that defines a table; its header is for itself and for the registry.
CODEC_TABLE = r"\bconst\s+struct\s+tdm_\w+_ops\s+\w+\s*="
CODECS_ALL = ("codecs/registry.c",)

LIBRARY = ("engine/", "codecs/", "capture/", "render/", "desktop/", "board/", "collab/", "signalling/", "sim/",
           "measure/", "include/")
PROGRAM = LIBRARY + ("apps/", "examples/")
PURE = ("engine/base/", "engine/wire/", "engine/core/", "collab/", "codecs/", "sim/", "signalling/")
# The only ones that know libre. All but the checks may allocate and talk to the system.
SIP_LIBRE = tuple("signalling/sip_" + name for name in (
    "account.c", "answer.c", "asking.c", "auth.c", "call.c", "commands.c", "dialog.c", "events.c",
    "events.h", "guard.c", "incoming.c", "libre.c", "lookup.c", "outgoing.c", "publish.c",
    "register.c", "request.c", "stack.c", "state.h", "subscribe.c", "watcher.c"))
SIP_ADAPTER = SIP_LIBRE + ("signalling/sip_uri", "signalling/sig_queue")
SIP_IN_MEMORY = ("signalling/sig_memory",)  # Holds its messages in flight on the heap.
DEVICES = ("capture/", "render/")
THREADS = ("engine/", "engine/io/", "capture/", "render/", "apps/", "examples/") + SIP_ADAPTER


class Library(NamedTuple):
    """A library's headers (prefixes of what stands in <...>) and the floors or files that may."""

    headers: tuple
    where: tuple


LIBRARIES = (
    Library(("re/", "re.h", "re_"), SIP_LIBRE + ("signalling/sip_checks.c",)),
    Library(("opus", "vpx/", "x264", "wels/", "aom/", "dav1d/"), ("codecs/",)),
    Library(("libavcodec/", "libavutil/"), ("codecs/", "measure/", "board/image_decode") + DEVICES),
    Library(("libavformat/", "libswresample/", "libavdevice/"), DEVICES),
    Library(("libswscale/",), DEVICES + ("board/image_decode",)),
    Library(("portaudio", "pa_", "alsa/"), ("engine/io/sound",)),
    Library(("SDL",), ("render/",)),
    Library(("pulse/",), ("capture/",)),
    Library(("cairo", "pango"), ("render/", "measure/")),
    Library(("X11/", "xcb/"), DEVICES + ("desktop/",)),
    Library(("xkbcommon/",), ("desktop/",)),
    Library(("linux/videodev2.h",), ("capture/",)),
    Library(("openssl/", "srtp2/", "miniupnpc/", "natpmp", "microhttpd.h", "sqlite3.h"),
            ("engine/io/",)),
    Library(("nettle/",), ("engine/base/digest",)),
    Library(("zstd.h",), ("engine/base/", "collab/")),
    Library(("jansson.h",), ("engine/", "measure/", "board/", "apps/", "examples/")),
    Library(("sys/socket.h", "netinet/", "arpa/", "netdb.h", "resolv.h", "sys/epoll.h", "net/if", "ifaddrs.h"),
            ("engine/io/", "apps/") + SIP_ADAPTER),
    Library(("pthread.h", "threads.h", "semaphore.h"), THREADS),
    Library(("cmocka.h",), ()),
)


class Ban(NamedTuple):
    """Functions (or, with `words`, any identifiers) that the files under `where` may not use."""

    why: str
    names: str
    where: tuple
    but: tuple = ()
    inside: str = ""  # Allowed in functions whose name this expression finds.
    words: bool = False


BANS = (
    # A command above the public header has no other clock than the system's.
    Ban("time is an input: only engine/io reads a clock",
        "clock_gettime clock_getres gettimeofday time clock timespec_get", PROGRAM,
        ("engine/io/", "apps/")),
    Ban("only engine/io gives entropy; seeded numbers come from engine/base/rng.h",
        "getrandom getentropy rand srand random srandom rand_r drand48 arc4random", PROGRAM,
        ("engine/io/",)),
    Ban("a core allocates nothing; a codec and the simulator allocate in create and destroy only",
        "malloc calloc realloc free strdup strndup aligned_alloc posix_memalign", PURE,
        SIP_ADAPTER + SIP_IN_MEMORY + ("codecs/", "sim/")),
    Ban("a core allocates nothing; a codec and the simulator allocate in create and destroy only",
        "malloc calloc realloc free strdup strndup aligned_alloc posix_memalign",
        ("codecs/", "sim/"), inside=r"create|destroy|open|close|alloc|free|init"),
    Ban("a core prints nothing and opens nothing",
        "fprintf vfprintf fopen fdopen fread fwrite getenv popen", PURE, SIP_ADAPTER),
    Ban("a core makes no system call",
        "socket epoll_create1 epoll_wait poll ppoll select ioctl mmap eventfd", PURE, SIP_ADAPTER),
    Ban("a core owns no thread and no lock",
        r"pthread_\w+ mtx_\w+ thrd_\w+ sem_\w+", PURE, SIP_ADAPTER, words=True),
    Ban("only engine/io and the SIP adapter own sockets",
        "socket sendto recvfrom sendmmsg recvmmsg getaddrinfo", LIBRARY,
        ("engine/io/",) + SIP_ADAPTER),
    Ban("sleep polling is banned: wait on an eventfd or a device (engine/io/wake.h)",
        "sleep usleep nanosleep clock_nanosleep sched_yield pthread_yield", PROGRAM),
    Ban("a library prints nothing: the cause goes into struct tdm_cause",
        "printf vprintf puts putchar perror", LIBRARY),
    Ban("a library prints nothing: the cause goes into struct tdm_cause",
        "stdout stderr", LIBRARY, words=True),
    Ban("a library does not end the program", "exit _exit quick_exit system", LIBRARY),
    Ban("unbounded, or without errors: use snprintf, memcpy or strtol",
        "strcpy strcat sprintf vsprintf gets atoi atol atoll strtok", ("",)),
)

# Folders whose names start a path when they stand in a document or a comment.
TOP_FOLDERS = ("engine", "codecs", "capture", "render", "desktop", "board", "collab", "signalling", "sim", "measure",
               "include", "apps", "examples", "bench", "tests", "docs", "tools", "cmake")

# Made by the build, and named by documents without the build folder before them.
BUILT = ("apps/tandem",)

# Written in pieces, so that the rule does not find itself.
MACHINE_PATHS = r"(?<![\w.$}])/(?:" + "|".join(("wo" + "rk", "ho" + "me", "ro" + "ot")) + ")/"
OUTSIDE_PATHS = r"\.\./" + "shared"
BARE_NOTES = r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b(?!\([^)]+\))"

LINE_COLUMNS = 100
FUNCTION_LINES = 70
FUNCTION_PARAMETERS = 6
FILE_LINES = 400
