/* A serializer turns events and values from bytes to spans and back.
 *
 * The model. An instance serves one use (a channel, a transport) and runs on the loop only. Reading never decodes
 * `data`: it checks that it is well-formed and returns the span. What a read returns points into the input, or into
 * memory of the instance that stays valid until the instance's next call.
 *
 * Passing an event on in the same format usually means adding attributes in front: `splice` describes that without
 * copying the body. Changing the format goes through the value stream: read_value of one format drives the sink that
 * write_value of the other made, so that n formats need 2·n pieces of code.
 *
 * Serializers are synchronous, do no I/O and keep no state between calls that another call can observe.
 */
#ifndef TENON_SERIALIZER_H
#define TENON_SERIALIZER_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The host guarantees that this many octets behind every input are readable (their content is arbitrary). */
#define TENON_READ_PADDING 64u

#define TENON_SERIALIZER_TEXT 1u      /* the encoding is UTF-8 text */
#define TENON_SERIALIZER_LINE_SAFE 2u /* outside of strings CR and LF are white space, inside they cannot stand: an
                                         event fits on a line once they are replaced by spaces */

typedef struct tenon_serializer_info {
  uint32_t struct_size;
  uint32_t flags;           /* TENON_SERIALIZER_… */
  tenon_str content_type;   /* the main one: "application/json" */
  tenon_str event_type;     /* of a whole event: "application/cloudevents+json" */
} tenon_serializer_info;

/* How to put attributes in front of an encoded event: replace its first `skip` octets by what was appended to the
 * buffer. */
typedef struct tenon_splice {
  uint32_t struct_size;
  uint32_t reserved;
  size_t skip;
} tenon_splice;

/* Arrays and maps nest at most this deep, in every format, so that what one accepts the others can write: readers
 * refuse more with TENON_ERR_BAD_DATA, writers with TENON_ERR_UNTRANSLATABLE. */
#define TENON_VALUE_DEPTH_MAX 512u

/* The value stream. It belongs to one write_value … finish_value and is used on the loop only; spans that it is given
 * are borrowed for the call. All functions are there. Calls come in document order; every begin has its end. In a map,
 * each value follows its key; text keys only. A function that is called out of order returns TENON_ERR_WRONG_STATE. A
 * function that returns anything but TENON_OK ends the stream, and that status is what the reader returns. `count` is
 * the number of elements or pairs, or UINT64_MAX if the reader does not know it beforehand. */
typedef struct tenon_value_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void *context;
  tenon_status (*null_value)(void *context);
  tenon_status (*boolean)(void *context, uint32_t value);
  tenon_status (*signed_integer)(void *context, int64_t value);    /* negative values */
  tenon_status (*unsigned_integer)(void *context, uint64_t value); /* 0 and above */
  tenon_status (*number)(void *context, double value);
  tenon_status (*string)(void *context, tenon_str value); /* UTF-8 */
  tenon_status (*binary)(void *context, tenon_bytes value);
  tenon_status (*timestamp)(void *context, int64_t seconds, uint32_t nanoseconds);
  tenon_status (*extension)(void *context, int32_t type, tenon_bytes value); /* MessagePack's application types */
  tenon_status (*begin_array)(void *context, uint64_t count);
  tenon_status (*end_array)(void *context);
  tenon_status (*begin_map)(void *context, uint64_t count);
  tenon_status (*key)(void *context, tenon_str name);
  tenon_status (*end_map)(void *context);
} tenon_value_sink;

typedef struct tenon_serializer {
  uint32_t struct_size;
  uint32_t reserved;

  /* Required. Makes an instance; `host` is valid until destroy returns. *out_self is handed back with every call and
   * may stay NULL. On failure nothing is left behind and destroy is not called. [loop] */
  tenon_status (*create)(const tenon_host *host, void **out_self, tenon_error *error);
  /* Required. Frees the instance. [loop] */
  void (*destroy)(void *self);
  /* Required. Spans are static. [any] */
  void (*describe)(void *self, tenon_serializer_info *out);

  /* Required. Reads one whole event; the input is exactly one encoded event. Spans in `out` point into the input or
   * into the instance, until its next call. Attribute names and types are checked as CloudEvents says, `data` for
   * well-formedness. TENON_ERR_BAD_DATA: what is wrong and at which octet. [loop] */
  tenon_status (*read_event)(void *self, tenon_bytes input, tenon_event *out, tenon_error *error);
  /* Required. Appends the event. data_kind VALUE must be in this serializer's own format. TENON_ERR_UNTRANSLATABLE
   * names the attribute or value that this format cannot express; the buffer's size is then as before. [loop] */
  tenon_status (*write_event)(void *self, const tenon_event *event, tenon_buffer *out, tenon_error *error);

  /* Required. Reads one value in this format into the sink. TENON_ERR_BAD_DATA as in read_event. [loop] */
  tenon_status (*read_value)(void *self, tenon_bytes input, const tenon_value_sink *sink, tenon_error *error);
  /* Required. Begins writing one value: fills `out_sink` with functions that append to `out`, which must stay valid
   * until finish_value. One at a time an instance: TENON_ERR_WRONG_STATE while one is open. After every write_value
   * that returned TENON_OK the host calls finish_value, also when the stream was ended by a failure. [loop] */
  tenon_status (*write_value)(void *self, tenon_buffer *out, tenon_value_sink *out_sink, tenon_error *error);
  /* Required. Ends what write_value began: TENON_OK if exactly one complete value was written, else why not; after a
   * failure the buffer's size is as it was before write_value. Without a value begun: TENON_ERR_WRONG_STATE. [loop] */
  tenon_status (*finish_value)(void *self, tenon_error *error);

  /* Optional (the host then rewrites the event with write_event). `event` was read from `encoded`. Appends to `out`
   * what must stand in place of the first out_splice->skip octets of `encoded` so that the event has the `count`
   * attributes `added` in front, none of which it has already. [loop] */
  tenon_status (*splice)(void *self, tenon_bytes encoded, const tenon_attribute *added, size_t count, tenon_buffer *out,
                         tenon_splice *out_splice, tenon_error *error);

  /* Optional. A named, revisioned interface of the instance, static or valid until destroy; NULL if it has none of that
   * name. [any] */
  const void *(*get_interface)(void *self, tenon_str id);
} tenon_serializer;

#ifdef __cplusplus
}
#endif

#endif /* TENON_SERIALIZER_H */
