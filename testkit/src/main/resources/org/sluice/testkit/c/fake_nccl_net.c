/*
 * A NCCL net plugin for tests: the tables of every API version from 5 to 12 over real TCP sockets, progress inside test() only,
 * and a mode that behaves as GPUDirect-TCPX does (received bytes stay in scattered bounce-buffer pages; irecvConsumed gives them
 * back). It checks the contract that it stands for and counts every violation, and it misbehaves where it is told to.
 *
 * gcc -O2 -fPIC -shared [-DMIN_API=5] [-DMAX_API=12] fake_nccl_net.c -lpthread -ldl
 *
 * Environment, read by init():
 *   FAKE_NET_MODE      plain (default) | tcpx
 *   FAKE_NET_IFNAMES   device names, default NCCL_GPUDIRECTTCPX_SOCKET_IFNAME, then fake0,fake1,fake2,fake3
 *   FAKE_NET_ADDRESSES one IPv4 address a device, default 127.0.0.1, 127.0.0.2, ...
 *   FAKE_NET_CUDA      a CUDA driver library: bounce buffers and device handles then lie in GPU memory (libcuda.so.1, or the
 *                      testkit's fake driver, which exports fake_cuda_host_pointer)
 *   FAKE_NET_PAGES     bounce-buffer pages of a receiving comm, default 4096
 *   FAKE_NET_FRAGMENTS page (default) | odd: fragments of odd lengths at odd offsets
 *   FAKE_NET_POISON    1 (default) overwrites pages when they are given back | 0
 *   FAKE_NET_CONNECT_CALLS  calls that connect() and accept() need at least, default 3
 *   FAKE_NET_ACCEPT_MS accept() holds a connection back so long, default 0
 *   FAKE_NET_ACCEPT    polls (default) | blocks: accept() waits until a peer has connected, as FastSocket's does
 *   FAKE_NET_READY     at-once (default) | meets: isend() and irecv() answer "not now" until both ends were asked, as over UCX
 *   FAKE_NET_SIGNALS   left (default) | taken: init() takes SIGSEGV for itself, as libucs does
 *   FAKE_NET_CLOSE     at-once (default) | meets: closing a comm waits until the peer closes its end, as over UCX
 *   FAKE_NET_HOST      scattered (default): in mode tcpx host memory is filled as a GPU's is | direct: as TCPX does, count 0
 *   FAKE_NET_BOUNCE    here (default) | elsewhere: without CUDA too, the device handle lies where the CPU cannot read it
 *   FAKE_NET_FLUSH     has (default): iflush works in mode plain | missing: the table has none. Mode tcpx must never be asked.
 *   FAKE_NET_LATE      0 (default) | 1: in mode plain the GPU sees what was received only after a flush, by iflush or by the driver
 *   FAKE_NET_FAULTS    comma-separated  op:kind[=value][@after], see struct fault
 *   FAKE_NET_LOG       file that violations and closing comms are appended to
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef MIN_API
#define MIN_API 5
#endif
#ifndef MAX_API
#define MAX_API 12
#endif

enum { OK = 0, SYSTEM_ERROR = 2, INTERNAL_ERROR = 3, INVALID_ARGUMENT = 4 };
enum { PTR_HOST = 1, PTR_CUDA = 2 };
enum { LOG_WARN = 2, LOG_INFO = 3, SUBSYS_NET = 16 };

/* What GPUDirect-TCPX 3.1.9 allows. */
#define MAX_REQUESTS 16
#define MAX_DESCRIPTORS 2048
#define MAX_SLICE (4 << 20)
#define PAGE 4096

#define MAX_DEVICES 16
#define HANDLE_BYTES 128
#define HANDLE_MAGIC 0x7e57fa4eu
#define FRAME_MAGIC 0x5e9d0f00u

typedef void (*log_fn)(int level, unsigned long flags, const char *file, int line, const char *fmt, ...);

/* --- configuration, violations, faults ---------------------------------------------------------------------------------- */

static struct {
  int initialised;
  int tcpx;
  int odd_fragments;
  int poison;
  long pages;
  long connect_calls;
  long accept_ms;
  int accept_blocks;
  int close_meets;
  int ready_meets;
  int host_direct, late, no_flush, bounce_elsewhere;
  long dynamic_chunk;
  int devices;
  char name[MAX_DEVICES][32];
  struct in_addr address[MAX_DEVICES];
  const char *log_path;
  log_fn log;
} cfg;

static long violations, open_comms, undrained, requests_done, registrations, listeners, connecting, flushes;
static int down[16];
static char first_violation[256];
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void append(const char *kind, const char *text) {
  if (cfg.log_path) {
    char line[400];
    int n = snprintf(line, sizeof line, "%s: %s\n", kind, text);
    int fd = open(cfg.log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd >= 0) {
      if (write(fd, line, (size_t)n) != n) perror("fake_nccl_net log");
      close(fd);
    }
  }
}

static int violation(const char *fmt, ...) {
  char text[256];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  pthread_mutex_lock(&log_lock);
  if (violations++ == 0) strcpy(first_violation, text);
  append("violation", text);
  pthread_mutex_unlock(&log_lock);
  if (cfg.log) cfg.log(LOG_WARN, SUBSYS_NET, __FILE__, __LINE__, "contract violation: %s", text);
  return INTERNAL_ERROR;
}

long fake_net_violations(void) { return violations; }
const char *fake_net_first_violation(void) { return first_violation; }
long fake_net_open_comms(void) { return open_comms; }
long fake_net_undrained(void) { return undrained; }
long fake_net_requests(void) { return requests_done; }
long fake_net_registrations(void) { return registrations; }
long fake_net_flushes(void) { return flushes; }
/* Listeners not closed, and connects that have neither ended nor failed: each holds threads and descriptors of a real plugin. */
long fake_net_listeners(void) { return listeners; }
long fake_net_connecting(void) { return connecting; }
/* A NIC that is down: nothing moves there, connects fail, accepts wait. */
void fake_net_down(long dev, long is_down) { down[dev & 15] = (int)is_down; }

enum op { INIT, DEVICES, PROPERTIES, LISTEN, CONNECT, ACCEPT, REGMR, ISEND, IRECV, TEST, CONSUMED, CLOSE, DESCRIPTORS,
          DEREGMR, CLOSELISTEN, IFLUSH, OPS };
static const char *op_names[OPS] = {"init",  "devices", "properties", "listen", "connect",  "accept", "regmr",
                                    "isend", "irecv",   "test",       "consumed", "close", "descriptors",
                                    "deregmr", "closelisten", "iflush"};

/* error=CODE: that call fails | exit=STATUS | crash | hang=MILLISECONDS inside the call | stall: this comm never moves again |
 * null=COUNT: so many calls answer "not now" | short: the sender sends one byte less | descriptors: count=N, dst, src, length.
 * @N: after N calls of the operation, all comms together. Each happens once. */
struct fault {
  enum op op;
  char kind[12];
  long value;
  long after;
  long left;
};
static struct fault faults[8];
static int fault_count;
static long calls[OPS];

static void parse_faults(const char *text) {
  char copy[512], *save = NULL;
  snprintf(copy, sizeof copy, "%s", text);
  fault_count = 0;
  for (char *one = strtok_r(copy, ",", &save); one && fault_count < 8; one = strtok_r(NULL, ",", &save)) {
    struct fault *f = &faults[fault_count];
    memset(f, 0, sizeof *f);
    char *colon = strchr(one, ':');
    if (!colon) continue;
    *colon = 0;
    char *at = strchr(colon + 1, '@'), *value = strchr(colon + 1, '=');
    if (at) *at = 0, f->after = atol(at + 1);
    if (value) *value = 0, f->value = atol(value + 1);
    snprintf(f->kind, sizeof f->kind, "%s", colon + 1);
    f->left = strcmp(f->kind, "null") ? 1 : f->value;
    for (f->op = 0; f->op < OPS && strcmp(op_names[f->op], one); f->op++) {
    }
    if (f->op < OPS) fault_count++;
  }
}

/* The fault that this call of an operation has to show, or NULL. Exits and hangs here. */
static struct fault *fault(enum op op) {
  if (fault_count == 0) return NULL;
  long n = __atomic_add_fetch(&calls[op], 1, __ATOMIC_RELAXED);
  for (int i = 0; i < fault_count; i++) {
    struct fault *f = &faults[i];
    if (f->op != op || n <= f->after) continue;
    if (__atomic_sub_fetch(&f->left, 1, __ATOMIC_RELAXED) < 0) continue;
    if (!strcmp(f->kind, "exit")) {
      if (cfg.log) cfg.log(LOG_WARN, SUBSYS_NET, __FILE__, __LINE__, "assertion failed in %s, exiting", op_names[op]);
      exit((int)f->value);
    }
    if (!strcmp(f->kind, "crash")) *(volatile int *)8 = 1;
    if (!strcmp(f->kind, "hang")) {
      struct timespec t = {f->value / 1000, f->value % 1000 * 1000000};
      nanosleep(&t, NULL);
      continue;
    }
    return f;
  }
  return NULL;
}

static int is(const struct fault *f, const char *kind) { return f && !strcmp(f->kind, kind); }

static long milliseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- CUDA, where it is asked for ---------------------------------------------------------------------------------------- */

typedef unsigned long long device_ptr;
static struct {
  int (*alloc)(device_ptr *, size_t);
  int (*free)(device_ptr);
  int (*to_device)(device_ptr, const void *, size_t);
  int (*to_device_async)(device_ptr, const void *, size_t, void *);
  int (*to_host)(void *, device_ptr, size_t);
  int (*synchronize)(void *);
  int (*current)(void **);
  int (*alloc_pinned)(void **, size_t, unsigned);
  int (*free_pinned)(void *);
  int (*pinned_on_device)(device_ptr *, void *, unsigned);
  void *(*host_pointer)(device_ptr); /* only the fake driver has it, as the next */
  void (*on_flush)(void (*)(void));
} cuda;
static int with_cuda;

static int load_cuda(const char *path) {
  void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!lib) {
    if (cfg.log) cfg.log(LOG_WARN, SUBSYS_NET, __FILE__, __LINE__, "FAKE_NET_CUDA: %s", dlerror());
    return INTERNAL_ERROR;
  }
  *(void **)&cuda.alloc = dlsym(lib, "cuMemAlloc_v2");
  *(void **)&cuda.free = dlsym(lib, "cuMemFree_v2");
  *(void **)&cuda.to_device = dlsym(lib, "cuMemcpyHtoD_v2");
  *(void **)&cuda.to_device_async = dlsym(lib, "cuMemcpyHtoDAsync_v2");
  *(void **)&cuda.to_host = dlsym(lib, "cuMemcpyDtoH_v2");
  *(void **)&cuda.synchronize = dlsym(lib, "cuStreamSynchronize");
  *(void **)&cuda.current = dlsym(lib, "cuCtxGetCurrent");
  *(void **)&cuda.alloc_pinned = dlsym(lib, "cuMemHostAlloc");
  *(void **)&cuda.free_pinned = dlsym(lib, "cuMemFreeHost");
  *(void **)&cuda.pinned_on_device = dlsym(lib, "cuMemHostGetDevicePointer_v2");
  *(void **)&cuda.host_pointer = dlsym(lib, "fake_cuda_host_pointer");
  *(void **)&cuda.on_flush = dlsym(lib, "fake_cuda_on_flush");
  with_cuda = 1;
  int copies = cuda.host_pointer || (cuda.to_device && cuda.to_device_async && cuda.to_host && cuda.synchronize);
  return cuda.alloc && cuda.free && cuda.alloc_pinned && cuda.free_pinned && cuda.pinned_on_device && copies ? OK : INTERNAL_ERROR;
}

/* TCPX binds a comm to the calling thread's current device. (The fake driver checks the same when memory is allocated.) */
static void check_context(const char *call) {
  void *context = NULL;
  if (cuda.current && (cuda.current(&context) != 0 || !context)) violation("%s: no CUDA context is current", call);
}

/* --- comms -------------------------------------------------------------------------------------------------------------- */

struct descriptor {
  uint32_t source;
  uint32_t length;
  uint64_t destination;
};
/* netUnpackMeta of NCCL_NET_DEVICE_UNPACK version 7 */
struct meta {
  struct descriptor list[MAX_REQUESTS][MAX_DESCRIPTORS];
  uint64_t count[MAX_REQUESTS];
};
struct unpack_handle {
  struct meta *meta;
  uint64_t bounce;
  uint64_t head;
};
struct device_handle {
  int type, version;
  void *handle;
  size_t size;
  int needs_proxy_progress;
};

enum state { FREE, POSTED, DONE, FLUSHING };

/* The first 128 bytes are laid out as TCPX 3.1.9's request: whoever unpacks reads idx, mem and cnt. */
struct request {
  void *comm;
  void *data;
  char pad0[40];
  uint64_t active;
  uint64_t idx;
  struct descriptor *mem;
  uint64_t *cnt;
  uint64_t cnt_cache;
  char pad1[32];
  /* private */
  enum state state;
  uint64_t sequence;
  size_t size; /* posted */
  size_t total; /* on the wire; receiving: what the header said */
  size_t moved;
  int header_done;
  uint32_t header[4];
  size_t header_moved;
  struct mr *mr;
  int scattered;
  char *late; /* what the GPU does not see yet */
  int pages; /* fragments, each in a page of its own */
  uint32_t page[MAX_DESCRIPTORS];
  char *staging;
};
_Static_assert(__builtin_offsetof(struct request, active) == 56 && __builtin_offsetof(struct request, mem) == 72 &&
                   __builtin_offsetof(struct request, cnt) == 80 && __builtin_offsetof(struct request, state) == 128,
               "TCPX request layout");

struct mr {
  struct comm *comm;
  char *data;
  size_t size;
  int type;
  struct mr *next;
};

/* Received bytes that the GPU does not see yet. */
struct late {
  struct comm *comm;
  char *bytes, *target;
  size_t size;
  struct late *next;
};
static struct late *late_bytes;
static struct mr *orphans; /* registrations whose comm was closed with requests in flight */
static pthread_mutex_t lists = PTHREAD_MUTEX_INITIALIZER;

/* Makes visible what a comm has received, or every comm's; or throws it away. */
static void deliver(struct comm *of, int visible) {
  pthread_mutex_lock(&lists);
  for (struct late **at = &late_bytes; *at;) {
    struct late *l = *at;
    if (of && l->comm != of) {
      at = &l->next;
      continue;
    }
    if (visible) memcpy(l->target, l->bytes, l->size);
    *at = l->next;
    free(l->bytes);
    free(l);
  }
  pthread_mutex_unlock(&lists);
}

static void driver_flushed(void) { deliver(NULL, 1); }

struct comm {
  int sending, dev, fd;
  int owned;
  pthread_t owner; /* who moves bytes; whoever makes, registers and closes may be another, as in NCCL */
  struct request flush;
  int flush_calls;
  int stalled, broken;
  int asked, ready;
  uint64_t posted, tested, consumed, active; /* active: first request whose bytes have not all moved */
  struct request req[MAX_REQUESTS];
  struct mr *mrs;
  long requests;
  struct meta *meta;
  char *bounce; /* host view */
  device_ptr bounce_device, handle_device;
  struct unpack_handle *handle_host;
  uint32_t *free_pages;
  long free_count;
  uint64_t random;
};

struct listener {
  int fd, dev, conn, accepted, failed;
  long accept_calls, connected_at;
  uint64_t cookie, got;
  size_t got_bytes;
};

struct connecting {
  void *handle; /* where the caller keeps it: it must not move */
  int fd;
  long calls;
  size_t sent;
  int connected;
  uint64_t cookie;
};

struct handle {
  uint32_t magic;
  struct sockaddr_in address;
  uint64_t cookie;
  char pad[48];
  struct connecting *state; /* at 80, as TCPX keeps its own */
};
_Static_assert(__builtin_offsetof(struct handle, state) == 80, "state in the handle");
#define SPENT ((struct connecting *)0xdeadbeefdeadbee0ull)

static uint64_t next_random(uint64_t *s) {
  *s ^= *s << 13;
  *s ^= *s >> 7;
  *s ^= *s << 17;
  return *s;
}

static void prepare(int fd) {
  int one = 1;
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static int bad_device(int dev) { return dev < 0 || dev >= cfg.devices; }

static struct comm *new_comm(int sending, int dev, int fd) {
  struct comm *c = calloc(1, sizeof *c);
  c->sending = sending;
  c->dev = dev;
  c->fd = fd;
  c->random = 0x9e3779b97f4a7c15ull ^ (uint64_t)(uintptr_t)c;
  __atomic_add_fetch(&open_comms, 1, __ATOMIC_RELAXED);
  return c;
}

static void make_bounce(struct comm *c, struct device_handle *out) {
  size_t bytes = (size_t)cfg.pages * PAGE;
  /* mapped and portable, as TCPX allocates it: kernels of every context read the descriptors */
  if (with_cuda ? cuda.alloc_pinned((void **)&c->meta, sizeof *c->meta, 1 | 2)
                : posix_memalign((void **)&c->meta, 4096, sizeof *c->meta))
    abort();
  memset(c->meta, 0, sizeof *c->meta);
  c->free_pages = malloc((size_t)cfg.pages * sizeof *c->free_pages);
  c->free_count = cfg.pages;
  for (long i = 0; i < cfg.pages; i++) c->free_pages[i] = (uint32_t)i;
  for (long i = cfg.pages - 1; i > 0; i--) {
    long j = (long)(next_random(&c->random) % (uint64_t)(i + 1));
    uint32_t t = c->free_pages[i];
    c->free_pages[i] = c->free_pages[j];
    c->free_pages[j] = t;
  }
  struct unpack_handle h = {c->meta, 0, (uint64_t)-1};
  if (with_cuda) {
    if (cuda.alloc(&c->bounce_device, bytes) || cuda.alloc(&c->handle_device, sizeof h)) abort();
    if (cuda.host_pointer) c->bounce = cuda.host_pointer(c->bounce_device);
    else if (cuda.alloc_pinned((void **)&c->bounce, bytes, 1)) abort();
    h.bounce = c->bounce_device;
    device_ptr meta;
    if (cuda.pinned_on_device(&meta, c->meta, 0)) abort();
    h.meta = (struct meta *)(uintptr_t)meta;
    if (cuda.host_pointer) memcpy(cuda.host_pointer(c->handle_device), &h, sizeof h);
    else if (cuda.to_device(c->handle_device, &h, sizeof h)) abort();
    out->handle = (void *)(uintptr_t)c->handle_device;
  } else {
    if (posix_memalign((void **)&c->bounce, 4096, bytes)) abort();
    h.bounce = (uint64_t)(uintptr_t)c->bounce;
    c->handle_host = malloc(sizeof h);
    *c->handle_host = h;
    out->handle = cfg.bounce_elsewhere ? (void *)0x4000000000001000ull : c->handle_host;
  }
  out->type = 1;
  out->version = 7;
  out->size = sizeof h;
  out->needs_proxy_progress = 1;
}

/* --- the calls, in the form of the newest version ----------------------------------------------------------------------- */

static int do_listen(int dev, void *opaque, void **out) {
  struct fault *f = fault(LISTEN);
  if (is(f, "error")) return (int)f->value;
  if (bad_device(dev)) return violation("listen on device %d of %d", dev, cfg.devices);
  check_context("listen");
  struct handle *h = opaque;
  memset(h, 0, sizeof *h);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = cfg.address[dev]};
  socklen_t n = sizeof a;
  if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 4) ||
      getsockname(fd, (struct sockaddr *)&a, &n)) {
    if (cfg.log)
      cfg.log(LOG_WARN, SUBSYS_NET, __FILE__, __LINE__, "listen on %s: %s", cfg.name[dev], strerror(errno));
    if (fd >= 0) close(fd);
    return SYSTEM_ERROR;
  }
  prepare(fd);
  struct listener *l = calloc(1, sizeof *l);
  l->fd = fd;
  l->dev = dev;
  l->conn = -1;
  __atomic_add_fetch(&listeners, 1, __ATOMIC_RELAXED);
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  l->cookie = (uint64_t)t.tv_nsec * 0x9e3779b97f4a7c15ull ^ (uint64_t)(uintptr_t)l;
  h->magic = HANDLE_MAGIC;
  h->address = a;
  h->cookie = l->cookie;
  *out = l;
  return OK;
}

static int do_connect(int dev, void *opaque, void **out) {
  *out = NULL;
  struct fault *f = fault(CONNECT);
  if (is(f, "error")) return (int)f->value;
  struct handle *h = opaque;
  if (!bad_device(dev) && down[dev]) {
    if (h->state && h->state != SPENT) {
      close(h->state->fd);
      free(h->state);
      h->state = SPENT;
      __atomic_sub_fetch(&connecting, 1, __ATOMIC_RELAXED);
    }
    if (cfg.log) cfg.log(LOG_WARN, SUBSYS_NET, __FILE__, __LINE__, "connect on %s: Network is unreachable", cfg.name[dev]);
    return SYSTEM_ERROR;
  }
  if (bad_device(dev)) return violation("connect on device %d of %d", dev, cfg.devices);
  if (h->magic != HANDLE_MAGIC) return INVALID_ARGUMENT;
  if (h->state == SPENT) return violation("connect after it succeeded on the same handle");
  if (!h->state) {
    check_context("connect");
    struct connecting *s = calloc(1, sizeof *s);
    s->handle = h;
    s->cookie = h->cookie;
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (s->fd < 0) return SYSTEM_ERROR;
    prepare(s->fd);
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = cfg.address[dev]};
    if (bind(s->fd, (struct sockaddr *)&from, sizeof from)) return SYSTEM_ERROR;
    if (connect(s->fd, (struct sockaddr *)&h->address, sizeof h->address) && errno != EINPROGRESS)
      return SYSTEM_ERROR;
    h->state = s;
    __atomic_add_fetch(&connecting, 1, __ATOMIC_RELAXED);
  }
  struct connecting *s = h->state;
  if (s->handle != h) return violation("connect was called again with a copy of the handle");
  if (is(f, "stall")) s->connected = -1;
  if (s->connected < 0) return OK;
  if (!s->connected) {
    struct sockaddr_in peer;
    socklen_t n = sizeof peer;
    if (getpeername(s->fd, (struct sockaddr *)&peer, &n)) {
      int error = 0;
      n = sizeof error;
      getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &n);
      return error ? SYSTEM_ERROR : OK;
    }
    s->connected = 1;
  }
  if (s->sent < sizeof s->cookie) {
    ssize_t n = send(s->fd, (char *)&s->cookie + s->sent, sizeof s->cookie - s->sent, MSG_NOSIGNAL);
    if (n > 0) s->sent += (size_t)n;
    else if (n < 0 && errno != EAGAIN) return SYSTEM_ERROR;
  }
  if (++s->calls < cfg.connect_calls || s->sent < sizeof s->cookie) return OK;
  struct comm *c = new_comm(1, dev, s->fd);
  free(s);
  h->state = SPENT;
  __atomic_sub_fetch(&connecting, 1, __ATOMIC_RELAXED);
  *out = c;
  return OK;
}

/* Waits until a peer has connected and said which handle it holds. */
static void wait_for_peer(struct listener *l) {
  struct pollfd p = {.fd = l->fd, .events = POLLIN};
  poll(&p, 1, -1);
  int conn = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
  if (conn < 0) return;
  char peek[sizeof l->got];
  recv(conn, peek, sizeof peek, MSG_PEEK | MSG_WAITALL);
  prepare(conn);
  l->conn = conn;
  l->connected_at = milliseconds();
  l->got_bytes = 0;
}

static int do_accept(void *listen_comm, void **out, struct device_handle **device) {
  *out = NULL;
  struct fault *f = fault(ACCEPT);
  struct listener *l = listen_comm;
  if (is(f, "error")) {
    l->failed = 1;
    return (int)f->value;
  }
  if (l->failed) return violation("accept after it failed");
  if (l->accepted == 1) return violation("a second accept on one listen comm");
  if (cfg.tcpx && device && (!*device || ((uintptr_t)*device & 15)))
    return violation("accept: the device handle must be allocated by the caller, 16-byte aligned");
  check_context("accept");
  if (is(f, "stall")) l->accepted = -1;
  if (l->accepted < 0) return OK;
  l->accept_calls++;
  if (down[l->dev]) return OK;
  if (l->conn < 0 && cfg.accept_blocks) wait_for_peer(l);
  if (l->conn < 0) {
    l->conn = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (l->conn < 0) return errno == EAGAIN ? OK : SYSTEM_ERROR;
    prepare(l->conn);
    l->connected_at = milliseconds();
    l->got_bytes = 0;
  }
  if (l->got_bytes < sizeof l->got) {
    ssize_t n = recv(l->conn, (char *)&l->got + l->got_bytes, sizeof l->got - l->got_bytes, 0);
    if (n > 0) l->got_bytes += (size_t)n;
    if (n == 0 || (n > 0 && l->got_bytes == sizeof l->got && l->got != l->cookie)) {
      close(l->conn); /* a stranger */
      l->conn = -1;
    }
    if (l->conn < 0 || l->got_bytes < sizeof l->got) return OK;
  }
  if (l->accept_calls < cfg.connect_calls || milliseconds() - l->connected_at < cfg.accept_ms) return OK;
  struct comm *c = new_comm(0, l->dev, l->conn);
  if (cfg.tcpx && device) make_bounce(c, *device);
  l->accepted = 1;
  *out = c;
  return OK;
}

static int check_comm(struct comm *c, const char *call) {
  if (!c) return violation("%s: no comm", call);
  if (!c->owned) {
    c->owned = 1;
    c->owner = pthread_self();
  }
  if (!pthread_equal(c->owner, pthread_self())) return violation("%s: from another thread than moves the comm's bytes", call);
  return OK;
}

static int do_reg_mr(void *comm, void *data, size_t size, int type, void **mhandle) {
  struct fault *f = fault(REGMR);
  if (is(f, "error")) return (int)f->value;
  struct comm *c = comm;
  if (!c) return violation("regMr: no comm");
  if (type != PTR_HOST && type != PTR_CUDA) return violation("regMr: memory type %d", type);
  if (type == PTR_CUDA && !with_cuda) return violation("regMr: CUDA memory, but there is no CUDA");
  if (cfg.tcpx && ((uintptr_t)data & (PAGE - 1))) {
    violation("regMr: %p is not aligned to 4096", data);
    return INVALID_ARGUMENT;
  }
  if (cfg.tcpx && type == PTR_CUDA && size & (PAGE - 1)) {
    violation("regMr: %zu bytes of a GPU's memory are no whole pages: the driver exports no others", size);
    return INVALID_ARGUMENT;
  }
  if (type == PTR_CUDA) check_context("regMr");
  struct mr *m = calloc(1, sizeof *m);
  m->comm = c;
  m->data = data;
  m->size = size;
  m->type = type;
  pthread_mutex_lock(&lists);
  m->next = c->mrs;
  c->mrs = m;
  pthread_mutex_unlock(&lists);
  __atomic_add_fetch(&registrations, 1, __ATOMIC_RELAXED);
  *mhandle = m;
  return OK;
}

static int take_mr(struct mr **list, void *mhandle) {
  pthread_mutex_lock(&lists);
  for (struct mr **at = list; *at; at = &(*at)->next) {
    if (*at == mhandle) {
      *at = (*at)->next;
      free(mhandle);
      pthread_mutex_unlock(&lists);
      __atomic_sub_fetch(&registrations, 1, __ATOMIC_RELAXED);
      return 1;
    }
  }
  pthread_mutex_unlock(&lists);
  return 0;
}

static int dereg_mr(void *comm, void *mhandle) {
  struct fault *f = fault(DEREGMR);
  if (is(f, "error")) return (int)f->value;
  struct comm *c = comm;
  /* TCPX looks at the handle only; plugins that have an endpoint in the comm look there */
  if (take_mr(&orphans, mhandle)) return cfg.tcpx ? OK : violation("deregMr: its comm is closed");
  for (int i = 0; cfg.tcpx && i < MAX_REQUESTS; i++)
    if (c->req[i].state == POSTED && c->req[i].mr == mhandle)
      return violation("deregMr of memory that request %ld is sent from or received into", (long)c->req[i].sequence);
  return take_mr(&c->mrs, mhandle) ? OK : violation("deregMr: not registered on this comm");
}

static int check_mr(struct comm *c, struct mr *m, char *data, size_t size, const char *call) {
  pthread_mutex_lock(&lists);
  struct mr *known = c->mrs;
  while (known && known != m) known = known->next;
  pthread_mutex_unlock(&lists);
  if (!known) return violation("%s: memory handle is not of this comm", call);
  if (data < m->data || data + size > m->data + m->size)
    return violation("%s: %zu bytes at %p lie outside the registered %zu at %p", call, size, data, m->size, m->data);
  return OK;
}

/* The slot of the next request, or NULL with *result set. */
static struct request *take_slot(struct comm *c, size_t size, void **request, const char *call, int *result) {
  *result = INTERNAL_ERROR;
  if ((uintptr_t)*request > 1) {
    violation("%s: *request was not cleared", call);
    return NULL;
  }
  *request = NULL;
  if (c->posted - c->consumed >= MAX_REQUESTS) {
    violation("%s: request %d of a comm that allows %d", call, MAX_REQUESTS + 1, MAX_REQUESTS);
    return NULL;
  }
  if (cfg.tcpx && size > MAX_SLICE) {
    violation("%s: %zu bytes, more than 2048 fragments can carry", call, size);
    return NULL;
  }
  if (cfg.tcpx && size > (size_t)cfg.dynamic_chunk)
    violation("%s: %zu bytes are more than NCCL_DYNAMIC_CHUNK_SIZE %ld: page tokens leak", call, size,
              cfg.dynamic_chunk);
  struct request *r = &c->req[c->posted % MAX_REQUESTS];
  if (r->state != FREE) {
    violation("%s: slot is in use", call);
    return NULL;
  }
  r->comm = c;
  r->state = POSTED;
  r->sequence = c->posted;
  r->size = r->total = size;
  r->moved = r->header_moved = 0;
  r->header_done = 0;
  r->pages = 0;
  r->active = 1;
  r->idx = c->posted % MAX_REQUESTS;
  c->posted++;
  *result = OK;
  *request = r;
  return r;
}

/* A comm is ready when the receiver has asked, then the sender, and the receiver has asked again. */
static int is_ready(struct comm *c) {
  char word = 1;
  if (!cfg.ready_meets || c->ready) return 1;
  if (!c->sending && !c->asked) c->asked = send(c->fd, &word, 1, MSG_NOSIGNAL) == 1;
  if (recv(c->fd, &word, 1, 0) != 1) return 0;
  c->ready = !c->sending || send(c->fd, &word, 1, MSG_NOSIGNAL) == 1;
  return c->ready;
}

static int do_isend(void *comm, void *data, size_t size, void *mhandle, void **request) {
  struct fault *f = fault(ISEND);
  struct comm *c = comm;
  if (is(f, "error")) return (int)f->value;
  if (check_comm(c, "isend")) return INTERNAL_ERROR;
  if (!c->sending) return violation("isend on a receiving comm");
  if (check_mr(c, mhandle, data, size, "isend")) return INTERNAL_ERROR;
  if (is(f, "null") || !is_ready(c)) {
    *request = NULL;
    return OK;
  }
  int result;
  struct request *r = take_slot(c, size, request, "isend", &result);
  if (!r) return result;
  if (is(f, "short") && r->total > 0) r->total--;
  if (is(f, "stall")) c->stalled = 1;
  r->data = data;
  r->mr = mhandle;
  if (((struct mr *)mhandle)->type == PTR_CUDA) {
    if (cuda.host_pointer) {
      r->data = cuda.host_pointer((device_ptr)(uintptr_t)data);
    } else {
      r->staging = realloc(r->staging, size + 1);
      if (cuda.to_host(r->staging, (device_ptr)(uintptr_t)data, size)) return violation("isend: cannot read the GPU");
      r->data = r->staging;
    }
  }
  r->header[0] = FRAME_MAGIC;
  r->header[1] = (uint32_t)r->total;
  r->header[2] = (uint32_t)r->sequence;
  r->header[3] = 0;
  return OK;
}

static int do_irecv(void *comm, int n, void **data, size_t size, void **mhandles, void **request) {
  struct fault *f = fault(IRECV);
  struct comm *c = comm;
  if (is(f, "error")) return (int)f->value;
  if (check_comm(c, "irecv")) return INTERNAL_ERROR;
  if (c->sending) return violation("irecv on a sending comm");
  if (n != 1) return violation("irecv of %d buffers, maxRecvs is 1", n);
  if (check_mr(c, mhandles[0], data[0], size, "irecv")) return INTERNAL_ERROR;
  if (is(f, "null") || !is_ready(c)) {
    *request = NULL;
    return OK;
  }
  int result;
  struct request *r = take_slot(c, size, request, "irecv", &result);
  if (!r) return result;
  if (is(f, "stall")) c->stalled = 1;
  r->data = data[0];
  r->mr = mhandles[0];
  r->scattered = c->meta && !(cfg.host_direct && r->mr->type == PTR_HOST);
  r->late = NULL;
  if (c->meta) {
    r->mem = c->meta->list[r->idx];
    r->cnt = &c->meta->count[r->idx];
    *r->cnt = 0;
  } else if (((struct mr *)mhandles[0])->type == PTR_CUDA) {
    if (!cuda.host_pointer) return violation("irecv: plain mode receives into host memory only");
    r->data = cuda.host_pointer((device_ptr)(uintptr_t)data[0]);
    if (cfg.late) r->late = malloc(size + 1);
  }
  return OK;
}

/* Sends what the socket takes, request after request. */
static int progress_send(struct comm *c) {
  while (c->active < c->posted) {
    struct request *r = &c->req[c->active % MAX_REQUESTS];
    struct iovec v[2] = {{(char *)r->header + r->header_moved, sizeof r->header - r->header_moved},
                         {(char *)r->data + r->moved, r->total - r->moved}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
    ssize_t n = sendmsg(c->fd, &m, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == EINTR ? OK : SYSTEM_ERROR;
    size_t head = (size_t)n < v[0].iov_len ? (size_t)n : v[0].iov_len;
    r->header_moved += head;
    r->moved += (size_t)n - head;
    if (r->header_moved < sizeof r->header || r->moved < r->total) return OK;
    c->active++;
  }
  return OK;
}

/* Gives a request its pages: one fragment each, at a place and of a length that only the descriptors tell. */
static int scatter(struct comm *c, struct request *r) {
  size_t left = r->total;
  long most = cfg.odd_fragments ? (long)(r->total / (PAGE / 2) + 2) : (long)((r->total + PAGE - 1) / PAGE);
  if (most > MAX_DESCRIPTORS) {
    violation("a request of %zu bytes needs more than %d fragments", r->total, MAX_DESCRIPTORS);
    exit(1); /* as TCPX does */
  }
  if (c->free_count < most) return 0; /* pages come back with irecvConsumed */
  uint64_t destination = 0;
  for (r->pages = 0; left > 0; r->pages++) {
    uint32_t page = c->free_pages[--c->free_count];
    uint32_t offset = 0, length = PAGE;
    if (cfg.odd_fragments) {
      offset = (uint32_t)(next_random(&c->random) % 61);
      length = PAGE / 2 + (uint32_t)(next_random(&c->random) % (PAGE / 2 - 60));
    }
    if (length > left) length = (uint32_t)left;
    r->page[r->pages] = page;
    r->mem[r->pages] = (struct descriptor){page * PAGE + offset, length, destination};
    destination += length;
    left -= length;
  }
  return 1;
}

static void spoil(struct request *r) {
  struct fault *f = fault(DESCRIPTORS);
  if (is(f, "count")) *r->cnt = (uint64_t)f->value;
  if (is(f, "dst")) r->mem[0].destination = r->total - 1;
  if (is(f, "length")) r->mem[0].length = 0xfffffff0u;
  if (is(f, "gap")) r->mem[0].length--;
  if (is(f, "idx")) r->idx ^= 5;
}

static ssize_t read_scattered(struct comm *c, struct request *r) {
  struct iovec v[64];
  int count = 0;
  uint64_t skip = r->moved;
  /* fragments lie in order until the request is done, so the next byte is found from the mean length upwards */
  int i = cfg.odd_fragments ? 0 : (int)(skip / PAGE);
  for (; i < r->pages && count < 64; i++) {
    struct descriptor *d = &r->mem[i];
    if (d->destination + d->length <= skip) continue;
    uint32_t into = d->destination < skip ? (uint32_t)(skip - d->destination) : 0;
    v[count++] = (struct iovec){c->bounce + d->source + into, d->length - into};
  }
  return readv(c->fd, v, count);
}

static int arrived(struct comm *c, struct request *r) {
  if (r->late) {
    struct late *l = malloc(sizeof *l);
    pthread_mutex_lock(&lists);
    *l = (struct late){c, r->late, r->data, r->total, late_bytes};
    late_bytes = l;
    pthread_mutex_unlock(&lists);
    r->late = NULL;
  }
  if (!r->scattered) return OK;
  if (with_cuda && !cuda.host_pointer) {
    for (int i = 0; i < r->pages; i++) {
      struct descriptor *d = &r->mem[i];
      if (cuda.to_device_async(c->bounce_device + d->source, c->bounce + d->source, d->length, NULL))
        return violation("cannot write the bounce buffer on the GPU");
    }
    if (cuda.synchronize(NULL)) return violation("cannot write the bounce buffer on the GPU");
  }
  for (int i = r->pages - 1; i > 0; i--) {
    int j = (int)(next_random(&c->random) % (uint64_t)(i + 1));
    struct descriptor t = r->mem[i];
    r->mem[i] = r->mem[j];
    r->mem[j] = t;
  }
  *r->cnt = (uint64_t)r->pages;
  spoil(r);
  return OK;
}

static int progress_receive(struct comm *c) {
  while (c->active < c->posted) {
    struct request *r = &c->req[c->active % MAX_REQUESTS];
    if (!r->header_done) {
      ssize_t n = recv(c->fd, (char *)r->header + r->header_moved, sizeof r->header - r->header_moved, 0);
      if (n == 0) return SYSTEM_ERROR; /* the peer is gone */
      if (n < 0) return errno == EAGAIN || errno == EINTR ? OK : SYSTEM_ERROR;
      r->header_moved += (size_t)n;
      if (r->header_moved < sizeof r->header) return OK;
      if (r->header[0] != FRAME_MAGIC || r->header[2] != (uint32_t)r->sequence) return violation("stream out of step");
      r->total = r->header[1];
      /* FastSocket and TCPX write past the buffer here */
      if (r->total > r->size) return violation("a send of %zu bytes meets a receive of %zu", r->total, r->size);
      r->header_done = 1;
    }
    if (r->scattered && r->pages == 0 && r->total > 0 && !scatter(c, r)) return OK;
    while (r->moved < r->total) {
      ssize_t n = r->scattered ? read_scattered(c, r)
                                 : recv(c->fd, (r->late ? r->late : (char *)r->data) + r->moved, r->total - r->moved, 0);
      if (n == 0) return SYSTEM_ERROR;
      if (n < 0) return errno == EAGAIN || errno == EINTR ? OK : SYSTEM_ERROR;
      r->moved += (size_t)n;
    }
    if (arrived(c, r)) return INTERNAL_ERROR;
    c->active++;
  }
  return OK;
}

static int do_test(void *request, int *done, int *sizes) {
  (void)sizes; /* FastSocket and TCPX never write them */
  *done = 0;
  struct request *r = request;
  if (!r) return violation("test of no request");
  struct comm *c = r->comm;
  if (check_comm(c, "test")) return INTERNAL_ERROR;
  if (r->state == FLUSHING) {
    if (++c->flush_calls < 3) return OK;
    deliver(c, 1);
    r->state = FREE;
    flushes++;
    *done = 1;
    return OK;
  }
  if (r->state != POSTED) return violation("test of a request that is done");
  if (r->sequence != c->tested) return violation("test of request %ld, the oldest is %ld", (long)r->sequence, (long)c->tested);
  struct fault *f = fault(TEST);
  if (is(f, "error")) c->broken = (int)f->value;
  if (is(f, "stall")) c->stalled = 1;
  if (c->broken) return c->broken;
  if (c->stalled || down[c->dev] || (cfg.tcpx && cfg.dynamic_chunk == 0)) return OK;
  int result = c->sending ? progress_send(c) : progress_receive(c);
  if (r->sequence >= c->active) return result;
  r->state = DONE;
  c->tested++;
  c->requests++;
  *done = 1;
  __atomic_add_fetch(&requests_done, 1, __ATOMIC_RELAXED);
  if (c->sending || !c->meta) {
    r->state = FREE;
    c->consumed++;
  }
  return OK;
}

static int do_consumed(void *comm, int n, void *request) {
  struct fault *f = fault(CONSUMED);
  if (is(f, "error")) return (int)f->value;
  struct comm *c = comm;
  if (check_comm(c, "irecvConsumed")) return INTERNAL_ERROR;
  if (c->sending) return violation("irecvConsumed on a sending comm");
  if (!c->meta) return OK;
  struct request *r = request;
  if (n != 1) return violation("irecvConsumed of %d requests", n);
  if (r->comm != c || r->state != DONE) return violation("irecvConsumed of a request that is not done, or twice");
  if (r->sequence != c->consumed)
    return violation("irecvConsumed of request %ld, the oldest is %ld", (long)r->sequence, (long)c->consumed);
  for (int i = 0; i < r->pages; i++) {
    if (cfg.poison && c->bounce) memset(c->bounce + (size_t)r->page[i] * PAGE, 0xdb, PAGE);
    c->free_pages[c->free_count++] = r->page[i];
  }
  if (cfg.poison && with_cuda && !cuda.host_pointer)
    for (int i = 0; i < r->pages; i++)
      cuda.to_device(c->bounce_device + (size_t)r->page[i] * PAGE, c->bounce + (size_t)r->page[i] * PAGE, PAGE);
  r->state = FREE;
  r->active = 0;
  c->consumed++;
  return OK;
}

static void wait_for_close(int fd) {
  char rest[4096];
  shutdown(fd, SHUT_WR);
  struct pollfd p = {.fd = fd, .events = POLLIN};
  ssize_t n;
  do {
    poll(&p, 1, -1);
    n = recv(fd, rest, sizeof rest, 0);
  } while (n > 0 || (n < 0 && errno == EAGAIN));
}

static int do_close(struct comm *c) {
  struct fault *f = fault(CLOSE);
  if (!c) return violation("close of no comm");
  char text[160];
  snprintf(text, sizeof text, "%s %s: %ld requests, %ld not done, %ld not consumed, %ld registrations", cfg.name[c->dev],
           c->sending ? "send" : "receive", c->requests, (long)(c->posted - c->tested), (long)(c->tested - c->consumed),
           (long)(c->mrs != NULL));
  pthread_mutex_lock(&log_lock);
  append("closed", text);
  if (c->posted != c->consumed) undrained++;
  pthread_mutex_unlock(&log_lock);
  if (c->mrs && !(cfg.tcpx && c->posted != c->tested)) violation("close: memory is still registered");
  while (c->mrs) {
    struct mr *m = c->mrs;
    c->mrs = m->next;
    pthread_mutex_lock(&lists);
    m->next = orphans;
    orphans = m;
    pthread_mutex_unlock(&lists);
  }
  deliver(c, 0);
  if (cfg.close_meets) wait_for_close(c->fd);
  close(c->fd);
  for (int i = 0; i < MAX_REQUESTS; i++) {
    free(c->req[i].staging);
    free(c->req[i].late);
  }
  if (with_cuda && c->bounce_device) {
    if (!cuda.host_pointer) cuda.free_pinned(c->bounce);
    cuda.free(c->bounce_device);
    cuda.free(c->handle_device);
    cuda.free_pinned(c->meta);
  } else {
    free(c->bounce);
    free(c->meta);
  }
  free(c->handle_host);
  free(c->free_pages);
  free(c);
  __atomic_sub_fetch(&open_comms, 1, __ATOMIC_RELAXED);
  return is(f, "error") ? (int)f->value : OK;
}

static int close_send(void *comm) {
  struct comm *c = comm;
  return c && !c->sending ? violation("closeSend of a receiving comm") : do_close(c);
}

static int close_receive(void *comm) {
  struct comm *c = comm;
  return c && c->sending ? violation("closeRecv of a sending comm") : do_close(c);
}

static int close_listen(void *listen_comm) {
  struct fault *f = fault(CLOSELISTEN);
  if (is(f, "error")) return (int)f->value;
  struct listener *l = listen_comm;
  if (cfg.tcpx && l->accept_calls && l->accepted != 1 && !l->failed)
    return violation("closeListen while an accept is under way: its thread uses what this frees");
  __atomic_sub_fetch(&listeners, 1, __ATOMIC_RELAXED);
  close(l->fd);
  if (l->conn >= 0 && l->accepted != 1) close(l->conn);
  free(l);
  return OK;
}

/* --- the versions ------------------------------------------------------------------------------------------------------- */

static int context_tag; /* its address is the context of API 11 and newer */

static void check_ctx(void *ctx, const char *call) {
  if (ctx != &context_tag) violation("%s: not the context that init gave", call);
}

static int devices(int *count) {
  struct fault *f = fault(DEVICES);
  if (is(f, "error")) return (int)f->value;
  *count = cfg.devices;
  return OK;
}

/* Fields by offset, since each version moved them; a plugin writes all of its version's, and no byte more. */
struct property_offsets {
  int reg_is_global, force_flush, speed, port, latency, max_comms, max_recvs, device_type, device_version, virtual_devices;
  int virtual_bytes, max_p2p, max_coll, max_multi, size;
};

static int properties(int dev, char *out, const struct property_offsets *o) {
  struct fault *f = fault(PROPERTIES);
  if (is(f, "error")) return (int)f->value;
  if (bad_device(dev)) return violation("properties of device %d of %d", dev, cfg.devices);
  static char paths[MAX_DEVICES][64];
  memset(out, 0, (size_t)o->size);
  snprintf(paths[dev], sizeof paths[dev], "/sys/devices/pci0000:00/0000:00:%02x.0", 4 + dev);
#define PUT(type, offset, value)                      \
  do {                                                \
    if ((offset) >= 0) *(type *)(out + (offset)) = (value); \
  } while (0)
  PUT(char *, 0, cfg.name[dev]);
  PUT(char *, 8, dev == 3 ? NULL : paths[dev]); /* may be NULL */
  PUT(uint64_t, 16, (uint64_t)dev + 1);
  PUT(int, 24, PTR_HOST | (with_cuda ? PTR_CUDA : 0));
  PUT(int, o->reg_is_global, 0);
  PUT(int, o->force_flush, 0);
  PUT(int, o->speed, 200000);
  PUT(int, o->port, 1);
  PUT(float, o->latency, 0);
  PUT(int, o->max_comms, 65536);
  PUT(int, o->max_recvs, 1);
  PUT(int, o->device_type, cfg.tcpx);
  PUT(int, o->device_version, cfg.tcpx ? 7 : 0);
  PUT(int, o->virtual_devices, 1);
  if (o->virtual_devices >= 0) PUT(int, o->virtual_devices + 4, dev);
  PUT(uint64_t, o->max_p2p, 1ull << 40);
  PUT(uint64_t, o->max_coll, 1ull << 40);
  PUT(int, o->max_multi, 0);
  return OK;
}

#define NONE (-1)
static const struct property_offsets P5 = {NONE, NONE, 28, 32, 36, 40, 44, NONE, NONE, NONE, 0, NONE, NONE, NONE, 48};
static const struct property_offsets P7 = {NONE, NONE, 28, 32, 36, 40, 44, 48, 52, NONE, 0, NONE, NONE, NONE, 56};
static const struct property_offsets P8 = {28, NONE, 32, 36, 40, 44, 48, 52, 56, NONE, 0, NONE, NONE, NONE, 64};
static const struct property_offsets P9 = {28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 20, 88, 96, NONE, 104};
static const struct property_offsets P11 = {28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 20, 88, 96, 104, 112};
static const struct property_offsets P12 = {28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 36, 104, 112, 120, 128};
static int properties_5(int d, char *o) { return properties(d, o, &P5); }
static int properties_7(int d, char *o) { return properties(d, o, &P7); }
static int properties_8(int d, char *o) { return properties(d, o, &P8); }
static int properties_9(int d, char *o) { return properties(d, o, &P9); }
static int properties_11(int d, char *o) { return properties(d, o, &P11); }
static int properties_12(int d, char *o) { return properties(d, o, &P12); }

static int listen_11(void *ctx, int dev, void *handle, void **out) {
  check_ctx(ctx, "listen");
  return do_listen(dev, handle, out);
}

static int connect_7(int dev, void *handle, void **out, void **device) {
  if (!device || *device) violation("connect: the device handle must point to NULL");
  return do_connect(dev, handle, out);
}
static int connect_10(int dev, int *config, void *handle, void **out, void **device) {
  if (!config || *config != -1) violation("connect: traffic class is not set");
  return connect_7(dev, handle, out, device);
}
static int connect_11(void *ctx, int dev, void *handle, void **out, void **device) {
  check_ctx(ctx, "connect");
  return connect_7(dev, handle, out, device);
}

static int accept_5(void *l, void **out) { return do_accept(l, out, NULL); }

static int reg_mr_int(void *c, void *data, int size, int type, void **mh) {
  if (size < 0) return violation("regMr: size %d", size);
  return do_reg_mr(c, data, (size_t)size, type, mh);
}

static int isend_int(void *c, void *data, int size, int tag, void *mh, void **request) {
  (void)tag;
  if (size < 0) return violation("isend: size %d", size);
  return do_isend(c, data, (size_t)size, mh, request);
}
static int isend_9(void *c, void *data, size_t size, int tag, void *mh, void **request) {
  (void)tag;
  return do_isend(c, data, size, mh, request);
}
static int isend_10(void *c, void *data, size_t size, int tag, void *mh, void *profile, void **request) {
  (void)tag, (void)profile;
  return do_isend(c, data, size, mh, request);
}

static int irecv_int(void *c, int n, void **data, int *sizes, int *tags, void **mh, void **request) {
  (void)tags;
  if (sizes[0] < 0) return violation("irecv: size %d", sizes[0]);
  return do_irecv(c, n, data, (size_t)sizes[0], mh, request);
}
static int irecv_9(void *c, int n, void **data, size_t *sizes, int *tags, void **mh, void **request) {
  (void)tags;
  return do_irecv(c, n, data, sizes[0], mh, request);
}
static int irecv_10(void *c, int n, void **data, size_t *sizes, int *tags, void **mh, void **profile, void **request) {
  (void)tags;
  if (!profile) violation("irecv: no array of profiler handles");
  return do_irecv(c, n, data, sizes[0], mh, request);
}

static int do_iflush(void *comm, int n, void **data, int *sizes, void **mhandles, void **request) {
  struct fault *f = fault(IFLUSH);
  if (is(f, "error")) return (int)f->value;
  struct comm *c = comm;
  if (check_comm(c, "iflush")) return INTERNAL_ERROR;
  if (c->sending || n != 1) return violation("iflush of %d buffers", n);
  if (check_mr(c, mhandles[0], data[0], (size_t)sizes[0], "iflush")) return INTERNAL_ERROR;
  if (((struct mr *)mhandles[0])->type != PTR_CUDA) return violation("iflush of host memory");
  if (*request) return violation("iflush: *request was not cleared");
  if (c->flush.state == FLUSHING) return violation("iflush while another is under way");
  c->flush.comm = c;
  c->flush.state = FLUSHING;
  c->flush_calls = 0;
  *request = &c->flush;
  return OK;
}

static int iflush(void) { return violation("iflush: TCPX reads through a NULL request here"); }
static int get_device_mr(void) { return violation("getDeviceMr was not asked for"); }
static int make_virtual(void) { return violation("makeVDevice was not asked for"); }

static int finalize(void *ctx) {
  check_ctx(ctx, "finalize");
  if (open_comms) violation("finalize with %ld comms open", open_comms);
  append("finalized", "context");
  cfg.initialised = 0;
  return OK;
}

#define NAME_OF(v) "Fake_v" #v
static int init_5(log_fn log);
static int init_10(log_fn log, void *profiler);
static int init_11(void **ctx, uint64_t id, int *config, log_fn log, void *profiler);

/* Before init() only name and init are there, as with nccl-rdma-sharp-plugins: callers read the table again. */
#define EXPORT(v, slots, start) void *ncclNetPlugin_v##v[slots] = {NAME_OF(v), (void *)(start)};
#if MIN_API <= 5 && 5 <= MAX_API
EXPORT(5, 16, init_5)
#endif
#if MIN_API <= 6 && 6 <= MAX_API
EXPORT(6, 17, init_5)
#endif
#if MIN_API <= 7 && 7 <= MAX_API
EXPORT(7, 19, init_5)
#endif
#if MIN_API <= 8 && 8 <= MAX_API
EXPORT(8, 19, init_5)
#endif
#if MIN_API <= 9 && 9 <= MAX_API
EXPORT(9, 20, init_5)
#endif
#if MIN_API <= 10 && 10 <= MAX_API
EXPORT(10, 20, init_10)
#endif
#if MIN_API <= 11 && 11 <= MAX_API
EXPORT(11, 22, init_11)
#endif
#if MIN_API <= 12 && 12 <= MAX_API
EXPORT(12, 22, init_11)
#endif

#define F(x) ((void *)(x))
static void fill(void **t, int version) {
  int dma = version >= 6; /* slots after regMr move by one */
  t[2] = F(devices);
  t[3] = version >= 12   ? F(properties_12)
         : version == 11 ? F(properties_11)
         : version >= 9  ? F(properties_9)
         : version == 8  ? F(properties_8)
         : version == 7  ? F(properties_7)
                         : F(properties_5);
  t[4] = version >= 11 ? F(listen_11) : F(do_listen);
  t[5] = version >= 11 ? F(connect_11) : version == 10 ? F(connect_10) : version >= 7 ? F(connect_7) : F(do_connect);
  t[6] = version >= 7 ? F(do_accept) : F(accept_5);
  t[7] = version >= 8 ? F(do_reg_mr) : F(reg_mr_int);
  if (dma) t[8] = NULL; /* regMrDmaBuf: as TCPX */
  t[8 + dma] = F(dereg_mr);
  t[9 + dma] = version >= 10 ? F(isend_10) : version == 9 ? F(isend_9) : F(isend_int);
  t[10 + dma] = version >= 10 ? F(irecv_10) : version == 9 ? F(irecv_9) : F(irecv_int);
  t[11 + dma] = cfg.tcpx ? F(iflush) : cfg.no_flush ? NULL : F(do_iflush);
  t[12 + dma] = F(do_test);
  t[13 + dma] = F(close_send);
  t[14 + dma] = F(close_receive);
  t[15 + dma] = F(close_listen);
  if (version >= 7) {
    t[17] = F(get_device_mr);
    t[18] = cfg.tcpx ? F(do_consumed) : NULL;
  }
  if (version >= 9) t[19] = F(make_virtual);
  if (version >= 11) {
    t[20] = F(finalize);
    t[21] = NULL; /* setNetAttr */
  }
}

static void fill_all(void) {
#if MIN_API <= 5 && 5 <= MAX_API
  fill(ncclNetPlugin_v5, 5);
#endif
#if MIN_API <= 6 && 6 <= MAX_API
  fill(ncclNetPlugin_v6, 6);
#endif
#if MIN_API <= 7 && 7 <= MAX_API
  fill(ncclNetPlugin_v7, 7);
#endif
#if MIN_API <= 8 && 8 <= MAX_API
  fill(ncclNetPlugin_v8, 8);
#endif
#if MIN_API <= 9 && 9 <= MAX_API
  fill(ncclNetPlugin_v9, 9);
#endif
#if MIN_API <= 10 && 10 <= MAX_API
  fill(ncclNetPlugin_v10, 10);
#endif
#if MIN_API <= 11 && 11 <= MAX_API
  fill(ncclNetPlugin_v11, 11);
#endif
#if MIN_API <= 12 && 12 <= MAX_API
  fill(ncclNetPlugin_v12, 12);
#endif
}

static long number(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text && *text ? atol(text) : otherwise;
}

static int says(const char *name, const char *word) {
  const char *text = getenv(name);
  return text && !strcmp(text, word);
}

static void crash_report(int number) {
  static const char text[] = "fake_nccl_net: a crash report in place of the JVM's handler\n";
  (void)number;
  if (write(2, text, sizeof text - 1) < 0) abort();
  _exit(99);
}

static void *say_hello(void *unused) {
  (void)unused;
  cfg.log(LOG_INFO, SUBSYS_NET, __FILE__, __LINE__, "a helper thread of %s is number %d of %d, ratio %.2f, %s %s %s %d",
          "the plugin", 1, 1, 0.5, "and", "there", "is more:", 42);
  return NULL;
}

static int init_5(log_fn log) {
  if (!log) return violation("init: no logger");
  if (cfg.initialised) return INTERNAL_ERROR; /* as TCPX and OFI */
  memset(&cfg, 0, sizeof cfg);
  cfg.log = log;
  const char *mode = getenv("FAKE_NET_MODE"), *fragments = getenv("FAKE_NET_FRAGMENTS");
  const char *list = getenv("FAKE_NET_FAULTS"), *driver = getenv("FAKE_NET_CUDA");
  cfg.log_path = getenv("FAKE_NET_LOG");
  if (cfg.log_path) cfg.log_path = strdup(cfg.log_path);
  cfg.tcpx = mode && !strcmp(mode, "tcpx");
  cfg.odd_fragments = fragments && !strcmp(fragments, "odd");
  cfg.poison = (int)number("FAKE_NET_POISON", 1);
  cfg.pages = number("FAKE_NET_PAGES", 4096);
  cfg.connect_calls = number("FAKE_NET_CONNECT_CALLS", 3);
  cfg.accept_ms = number("FAKE_NET_ACCEPT_MS", 0);
  cfg.accept_blocks = says("FAKE_NET_ACCEPT", "blocks");
  cfg.close_meets = says("FAKE_NET_CLOSE", "meets");
  cfg.host_direct = says("FAKE_NET_HOST", "direct");
  cfg.bounce_elsewhere = says("FAKE_NET_BOUNCE", "elsewhere");
  cfg.no_flush = says("FAKE_NET_FLUSH", "missing");
  cfg.late = (int)number("FAKE_NET_LATE", 0);
  cfg.ready_meets = says("FAKE_NET_READY", "meets");
  if (says("FAKE_NET_SIGNALS", "taken")) signal(SIGSEGV, crash_report);
  cfg.dynamic_chunk = number("NCCL_DYNAMIC_CHUNK_SIZE", 0);
  parse_faults(list ? list : "");
  struct fault *f = fault(INIT);
  if (is(f, "error")) return (int)f->value;
  if (driver && *driver && load_cuda(driver)) return INTERNAL_ERROR;
  if (cfg.late && cuda.on_flush) cuda.on_flush(driver_flushed);
  const char *names = getenv("FAKE_NET_IFNAMES"), *addresses = getenv("FAKE_NET_ADDRESSES");
  if (!names || !*names) names = getenv("NCCL_GPUDIRECTTCPX_SOCKET_IFNAME");
  char copy[512], *save = NULL;
  snprintf(copy, sizeof copy, "%s", names && *names ? names : "fake0,fake1,fake2,fake3");
  for (char *n = strtok_r(copy, ",", &save); n && cfg.devices < MAX_DEVICES; n = strtok_r(NULL, ",", &save)) {
    cfg.address[cfg.devices].s_addr = htonl(0x7f000001u + (uint32_t)cfg.devices);
    snprintf(cfg.name[cfg.devices++], sizeof cfg.name[0], "%s", n);
  }
  snprintf(copy, sizeof copy, "%s", addresses ? addresses : "");
  int at = 0;
  for (char *a = strtok_r(copy, ",", &save); a && at < cfg.devices; a = strtok_r(NULL, ",", &save))
    inet_aton(a, &cfg.address[at++]);
  fill_all();
  log(LOG_INFO, SUBSYS_NET, __FILE__, __LINE__, "fake plugin: %d devices, mode %s, chunk %ld", cfg.devices,
      cfg.tcpx ? "tcpx" : "plain", cfg.dynamic_chunk);
  pthread_t thread;
  if (pthread_create(&thread, NULL, say_hello, NULL) == 0) pthread_join(thread, NULL);
  cfg.initialised = 1;
  return OK;
}

__attribute__((unused)) static int init_10(log_fn log, void *profiler) {
  int (*call)(void **, int, void *, int64_t, void *) = NULL;
  *(void **)&call = profiler;
  int result = init_5(log);
  if (result == OK && call && call(NULL, 0, NULL, 0, NULL)) violation("init: the profiler callback failed");
  return result;
}

__attribute__((unused)) static int init_11(void **ctx, uint64_t id, int *config, log_fn log, void *profiler) {
  (void)id;
  if (!config || *config != -1) violation("init: traffic class is not set");
  *ctx = &context_tag;
  return init_10(log, profiler);
}
