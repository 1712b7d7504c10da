/* The child of the supervision bench: says when it began to run, then waits for its end.
 *
 *   bench_child FIFO INDEX
 *
 * The stamp {index, pid, CLOCK_MONOTONIC in ns} is taken first thing in main and written into the FIFO at once. So a
 * measurement ends at the child's own first instruction and does not depend on when the driver looks. Static, so that
 * starting it costs as little as a process can. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct timespec now;
  struct {
    uint32_t index, pid;
    uint64_t ns;
  } stamp;
  int fifo;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (argc != 3) return 2;
  stamp.index = (uint32_t)atoi(argv[2]);
  stamp.pid = (uint32_t)getpid();
  stamp.ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
  fifo = open(argv[1], O_WRONLY | O_CLOEXEC);
  if (fifo < 0 || write(fifo, &stamp, sizeof stamp) != sizeof stamp) return 1;
  close(fifo);
  for (;;) pause();
}
