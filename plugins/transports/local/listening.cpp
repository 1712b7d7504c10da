#include "listening.hpp"

namespace tenon::local {

void Listening::begin(Done done) {
  cancel();
  std::unique_ptr<ListenSocket> own;
  try {
    check_no_other_file(path_);
    if (sdk::can_listen(host_)) {
      try {
        asked_ = sdk::listen(host_, "unix://" + path_, [this](int fd, const sdk::Error* why) { answered(fd, why); });
        done_ = std::move(done);
        return;
      } catch (const sdk::Error& error) {
        if (error.code() != TENON_ERR_UNSUPPORTED) throw;
      }
    }
    own = std::make_unique<ListenSocket>(path_, std::make_unique<ListenLock>(path_));
  } catch (const sdk::Error& error) {
    return done(nullptr, &error);
  }
  done(std::move(own), nullptr);
}

void Listening::answered(int fd, const sdk::Error* why) {
  const Done done = std::exchange(done_, nullptr);
  sdk::Listener held = std::move(asked_);
  if (why != nullptr) return done(nullptr, why);
  done(std::make_unique<ListenSocket>(path_, std::move(held), fd), nullptr);
}

}  // namespace tenon::local
