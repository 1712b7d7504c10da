/* The bench event and the result of a measurement, for every tool that moves it: ours, the relay's and the peers'.
 *
 * The event is a MessagePack map: specversion, id, source, type, topic and 256 octets of `bin` data. A frame is a
 * 4-byte big-endian length and the event; peers that frame by themselves take the event from frame + 4. Everything is
 * static inline: each tool is one file. */
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { kDataOctets = 256, kFrameRoom = 1024 };

static inline uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void die(const char *what) {
  perror(what);
  exit(1);
}

static inline void write_all(int fd, const char *from, size_t size) {
  while (size != 0) {
    ssize_t put = write(fd, from, size);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) die("write");
    from += put;
    size -= (size_t)put;
  }
}

static inline size_t put_text(char *at, const char *text) {
  size_t size = strlen(text);
  at[0] = (char)(0xa0 | size); /* fixstr: every text here is shorter than 32 octets */
  memcpy(at + 1, text, size);
  return size + 1;
}

static const size_t kIdOffset = 4 + 1 + 12 + 4 + 3 + 1; /* length, map, specversion and its value, "id", str header */

/* One frame; returns its size. The id has 16 hexadecimal digits. */
static inline size_t make_frame(char *frame, const char *topic, uint64_t id) {
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

static inline void set_id(char *frame, uint64_t id) {
  static const char hex[] = "0123456789abcdef";
  int i;
  for (i = 15; i >= 0; --i, id >>= 4) frame[kIdOffset + (size_t)i] = hex[id & 15];
}

static inline void write_result(const char *path, const char *text) {
  char temporary[4096];
  int fd;
  snprintf(temporary, sizeof temporary, "%s.new", path);
  fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) die(temporary);
  write_all(fd, text, strlen(text));
  close(fd);
  if (rename(temporary, path) != 0) die(path);
}

/* Events seen since `began`, as the driver reads it. */
static inline void write_rate(const char *path, uint64_t events, uint64_t began) {
  char text[256];
  const double seconds = (double)(now_ns() - began) / 1e9;
  snprintf(text, sizeof text, "{\"events\":%llu,\"seconds\":%.4f,\"per_second\":%.0f}\n", (unsigned long long)events,
           seconds, (double)events / seconds);
  write_result(path, text);
}

static inline int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* Sorts the round trips and writes their percentiles. */
static inline void write_round_trips(const char *path, double *micros, long count) {
  char text[256];
  qsort(micros, (size_t)count, sizeof *micros, by_value);
  snprintf(text, sizeof text, "{\"round_trips\":%ld,\"p50_us\":%.2f,\"p99_us\":%.2f}\n", count, micros[count / 2],
           micros[count * 99 / 100]);
  write_result(path, text);
}
