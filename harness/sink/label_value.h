// SPDX-License-Identifier: Apache-2.0
// Values of labels: whatever a load or a command is called, the value is valid UTF-8 without
// control characters, short, and one of a bounded set. Quotes and backslashes stay: text forms
// escape them.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace stallproof {

// At most 64 bytes; what is no UTF-8 and every control character becomes '?'; empty: "unnamed".
std::string label_value(std::string_view text);

// The command of a load that is not ours: "fio" for "fio-1234". Its process number is no label.
std::string command_label(std::string_view load_name);

// The first so many different values stand for themselves, all later ones are "other".
class BoundedValues {
 public:
  explicit BoundedValues(std::size_t limit) : limit_(limit) {}
  std::string of(const std::string& value);

 private:
  std::size_t limit_;
  std::set<std::string> known_;
};

}  // namespace stallproof
