/* The least that keeps processes running, which is what a supervisor is measured against: vfork and exec, SIGCHLD by
 * signalfd, start again at once. No policy, no logs, no state but whose pid is whose.
 *
 *   bench_floor COUNT PROGRAM FIFO      runs COUNT times PROGRAM FIFO INDEX; SIGTERM kills them all and ends it */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct slot {
  pid_t pid;
  char index[12];
};

static void start(struct slot *slot, char *program, char *fifo) {
  char *const words[] = {program, fifo, slot->index, NULL};
  const pid_t pid = vfork();
  if (pid == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(program, words, environ);
    _exit(127);
  }
  if (pid < 0) {
    perror("bench_floor: vfork; raise the limit on processes (ulimit -u)");
    exit(1);
  }
  slot->pid = pid;
}

static void restart_the_dead(struct slot *slots, int count, char *program, char *fifo) {
  pid_t pid;
  int status;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    int i = 0;
    while (i < count && slots[i].pid != pid) ++i; /* a thousand comparisons cost less than anything else here */
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
      fprintf(stderr, "bench_floor: %s ended with %d; is it bench_child and is the FIFO there?\n", program,
              WEXITSTATUS(status));
      exit(1);
    }
    if (i < count) start(&slots[i], program, fifo);
  }
}

int main(int argc, char **argv) {
  const int count = argc == 4 ? atoi(argv[1]) : 0;
  struct slot *slots = calloc((size_t)count + 1, sizeof *slots);
  struct signalfd_siginfo signals[16];
  sigset_t watched;
  int i, fd, stopping = 0;
  if (count <= 0) {
    fprintf(stderr, "usage: bench_floor COUNT PROGRAM FIFO\n");
    return 2;
  }
  sigemptyset(&watched);
  sigaddset(&watched, SIGCHLD);
  sigaddset(&watched, SIGTERM);
  sigprocmask(SIG_BLOCK, &watched, NULL);
  fd = signalfd(-1, &watched, SFD_CLOEXEC);
  for (i = 0; i < count; ++i) {
    snprintf(slots[i].index, sizeof slots[i].index, "%d", i);
    start(&slots[i], argv[2], argv[3]);
  }
  while (!stopping) {
    const ssize_t got = read(fd, signals, sizeof signals);
    for (i = 0; got > 0 && i < (int)((size_t)got / sizeof *signals); ++i) stopping |= signals[i].ssi_signo == SIGTERM;
    if (!stopping) restart_the_dead(slots, count, argv[2], argv[3]);
  }
  for (i = 0; i < count; ++i) kill(slots[i].pid, SIGKILL);
  while (wait(NULL) > 0 || errno == EINTR) {
  }
  return 0;
}
