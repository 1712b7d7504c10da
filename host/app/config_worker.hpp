// What a child says about events: channel, subscriptions, mailbox, delivery. Routes share the last two.
#pragma once

#include <vector>

#include "app/config_draft.hpp"
#include "integration/host_config.hpp"

namespace tenon::app {

void read_channel(ConfigReader& reader, const JsonValue& at, integration::ChannelConfig& out);
void read_subscriptions(ConfigReader& reader, const JsonValue& at, std::vector<integration::SubscriptionConfig>& out);
// An empty list means nothing at all.
void read_publish(ConfigReader& reader, const JsonValue& at, integration::WorkerConfig& out);
void read_mailbox(ConfigReader& reader, const JsonValue& at, message::MailboxConfig& out);
void read_delivery(ConfigReader& reader, const JsonValue& at, message::DeliveryConfig& out);
// A legal pattern of topics.
bool read_pattern(ConfigReader& reader, const JsonValue& at, std::string& out);

// Notes the channel's serializer as a plugin, and tells what has no effect on a child without a channel.
void check_worker(ConfigReader& reader, const JsonValue& child, const integration::WorkerConfig& worker,
                  ConfigDraft& draft);

void describe_worker(std::vector<SectionKeys>& out);

}  // namespace tenon::app
