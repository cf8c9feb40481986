/* What the parts of the library share. The numbers are those of docs/daemon.md. */
#ifndef SLUICE_INTERNAL_H
#define SLUICE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "sluice.h"

#define MAGIC UINT64_C(0x0031454349554c53)
#define MOST_PAYLOAD 65536u
#define MOST_NOTE 60000u

enum { HELLO = 1, WELCOME = 2, FAILED = 3, DONE = 4, REGISTER = 10, DEREGISTER, LINK, UNLINK, SHARE, IMPORT, STATS, STATUS, PREPARE, RELEASE, BELL,
    GOODBYE, PARTS };
enum { AT_SUBMISSION_TAIL = 128, AT_SUBMISSION_HEAD = 256, AT_COMPLETION_TAIL = 384, AT_COMPLETION_HEAD = 512, AT_DAEMON_SLEEPS = 640,
    AT_CLIENT_WAITS = 768, AT_ROOM_WANTED = 896 };
enum { OP_WRITE = 1, OP_READ = 2, OP_NOTIFY = 3, OP_CANCEL = 4 };
enum { WITH_NOTE = 1, LISTED = 2, PREPARED = 4 };

typedef struct submission {
    uint8_t operation, flags;
    uint16_t zero;
    uint32_t link;
    uint64_t number;
    uint32_t memory, zero2;
    uint64_t offset, bytes;
    sluice_key key;
    uint64_t remote_offset;
    uint32_t local_at, local_count, remote_at, remote_count, note_at, note_bytes;
    sluice_key mailbox;
    uint64_t deadline;
    uint64_t rest[2];
} submission;
_Static_assert(sizeof(submission) == 128, "a submission has 128 bytes");

typedef struct completion {
    uint64_t number;
    uint32_t kind, status;
    uint64_t bytes, text_at;
    uint32_t text_bytes, zero;
    sluice_key from;
    uint64_t zero2;
} completion;
_Static_assert(sizeof(completion) == 64, "a completion has 64 bytes");

typedef struct local_piece {
    uint32_t memory, zero;
    uint64_t offset, bytes;
} local_piece;
_Static_assert(sizeof(local_piece) == 24, "a local piece has 24 bytes");
_Static_assert(sizeof(sluice_remote_piece) == 32, "a remote piece has 32 bytes");

enum slot_state { SLOT_FREE, SLOT_UNDER_WAY, SLOT_ENDED };

/* A request that the program may still ask about. Guarded by sluice.ends. */
typedef struct slot {
    enum slot_state state;
    uint32_t generation;
    uint32_t flags;
    uint64_t tag;
    sluice_result result;
} slot;

typedef struct waiting_event {
    struct waiting_event *next;
    sluice_event event;
} waiting_event;

struct sluice_memory {
    sluice *s;
    sluice_memory *next;
    uint32_t number;
    uint32_t gpu;
    int fd;
    uint64_t offset, bytes;
    sluice_key key;
    void *data; /* NULL where the program mapped it itself, or not */
    uint64_t device; /* first byte of GPU memory; 0 for host memory */
    uint64_t buffer; /* the driver's number of that allocation */
};

/* How GPU memory is opened elsewhere: by one handle, or by a descriptor for each allocation that it spans. */
typedef struct device_export {
    bool legacy;
    unsigned char uuid[16], handle[64];
    uint64_t offset, allocation, buffer;
    int *fds;
    uint64_t *sizes;
    uint32_t count, room;
} device_export;

struct sluice_link {
    sluice *s;
    sluice_link *next;
    uint32_t number;
    uint32_t local_gpu, remote_gpu;
    char address[300];
};

/* What one connection to a daemon has; another one after a reopen. */
typedef struct connection {
    int socket;
    int daemon_bell, client_bell;
    int epoll;
    unsigned char *area;
    uint64_t area_bytes, epoch;
    uint32_t gpus, serves, entries, submissions, completions, texts, text_bytes, lists, list_bytes;
    uint32_t most_pieces;
} connection;

struct sluice {
    pid_t pid;
    char *path;
    char name[65];
    uint32_t entries, list_bytes, text_bytes;
    sluice_key mailbox;
    connection c;
    atomic_bool lost;

    pthread_mutex_t control; /* the socket, memories and links (changed under ends too); first of the three to be taken */
    uint64_t control_number;
    sluice_memory *memories;
    sluice_link *links;

    pthread_mutex_t post; /* the submission ring and the lists; second */
    uint64_t submission_tail, submission_head_seen;
    uint64_t list_tail, list_head;
    uint64_t *list_ends; /* of each submission: where its lists ended */

    pthread_mutex_t ends; /* the completion ring, slots and events; last */
    pthread_cond_t ended;
    bool waiting; /* a thread is in poll() for all */
    uint64_t completion_head;
    uint32_t empty_looks;
    slot *slots;
    uint32_t slot_count;
    uint32_t *free_slots;
    uint32_t free_count;
    waiting_event *first_event, **last_event;
};

/* error.c */
int sluice_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* channel.c: the socket and the area */
int channel_open(sluice *s, connection *c);
void channel_close(connection *c);
/* One request and its answer; the control lock is held. answer may be NULL; *answer_bytes is its room, then its length. */
int channel_ask(sluice *s, uint16_t type, const void *payload, uint32_t bytes, int fd, void *answer, uint32_t *answer_bytes);
/* The same with up to MOST_SENT descriptors. */
#define MOST_SENT 64
int channel_ask_with(sluice *s, uint16_t type, const void *payload, uint32_t bytes, const int *fds, uint32_t fd_count, void *answer,
        uint32_t *answer_bytes);
/* One whose payload is two numbers and a name. */
int channel_ask_named(
        sluice *s, uint16_t type, uint32_t first, uint32_t second, const char *name, void *answer, uint32_t *answer_bytes);
bool channel_ended(sluice *s);

/* key.c */
int key_draw(sluice_key *key);

/* memory.c: tells the daemon of memory, the control lock being held; and gives back what the program has of it */
int memory_present(sluice_memory *m);
void memory_discard(sluice_memory *m);

/* link.c: asks the daemon for a link; the control lock is held */
int link_join(sluice_link *l, int timeout_ms);

/* cuda.c: describes device memory; to be forgotten, which closes its descriptors */
int device_describe(uint64_t pointer, uint64_t bytes, device_export *out);
void device_forget(device_export *e);

/* ends.c */
void ends_drain(sluice *s);
void ends_lose(sluice *s);

static inline _Atomic uint64_t *word(const connection *c, uint32_t at) { return (_Atomic uint64_t *)(void *)(c->area + at); }
static inline _Atomic uint32_t *half(const connection *c, uint32_t at) { return (_Atomic uint32_t *)(void *)(c->area + at); }

#endif
