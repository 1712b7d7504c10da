/* Both ends of a message's hop, and the physical limit between them. Frames are a 4-byte big-endian length and a body; the
 * body is the bench event in MessagePack: specversion, id, source, type, topic and 256 octets of `bin` data.
 *
 *   hop_tool produce FD COUNT BATCH_OCTETS        writes COUNT events, as many a write as fit into the batch (0: one)
 *   hop_tool consume FD COUNT RESULT_FILE         reads COUNT events, writes {"events":…,"seconds":…,"per_second":…}
 *   hop_tool ping FD COUNT RESULT_FILE            sends one, waits for its echo; writes percentiles in microseconds
 *   hop_tool echo FD                              answers each event with one of the same size on bench.pong
 *   hop_tool relay FD_A FD_B                      copies octets both ways, batched: what any router is measured against
 *
 * FD 0: the descriptor in TENON_CHANNEL_FD. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { kDataOctets = 256, kBuffer = 1 << 18 };

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void write_all(int fd, const char *from, size_t size) {
  while (size != 0) {
    ssize_t put = write(fd, from, size);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) die("write");
    from += put;
    size -= (size_t)put;
  }
}

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

static size_t put_text(char *at, const char *text) {
  size_t size = strlen(text);
  at[0] = (char)(0xa0 | size); /* fixstr: every text here is shorter than 32 octets */
  memcpy(at + 1, text, size);
  return size + 1;
}

static const size_t kIdOffset = 4 + 1 + 12 + 4 + 3 + 1; /* length, map, specversion and its value, "id", str header */

/* One frame; returns its size. The id has 16 hexadecimal digits. */
static size_t make_frame(char *frame, const char *topic, uint64_t id) {
  char *at = frame + 4;
  char digits[17];
  uint32_t length;
  snprintf(digits, sizeof digits, "%016llx", (unsigned long long)id);
  *at++ = (char)0x86;
  at += put_text(at, "specversion");
  at += put_text(at, "1.0");
  at += put_text(at, "id");
  at += put_text(at, digits);
  at += put_text(at, "source");
  at += put_text(at, "//bench/producer");
  at += put_text(at, "type");
  at += put_text(at, "bench.event");
  at += put_text(at, "topic");
  at += put_text(at, topic);
  at += put_text(at, "data");
  *at++ = (char)0xc5;
  *at++ = (char)(kDataOctets >> 8);
  *at++ = (char)(kDataOctets & 255);
  memset(at, 'x', kDataOctets);
  at += kDataOctets;
  length = htonl((uint32_t)(at - frame - 4));
  memcpy(frame, &length, 4);
  return (size_t)(at - frame);
}

static void set_id(char *frame, uint64_t id) {
  static const char hex[] = "0123456789abcdef";
  int i;
  for (i = 15; i >= 0; --i, id >>= 4) frame[kIdOffset + (size_t)i] = hex[id & 15];
}

static size_t frame_at(const char *data, size_t have) {
  uint32_t length;
  if (have < 4) return 0;
  memcpy(&length, data, 4);
  length = ntohl(length);
  return have < 4 + (size_t)length ? 0 : 4 + (size_t)length;
}

static void write_result(const char *path, const char *text) {
  char temporary[4096];
  int fd;
  snprintf(temporary, sizeof temporary, "%s.new", path);
  fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) die(temporary);
  write_all(fd, text, strlen(text));
  close(fd);
  if (rename(temporary, path) != 0) die(path);
}

static void produce(int fd, uint64_t count, size_t batch) {
  char one[1024];
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
  char text[256];
  size_t have = 0, at, size;
  uint64_t events = 0, began = 0;
  double seconds;
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
  seconds = (double)(now_ns() - began) / 1e9;
  snprintf(text, sizeof text, "{\"events\":%llu,\"seconds\":%.4f,\"per_second\":%.0f}\n", (unsigned long long)events, seconds,
           (double)events / seconds);
  write_result(path, text);
  free(data);
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void read_frame(int fd, char *data) {
  uint32_t length;
  if (!read_all(fd, data, 4)) exit(0);
  memcpy(&length, data, 4);
  length = ntohl(length);
  if (length > 4000 || !read_all(fd, data + 4, length)) exit(0);
}

static void ping(int fd, long count, const char *path) {
  char frame[1024], answer[4096], text[256];
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
  qsort(micros, (size_t)count, sizeof *micros, by_value);
  snprintf(text, sizeof text, "{\"round_trips\":%ld,\"p50_us\":%.2f,\"p99_us\":%.2f}\n", count, micros[count / 2],
           micros[count * 99 / 100]);
  write_result(path, text);
  free(micros);
}

static void echo(int fd) {
  char frame[1024], data[4096];
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
