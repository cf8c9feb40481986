/*
 * sluice.h: a client of the Sluice daemon of this host.
 *
 * The daemon moves memory between hosts over every NIC at once. A client registers memory, links to another host's daemon, and posts
 * transfers; while both sides are busy a request costs no system call. The protocol is in docs/daemon.md of Sluice.
 *
 * Every function may be called from any thread. The library makes no threads. Functions that return int give 0 or more when they
 * succeed and a negative sluice_status when they do not; sluice_error() then says why, for the calling thread. A connection must not
 * be used in a child after fork().
 *
 *     sluice *s;
 *     sluice_memory *m;
 *     sluice_link *l;
 *     sluice_remote there;
 *     sluice_request r;
 *     sluice_open(NULL, &s);
 *     sluice_allocate(s, 0, 1 << 20, &m);
 *     sluice_connect(s, 0, 0, "10.0.0.7:20100", 30000, &l);
 *     sluice_import(l, "inbox", 30000, &there);
 *     sluice_write(l, m, 0, 1 << 20, &there, 0, NULL, &r);
 *     sluice_wait(s, r, 30000, NULL);
 */
#ifndef SLUICE_H
#define SLUICE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_PROTOCOL 1
#define SLUICE_API __attribute__((visibility("default")))

/* Why something failed, as negative numbers; those to -15 are the daemon's. */
typedef enum sluice_status {
    SLUICE_OK = 0,
    SLUICE_INVALID = -1,        /* a request that makes no sense */
    SLUICE_NOT_FOUND = -2,      /* no such memory, link, list or request */
    SLUICE_BOUNDS = -3,         /* not inside the memory */
    SLUICE_REMOTE_REFUSED = -4, /* the other side knows no such key, or the range is not inside its memory */
    SLUICE_LINK_LOST = -5,      /* the link cannot be made, or has ended */
    SLUICE_CANCELLED = -6,
    SLUICE_DEADLINE = -7,
    SLUICE_QUOTA = -8,
    SLUICE_IN_USE = -9,   /* another client holds the key, mailbox or name */
    SLUICE_DEAD_KEY = -10,
    SLUICE_MEMORY_FAULT = -11, /* the file has shrunk */
    SLUICE_NOT_SUPPORTED = -12,
    SLUICE_GOING = -13,
    SLUICE_INTERNAL = -14,
    SLUICE_NOT_ALLOWED = -15,
    SLUICE_LOST = -100,  /* the daemon is gone: sluice_reopen() finds the next one */
    SLUICE_AGAIN = -101, /* the rings are full: take what has ended, then try again */
    SLUICE_SYSTEM = -102 /* a system call failed */
} sluice_status;

typedef struct sluice sluice;
typedef struct sluice_memory sluice_memory;
typedef struct sluice_link sluice_link;

/* 128 random bits: of memory, or of a client as the target of notifications. Whoever knows it may use it. */
typedef struct sluice_key {
    uint64_t high, low;
} sluice_key;

/* Memory of another client, here or on another host, as its owner gave it out. */
typedef struct sluice_remote {
    sluice_key key;
    uint64_t bytes;
} sluice_remote;

/* Names a request under way; never 0. */
typedef uint64_t sluice_request;

typedef struct sluice_options {
    const char *socket;    /* NULL: $SLUICE_SOCKET, else the daemon's default */
    const char *name;      /* what the daemon shows; NULL: the program's */
    uint32_t entries;      /* requests under way, a power of two from 16 to 4096; 0: 256 */
    uint32_t list_bytes;   /* room for lists of pieces and notifications on their way; 0: 4 MiB; at most 16 MiB */
    uint32_t text_bytes;   /* room for notifications that come; 0: 1 MiB; at most 16 MiB */
    sluice_key mailbox;    /* zeros: drawn */
} sluice_options;

/* What else a request may carry. All zeros is nothing. */
typedef struct sluice_extra {
    const void *note;      /* the target's notification once everything has landed, up to 60000 bytes */
    uint32_t note_bytes;
    uint32_t flags;        /* SLUICE_AS_EVENT */
    sluice_key mailbox;    /* whose notification it is; with note_bytes 0 and a mailbox of zeros there is none */
    uint64_t deadline_ns;  /* from now; 0: the daemon's usual one */
    uint64_t tag;          /* comes back in the event */
} sluice_extra;

/* The request's end is told by sluice_next() instead of sluice_test() and sluice_wait(). */
#define SLUICE_AS_EVENT 1u

/* Kinds of memory, for sluice_serves(). */
#define SLUICE_HOST_MEMORY 1u
#define SLUICE_GPU_MEMORY 2u

typedef struct sluice_piece {
    sluice_memory *memory;
    uint64_t offset, bytes;
} sluice_piece;

typedef struct sluice_remote_piece {
    sluice_key key;
    uint64_t offset, bytes;
} sluice_remote_piece;

/* How a request ended. */
typedef struct sluice_result {
    int status;       /* SLUICE_OK or why it failed */
    uint64_t bytes;   /* moved */
    char why[256];    /* in words; empty where it is done */
} sluice_result;

typedef enum sluice_event_kind {
    SLUICE_EVENT_ENDED = 1,      /* a request with SLUICE_AS_EVENT */
    SLUICE_EVENT_NOTE = 2,       /* a notification */
    SLUICE_EVENT_LINK_ENDED = 3,
    SLUICE_EVENT_NOTES_LOST = 4, /* notifications that came faster than they were taken; result.bytes says how many */
    SLUICE_EVENT_LOST = 5        /* the daemon is gone */
} sluice_event_kind;

typedef struct sluice_event {
    int kind;
    sluice_request request;
    uint64_t tag;
    sluice_result result;
    sluice_link *link;   /* that has ended; NULL where it is not known any more */
    sluice_key from;     /* who sent the notification */
    void *note;          /* its bytes: to be freed with free() */
    size_t note_bytes;
} sluice_event;

/* What the last failure of this thread was, in words. */
SLUICE_API const char *sluice_error(void);
/* A status in words. */
SLUICE_API const char *sluice_status_text(int status);

/* Connects to the daemon of this host. options may be NULL. */
SLUICE_API int sluice_open(const sluice_options *options, sluice **out);
/* After SLUICE_LOST: finds the daemon again, waits up to so long for one, and presents the same memory, keys and links again. */
SLUICE_API int sluice_reopen(sluice *s, int timeout_ms);
/* Ends everything and waits until the daemon uses no memory of this client. NULL is fine. */
SLUICE_API void sluice_close(sluice *s);
/* A number that is another after each reopen to a daemon that was restarted. */
SLUICE_API uint64_t sluice_epoch(const sluice *s);
SLUICE_API uint32_t sluice_gpus(const sluice *s);
/* What memory the daemon serves: of SLUICE_HOST_MEMORY and SLUICE_GPU_MEMORY. Registering another kind is refused. */
SLUICE_API unsigned sluice_serves(const sluice *s);
/* What others send this client's notifications to. */
SLUICE_API sluice_key sluice_mailbox(const sluice *s);
/* What the daemon says of this client, as JSON; to be freed. */
SLUICE_API int sluice_stats(sluice *s, char **json);

/* Fresh host memory, zeros, that links of a (host) GPU reach. */
SLUICE_API int sluice_allocate(sluice *s, uint32_t gpu, uint64_t bytes, sluice_memory **out);
/*
 * Host memory behind a descriptor: a memfd (which is sealed against shrinking), or a file, whose bytes are copied and which peers
 * cannot reach. offset is a multiple of 4096. The descriptor stays the caller's. key may be NULL to draw one.
 */
SLUICE_API int sluice_register(
        sluice *s, uint32_t gpu, int fd, uint64_t offset, uint64_t bytes, const sluice_key *key, sluice_memory **out);
/*
 * GPU memory of this process: what cudaMalloc gives, or memory of CUDA's virtual memory management whose handles are POSIX descriptors
 * (PyTorch's expandable segments), over as many allocations as it takes; never cudaMallocAsync's or managed memory. pointer is a device
 * pointer. Loads libcuda.so.1, or what SLUICE_CUDA_LIBRARY names. The memory stays allocated until sluice_free() or the end of the
 * connection.
 *
 * Streams: the daemon copies in a stream of its own, which knows nothing of the program's. Wait for the kernels that fill the memory
 * (cudaStreamSynchronize, cudaEventSynchronize) before a write is posted or a peer may read; kernels that are launched after a request
 * has ended see its bytes.
 */
SLUICE_API int sluice_register_device(sluice *s, const void *pointer, uint64_t bytes, const sluice_key *key, sluice_memory **out);
/* The daemon's number of the GPU whose links reach the memory: for sluice_connect(), here as local and at a peer as remote GPU. */
SLUICE_API uint32_t sluice_gpu_of(const sluice_memory *m);
/* Takes it back, kills its key for ever, waits for what still uses it, and frees it. Pointers into allocated memory end. */
SLUICE_API int sluice_free(sluice_memory *m);
/* The first byte of allocated memory; NULL for registered descriptors. */
SLUICE_API void *sluice_data(const sluice_memory *m);
SLUICE_API uint64_t sluice_size(const sluice_memory *m);
/* What another needs to reach it. Give it only to whom you trust with the memory. */
SLUICE_API int sluice_remote_of(const sluice_memory *m, sluice_remote *out);
/* Gives every peer the key under a name. */
SLUICE_API int sluice_share(sluice_memory *m, const char *name);

/* A link to a GPU of another daemon at host:port. Clients of one daemon share it. */
SLUICE_API int sluice_connect(
        sluice *s, uint32_t local_gpu, uint32_t remote_gpu, const char *address, int timeout_ms, sluice_link **out);
SLUICE_API int sluice_disconnect(sluice_link *l);
/* The key of memory that somebody at the other end shares under a name; waits for it. */
SLUICE_API int sluice_import(sluice_link *l, const char *name, int timeout_ms, sluice_remote *out);

/*
 * Post a request. None waits: SLUICE_AGAIN says that the rings are full. The memory must stay as it is until the request has ended.
 * extra and out may be NULL; a request that nobody waits for needs SLUICE_AS_EVENT.
 */
SLUICE_API int sluice_write(sluice_link *l, const sluice_memory *from, uint64_t offset, uint64_t bytes, const sluice_remote *to,
        uint64_t to_offset, const sluice_extra *extra, sluice_request *out);
SLUICE_API int sluice_read(sluice_link *l, const sluice_memory *to, uint64_t offset, uint64_t bytes, const sluice_remote *from,
        uint64_t from_offset, const sluice_extra *extra, sluice_request *out);
/* The same over lists, which have the same sum; their borders may differ. */
SLUICE_API int sluice_write_list(sluice_link *l, const sluice_piece *from, uint32_t from_count, const sluice_remote_piece *to,
        uint32_t to_count, const sluice_extra *extra, sluice_request *out);
SLUICE_API int sluice_read_list(sluice_link *l, const sluice_piece *to, uint32_t to_count, const sluice_remote_piece *from,
        uint32_t from_count, const sluice_extra *extra, sluice_request *out);
/* Checks lists once, to be posted many times. out names them. */
SLUICE_API int sluice_prepare(sluice *s, const sluice_piece *local, uint32_t local_count, const sluice_remote_piece *remote,
        uint32_t remote_count, uint32_t *out);
SLUICE_API int sluice_write_prepared(sluice_link *l, uint32_t prepared, const sluice_extra *extra, sluice_request *out);
SLUICE_API int sluice_read_prepared(sluice_link *l, uint32_t prepared, const sluice_extra *extra, sluice_request *out);
SLUICE_API int sluice_release(sluice *s, uint32_t prepared);
/* A notification alone. */
SLUICE_API int sluice_notify(sluice_link *l, sluice_key mailbox, const void *note, uint32_t bytes, sluice_request *out);
/* Asks for its end; it ends all the same, and says how. */
SLUICE_API int sluice_cancel(sluice *s, sluice_request r);

/* 1 when it has ended (the request is forgotten then), 0 when not, or SLUICE_NOT_FOUND. result may be NULL. Never waits. */
SLUICE_API int sluice_test(sluice *s, sluice_request r, sluice_result *result);
/*
 * Waits for its end. 0 when it is done; its status when it failed (sluice_error() says why); SLUICE_DEADLINE when it is still under
 * way after so long, and goes on. timeout_ms -1 waits for ever.
 */
SLUICE_API int sluice_wait(sluice *s, sluice_request r, int timeout_ms, sluice_result *result);
/* The next event: 1, or 0 when there is none now. Never waits. */
SLUICE_API int sluice_next(sluice *s, sluice_event *event);
/* As sluice_next(), waiting up to so long. */
SLUICE_API int sluice_await(sluice *s, sluice_event *event, int timeout_ms);

/*
 * For poll(), epoll or an event loop: sluice_arm() gives 1 when there may be something now, 0 when the descriptor will be readable as
 * soon as there is; then take with sluice_next() or sluice_test() until there is nothing, and arm again. After sluice_reopen() the
 * descriptor is another.
 */
SLUICE_API int sluice_fd(const sluice *s);
SLUICE_API int sluice_arm(sluice *s);

#ifdef __cplusplus
}
#endif
#endif
