// Numbers that nats.c carries instead of pointers, so that a callback which comes too late finds nothing.
//
// nats.c calls back from threads of its own, some of them after natsConnection_Destroy has returned. What it gets as
// its closure is a number; the number leads to a connection for as long as that lives and wants calls, and to null ever
// after.
#pragma once

#include <cstdint>
#include <memory>

namespace tenon::nats {

class Connection;

struct CallbackTarget {
  std::shared_ptr<Connection> connection;  // null: nobody is there any more
  std::uint64_t subscription = 0;          // the host's number; 0: the connection itself
};

// All [any].
void* add_callback_target(const std::weak_ptr<Connection>& connection, std::uint64_t subscription);
CallbackTarget find_callback_target(void* closure);
void remove_callback_target(void* closure);

}  // namespace tenon::nats
