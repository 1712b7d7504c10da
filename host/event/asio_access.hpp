// The door to Asio behind a Loop, for the one file of host/control that serves HTTP with Boost.Beast. Nobody else.
//
// A handler that Beast runs is a turn of the loop like any other: pass each completion handler through wrap_turn, so
// that the turn observer (hang detection) sees it and what it registers with the Loop is armed when it returns.
#pragma once

#include <type_traits>
#include <utility>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>

namespace boost::asio {
class io_context;
}

namespace tenon::event {

class Loop;
class AsioHost;

// [loop] The loop's context, which lives as long as the Loop. Ends the program if the Loop does not run on Asio (a
// fake).
boost::asio::io_context& asio_context(Loop& loop);

namespace detail {

AsioHost& asio_host(Loop& loop);

class HandlerTurn {
 public:
  explicit HandlerTurn(AsioHost& host) noexcept;
  ~HandlerTurn();
  HandlerTurn(const HandlerTurn&) = delete;
  HandlerTurn& operator=(const HandlerTurn&) = delete;

 private:
  AsioHost& host_;
};

}  // namespace detail

// A completion handler that runs as a turn. Keeps the associated executor and allocator of what it wraps.
template <class Handler>
class TurnHandler {
 public:
  TurnHandler(AsioHost& host, Handler handler) : host_(&host), handler_(std::move(handler)) {}

  template <class... Arguments>
  void operator()(Arguments&&... arguments) {
    const detail::HandlerTurn turn(*host_);
    handler_(std::forward<Arguments>(arguments)...);
  }

  const Handler& inner() const noexcept { return handler_; }

 private:
  AsioHost* host_;
  Handler handler_;
};

// [loop] Wraps a completion handler of an asynchronous operation on asio_context(loop).
template <class Handler>
TurnHandler<std::decay_t<Handler>> wrap_turn(Loop& loop, Handler&& handler) {
  return {detail::asio_host(loop), std::forward<Handler>(handler)};
}

}  // namespace tenon::event

template <class Handler, class Executor>
struct boost::asio::associated_executor<tenon::event::TurnHandler<Handler>, Executor> {
  using type = typename associated_executor<Handler, Executor>::type;
  static type get(const tenon::event::TurnHandler<Handler>& handler, const Executor& fallback = Executor()) noexcept {
    return associated_executor<Handler, Executor>::get(handler.inner(), fallback);
  }
};

template <class Handler, class Allocator>
struct boost::asio::associated_allocator<tenon::event::TurnHandler<Handler>, Allocator> {
  using type = typename associated_allocator<Handler, Allocator>::type;
  static type get(const tenon::event::TurnHandler<Handler>& handler, const Allocator& fallback = Allocator()) noexcept {
    return associated_allocator<Handler, Allocator>::get(handler.inner(), fallback);
  }
};
