// SPDX-License-Identifier: Apache-2.0
// KEY=VALUE words: --param on the command line and the arguments of our child processes.
// A key that nobody asked for is an error, so a typing mistake never runs the wrong experiment.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/result.h"

namespace stallproof {

class Settings {
 public:
  Settings() = default;
  // "a=1" "b=2"; a later word wins.
  static Result<Settings> from_words(const std::vector<std::string>& words);

  void set(const std::string& key, const std::string& value) { values_[key] = value; }
  [[nodiscard]] bool has(const std::string& key) const { return values_.contains(key); }

  // Each returns the fallback when the key is absent, an Error naming key and value when malformed.
  Result<std::uint64_t> count(const std::string& key, std::uint64_t fallback) const;
  Result<std::uint64_t> size(const std::string& key, std::uint64_t fallback) const;
  Result<Nanos> duration(const std::string& key, Nanos fallback) const;
  std::string text(const std::string& key, const std::string& fallback) const;
  // The value must be one of `allowed`.
  Result<std::string> choice(const std::string& key, const std::string& fallback,
                             const std::vector<std::string>& allowed) const;

  // Error listing `known` when a key is not among them.
  Result<> refuse_unknown(const std::vector<std::string>& known) const;
  [[nodiscard]] std::vector<std::string> words() const;
  [[nodiscard]] const std::map<std::string, std::string>& all() const { return values_; }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace stallproof
