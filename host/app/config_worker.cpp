#include "app/config_worker.hpp"

#include "message/topic.hpp"

namespace tenon::app {

using namespace std::chrono_literals;
using integration::ChannelConfig;
using integration::Framing;
using integration::SubscriptionConfig;
using message::DeliveryConfig;
using message::DeliveryMode;
using message::MailboxConfig;
using message::Overflow;
using runtime::ChannelKind;

namespace {

constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::size_t kMaxPatterns = 1000;

constexpr Choice<ChannelKind> kKinds[] = {
    {"stdio", ChannelKind::stdio}, {"socket", ChannelKind::socket}, {"none", ChannelKind::none}};
constexpr Choice<Framing> kFramings[] = {{"line", Framing::line}, {"packet4", Framing::packet4}};
constexpr Choice<bool> kData[] = {{"transcode", false}, {"bytes", true}};
constexpr Choice<Overflow> kOverflows[] = {{"dead_letter", Overflow::dead_letter},
                                           {"drop_oldest", Overflow::drop_oldest},
                                           {"reject", Overflow::reject},
                                           {"block", Overflow::block}};
constexpr Choice<DeliveryMode> kDeliveries[] = {{"at_most_once", DeliveryMode::at_most_once},
                                                {"at_least_once", DeliveryMode::at_least_once}};

constexpr Key<ChannelConfig> kChannelKeys[] = {
    {"kind", [](ConfigReader& reader, const JsonValue& at,
                ChannelConfig& out) { reader.choice<ChannelKind>(at, out.kind, kKinds); }},
    {"framing", [](ConfigReader& reader, const JsonValue& at,
                   ChannelConfig& out) { reader.choice<Framing>(at, out.framing, kFramings); }},
    {"serializer", [](ConfigReader& reader, const JsonValue& at,
                      ChannelConfig& out) { reader.nonempty(at, out.serializer, "a serializer's name"); }},
    {"max_event", [](ConfigReader& reader, const JsonValue& at,
                     ChannelConfig& out) { reader.size(at, out.max_event, 64, 64 * kMiB); }},
    {"data", [](ConfigReader& reader, const JsonValue& at,
                ChannelConfig& out) { reader.choice<bool>(at, out.data_as_bytes, kData); }},
};
const Section<ChannelConfig> kChannel{"channel", kChannelKeys, {"kind"}};

constexpr Key<SubscriptionConfig> kSubscriptionKeys[] = {
    {"topic",
     [](ConfigReader& reader, const JsonValue& at, SubscriptionConfig& out) { read_pattern(reader, at, out.topic); }},
    {"group",
     [](ConfigReader& reader, const JsonValue& at, SubscriptionConfig& out) { reader.identifier(at, out.group); }},
};
const Section<SubscriptionConfig> kSubscription{"subscription", kSubscriptionKeys, {"topic"}};

constexpr Key<MailboxConfig> kMailboxKeys[] = {
    {"capacity", [](ConfigReader& reader, const JsonValue& at,
                    MailboxConfig& out) { reader.whole(at, out.capacity, 1, 10'000'000); }},
    {"bytes", [](ConfigReader& reader, const JsonValue& at,
                 MailboxConfig& out) { reader.size(at, out.bytes, 1024, kMiB << 20); }},
    {"overflow", [](ConfigReader& reader, const JsonValue& at,
                    MailboxConfig& out) { reader.choice<Overflow>(at, out.overflow, kOverflows); }},
};
const Section<MailboxConfig> kMailbox{"mailbox", kMailboxKeys};

constexpr Key<DeliveryConfig> kDeliveryKeys[] = {
    {"mode", [](ConfigReader& reader, const JsonValue& at,
                DeliveryConfig& out) { reader.choice<DeliveryMode>(at, out.mode, kDeliveries); }},
    {"max_in_flight", [](ConfigReader& reader, const JsonValue& at,
                         DeliveryConfig& out) { reader.whole(at, out.max_in_flight, 1, 65'536); }},
    {"ack_timeout", [](ConfigReader& reader, const JsonValue& at,
                       DeliveryConfig& out) { reader.duration(at, out.ack_timeout, 1ms, 168h); }},
    {"attempts", [](ConfigReader& reader, const JsonValue& at,
                    DeliveryConfig& out) { reader.whole(at, out.attempts, 1, 1000); }},
};
const Section<DeliveryConfig> kDelivery{"delivery", kDeliveryKeys};

}  // namespace

bool read_pattern(ConfigReader& reader, const JsonValue& at, std::string& out) {
  std::string pattern;
  if (!reader.text(at, pattern, "a topic such as \"task.result.>\"")) return false;
  if (const Status legal = message::check_pattern(pattern); !legal) {
    return reader.refuse(at, legal.error().message, "a topic's pattern");
  }
  return out = std::move(pattern), true;
}

void read_channel(ConfigReader& reader, const JsonValue& at, ChannelConfig& out) {
  if (!read_section(reader, at, kChannel, out)) return;
  const auto framing = at.find("framing");
  if (out.kind == ChannelKind::socket) {
    if (framing && out.framing == Framing::line) {
      reader.refuse(*framing, "a socket channel is always framed as \"packet4\"; leave \"framing\" out, or use stdio",
                    "\"packet4\"");
    }
    out.framing = Framing::packet4;
  } else if (out.serializer != "json") {
    if (framing && out.framing == Framing::line) {
      reader.refuse(*framing, "\"line\" works with the serializer \"json\" only; use \"packet4\"",
                    "\"packet4\"");
    }
    out.framing = Framing::packet4;
  }
}

void read_subscriptions(ConfigReader& reader, const JsonValue& at, std::vector<SubscriptionConfig>& out) {
  reader.array(at, kMaxPatterns, "subscriptions such as {\"topic\": \"task.>\"}", [&](const JsonValue& one) {
    SubscriptionConfig subscription;
    if (read_section(reader, one, kSubscription, subscription)) out.push_back(std::move(subscription));
  });
}

void read_publish(ConfigReader& reader, const JsonValue& at, integration::WorkerConfig& out) {
  reader.array(at, kMaxPatterns, "topics", [&](const JsonValue& one) {
    std::string pattern;
    if (!read_pattern(reader, one, pattern)) return;
    const std::string_view first = std::string_view(pattern).substr(0, pattern.find('.'));
    if (first == "system" || first == "tenon") {
      reader.refuse(one, "only the host publishes under \"system.\" and \"tenon.\"; leave it out",
                    "topics that are not the host's");
      return;
    }
    out.publish.push_back(std::move(pattern));
  });
  out.may_publish = !at.is_array() || at.size() != 0;
}

void read_mailbox(ConfigReader& reader, const JsonValue& at, MailboxConfig& out) {
  read_section(reader, at, kMailbox, out);
}

void read_delivery(ConfigReader& reader, const JsonValue& at, DeliveryConfig& out) {
  read_section(reader, at, kDelivery, out);
}

void check_worker(ConfigReader& reader, const JsonValue& child, const integration::WorkerConfig& worker,
                  ConfigDraft& draft) {
  if (worker.channel.kind != ChannelKind::none) {
    const JsonValue channel = *child.find("channel");
    const auto named = channel.find("serializer");
    use_plugin(reader, draft,
               {"serializer", worker.channel.serializer, named.value_or(channel), named.has_value(), {}});
    return;
  }
  for (const std::string_view key : {"subscribe", "publish", "mailbox", "delivery", "echo"}) {
    const auto at = child.find(key);
    if (!at) continue;
    if (key == "subscribe") {
      reader.refuse(*at, "a process without a channel gets no events; give it one: \"channel\": {\"kind\": \"stdio\"}",
                    "a \"channel\" beside it");
    } else {
      reader.warn(*at, "has no effect on a process without a channel; leave it out, or add \"channel\"");
    }
  }
}

void describe_worker(std::vector<SectionKeys>& out) {
  out.push_back(keys_of(kChannel));
  out.push_back(keys_of(kSubscription));
  out.push_back(keys_of(kMailbox));
  out.push_back(keys_of(kDelivery));
}

}  // namespace tenon::app
