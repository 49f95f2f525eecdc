// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/plain_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "harness/explain/log/log_words.h"

namespace stallproof {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestRecord = 1U << 20U;
constexpr std::size_t kDeepestRecord = 4;
constexpr std::string_view kLineEnd = "#012";  // of rsyslog: the reader of lines knows it

struct Record {
  std::string message, stamp, caller;
  bool of_kernel = true;
};

class PlainText {
 public:
  void put(std::size_t line, const Record& record) {
    ++records_;
    if (!record.of_kernel) return;
    for (; line_ < line; ++line_) text_ += '\n';
    if (!record.stamp.empty()) text_ += fmt::format("[{}]", record.stamp);
    if (!record.caller.empty()) text_ += fmt::format("[{}]", record.caller);
    if (!record.stamp.empty()) text_ += ' ';
    for (const char c : record.message)
      if (c == '\n')
        text_ += kLineEnd;
      else
        text_ += c;
    text_ += '\n';
    ++line_;
  }

  [[nodiscard]] std::optional<std::string> take() {
    if (records_ == 0) return std::nullopt;
    return std::move(text_);
  }

 private:
  std::string text_;
  std::size_t line_ = 1, records_ = 0;
};

// Microseconds, as the journal writes them: "243100007".
std::string stamp_of_micros(std::string_view digits) {
  const auto micros = leading_number(digits);
  if (!micros || *micros < 0) return {};
  return fmt::format("{:5}.{:06}", *micros / 1'000'000, *micros % 1'000'000);
}

// What is no UTF-8 is an array of bytes in the journal's JSON.
std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  std::string text;
  if (value.is_array())
    for (const Json& byte : value)
      if (byte.is_number_unsigned() && byte.get<std::uint64_t>() < 256)
        text += static_cast<char>(byte.get<std::uint64_t>());
  return text;
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::string() : text_of(*found);
}

std::optional<Record> record_of(const Json& object) {
  if (!object.is_object()) return std::nullopt;
  Record record;
  for (const char* const key : {"MESSAGE", "msg", "message"})
    if (const auto found = object.find(key); found != object.end() && record.message.empty())
      record.message = text_of(*found);
  if (record.message.empty()) return std::nullopt;
  const std::string transport = text_at(object, "_TRANSPORT");
  const std::string identifier = text_at(object, "SYSLOG_IDENTIFIER");
  record.of_kernel =
      transport == "kernel" || identifier == "kernel" || (transport.empty() && identifier.empty());
  // dmesg: facility * 8 + level
  if (const auto priority = object.find("pri"); priority != object.end() && priority->is_number())
    record.of_kernel = record.of_kernel && priority->get<double>() < 8;
  record.stamp = stamp_of_micros(text_at(object, "_SOURCE_MONOTONIC_TIMESTAMP"));
  if (const auto time = object.find("time"); time != object.end() && time->is_number())
    record.stamp = fmt::format("{:12.6f}", time->get<double>());
  record.caller = text_at(object, "caller");
  return record;
}

// Objects one behind or within another, as far as they are whole: a log may be cut anywhere.
class ObjectScanner {
 public:
  explicit ObjectScanner(std::string_view content) : content_(content) {}

  std::optional<std::string> read() {
    for (; at_ < content_.size(); ++at_) take(content_[at_]);
    return text_.take();
  }

 private:
  struct Open {
    std::size_t at, line;
  };

  void take(char c) {
    if (c == '\n') {
      ++line_;
      if (quoted_) open_.clear();  // no string of JSON goes over a line: this one was cut
      quoted_ = false;
    } else if (quoted_) {
      if (c == '\\')
        ++at_;
      else
        quoted_ = c != '"';
    } else if (c == '"') {
      quoted_ = true;
    } else if (c == '{') {
      if (begins_line()) open_.clear();
      open_.push_back({at_, line_});
    } else if (c == '}' && !open_.empty()) {
      close();
    }
  }

  // Where nothing can still be open.
  [[nodiscard]] bool begins_line() const {
    return at_ == 0 || content_[at_ - 1] == '\n' || content_[at_ - 1] == '\x1e';
  }

  void close() {
    const Open began = open_.back();
    open_.pop_back();
    const std::string_view object = content_.substr(began.at, at_ + 1 - began.at);
    if (open_.size() >= kDeepestRecord || object.size() > kLongestRecord) return;
    if (const auto record = record_of(Json::parse(object, nullptr, false)))
      text_.put(began.line, *record);
  }

  std::string_view content_;
  std::size_t at_ = 0, line_ = 1;
  bool quoted_ = false;
  std::vector<Open> open_;
  PlainText text_;
};

// KEY=VALUE, a line each; a record ends at an empty line (export) or at one that is not indented
// (verbose, whose records begin with their time).
std::optional<std::string> read_fields(std::string_view content) {
  PlainText text;
  Record record;
  std::size_t at = 0;
  bool known = false;
  const auto finish = [&] {
    if (known && !record.message.empty()) text.put(at, record);
    record = {};
    known = false;
  };
  for (std::size_t number = 1; !content.empty(); ++number) {
    const std::size_t end = std::min(content.find('\n'), content.size());
    const std::string_view line = trimmed(content.substr(0, end));
    const bool header = line.empty() || line.find(" [s=") != std::string_view::npos;
    content.remove_prefix(std::min(end + 1, content.size()));
    if (header) finish();
    std::string_view value = line;
    if (take_start(value, "MESSAGE=")) {
      record.message = value;
      at = number;
    } else if (take_start(value, "_TRANSPORT=")) {
      record.of_kernel = value == "kernel";
      known = true;
    } else if (take_start(value, "_SOURCE_MONOTONIC_TIMESTAMP=")) {
      record.stamp = stamp_of_micros(value);
    }
  }
  finish();
  return text.take();
}

bool begins_as_json(std::string_view content) {
  constexpr std::string_view kBetween = " \t\r\n\x1e";  // the last is of json-seq
  std::size_t first = content.find_first_not_of(kBetween);
  if (first != std::string_view::npos && content[first] == '[')  // a list, or a stamp of a log
    first = content.find_first_not_of(kBetween, first + 1);
  return first != std::string_view::npos && content[first] == '{';
}

}  // namespace

std::string plain_log(std::string content) {
  std::optional<std::string> plain;
  if (begins_as_json(content)) plain = ObjectScanner(content).read();
  if (!plain && content.find("_TRANSPORT=kernel") != std::string::npos)
    plain = read_fields(content);
  return plain ? std::move(*plain) : std::move(content);
}

std::string as_utf8(std::string content) {
  const bool little = content.starts_with("\xff\xfe"), big = content.starts_with("\xfe\xff");
  if (!little && !big) return content;
  std::string text;
  text.reserve(content.size() / 2);
  for (std::size_t i = 2; i + 1 < content.size(); i += 2) {
    const auto low = static_cast<unsigned char>(content[little ? i : i + 1]);
    const auto high = static_cast<unsigned char>(content[little ? i + 1 : i]);
    const unsigned code = high * 256U + low;
    if (code < 0x80)
      text += static_cast<char>(code);
    else
      text += '?';  // the kernel's own words are ASCII
  }
  return text;
}

}  // namespace stallproof
