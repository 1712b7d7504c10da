/* Both ends of a message's hop through nats-server, written as a user of nats.c would who wants it fast: publishes are
 * buffered for throughput and sent at once for round trips, messages come by callback, nothing is dropped.
 *
 *   nats_hop_tool produce URL COUNT               publishes COUNT bench events
 *   nats_hop_tool consume URL COUNT RESULT_FILE   takes COUNT events; says "ready" when it is subscribed
 *   nats_hop_tool ping URL COUNT RESULT_FILE      publishes one, waits for its echo; writes percentiles in microseconds
 *   nats_hop_tool echo URL                        answers each; says "ready" when it is subscribed
 *
 * The payload is the same event that hop_tool frames. */
#define _GNU_SOURCE
#include "bench_event.h"

#include <nats/nats.h>
#include <pthread.h>

static void must(natsStatus status, const char *what) {
  if (status == NATS_OK) return;
  fprintf(stderr, "nats_hop_tool: %s: %s\n", what, natsStatus_GetText(status));
  exit(1);
}

/* A measurement that lost events is none. */
static void on_error(natsConnection *connection, natsSubscription *subscription, natsStatus status, void *closure) {
  (void)connection, (void)subscription, (void)closure;
  must(status, "an error of the connection; events may be lost, so there is no figure");
}

static natsConnection *connect_to(const char *url, int send_at_once) {
  natsOptions *options = NULL;
  natsConnection *connection = NULL;
  must(natsOptions_Create(&options), "options");
  must(natsOptions_SetURL(options, url), "the URL");
  must(natsOptions_SetSendAsap(options, send_at_once), "send as soon as possible");
  must(natsOptions_SetErrorHandler(options, on_error, NULL), "the error handler");
  must(natsConnection_Connect(&connection, options), url);
  natsOptions_Destroy(options);
  return connection;
}

/* The server has the subscription when the flush returns. */
static void say_ready(natsConnection *connection, natsSubscription *subscription) {
  must(natsSubscription_SetPendingLimits(subscription, -1, -1), "no limit on what is pending");
  must(natsConnection_FlushTimeout(connection, 10000), "flushing the subscription");
  puts("ready");
  fflush(stdout);
}

struct consumer {
  uint64_t events, wanted, began;
  const char *path;
  pthread_mutex_t mutex;
  pthread_cond_t done;
};

static void on_event(natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *closure) {
  struct consumer *c = closure;
  (void)connection, (void)subscription;
  natsMsg_Destroy(message);
  if (c->began == 0) c->began = now_ns();
  if (++c->events != c->wanted) return;
  write_rate(c->path, c->events, c->began);
  pthread_mutex_lock(&c->mutex);
  c->path = NULL;
  pthread_cond_signal(&c->done);
  pthread_mutex_unlock(&c->mutex);
}

static void consume(const char *url, uint64_t count, const char *path) {
  struct consumer c = {0, count, 0, path, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER};
  natsConnection *connection = connect_to(url, 0);
  natsSubscription *subscription = NULL;
  must(natsConnection_Subscribe(&subscription, connection, "bench.event", on_event, &c), "subscribing");
  say_ready(connection, subscription);
  pthread_mutex_lock(&c.mutex);
  while (c.path != NULL) pthread_cond_wait(&c.done, &c.mutex);
  pthread_mutex_unlock(&c.mutex);
}

static void produce(const char *url, uint64_t count) {
  char frame[kFrameRoom];
  const size_t size = make_frame(frame, "bench.event", 0);
  natsConnection *connection = connect_to(url, 0);
  uint64_t id;
  for (id = 1; id <= count; ++id) {
    set_id(frame, id);
    must(natsConnection_Publish(connection, "bench.event", frame + 4, (int)(size - 4)), "publishing");
  }
  must(natsConnection_FlushTimeout(connection, 60000), "flushing what was published");
}

static void ping(const char *url, long count, const char *path) {
  char frame[kFrameRoom];
  const size_t size = make_frame(frame, "bench.ping", 0);
  double *micros = malloc((size_t)count * sizeof *micros);
  natsConnection *connection = connect_to(url, 1);
  natsSubscription *subscription = NULL;
  long i, warm = count / 10;
  must(natsConnection_SubscribeSync(&subscription, connection, "bench.pong"), "subscribing");
  must(natsConnection_FlushTimeout(connection, 10000), "flushing the subscription");
  for (i = -warm; i < count; ++i) {
    natsMsg *answer = NULL;
    const uint64_t began = now_ns();
    set_id(frame, (uint64_t)(i + warm + 1));
    must(natsConnection_Publish(connection, "bench.ping", frame + 4, (int)(size - 4)), "publishing");
    must(natsSubscription_NextMsg(&answer, subscription, 10000), "waiting for the echo");
    if (i >= 0) micros[i] = (double)(now_ns() - began) / 1e3;
    natsMsg_Destroy(answer);
  }
  write_round_trips(path, micros, count);
  free(micros);
}

static void on_ping(natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *closure) {
  const char *data = natsMsg_GetData(message);
  must(natsConnection_Publish(connection, "bench.pong", data, natsMsg_GetDataLength(message)), "answering");
  (void)subscription, (void)closure;
  natsMsg_Destroy(message);
}

static void echo(const char *url) {
  natsConnection *connection = connect_to(url, 1);
  natsSubscription *subscription = NULL;
  must(natsConnection_Subscribe(&subscription, connection, "bench.ping", on_ping, NULL), "subscribing");
  say_ready(connection, subscription);
  for (;;) pause(); /* the driver ends it */
}

int main(int argc, char **argv) {
  if (argc == 4 && !strcmp(argv[1], "produce")) produce(argv[2], strtoull(argv[3], NULL, 10));
  else if (argc == 5 && !strcmp(argv[1], "consume")) consume(argv[2], strtoull(argv[3], NULL, 10), argv[4]);
  else if (argc == 5 && !strcmp(argv[1], "ping")) ping(argv[2], atol(argv[3]), argv[4]);
  else if (argc == 3 && !strcmp(argv[1], "echo")) echo(argv[2]);
  else return fprintf(stderr, "usage: nats_hop_tool produce|consume|ping|echo URL [COUNT [RESULT_FILE]]\n"), 2;
  return 0;
}
