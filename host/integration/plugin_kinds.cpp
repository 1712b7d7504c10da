#include "integration/plugin_kinds.hpp"

#include <tenon/health_check.h>
#include <tenon/restart_policy.h>
#include <tenon/serializer.h>
#include <tenon/transport.h>

namespace tenon::integration {

namespace {

// Stand-ins for optional slots: what a plugin of an older minor version does not have is unsupported, not a crash.
tenon_status no_splice(void*, tenon_bytes, const tenon_attribute*, size_t, tenon_buffer*, tenon_splice*, tenon_error* error) {
  return tenon_fail(error, TENON_ERR_UNSUPPORTED, TENON_FAULT_PLUGIN, 0, TENON_LITERAL("the serializer has no splice"));
}
tenon_status no_request(void*, const tenon_message*, uint64_t, uint64_t, tenon_error* error) {
  return tenon_fail(error, TENON_ERR_UNSUPPORTED, TENON_FAULT_PLUGIN, 0, TENON_LITERAL("the transport has no requests"));
}
tenon_status no_reply(void*, tenon_str, const tenon_message*, uint64_t, uint64_t, tenon_error* error) {
  return tenon_fail(error, TENON_ERR_UNSUPPORTED, TENON_FAULT_PLUGIN, 0, TENON_LITERAL("the transport has no replies"));
}
const void* no_interface(void*, tenon_str) { return nullptr; }
void nothing(void*) {}
void no_on_ready(void*, uint64_t, uint64_t*) {}
void no_reset(void*, uint64_t*) {}

template <class Function>
loader::AnyFunction stub(Function* function) {
  return reinterpret_cast<loader::AnyFunction>(function);
}

#define REQUIRED(table, slot) \
  loader::SlotDescription { #slot, offsetof(table, slot), true, nullptr }
#define OPTIONAL(table, slot, stand_in) \
  loader::SlotDescription { #slot, offsetof(table, slot), false, stub(stand_in) }

}  // namespace

std::vector<loader::KindDescription> plugin_kinds() {
  // min_table_size is the size that the table had in ABI 1.0; it does not change when slots are added.
  return {
      {TENON_KIND_SERIALIZER, offsetof(tenon_serializer, get_interface) + sizeof(void*),
       {REQUIRED(tenon_serializer, create), REQUIRED(tenon_serializer, destroy), REQUIRED(tenon_serializer, describe),
        REQUIRED(tenon_serializer, read_event), REQUIRED(tenon_serializer, write_event),
        REQUIRED(tenon_serializer, read_value), REQUIRED(tenon_serializer, write_value),
        REQUIRED(tenon_serializer, finish_value), OPTIONAL(tenon_serializer, splice, no_splice),
        OPTIONAL(tenon_serializer, get_interface, no_interface)}},
      {TENON_KIND_TRANSPORT, offsetof(tenon_transport, get_interface) + sizeof(void*),
       {REQUIRED(tenon_transport, create), REQUIRED(tenon_transport, destroy), REQUIRED(tenon_transport, describe),
        REQUIRED(tenon_transport, connect), REQUIRED(tenon_transport, disconnect), REQUIRED(tenon_transport, send),
        OPTIONAL(tenon_transport, request, no_request), OPTIONAL(tenon_transport, reply, no_reply),
        REQUIRED(tenon_transport, subscribe), REQUIRED(tenon_transport, unsubscribe),
        REQUIRED(tenon_transport, health_check), OPTIONAL(tenon_transport, resume, nothing),
        OPTIONAL(tenon_transport, get_interface, no_interface)}},
      {TENON_KIND_HEALTH_CHECK, offsetof(tenon_health_check, get_interface) + sizeof(void*),
       {REQUIRED(tenon_health_check, create), REQUIRED(tenon_health_check, destroy), REQUIRED(tenon_health_check, start),
        REQUIRED(tenon_health_check, check), OPTIONAL(tenon_health_check, cancel, nothing),
        REQUIRED(tenon_health_check, stop), OPTIONAL(tenon_health_check, get_interface, no_interface)}},
      {TENON_KIND_RESTART_POLICY, offsetof(tenon_restart_policy, get_interface) + sizeof(void*),
       {REQUIRED(tenon_restart_policy, create), REQUIRED(tenon_restart_policy, destroy),
        REQUIRED(tenon_restart_policy, on_exit), OPTIONAL(tenon_restart_policy, on_ready, no_on_ready),
        OPTIONAL(tenon_restart_policy, reset, no_reset), OPTIONAL(tenon_restart_policy, get_interface, no_interface)}},
  };
}

}  // namespace tenon::integration
