// What the functions of tenon_host share. Every one is a C trampoline: noexcept, arguments checked, anything thrown
// turned into a status.
//
// Thread tags. A [loop] function that is called from another thread is the plugin's bug: a debug build ends there and
// names instance and call, so that its author finds it; any other build refuses the call and counts it as misbehaviour.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>
#include <shared_mutex>

#include "integration/plugin_instance.hpp"

namespace tenon::integration {

struct PluginInstance::HostCalls {
  static PluginFront& front(void* context) noexcept { return *static_cast<PluginFront*>(context); }
  // Within on_loop only.
  static PluginInstance& self(void* context) noexcept { return *front(context).instance; }

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
  // For functions tagged [loop]. TENON_ERR_WRONG_STATE from another thread, TENON_ERR_CANCELLED after destroy.
  template <class Body>
  static tenon_status on_loop(void* context, const char* call, Body&& body) noexcept {
    PluginFront& from = front(context);
    if (!from.services.loop.on_loop_thread()) return off_loop(from, call);
    if (from.instance == nullptr) return from.late(call);
    return guarded(body);
  }
  // For functions tagged [any]; `body(instance)`. TENON_ERR_CANCELLED after destroy.
  template <class Body>
  static tenon_status on_any(void* context, const char* call, Body&& body) noexcept {
    PluginFront& from = front(context);
    return guarded([&]() -> tenon_status {
      // Only the loop thread closes the front, so it needs no lock; what it calls may even end the instance.
      std::shared_lock hold(from.lock, std::defer_lock);
      if (!from.services.loop.on_loop_thread()) hold.lock();
      return from.instance == nullptr ? from.late(call) : body(*from.instance);
    });
  }
  static tenon_status off_loop(PluginFront& from, const char* call) noexcept {
#ifndef NDEBUG
    std::fprintf(stderr, "tenon: plugin component %s, instance %s: %s is [loop] and was called from another thread\n",
                 from.component.c_str(), from.name.c_str(), call);
    std::abort();
#else
    return guarded([&]() -> tenon_status {
      from.misbehaved(PluginRule::wrong_thread, std::string("called ") + call + ", which is [loop], on another thread");
      return TENON_ERR_WRONG_STATE;
    });
#endif
  }
  static tenon_status to_status(const Status& status) {
    return status.ok() ? TENON_OK : static_cast<tenon_status>(status.error().code);
  }
};

}  // namespace tenon::integration
