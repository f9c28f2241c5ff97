/* SPDX-License-Identifier: MIT */
/*
 * sip_load --kinds register,message,call,publish --users N [--watch yes] [--over udp|tcp|tls]
 *          [--server PORT] [--domain D] [--outstanding 1,16,256] [--seconds S] [--pid P,...]
 *
 * A load without pauses on a SIP server at 127.0.0.1: so many requests are always out, and how many
 * are done a second is what the server, or this program, can do. Users u0, u1, ... have the
 * passwords pw-u0, ... All of their devices are on one way (a socket or connection), all that they
 * ask goes over another one. A nonce is used until it is stale, as clients do. With --watch each
 * user watches the next one all the time: each document is then told to one watcher.
 *
 * One JSON line for setting up (all users signed in, all subscriptions), and one for each kind and
 * number of requests that were out: done a second, milliseconds from the first copy of a
 * request to its end, what was sent again or failed, CPU seconds a second of the server's processes
 * and of this one. bench/signalling runs it.
 */
#include "bench/sip/lane.h"

#include "signalling/digest_auth.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLOTS_MAX   8192
#define TEXT_MAX    4096
#define LATENCY_MAX 4000000
#define RESEND_MS   500.0
#define FAIL_MS     8000.0
#define PUBLISH_MAX 4000 /* People with documents: a server has limits. */
#define TAG_MAX     64
#define SETTING_UP  64 /* Outstanding meanwhile. */
#define OUR_SDP                                                                                    \
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"                    \
    "m=audio 6000 RTP/AVP 0\r\n"

enum kind { REGISTER, SUBSCRIBE, MESSAGE, CALL, PUBLISH, BYE };

static const char *const methods[] = {"REGISTER", "SUBSCRIBE", "MESSAGE",
                                      "INVITE",   "PUBLISH",   "BYE"};

struct slot {
    enum kind kind;
    bool busy;
    uint32_t user, other, tries, cseq;
    double began, sent, interval;
    size_t size;
    char text[TEXT_MAX], call_id[32];
};

struct load {
    const char *domain;
    enum kind kind;
    uint32_t users, next_user, outstanding, slot_count, serial;
    double seconds;
    const char *pids;
    struct lane *devices, *askers;
    struct tdm_digest_challenge challenge[2]; /* Of devices, askers; nonce "": none yet. */
    bool proxy[2];
    uint32_t nc[2];
    struct slot *slots;
    char *tags;
    uint64_t started, done, failed, again, told;
    uint64_t wanted; /* How many to begin; UINT64_MAX: on and on. */
    float *latency;
    uint32_t latency_count;
};

static double now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* --- Texts -------------------------------------------------------------------------------------
 */

/* The first line that begins so, without its end; NULL: none. */
static const char *find_line(const char *text, const char *name, size_t *size)
{
    size_t length = strlen(name);

    for (const char *at = strstr(text, "\r\n"); at && strncmp(at, "\r\n\r\n", 4) != 0;
         at = strstr(at + 2, "\r\n"))
        if (strncasecmp(at + 2, name, length) == 0) {
            *size = strcspn(at + 2, "\r");
            return at + 2;
        }
    return NULL;
}

static struct lane *lane_of(const struct load *l, enum kind kind)
{
    return kind == REGISTER ? l->devices : l->askers;
}

static const char *transport_param(const struct lane *lane)
{
    return strcmp(lane_transport(lane), "UDP") == 0 ? "" : ";transport=tcp";
}

/* The entity tag of what a user published; "": nothing yet. */
static char *tag_of(const struct load *l, uint32_t user)
{
    return l->tags + (size_t)user * TAG_MAX;
}

/* The Route lines of a call, from the Record-Routes of its answer: the other way round. */
static void put_routes(const char *answer, char *to, size_t room)
{
    const char *lines[8];
    size_t sizes[8], count = 0, used = 0;

    for (const char *at = strstr(answer, "\r\n");
         at && count < 8 && strncmp(at, "\r\n\r\n", 4) != 0; at = strstr(at + 2, "\r\n"))
        if (strncasecmp(at + 2, "Record-Route:", 13) == 0) {
            lines[count] = at + 2 + 7;
            sizes[count++] = strcspn(at + 2, "\r") - 7;
        }
    to[0] = '\0';
    while (count--)
        used +=
            (size_t)snprintf(to + used, room - used, "%.*s\r\n", (int)sizes[count], lines[count]);
}

/* What stands in <> behind a header's name. */
static void put_uri(const char *answer, const char *name, char *to, size_t room)
{
    size_t size;
    const char *line = find_line(answer, name, &size);
    const char *from = line ? memchr(line, '<', size) : NULL;

    if (from)
        (void)snprintf(to, room, "%.*s", (int)strcspn(from + 1, ">"), from + 1);
}

static void put_credentials(struct load *l, const struct slot *s, const char *uri, char *to,
                            size_t room)
{
    int way = s->kind == REGISTER ? 0 : 1;
    char user[16], password[24], value[1000];

    to[0] = '\0';
    if (!l->challenge[way].nonce[0] || s->kind == BYE)
        return;
    (void)snprintf(user, sizeof user, "u%u", s->user);
    (void)snprintf(password, sizeof password, "pw-u%u", s->user);
    const struct tdm_digest_request request = {.user = user,
                                               .password = password,
                                               .method = methods[s->kind],
                                               .uri = uri,
                                               .cnonce = "load",
                                               .nc = ++l->nc[way]};

    if (tdm_digest_answer(&l->challenge[way], &request, value, sizeof value) == TDM_OK)
        (void)snprintf(to, room, "%sAuthorization: %s\r\n", l->proxy[way] ? "Proxy-" : "", value);
}

static void put_body(const struct load *l, const struct slot *s, char *to, size_t room)
{
    static const char *const types[] = {
        [MESSAGE] = "text/plain", [CALL] = "application/sdp", [PUBLISH] = "application/pidf+xml"};
    char body[400] = "";

    if (s->kind == MESSAGE)
        (void)snprintf(body, sizeof body, "Hello, this is message %u.", l->serial);
    else if (s->kind == CALL)
        (void)snprintf(body, sizeof body, "%s", OUR_SDP);
    else if (s->kind == PUBLISH)
        (void)snprintf(body, sizeof body,
                       "<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "
                       "entity=\"sip:u%u@%s\"><tuple id=\"d\"><status><basic>open</basic></status>"
                       "<note>%u</note></tuple></presence>",
                       s->user, l->domain, l->serial);
    (void)snprintf(to, room, "%s%s%sContent-Length: %zu\r\n\r\n%s", body[0] ? "Content-Type: " : "",
                   body[0] ? types[s->kind] : "", body[0] ? "\r\n" : "", strlen(body), body);
}

/* `answer`: of the INVITE that a BYE is for. */
static void write_request(struct load *l, struct slot *s, const char *answer)
{
    struct lane *lane = lane_of(l, s->kind);
    char uri[128], to[200], routes[1200] = "", event[160] = "", credentials[1200], rest[700];
    size_t size = 0;
    const char *line = answer ? find_line(answer, "To:", &size) : NULL;

    (void)snprintf(uri, sizeof uri, "sip:u%u@%s", s->other, l->domain);
    (void)snprintf(to, sizeof to, "To: <%s>", uri);
    if (s->kind == REGISTER)
        (void)snprintf(uri, sizeof uri, "sip:%s", l->domain);
    if (line) {
        (void)snprintf(to, sizeof to, "%.*s", (int)size, line);
        put_uri(answer, "Contact:", uri, sizeof uri);
        put_routes(answer, routes, sizeof routes);
    }
    if (s->kind == SUBSCRIBE || s->kind == PUBLISH)
        (void)snprintf(event, sizeof event, "Event: presence\r\n%s%s%s",
                       s->kind == PUBLISH && *tag_of(l, s->user) ? "SIP-If-Match: " : "",
                       s->kind == PUBLISH ? tag_of(l, s->user) : "",
                       s->kind == PUBLISH && *tag_of(l, s->user) ? "\r\n" : "");
    l->serial++;
    put_credentials(l, s, uri, credentials, sizeof credentials);
    put_body(l, s, rest, sizeof rest);
    int wrote = snprintf(
        s->text, sizeof s->text,
        "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;rport;branch=z9hG4bKl%xr%x\r\nMax-Forwards: 70\r\n"
        "%sFrom: <sip:u%u@%s>;tag=f\r\n%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
        "Contact: <sip:u%u@%s%s>\r\nExpires: 3600\r\n%s%s%s",
        methods[s->kind], uri, lane_transport(lane), lane_place(lane), (uint32_t)(s - l->slots),
        l->serial, routes, s->user, l->domain, to, s->call_id, s->cseq + 1, methods[s->kind],
        s->user, lane_place(lane), transport_param(lane), event, credentials, rest);

    s->cseq++;
    s->size = (size_t)wrote < sizeof s->text ? (size_t)wrote : sizeof s->text - 1;
    s->sent = now_ms();
    s->interval = RESEND_MS;
    lane_send(lane, s->text, s->size);
}

/* --- Requests ----------------------------------------------------------------------------------
 */

static uint32_t people_of(const struct load *l)
{
    return l->kind == PUBLISH && l->users > PUBLISH_MAX ? PUBLISH_MAX : l->users;
}

static void begin(struct load *l, uint32_t index)
{
    struct slot *s = &l->slots[index];
    uint32_t people = people_of(l);

    s->kind = l->kind;
    s->user = l->next_user++ % people;
    s->other = l->kind == SUBSCRIBE || l->kind == MESSAGE || l->kind == CALL
                   ? (s->user + 1) % l->users
                   : s->user;
    s->tries = 0;
    s->busy = true;
    s->began = now_ms();
    (void)snprintf(s->call_id, sizeof s->call_id, "l%u-%x", index, (uint32_t)++l->started);
    write_request(l, s, NULL);
}

static void end(struct load *l, struct slot *s, bool good)
{
    s->busy = false;
    l->done += good;
    l->failed += !good;
    if (good && l->latency_count < LATENCY_MAX)
        l->latency[l->latency_count++] = (float)(now_ms() - s->began);
    if (l->started < l->wanted)
        begin(l, (uint32_t)(s - l->slots));
}

static void send_ack(const struct load *l, const struct slot *s, const char *answer, bool good)
{
    char text[2048], routes[1200] = "", uri[128];
    size_t to_size = 0;
    const char *to = find_line(answer, "To:", &to_size), *branch = strstr(s->text, "branch=");

    (void)snprintf(uri, sizeof uri, "sip:u%u@%s", s->other, l->domain);
    if (good) {
        put_routes(answer, routes, sizeof routes);
        put_uri(answer, "Contact:", uri, sizeof uri);
    }
    int wrote = snprintf(text, sizeof text,
                         "ACK %s SIP/2.0\r\nVia: SIP/2.0/%s %s;rport;%.*s%s\r\nMax-Forwards: 70\r\n"
                         "%sFrom: <sip:u%u@%s>;tag=f\r\n%.*s\r\nCall-ID: %s\r\nCSeq: %u ACK\r\n"
                         "Content-Length: 0\r\n\r\n",
                         uri, lane_transport(l->askers), lane_place(l->askers),
                         (int)strcspn(branch, "\r"), branch, good ? "a" : "", routes, s->user,
                         l->domain, (int)to_size, to ? to : "", s->call_id, s->cseq);

    if (wrote > 0 && (size_t)wrote < sizeof text)
        lane_send(l->askers, text, (size_t)wrote);
}

/* False: it says nothing that can be answered. */
static bool take_challenge(struct load *l, int way, const char *answer, long status)
{
    const char *name = status == 407 ? "Proxy-Authenticate:" : "WWW-Authenticate:";
    size_t size;
    const char *line = find_line(answer, name, &size);
    size_t skip = strlen(name) + 1;

    if (!line || size < skip ||
        tdm_digest_parse_challenge(line + skip, size - skip, &l->challenge[way]) != TDM_OK)
        return false;
    l->proxy[way] = status == 407;
    l->nc[way] = 0;
    return true;
}

static void take_answer(struct load *l, char *text)
{
    long status = strtol(text + 8, NULL, 10);
    size_t size;
    const char *line = find_line(text, "Call-ID:", &size), *cseq;
    unsigned index;

    if (!line || sscanf(line, "Call-ID: l%u-", &index) != 1 || index >= l->slot_count)
        return;
    struct slot *s = &l->slots[index];
    size_t length = strlen(s->call_id);

    cseq = find_line(text, "CSeq:", &size);
    if (!s->busy || strncmp(line + 9, s->call_id, length) != 0 || !cseq ||
        strtoul(cseq + 6, NULL, 10) != s->cseq)
        return;
    if (status < 200) {
        s->interval = FAIL_MS; /* It is on its way. */
        return;
    }
    if (s->kind == CALL)
        send_ack(l, s, text, status < 300);
    if ((status == 401 || status == 407) && s->tries++ < 3) {
        int way = s->kind == REGISTER ? 0 : 1;
        const char *used = l->challenge[way].nonce;

        /* Several that were out with the old one: one new nonce does for all. */
        if ((!used[0] || strstr(s->text, used)) && !take_challenge(l, way, text, status))
            end(l, s, false);
        else
            write_request(l, s, NULL);
        return;
    }
    if (s->kind == CALL && status < 300) {
        s->kind = BYE;
        write_request(l, s, text);
        return;
    }
    if (s->kind == PUBLISH && (line = find_line(text, "SIP-ETag:", &size)))
        (void)snprintf(tag_of(l, s->user), TAG_MAX, "%.*s", (int)size - 10, line + 10);
    end(l, s, status < 300);
}

/* A device takes everything at once. */
static void take_request(struct load *l, struct lane *lane, const char *text)
{
    static const char *const copied[] = {
        "Via:", "Record-Route:", "From:", "To:", "Call-ID:", "CSeq:"};
    char answer[TEXT_MAX] = "SIP/2.0 200 OK\r\n";
    size_t used = strlen(answer), size;

    if (strncmp(text, "ACK", 3) == 0)
        return;
    l->told += strncmp(text, "NOTIFY", 6) == 0;
    for (const char *at = strstr(text, "\r\n"); at && strncmp(at, "\r\n\r\n", 4) != 0;
         at = strstr(at + 2, "\r\n"))
        for (size_t i = 0; i < sizeof copied / sizeof *copied; i++) {
            if (strncasecmp(at + 2, copied[i], strlen(copied[i])) != 0)
                continue;
            size = strcspn(at + 2, "\r");
            bool tagged = i != 3 || memmem(at + 2, size, ";tag=", 5);

            used += (size_t)snprintf(answer + used, sizeof answer - used, "%.*s%s\r\n", (int)size,
                                     at + 2, tagged ? "" : ";tag=d");
            if (used + 600 > sizeof answer)
                return;
        }
    const char *body = strncmp(text, "INVITE", 6) == 0 ? OUR_SDP : "";

    used +=
        (size_t)snprintf(answer + used, sizeof answer - used,
                         "Contact: <sip:device@%s%s>\r\n%sContent-Length: %zu\r\n\r\n%s",
                         lane_place(lane), transport_param(lane),
                         body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
    lane_send(lane, answer, used);
}

static void look_at(struct load *l, struct lane *lane)
{
    size_t size;
    char *text;

    for (int i = 0; i < 512 && (text = lane_next(lane, &size)); i++) {
        if (size < 12)
            continue;
        if (strncmp(text, "SIP/2.0 ", 8) == 0)
            take_answer(l, text);
        else
            take_request(l, lane, text);
    }
    lane_flush(l->devices);
    lane_flush(l->askers);
}

static void look_at_clock(struct load *l)
{
    double now = now_ms();

    for (uint32_t i = 0; i < l->slot_count; i++) {
        struct slot *s = &l->slots[i];

        if (!s->busy || now - s->sent < s->interval)
            continue;
        if (now - s->began > FAIL_MS) {
            end(l, s, false);
        } else if (strcmp(lane_transport(lane_of(l, s->kind)), "UDP") == 0) {
            l->again++;
            s->sent = now;
            s->interval *= 2;
            lane_send(lane_of(l, s->kind), s->text, s->size);
        } else {
            s->sent = now;
        }
    }
}

/* Until `until` (ms), or until all that was wanted has ended. */
static void drive(struct load *l, double until)
{
    double clock_due = now_ms() + 50;

    for (double now = now_ms(); now < until && l->done + l->failed < l->wanted; now = now_ms()) {
        struct pollfd p[2] = {{.fd = lane_fd(l->devices), .events = POLLIN},
                              {.fd = lane_fd(l->askers), .events = POLLIN}};

        if (lane_is_full(l->devices))
            p[0].events |= POLLOUT;
        if (lane_is_full(l->askers))
            p[1].events |= POLLOUT;
        (void)poll(p, 2, 20);
        look_at(l, l->devices);
        look_at(l, l->askers);
        if (now >= clock_due) {
            look_at_clock(l);
            clock_due = now + 50;
        }
    }
}

/* --- What it cost ------------------------------------------------------------------------------
 */

static double own_cpu_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_of(unsigned long pid)
{
    char path[400];
    unsigned long long ns, sum = 0;

    (void)snprintf(path, sizeof path, "/proc/%lu/task", pid);
    DIR *tasks = opendir(path);

    for (struct dirent *e; tasks && (e = readdir(tasks));) {
        (void)snprintf(path, sizeof path, "/proc/%lu/task/%s/schedstat", pid, e->d_name);
        FILE *file = e->d_name[0] == '.' ? NULL : fopen(path, "r");

        if (file && fscanf(file, "%llu", &ns) == 1)
            sum += ns;
        if (file)
            (void)fclose(file);
    }
    if (tasks)
        (void)closedir(tasks);
    return (double)sum / 1e9;
}

static double server_cpu_s(const char *pids)
{
    double sum = 0;
    char *end = NULL;

    for (const char *at = pids; at && *at; at = *end ? end + 1 : end)
        sum += cpu_of(strtoul(at, &end, 10));
    return sum;
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static double quantile(struct load *l, double q)
{
    return l->latency_count ? (double)l->latency[(uint32_t)((l->latency_count - 1) * q)] : 0;
}

static bool is_busy(const struct load *l)
{
    bool busy = false;

    for (uint32_t i = 0; i < l->slot_count; i++)
        busy |= l->slots[i].busy;
    return busy;
}

/* Begins afresh, lets `seconds` pass (or all that is wanted), and prints a line. */
static void measure(struct load *l, const char *name, uint64_t wanted, double seconds)
{
    double began = now_ms(), cpu = server_cpu_s(l->pids), own = own_cpu_s();

    l->done = l->failed = l->again = l->told = l->started = 0;
    l->latency_count = 0;
    l->wanted = wanted;
    if (l->kind == PUBLISH &&
        l->outstanding > people_of(l)) /* One each: what two say of one of them would collide. */
        l->outstanding = people_of(l);
    l->slot_count = l->outstanding;
    for (uint32_t i = 0; i < l->slot_count && i < wanted; i++)
        begin(l, i);
    drive(l, began + seconds * 1e3);
    double took = (now_ms() - began) / 1e3;

    cpu = server_cpu_s(l->pids) - cpu;
    own = own_cpu_s() - own;
    qsort(l->latency, l->latency_count, sizeof *l->latency, by_value);
    printf("{\"what\":\"%s\",\"outstanding\":%u,\"seconds\":%.3f,\"done\":%llu,\"per_s\":%.0f,"
           "\"failed\":%llu,\"sent_again\":%llu,\"told\":%llu,\"p50_ms\":%.2f,\"p95_ms\":%.2f,"
           "\"p99_ms\":%.2f,\"server_cpu\":%.3f,\"own_cpu\":%.3f}\n",
           name, l->outstanding, took, (unsigned long long)l->done, (double)l->done / took,
           (unsigned long long)l->failed, (unsigned long long)l->again, (unsigned long long)l->told,
           quantile(l, 0.5), quantile(l, 0.95), quantile(l, 0.99), cpu / took, own / took);
    (void)fflush(stdout);
    l->started = l->wanted = UINT64_MAX; /* What is out may end; nothing new begins. */
    for (double until = now_ms() + FAIL_MS; is_busy(l) && now_ms() < until;)
        drive(l, now_ms() + 20);
}

static void set_up(struct load *l, bool watch)
{
    l->outstanding = SETTING_UP < l->users ? SETTING_UP : l->users;
    l->kind = REGISTER;
    measure(l, "sign in", l->users, 600);
    if (l->failed)
        give_up("%llu of %u could not sign in", (unsigned long long)l->failed, l->users);
    l->kind = SUBSCRIBE;
    l->next_user = 0;
    if (watch)
        measure(l, "subscribe", l->users, 600);
}

/* The kind that a list begins with. */
static enum kind kind_of(const char *list)
{
    static const char *const names[] = {"register", "subscribe", "message", "call", "publish"};

    for (int i = 0; i < 5; i++)
        if (strncmp(list, names[i], strcspn(list, ",")) == 0 &&
            strlen(names[i]) == strcspn(list, ","))
            return (enum kind)i;
    give_up("there is no load \"%s\"", list);
}

static void measure_all(struct load *l, const char *windows)
{
    for (char *rest = NULL; *windows; windows = *rest ? rest + 1 : rest) {
        l->outstanding = (uint32_t)strtoul(windows, &rest, 10);
        if (!l->outstanding || l->outstanding > SLOTS_MAX)
            give_up("outstanding: 1 to %d", SLOTS_MAX);
        measure(l, methods[l->kind], UINT64_MAX, l->seconds);
    }
}

int main(int argc, char **argv)
{
    static struct load l = {.domain = "home.test", .users = 10, .seconds = 1};
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(5060)};
    const char *windows = "1,16,256", *over = "udp", *kinds = "message";
    bool watch = false;

    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];

        if (strcmp(name, "--kinds") == 0)
            kinds = value;
        else if (strcmp(name, "--watch") == 0)
            watch = strcmp(value, "yes") == 0;
        else if (strcmp(name, "--users") == 0)
            l.users = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "--over") == 0)
            over = value;
        else if (strcmp(name, "--server") == 0)
            server.sin_port = htons((uint16_t)strtoul(value, NULL, 10));
        else if (strcmp(name, "--domain") == 0)
            l.domain = value;
        else if (strcmp(name, "--outstanding") == 0)
            windows = value;
        else if (strcmp(name, "--seconds") == 0)
            l.seconds = strtod(value, NULL);
        else if (strcmp(name, "--pid") == 0)
            l.pids = value;
        else
            give_up("%s is no option: the head of bench/sip/sip_load.c has them", name);
    }
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    enum lane_over way = strcmp(over, "tls") == 0   ? LANE_TLS
                         : strcmp(over, "tcp") == 0 ? LANE_TCP
                                                    : LANE_UDP;

    l.devices = lane_open(way, &server);
    l.askers = lane_open(way, &server);
    l.slots = calloc(SLOTS_MAX, sizeof *l.slots);
    l.tags = calloc(l.users, TAG_MAX);
    l.latency = malloc(LATENCY_MAX * sizeof *l.latency);
    if (!l.users || !l.slots || !l.tags || !l.latency)
        give_up("no memory, or no users");
    set_up(&l, watch);
    for (const char *at = kinds; *at; at += strcspn(at, ","), at += *at == ',') {
        l.kind = kind_of(at);
        measure_all(&l, windows);
    }
    lane_close(l.devices);
    lane_close(l.askers);
    free(l.slots);
    free(l.tags);
    free(l.latency);
    return 0;
}
