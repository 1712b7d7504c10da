/* The event that crosses the ABI: a CloudEvents 1.0 event as spans over somebody's bytes.
 *
 * The model. Attributes are text spans; `data` stays the sender's bytes and is never decoded on its way through. An
 * event comes from exactly one encoding (`format` names it), so `data` of kind TENON_DATA_VALUE is a value in that
 * encoding: a JSON text, a MessagePack value. Who needs another encoding transcodes it with the serializers' value
 * streams.
 *
 * Source: CloudEvents 1.0.2 specification, "Context Attributes"; JSON Event Format 1.0.2, "Handling of Data".
 */
#ifndef TENON_EVENT_H
#define TENON_EVENT_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The type of an attribute's value, so that `42` and `"42"` stay what they were. The value itself is always carried in
 * CloudEvents' canonical string form. */
#define TENON_ATTRIBUTE_STRING 0u  /* String, URI, URI-reference and Timestamp */
#define TENON_ATTRIBUTE_INTEGER 1u /* "-?[0-9]+", -2147483648 … 2147483647 */
#define TENON_ATTRIBUTE_BOOLEAN 2u /* "true" or "false" */
#define TENON_ATTRIBUTE_BINARY 3u  /* base64, RFC 4648 section 4 */

/* An extension attribute. A value type: never grows. Names are [a-z0-9]{1,}: a serializer refuses an
 * event with another one (TENON_ERR_BAD_DATA), and the host refuses what a serializer reads with another one. */
typedef struct tenon_attribute {
  tenon_str name;
  tenon_str value;
  uint32_t type; /* TENON_ATTRIBUTE_… */
  uint32_t reserved;
} tenon_attribute;

#define TENON_DATA_NONE 0u   /* no data member at all */
#define TENON_DATA_VALUE 1u  /* one value in the encoding named by `format` (JSON text, MessagePack value) */
#define TENON_DATA_BYTES 2u  /* the payload itself, in `datacontenttype` */
#define TENON_DATA_BASE64 3u /* the payload as base64 text (JSON's data_base64), alphabet and length already checked */

/* The most extension attributes that an event may carry. */
#define TENON_EXTENSIONS_MAX 64u

/* An absent attribute has data == NULL. */
typedef struct tenon_event {
  uint32_t struct_size;
  uint32_t data_kind; /* TENON_DATA_… */

  /* Required by CloudEvents. A reader leaves one absent if the input does not have it; the host fills it in. */
  tenon_str specversion;
  tenon_str id;
  tenon_str source;
  tenon_str type;

  /* Optional in CloudEvents. */
  tenon_str time; /* RFC 3339 */
  tenon_str subject;
  tenon_str datacontenttype;
  tenon_str dataschema;

  /* Tenon's extension attributes. */
  tenon_str topic;         /* what the router matches; absent: type */
  tenon_str target;        /* a process id: direct delivery */
  tenon_str replyto;       /* the topic on which an answer is awaited */
  tenon_str correlationid; /* the id of the event that this one answers */
  tenon_str expirytime;    /* RFC 3339 */
  tenon_str traceparent;   /* W3C Trace Context */
  tenon_str tracestate;

  uint32_t priority; /* 1 highest … 10 lowest; 0: absent, which counts as 5 */
  uint32_t extension_count;
  const tenon_attribute *extensions; /* in the order of the input; extension_count of them */

  tenon_bytes data;
  tenon_str format; /* content type of the encoding that `data` of kind VALUE is in: "application/json", … */
} tenon_event;

#ifdef __cplusplus
}
#endif

#endif /* TENON_EVENT_H */
