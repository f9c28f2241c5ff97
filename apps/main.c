/* SPDX-License-Identifier: MIT */
#include "apps/account.h"
#include "apps/bench.h"
#include "apps/board.h"
#include "apps/chat.h"
#include "apps/contacts.h"
#include "apps/demo.h"
#include "apps/doctor.h"
#include "apps/files.h"
#include "apps/options.h"
#include "apps/presence.h"
#include "apps/serve.h"
#include "apps/share.h"
#include "apps/sim.h"
#include "apps/talk.h"

#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int run_demo(struct options *o)
{
    char self[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);

    if (size < 0)
        return EXIT_FAILED;
    self[size] = 0;
    return demo_run(o, self);
}

static const struct verb {
    const char *name, *usage, *help;
    int (*run)(struct options *o);
    int (*run_own)(int argc, char **argv); /* A verb with options of its own. */
} verbs[] = {
    {"demo", "tandem demo", "a call between two processes on this machine, measured", run_demo,
     NULL},
    {"call", "tandem call ADDRESS", "call 10.0.0.7, user@host, a sip: URI or a telephone",
     talk_call, NULL},
    {"answer", "tandem answer", "wait for a call, ring, ask", talk_answer, NULL},
    {"doctor", "tandem doctor [HOST]", "what works here, what does not, and what to do about it",
     NULL, doctor_run},
    {"serve", "tandem serve", "where people sign in and reach each other: SIP, STUN and TURN", NULL,
     serve_run},
    {"chat", "tandem chat [WHO [TEXT]]", "texts: one, a talk, or waiting for others", NULL,
     chat_run},
    {"send", "tandem send FILE... WHO", "send files and folders; goes on after any break", NULL,
     files_send},
    {"get", "tandem get", "wait for files and folders, and take those that are wanted", NULL,
     files_get},
    {"account", "tandem account VERB", "accounts at SIP servers: add, list, remove, check", NULL,
     account_run},
    {"presence", "tandem presence WHAT", "who is there, and what others see of you", NULL,
     presence_run},
    {"contacts", "tandem contacts WHAT", "the address book, and who of it is there", NULL,
     contacts_run},
    {"share", "tandem share [WHO]", "show a screen, and be helped on it when you allow it", NULL,
     share_run},
    {"assist", "tandem assist [WHO]", "see somebody's screen, and help on it", NULL, assist_run},
    {"board", "tandem board [WHO]", "draw together, or on a file; info, export, import, merge",
     NULL, board_run},
    {"bench", "tandem bench WHAT", "what codecs and calls cost on this machine", NULL, bench_run},
    {"sim", "tandem sim SCENARIO", "named situations in virtual time, beside other methods", NULL,
     sim_run},
};

#define VERB_COUNT (sizeof verbs / sizeof *verbs)

static void help(FILE *to)
{
    fprintf(to, "tandem %s: two people talk and see each other\n\n", tandem_version());
    for (size_t i = 0; i < VERB_COUNT; i++)
        fprintf(to, "  %-24s %s\n", verbs[i].usage, verbs[i].help);
    fputs("\nEach verb has --help. In a call: ? lists the keys.\n", to);
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
    struct options o;

    if (!options_parse(&o, verb->name, argc, argv))
        return EXIT_USAGE;
    if (!o.help)
        return verb->run(&o);
    printf("%s [options]: %s\n\n", verb->usage, verb->help);
    options_help(stdout, verb->name);
    return EXIT_DONE;
}

int main(int argc, char **argv)
{
    /* For the input methods of windows, which ask the process how letters are made.
     * NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread yet. */
    (void)setlocale(LC_CTYPE, "");
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help(argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("tandem %s\n", tandem_version());
        return EXIT_DONE;
    }
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run_own ? verbs[i].run_own(argc - 2, argv + 2)
                                    : run_verb(&verbs[i], argc - 2, argv + 2);
    fprintf(stderr, "tandem: no verb \"%s\"; see tandem --help\n", argv[1]);
    return EXIT_USAGE;
}
