// One HTTP request on a worker thread, with an answer in words.
//
// The model. A probe is shared by the instance and the worker, so either may go first. It has its own copy of all it
// needs and never touches the host. run() ends by its time limit; abort() makes it end sooner, whatever it waits for
// on its connection (while it still resolves, the time limit of the host's worker must do). The outcome may be read once
// run() has returned.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "request.hpp"

namespace tenon::health {

// What outlives single probes of one instance and is made by the first that needs it: the TLS context with the system's
// certificate authorities, which take milliseconds to read.
struct HttpShared {
  HttpRequest request;
  std::mutex lock;
  std::shared_ptr<void> tls;  // boost::asio::ssl::context, see probe.cpp
};

class HttpProbe {
 public:
  // `limit` counts from now and covers everything.
  HttpProbe(std::shared_ptr<HttpShared> shared, std::chrono::nanoseconds limit);
  HttpProbe(const HttpProbe&) = delete;
  HttpProbe& operator=(const HttpProbe&) = delete;

  void run() noexcept;    // [worker] once
  void abort() noexcept;  // [any]

  // Empty: as expected. Else why not, for people.
  const std::string& failure() const noexcept { return failure_; }

 private:
  using error_code = boost::system::error_code;

  struct Failed;

  void ask();
  Failed late() const;
  template <class Stream>
  void connect(Stream& stream);
  template <class Stream>
  void converse(Stream& stream);
  template <class Stream, class Parser, class Buffer>
  bool body_matches(Stream& stream, Parser& parser, Buffer& buffer);
  // Starts an operation with a handler and runs it to its end.
  template <class Operation>
  error_code finish(Operation&& operation);

  const std::shared_ptr<HttpShared> shared_;
  const std::chrono::nanoseconds limit_;
  const std::chrono::steady_clock::time_point deadline_;
  std::string failure_;

  boost::asio::io_context context_{1};  // this probe's alone; stopped by abort()
  std::mutex lock_;                     // guards what follows
  bool aborted_ = false;
};

}  // namespace tenon::health
