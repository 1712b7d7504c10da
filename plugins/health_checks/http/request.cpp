#include "request.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "../common/wording.hpp"

namespace tenon::health {
namespace {

sdk::Error refused(const std::string& text) { return {TENON_ERR_INVALID_ARGUMENT, text, TENON_FAULT_CALLER}; }

std::uint16_t usual_port(const HttpRequest& request) { return request.secure ? 443 : 80; }

// host [":" port]; an IPv6 address stands in brackets.
bool read_authority(const std::string& authority, HttpRequest& request) {
  const bool bracket = authority.starts_with('[');
  const std::size_t host_end = std::min(authority.size(), bracket ? authority.find(']') : authority.find(':'));
  request.host = authority.substr(bracket, host_end - bracket);
  boost::system::error_code no_address;
  const auto address = boost::asio::ip::make_address(request.host, no_address);
  if (bracket && (host_end == authority.size() || no_address || !address.is_v6())) return false;
  const auto in_name = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.' || c == '_'; };
  if (request.host.empty() || (!bracket && !std::all_of(request.host.begin(), request.host.end(), in_name))) return false;

  request.port = usual_port(request);
  const std::string rest = authority.substr(host_end + bracket);
  if (rest.empty()) return true;
  const char* const end = rest.data() + rest.size();
  const auto number = std::from_chars(rest.data() + 1, end, request.port);
  return rest.front() == ':' && number.ec == std::errc() && number.ptr == end && request.port != 0;
}

// URL is scheme "://" authority [path] ["?" query] ["#" fragment], RFC 3986, section 3.
void read_url(const std::string& url, HttpRequest& request) {
  const std::size_t scheme_end = url.find("://");
  const std::string scheme = url.substr(0, scheme_end);
  request.secure = scheme == "https";
  if (scheme_end == std::string::npos || (!request.secure && scheme != "http"))
    throw refused("url " + url + " names no http server; write http://HOST:PORT/PATH or https://…");
  const std::size_t authority_end = std::min(url.size(), url.find_first_of("/?#", scheme_end + 3));
  const std::string authority = url.substr(scheme_end + 3, authority_end - scheme_end - 3);
  if (authority.find('@') != std::string::npos)
    throw refused("url holds a user name; put an Authorization header into headers instead");
  if (!read_authority(authority, request))
    throw refused("url " + url + " names no usable host and port; write http://HOST:PORT/PATH");

  request.target = url.substr(authority_end, url.find('#', authority_end) - authority_end);
  if (request.target.empty() || request.target.front() != '/') request.target.insert(0, 1, '/');
  const auto outside = [](unsigned char c) { return c <= ' ' || c >= 0x7F; };
  if (std::any_of(request.target.begin(), request.target.end(), outside))
    throw refused("url " + url + " holds a blank or a character outside ASCII; write it percent-encoded, such as %20");
  request.endpoint = endpoint_text(request.host, request.port);
  const bool usual = request.port == usual_port(request);
  request.host_header = usual ? request.endpoint.substr(0, request.endpoint.rfind(':')) : request.endpoint;
  request.shown_url = scheme + "://" + request.endpoint + request.target.substr(0, request.target.find('?'));
}

void read_tls(const sdk::Host& host, HttpRequest& request) {
  request.verify = host.config_boolean("/tls_verify", true);
  request.ca_file = host.config_string("/tls_ca_file");
  request.server_name = host.config_string("/tls_server_name", request.host);
  boost::system::error_code no_address;
  boost::asio::ip::make_address(request.server_name, no_address);
  request.server_name_is_address = !no_address;
  if (!request.ca_file.empty() && !(request.secure && request.verify))
    throw refused("tls_ca_file has no effect here; ask an https url and leave tls_verify on, or leave it out");
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
  read_tls(host, request);
  request.method = host.config_string("/method", "GET");
  request.body_contains = host.config_string("/body_contains");
  if (request.method == "HEAD" && !request.body_contains.empty())
    throw refused("body_contains needs an answer with a body, and HEAD has none; use the method GET");
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
