/* Both ends of a message's hop, and the physical limit between them. Frames are a 4-byte big-endian length and a body;
 * the body is the bench event.
 *
 *   hop_tool produce FD COUNT BATCH_OCTETS        writes COUNT events, as many a write as fit into the batch (0: one)
 *   hop_tool consume FD COUNT RESULT_FILE         reads COUNT events, writes how many a second
 *   hop_tool ping FD COUNT RESULT_FILE            sends one, waits for its echo; writes percentiles in microseconds
 *   hop_tool echo FD                              answers each event with one of the same size on bench.pong
 *   hop_tool relay FD_A FD_B                      copies octets both ways, batched: what any router is measured against
 *
 * FD 0: the descriptor in TENON_CHANNEL_FD. */
#define _GNU_SOURCE
#include <poll.h>

#include "bench_event.h"

enum { kBuffer = 1 << 18 };

static int read_all(int fd, char *to, size_t size) {
  while (size != 0) {
    ssize_t got = read(fd, to, size);
    if (got == 0) return 0;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) die("read");
    to += got;
    size -= (size_t)got;
  }
  return 1;
}

static size_t frame_at(const char *data, size_t have) {
  uint32_t length;
  if (have < 4) return 0;
  memcpy(&length, data, 4);
  length = ntohl(length);
  return have < 4 + (size_t)length ? 0 : 4 + (size_t)length;
}

static void produce(int fd, uint64_t count, size_t batch) {
  char one[kFrameRoom];
  size_t size = make_frame(one, "bench.event", 0);
  size_t per_write = batch > size ? batch / size : 1;
  char *frames = malloc(per_write * size);
  uint64_t sent = 0;
  size_t i;
  for (i = 0; i < per_write; ++i) memcpy(frames + i * size, one, size);
  while (sent < count) {
    for (i = 0; i < per_write && sent < count; ++i) set_id(frames + i * size, ++sent);
    write_all(fd, frames, i * size);
  }
  free(frames);
}

static void consume(int fd, uint64_t count, const char *path) {
  char *data = malloc(kBuffer);
  size_t have = 0, at, size;
  uint64_t events = 0, began = 0;
  while (events < count) {
    ssize_t got = read(fd, data + have, kBuffer - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += (size_t)got;
    for (at = 0; (size = frame_at(data + at, have - at)) != 0; at += size) {
      if (began == 0) began = now_ns();
      ++events;
    }
    memmove(data, data + at, have - at);
    have -= at;
  }
  write_rate(path, events, began);
  free(data);
}

static void read_frame(int fd, char *data) {
  uint32_t length;
  if (!read_all(fd, data, 4)) exit(0);
  memcpy(&length, data, 4);
  length = ntohl(length);
  if (length > 4000 || !read_all(fd, data + 4, length)) exit(0);
}

static void ping(int fd, long count, const char *path) {
  char frame[kFrameRoom], answer[4096];
  size_t size = make_frame(frame, "bench.ping", 0);
  double *micros = malloc((size_t)count * sizeof *micros);
  long i, warm = count / 10;
  for (i = -warm; i < count; ++i) {
    uint64_t began = now_ns();
    set_id(frame, (uint64_t)(i + warm + 1));
    write_all(fd, frame, size);
    read_frame(fd, answer);
    if (i >= 0) micros[i] = (double)(now_ns() - began) / 1e3;
  }
  write_round_trips(path, micros, count);
  free(micros);
}

static void echo(int fd) {
  char frame[kFrameRoom], data[4096];
  size_t size = make_frame(frame, "bench.pong", 0);
  uint64_t id = 1u << 30;
  for (;;) {
    read_frame(fd, data);
    set_id(frame, ++id);
    write_all(fd, frame, size);
  }
}

struct side {
  int fd, ended;
  char *data;
  size_t have;
};

/* Whole frames only, as many as one read brings: a router that looks at nothing. */
static void relay(int a, int b) {
  struct side sides[2] = {{a, 0, NULL, 0}, {b, 0, NULL, 0}};
  int i;
  for (i = 0; i < 2; ++i) sides[i].data = malloc(kBuffer);
  while (!sides[0].ended && !sides[1].ended) {
    struct pollfd fds[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0) continue;
    for (i = 0; i < 2; ++i) {
      struct side *s = &sides[i];
      size_t at = 0, size;
      ssize_t got;
      if (fds[i].revents == 0) continue;
      got = read(s->fd, s->data + s->have, kBuffer - s->have);
      if (got <= 0) {
        s->ended = 1;
        continue;
      }
      s->have += (size_t)got;
      while ((size = frame_at(s->data + at, s->have - at)) != 0) at += size;
      write_all(sides[1 - i].fd, s->data, at);
      memmove(s->data, s->data + at, s->have - at);
      s->have -= at;
    }
  }
}

int main(int argc, char **argv) {
  int fd;
  if (argc < 3) return 2;
  fd = atoi(argv[2]);
  if (fd == 0) fd = atoi(getenv("TENON_CHANNEL_FD") ? getenv("TENON_CHANNEL_FD") : "0");
  if (!strcmp(argv[1], "produce") && argc == 5) produce(fd, strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
  else if (!strcmp(argv[1], "consume") && argc == 5) consume(fd, strtoull(argv[3], NULL, 10), argv[4]);
  else if (!strcmp(argv[1], "ping") && argc == 5) ping(fd, atol(argv[3]), argv[4]);
  else if (!strcmp(argv[1], "echo")) echo(fd);
  else if (!strcmp(argv[1], "relay") && argc == 4) relay(fd, atoi(argv[3]));
  else return 2;
  return 0;
}
