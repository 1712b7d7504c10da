/* Base types of the Tenon plugin ABI: spans, status codes, errors, buffers.
 *
 * The model. Only fixed-width integers, size_t, pointers and plain structs cross between host and plugin: no C++ type,
 * no exception, no bool, no errno, no C enum.
 *
 * - A span (tenon_str, tenon_bytes) is borrowed for the duration of the call it is passed to, unless a comment names a
 *   longer time. Who wants to keep it copies it.
 * - A struct that begins with `uint32_t struct_size` may grow at its end in a later minor version. Whoever owns the
 *   memory sets struct_size with TENON_INIT (never by hand); whoever reads it checks with TENON_HAS before touching a
 *   field that did not exist in 1.0. Both sides accept *at least* the size they need, never exactly.
 * - The two spans and tenon_attribute are values without struct_size; they never change.
 * - Nothing that one side allocated is freed by the other. Output goes into a tenon_buffer, which is host memory.
 * - On error, out-parameters are left untouched (but for the tenon_error itself).
 *
 * Thread tags end every function's comment:
 *   [loop]    called on the host's loop thread; must not block (no I/O, no waiting for locks that are held across I/O)
 *   [worker]  called on one of the host's worker threads; may block up to its deadline
 *   [any]     may be called from any thread at any time
 */
#ifndef TENON_TYPES_H
#define TENON_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define TENON_CAST(type, value) static_cast<type>(value)
#else
#define TENON_CAST(type, value) ((type)(value))
#endif

/* The version of this ABI. A plugin of major M runs in any host of major M: an older minor lacks slots that the host
 * fills with stubs, a newer minor has slots that the host does not use. */
#define TENON_ABI_MAJOR 1
#define TENON_ABI_MINOR 0

#if defined(__GNUC__)
#define TENON_EXPORT __attribute__((visibility("default")))
#else
#define TENON_EXPORT
#endif

/* UTF-8 text, not terminated by NUL. data == NULL: absent; data != NULL with size 0: empty. */
typedef struct tenon_str {
  const char *data;
  size_t size;
} tenon_str;

/* Octets. data == NULL only where size is 0. */
typedef struct tenon_bytes {
  const uint8_t *data;
  size_t size;
} tenon_bytes;

/* The first field of every growing struct. Usage: tenon_error e; TENON_INIT(&e);  zeroes and sets the size. */
#define TENON_INIT(pointer) tenon_init_((pointer), sizeof *(pointer))

/* Non-zero if the struct behind the pointer is new enough to have the field. */
#define TENON_HAS(pointer, type, field) ((pointer)->struct_size >= offsetof(type, field) + sizeof(((type *)0)->field))

static inline void tenon_init_(void *object, size_t size) {
  unsigned char *bytes = TENON_CAST(unsigned char *, object);
  size_t i;
  uint32_t head = TENON_CAST(uint32_t, size);
  for (i = 0; i < size; ++i) bytes[i] = 0;
  for (i = 0; i < sizeof head; ++i) bytes[i] = (TENON_CAST(const unsigned char *, TENON_CAST(const void *, &head)))[i];
}

/* How a call ended. Numbers are never reused; treat an unknown one as TENON_ERR_INTERNAL. */
typedef int32_t tenon_status;

#define TENON_OK 0
#define TENON_ERR_CANCELLED 1        /* withdrawn by the caller or by a shutdown */
#define TENON_ERR_INTERNAL 2         /* a bug; also what an escaped C++ exception becomes */
#define TENON_ERR_INVALID_ARGUMENT 3 /* can never work with these arguments */
#define TENON_ERR_TIMEOUT 4          /* the deadline passed */
#define TENON_ERR_NOT_FOUND 5
#define TENON_ERR_ALREADY_EXISTS 6
#define TENON_ERR_PERMISSION 7
#define TENON_ERR_EXHAUSTED 8   /* a limit was reached */
#define TENON_ERR_WRONG_STATE 9 /* right call, wrong time */
#define TENON_ERR_UNSUPPORTED 10
#define TENON_ERR_UNAVAILABLE 11    /* the remote cannot be reached now */
#define TENON_ERR_BAD_DATA 12       /* malformed bytes */
#define TENON_ERR_IO 13             /* the operating system refused */
#define TENON_ERR_UNTRANSLATABLE 14 /* well-formed, but this format cannot express it */

/* Whose fault it was: decides what the host retries, what it counts against the plugin, and what it tells the user. */
#define TENON_FAULT_HOST 0u
#define TENON_FAULT_CALLER 1u /* the data or arguments that the host passed on from a user */
#define TENON_FAULT_PLUGIN 2u
#define TENON_FAULT_REMOTE 3u /* the broker, the probed process, the network */

#define TENON_ERROR_TEXT_MAX 488u

/* Filled by the callee in memory that the caller owns. Meaningful only after a status other than TENON_OK. */
typedef struct tenon_error {
  uint32_t struct_size;
  tenon_status code;
  uint32_t fault;     /* TENON_FAULT_… */
  uint32_t retryable; /* 1: the same call may succeed later, 0: it will not */
  uint32_t text_size; /* octets used in text; at most TENON_ERROR_TEXT_MAX */
  uint32_t reserved;
  char text[TENON_ERROR_TEXT_MAX]; /* one line of UTF-8 for a person, saying what to do; not terminated */
} tenon_error;

/* Growing output memory of the host. The plugin appends to it and must not keep it. To append n octets: if capacity -
 * size < n, call grow(buffer, n); if that returns TENON_OK, data has moved and there is room; write at data + size; add
 * to size. grow fails with TENON_ERR_EXHAUSTED at the host's limit and leaves the buffer as it was. Both belong to the
 * call, or pair of calls, that the buffer is given to. [loop] */
typedef struct tenon_buffer {
  uint32_t struct_size;
  uint32_t reserved;
  uint8_t *data;
  size_t size;
  size_t capacity;
  tenon_status (*grow)(struct tenon_buffer *self, size_t additional);
} tenon_buffer;

/* Appends octets; TENON_ERR_EXHAUSTED at the host's limit, with the buffer as it was. */
static inline tenon_status tenon_append(tenon_buffer *buffer, const void *octets, size_t size) {
  const unsigned char *from = TENON_CAST(const unsigned char *, octets);
  size_t i;
  if (buffer->capacity - buffer->size < size) {
    tenon_status status = buffer->grow(buffer, size);
    if (status != TENON_OK) return status;
  }
#if defined(__GNUC__)
  (void)i;
  if (size != 0) __builtin_memcpy(buffer->data + buffer->size, from, size);
#else
  for (i = 0; i < size; ++i) buffer->data[buffer->size + i] = from[i];
#endif
  buffer->size += size;
  return TENON_OK;
}

/* Fills an error and returns its code, so that a failing function can end with `return tenon_fail(error, …)`. The text
 * is cut at TENON_ERROR_TEXT_MAX, before a character of UTF-8 that does not fit whole. `error` may be NULL. */
static inline tenon_status tenon_fail(tenon_error *error, tenon_status code, uint32_t fault, uint32_t retryable,
                                      tenon_str text) {
  if (error != NULL) {
    size_t i;
    size_t size = text.size < TENON_ERROR_TEXT_MAX ? text.size : TENON_ERROR_TEXT_MAX;
    if (size < text.size) {
      while (size > 0 && (TENON_CAST(unsigned char, text.data[size]) & 0xC0u) == 0x80u) --size;
    }
    error->code = code;
    error->fault = fault;
    error->retryable = retryable;
    error->text_size = TENON_CAST(uint32_t, size);
    for (i = 0; i < size; ++i) error->text[i] = text.data[i];
  }
  return code;
}

#ifdef __cplusplus
}
#endif

#endif /* TENON_TYPES_H */
