// SPDX-License-Identifier: Apache-2.0
#include "harness/run/smallest.h"

#include <set>

namespace stallproof {
namespace {

class Search {
 public:
  Search(const std::function<bool(const Numbers&)>& happens,
         const std::function<bool()>& time_is_up, unsigned tries,
         const std::set<std::string>& may_be_none)
      : happens_(happens), time_is_up_(time_is_up), tries_(tries), may_be_none_(may_be_none) {}

  // Halves the distance to 1 while it happens, else goes half as far.
  bool lower(Numbers& numbers, const std::string& name) {
    std::uint64_t fails_at = 0;  // the largest value with which it was not seen
    bool lowered = false;
    while (numbers[name] > fails_at + 1) {
      Numbers next = numbers;
      next[name] = fails_at + (numbers[name] - fails_at) / 2;
      const bool seen = ask(next);
      if (!seen && time_is_up_()) return lowered;
      if (seen)
        numbers = next;
      else
        fails_at = next[name];
      lowered = lowered || seen;
    }
    return leave_out(numbers, name) || lowered;
  }

  [[nodiscard]] unsigned trials() const { return trials_; }

 private:
  bool leave_out(Numbers& numbers, const std::string& name) {
    if (numbers[name] != 1 || !may_be_none_.contains(name)) return false;
    Numbers next = numbers;
    next[name] = 0;
    if (!ask(next)) return false;
    numbers = next;
    return true;
  }
  bool ask(const Numbers& numbers) {
    if (failed_.contains(numbers)) return false;
    for (unsigned i = 0; i < tries_; ++i) {
      if (time_is_up_()) return false;
      ++trials_;
      if (happens_(numbers)) return true;
    }
    if (!time_is_up_()) failed_.insert(numbers);
    return false;
  }

  const std::function<bool(const Numbers&)>& happens_;
  const std::function<bool()>& time_is_up_;
  unsigned tries_;
  const std::set<std::string>& may_be_none_;
  unsigned trials_ = 0;
  std::set<Numbers> failed_;
};

}  // namespace

Smallest find_smallest(const Numbers& begin, const std::function<bool(const Numbers&)>& happens,
                       const std::function<bool()>& time_is_up, unsigned tries,
                       const std::set<std::string>& may_be_none) {
  Smallest found{.begin = begin, .numbers = begin};
  Search search(happens, time_is_up, tries, may_be_none);
  bool lowered = true;
  while (lowered && !time_is_up()) {
    lowered = false;
    for (const auto& [name, value] : begin) lowered = search.lower(found.numbers, name) || lowered;
  }
  found.trials = search.trials();
  found.complete = !lowered && !time_is_up();
  return found;
}

}  // namespace stallproof
