// What the functions of tenon_host share. Every one is a C trampoline: noexcept, arguments checked, anything thrown
// turned into a status.
//
// Thread tags. A [loop] function that is called from another thread is the plugin's bug: a debug build ends there and
// names instance and call, so that its author finds it; any other build refuses the call and counts it as misbehaviour.
#pragma once

#include <new>

#include "integration/plugin_instance.hpp"

namespace tenon::integration {

struct PluginInstance::HostCalls {
  static PluginInstance& self(void* context) noexcept { return *static_cast<PluginInstance*>(context); }

  template <class Body>
  static tenon_status guarded(Body&& body) noexcept {
    try {
      return body();
    } catch (const std::bad_alloc&) {
      return TENON_ERR_EXHAUSTED;
    } catch (...) {
      return TENON_ERR_INTERNAL;
    }
  }
  // For functions tagged [loop]. TENON_ERR_WRONG_STATE from another thread.
  template <class Body>
  static tenon_status on_loop(void* context, const char* call, Body&& body) noexcept {
    if (!self(context).may_call_loop_function(call)) return TENON_ERR_WRONG_STATE;
    return guarded(body);
  }
  static tenon_status to_status(const Status& status) {
    return status.ok() ? TENON_OK : static_cast<tenon_status>(status.error().code);
  }
};

}  // namespace tenon::integration
