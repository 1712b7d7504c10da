/* A restart policy whose own thread kills its host a moment after it was loaded, far from any call. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "shelf.h"

SHELF_NOTE("abort_in_thread", "abort_in_thread")

static const tenon_restart_policy table = {.struct_size = sizeof table,
                                           .create = shelf_create,
                                           .destroy = shelf_destroy,
                                           .on_exit = shelf_on_exit};
SHELF_PLUGIN("abort_in_thread", "abort_in_thread", &table);

static void *die(void *unused) {
  usleep(50000);
  abort();
  return unused;
}

TENON_EXPORT const tenon_plugin *tenon_plugin_v1(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, die, NULL) == 0) pthread_detach(thread);
  return &shelf_plugin;
}
