// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/quiet_functions.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "harness/base/fd.h"

namespace stallproof {
namespace {

// kernel/fork.c: kernel_clone (5.10), _do_fork (4.x), do_fork (3.10); kernel/freezer.c.
constexpr std::array<std::string_view, 5> kNames{"kernel_clone", "_do_fork", "do_fork",
                                                 "wait_for_vfork_done", "__refrigerator"};
constexpr std::size_t kHexDigits = 16;

}  // namespace

// "ffffffff81063a10 T kernel_clone"
void QuietFunctions::take_line(std::string_view line) {
  std::uint64_t address = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), address, 16);
  if (error != std::errc{} || address == 0 || line.size() < kHexDigits + 4) return;
  if (open_ended_ && address > ranges_[known_ - 1].begin) {
    ranges_[known_ - 1].end = address;
    open_ended_ = false;
  }
  const char type = line[kHexDigits + 1];
  if (type != 't' && type != 'T') return;
  std::string_view name = line.substr(kHexDigits + 3);
  name = name.substr(0, name.find_first_of("\t ."));  // "kernel_clone.constprop.0", "f [module]"
  if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) return;
  if (open_ended_ || known_ == kMost) return;
  ranges_[known_++].begin = address;
  open_ended_ = true;
}

void QuietFunctions::open(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return;
  std::vector<char> chunk(64U << 10U);
  std::size_t kept = 0;  // of a line that is not whole yet
  for (ssize_t n = 0; (n = ::read(file.get(), chunk.data() + kept, chunk.size() - kept)) > 0;) {
    std::string_view text(chunk.data(), kept + static_cast<std::size_t>(n));
    for (std::size_t at = 0; (at = text.find('\n')) != std::string_view::npos;) {
      take_line(text.substr(0, at));
      text.remove_prefix(at + 1);
    }
    if (text.size() == chunk.size()) return;  // no kallsyms: a line has no end
    std::copy(text.begin(), text.end(), chunk.begin());
    kept = text.size();
  }
  if (open_ended_) --known_;
}

bool QuietFunctions::contains(std::uint64_t return_address) const {
  // A call may be the last instruction of its function.
  const std::uint64_t inside = return_address - 1;
  for (std::size_t i = 0; i < known_; ++i)
    if (inside >= ranges_[i].begin && inside < ranges_[i].end) return true;
  return false;
}

}  // namespace stallproof
