// SPDX-License-Identifier: Apache-2.0
// The entries of one directory. Each has a place, a number that never changes and is never used
// again, so that a listing that is read piece by piece misses no entry that was there all the time
// and shows none twice, whatever is removed or made meanwhile. Receiver thread only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace stallproof {

class Directory {
 public:
  struct Entry {
    std::string name;
    std::uint64_t inode;
  };
  using Entries = std::map<std::uint64_t, Entry>;  // by place

  // Places below are for "." and "..".
  static constexpr std::uint64_t kFirstPlace = 3;

  // 0 when there is none.
  [[nodiscard]] std::uint64_t find(std::string_view name) const {
    const auto place = places_.find(std::string(name));
    return place == places_.end() ? 0 : entries_.at(place->second).inode;
  }
  // The name must be new.
  void insert(std::string_view name, std::uint64_t inode) {
    const std::uint64_t place = next_place_++;
    places_.emplace(name, place);
    entries_.emplace(place, Entry{std::string(name), inode});
  }
  // The name must be there.
  void erase(std::string_view name) {
    const auto place = places_.find(std::string(name));
    entries_.erase(place->second);
    places_.erase(place);
  }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] const Entries& entries() const { return entries_; }

 private:
  std::uint64_t next_place_ = kFirstPlace;
  Entries entries_;
  std::unordered_map<std::string, std::uint64_t> places_;
};

}  // namespace stallproof
