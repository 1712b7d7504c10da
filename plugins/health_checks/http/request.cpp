#include "request.hpp"

#include <Poco/Exception.h>
#include <Poco/URI.h>

#include <algorithm>

#include "../common/wording.hpp"

namespace tenon::health {
namespace {

sdk::Error refused(const std::string& text) { return {TENON_ERR_INVALID_ARGUMENT, text, TENON_FAULT_CALLER}; }

void read_url(const std::string& url, HttpRequest& request) {
  try {
    const Poco::URI uri(url);
    request.secure = uri.getScheme() == "https";
    if (uri.getHost().empty() || (!request.secure && uri.getScheme() != "http"))
      throw refused("url " + url + " names no http server; write http://HOST:PORT/PATH or https://…");
    if (!uri.getUserInfo().empty())
      throw refused("url holds a user name; put an Authorization header into headers instead");
    request.host = uri.getHost();
    request.port = uri.getPort();
    request.path = uri.getPathEtc().empty() ? "/" : uri.getPathEtc();
    if (request.path.front() != '/') request.path.insert(0, 1, '/');
    request.path.resize(std::min(request.path.size(), request.path.find('#')));
    const std::string shown = request.path.substr(0, request.path.find('?'));
    request.shown_url = uri.getScheme() + "://" + endpoint_text(request.host, request.port) + shown;
  } catch (const Poco::Exception& e) {
    throw refused("url " + url + " cannot be read (" + e.displayText() + "); write http://HOST:PORT/PATH");
  }
}

// A name or value with a line feed would smuggle in headers of its own.
void check_header(const std::string& name, const std::string& value) {
  static const std::string kToken = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  if (name.empty() || name.find_first_not_of(kToken) != std::string::npos)
    throw refused("headers: \"" + name + "\" is no header name; use letters, digits and -");
  const auto control = [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7F; };
  if (std::any_of(value.begin(), value.end(), control))
    throw refused("headers: the value of " + name + " holds a control character; remove it");
}

std::pair<int, int> read_range(const sdk::Host& host, const std::string& pointer) {
  std::int64_t single = 0;
  const tenon_host* raw = host.raw();
  if (raw->config_integer(raw->context, sdk::to_abi(pointer), &single) == TENON_OK)
    return {static_cast<int>(single), static_cast<int>(single)};
  const std::string text = host.config_string(pointer);
  const auto number = [&text](std::size_t at) { return std::stoi(text.substr(at, 3)); };
  const bool digits = text.find_first_not_of("0123456789-") == std::string::npos;
  if (digits && text.size() == 3 && text.find('-') == std::string::npos) return {number(0), number(0)};
  if (digits && text.size() == 7 && text.find('-') == 3 && text.rfind('-') == 3 && number(0) <= number(4))
    return {number(0), number(4)};
  throw refused("expect_status: \"" + text + "\" is no range; write a code such as 204 or a range such as \"200-399\"");
}

}  // namespace

bool ExpectedStatus::contains(int status) const noexcept {
  return std::any_of(ranges.begin(), ranges.end(),
                     [=](const auto& range) { return range.first <= status && status <= range.second; });
}

std::string ExpectedStatus::text() const {
  std::string text;
  for (const auto& [low, high] : ranges) {
    if (!text.empty()) text += ", ";
    text += std::to_string(low) + (low == high ? "" : "-" + std::to_string(high));
  }
  return text;
}

HttpRequest read_request(const sdk::Host& host) {
  HttpRequest request;
  read_url(host.config_string("/url"), request);
  request.verify = host.config_boolean("/tls_verify", true);
  request.method = host.config_string("/method", "GET");
  request.body_contains = host.config_string("/body_contains");
  for (const std::string& name : host.config_keys("/headers")) {
    request.headers.emplace_back(name, host.config_string("/headers/" + host.pointer_token(name)));
    check_header(request.headers.back().first, request.headers.back().second);
  }
  for (std::size_t i = 0; i < host.config_count("/expect_status"); ++i)
    request.expected.ranges.push_back(read_range(host, "/expect_status/" + std::to_string(i)));
  if (request.expected.ranges.empty()) request.expected.ranges.emplace_back(200, 399);
  return request;
}

}  // namespace tenon::health
