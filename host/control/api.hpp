// The control API without its server: one whole request in, one answer out, now or later.
//
// The model. handle() finds the call by the route table and answers through `respond` exactly once: within the call
// for documents, when the host is done for verbs and requests. A streaming answer carries a StreamBuffer that the
// host has already begun to fill, and the subscription that fills it; whoever sends it keeps both until the client
// has gone.
//
// A HEAD request is answered as its GET would be; the server leaves out the body. A stream is not begun for it.
//
// [loop]. The host outlives this.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "control/host_interface.hpp"
#include "control/http_message.hpp"
#include "control/route_table.hpp"

namespace tenon::control {

struct ApiOptions {
  std::size_t stream_bytes = 1 << 20;      // what one stream holds for a client that does not read
  std::size_t log_bytes = 4 << 20;         // the same for logs, whose first lines come all at once
  std::size_t all_stream_bytes = 64 << 20;
};

class Api {
 public:
  using Respond = std::function<void(HttpResponse)>;

  explicit Api(HostInterface& host, ApiOptions options = {});

  void handle(const HttpRequest& request, Respond respond, bool over_tcp = false);

  std::size_t stream_bytes_held() const noexcept { return budget_->used; }

 private:
  struct Call;  // one request on its way through the functions below
  void dispatch(Call& call);
  void act(Call& call);
  void change(Call& call, const std::function<void(bool, JsonDone)>& begin);
  void diff(Call& call);
  void scale(Call& call);
  void publish(Call& call);
  void request(Call& call);
  void tail(Call& call);
  void logs(Call& call);
  void dead_letters(Call& call);

  HostInterface& host_;
  ApiOptions options_;
  std::shared_ptr<StreamBudget> budget_;
};

}  // namespace tenon::control
