// Private to host/event: what asio_access reaches behind a Loop that runs on Asio, without naming the class.
#pragma once

namespace boost::asio {
class io_context;
}

namespace tenon::event {

class AsioHost {
 public:
  virtual ~AsioHost() = default;
  virtual boost::asio::io_context& context() noexcept = 0;
  // Brackets of a turn; nested pairs count as one. What callbacks registered is armed when the outermost one is left.
  virtual void enter_turn() noexcept = 0;
  virtual void leave_turn() noexcept = 0;
};

class TurnScope {
 public:
  explicit TurnScope(AsioHost& host) noexcept : host_(host) { host_.enter_turn(); }
  ~TurnScope() { host_.leave_turn(); }
  TurnScope(const TurnScope&) = delete;
  TurnScope& operator=(const TurnScope&) = delete;

 private:
  AsioHost& host_;
};

}  // namespace tenon::event
