// Which network devices of two hosts reach each other, asked with plain sockets that are bound to their devices.
//   reach serve PORT DEVICE...   listens on each device; tells who connects the name of the device it came in by
//   reach try PORT < lines       DEVICE SOURCE TARGET, one a line; answers each line with that name, or with -
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 2048, NAME = 16, PATIENCE_MS = 2500 };

static int bound(int family, const char *device) {
  int s = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (s < 0 || setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, device, strlen(device)) < 0) {
    perror(device);
    exit(1);
  }
  return s;
}

static int serve(int port, int devices, char **device) {
  struct pollfd doors[64];
  for (int i = 0; i < devices; i++) {
    int s = bound(AF_INET6, device[i]), yes = 1, no = 0;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (bind(s, (struct sockaddr *)&any, sizeof any) < 0 || listen(s, 512) < 0) {
      perror("listen");
      return 1;
    }
    doors[i] = (struct pollfd){.fd = s, .events = POLLIN};
  }
  puts("READY");
  fflush(stdout);
  for (;;) {
    if (poll(doors, devices, -1) < 0) return 1;
    for (int i = 0; i < devices; i++) {
      if (!doors[i].revents) continue;
      int c = accept4(doors[i].fd, NULL, NULL, SOCK_CLOEXEC);
      if (c < 0) continue;
      char name[NAME] = {0};
      strncpy(name, device[i], NAME - 1);
      if (send(c, name, NAME, MSG_NOSIGNAL) < 0) perror("send");
      shutdown(c, SHUT_WR); // closed with the process: a reset must not overtake the name
    }
  }
}

static socklen_t address(const char *text, int port, const char *device, struct sockaddr_storage *to) {
  struct sockaddr_in *four = (struct sockaddr_in *)to;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;
  memset(to, 0, sizeof *to);
  if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    return sizeof *four;
  }
  if (inet_pton(AF_INET6, text, &six->sin6_addr) != 1) return 0;
  six->sin6_family = AF_INET6;
  six->sin6_port = htons(port);
  if (IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr)) six->sin6_scope_id = if_nametoindex(device);
  return sizeof *six;
}

static long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int try_all(int port) {
  static char line[MOST][256], answer[MOST][NAME];
  static struct pollfd tries[MOST];
  int count = 0, open = 0;
  while (count < MOST && fgets(line[count], sizeof line[0], stdin)) {
    char device[64], source[64], target[64];
    if (sscanf(line[count], "%63s %63s %63s", device, source, target) != 3) continue;
    struct sockaddr_storage from, to;
    socklen_t from_size = address(source, 0, device, &from), to_size = address(target, port, device, &to);
    int s = bound(from.ss_family, device);
    strcpy(answer[count], "-");
    tries[count] = (struct pollfd){.fd = s, .events = POLLIN};
    if (!from_size || !to_size || bind(s, (struct sockaddr *)&from, from_size) < 0 ||
        (connect(s, (struct sockaddr *)&to, to_size) < 0 && errno != EINPROGRESS)) {
      tries[count].fd = -1;
      close(s);
    } else {
      open++;
    }
    count++;
  }
  for (long end = now_ms() + PATIENCE_MS; open > 0 && now_ms() < end;) {
    if (poll(tries, count, (int)(end - now_ms())) <= 0) break;
    for (int i = 0; i < count; i++) {
      if (tries[i].fd < 0 || !tries[i].revents) continue;
      char name[NAME] = {0};
      if (recv(tries[i].fd, name, NAME, 0) == NAME) strcpy(answer[i], name);
      close(tries[i].fd);
      tries[i].fd = -1;
      open--;
    }
  }
  for (int i = 0; i < count; i++) puts(answer[i]);
  return 0;
}

int main(int argc, char **argv) {
  if (argc >= 4 && !strcmp(argv[1], "serve")) return serve(atoi(argv[2]), argc - 3, argv + 3);
  if (argc == 3 && !strcmp(argv[1], "try")) return try_all(atoi(argv[2]));
  fputs("usage: reach serve PORT DEVICE... | reach try PORT\n", stderr);
  return 2;
}
