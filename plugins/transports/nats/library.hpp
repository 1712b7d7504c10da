// nats.c with owners and errors of ours.
//
// nats.c keeps error texts per thread, so every thread that called it must end with release_thread_memory() (its own
// threads do that themselves). Its statuses become statuses of the ABI here and nowhere else.
#pragma once

#include <nats/nats.h>

#include <memory>
#include <string>
#include <string_view>
#include <tenon/sdk/error.hpp>

namespace tenon::nats {

struct Destroy {
  void operator()(natsOptions* options) const noexcept { natsOptions_Destroy(options); }
  void operator()(natsMsg* message) const noexcept { natsMsg_Destroy(message); }
  void operator()(natsConnection* connection) const noexcept { natsConnection_Destroy(connection); }
  void operator()(natsSubscription* subscription) const noexcept { natsSubscription_Destroy(subscription); }
  void operator()(natsStatistics* statistics) const noexcept { natsStatistics_Destroy(statistics); }
};
using OptionsPtr = std::unique_ptr<natsOptions, Destroy>;
using MessagePtr = std::unique_ptr<natsMsg, Destroy>;
using ConnectionPtr = std::unique_ptr<natsConnection, Destroy>;
using SubscriptionPtr = std::unique_ptr<natsSubscription, Destroy>;
using StatisticsPtr = std::unique_ptr<natsStatistics, Destroy>;

// How something that a thread of ours did has ended; travels to the loop.
struct Failure {
  tenon_status code = TENON_OK;
  bool retryable = false;
  std::string text;
  bool ok() const noexcept { return code == TENON_OK; }
};

// What a status of nats.c means: `doing` is what failed ("cannot publish"), `detail` what the library says (may be
// empty).
Failure failure_of(natsStatus status, std::string_view doing, std::string_view detail = {});

// The text of this thread's last error in nats.c, on one line. Call right after the failing call.
std::string last_error_text();

// Control characters become spaces: texts of a server go into logs and errors.
std::string one_line(std::string_view text);

// Frees what nats.c keeps for the calling thread.
inline void release_thread_memory() noexcept { nats_ReleaseThreadMemory(); }

}  // namespace tenon::nats
