// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/map_profile.h"

#include <fmt/format.h>

#include <iterator>

#include "harness/base/file.h"

namespace stallproof {
namespace {

std::string printable(std::string text) {
  for (char& each : text)
    if (static_cast<unsigned char>(each) < ' ' || each == '\x7f') each = '?';
  return text;
}

void append_operation(std::string& out, const MapOperation& operation) {
  const auto to = std::back_inserter(out);
  const MapCall call = operation.call;
  fmt::format_to(to, "{} {} {} ", operation.at_us, operation.thread, map_call_name(call));
  if (call == MapCall::exit) {
    out += "- - - -\n";
    return;
  }
  if (call == MapCall::clone) {
    fmt::format_to(to, "- - - {:#x}", operation.flags);
    if (operation.child != kNoThread) fmt::format_to(to, " child={}", operation.child);
    out += '\n';
    return;
  }
  fmt::format_to(to, "{:#x} ", operation.address);
  if (call == MapCall::brk) {
    out += "- - -\n";
    return;
  }
  const bool has_prot = call == MapCall::mmap || call == MapCall::mprotect;
  fmt::format_to(to, "{} {} ", operation.length,
                 has_prot ? protection_text(operation.prot) : std::string("-"));
  if (call == MapCall::mmap)
    out += mmap_flags_text(operation.flags);
  else if (call == MapCall::madvise)
    out += advice_text(operation.flags);
  else if (call == MapCall::mremap)
    fmt::format_to(to, "{:#x} from={:#x}+{}", operation.flags, operation.from_address,
                   operation.from_length);
  else
    out += '-';
  out += '\n';
}

}  // namespace

std::string format_map_profile(const MapProfile& profile) {
  std::string out = fmt::format(
      "stallproof-map-profile 1\ncomm {}\nkernel {}\nstarted {}\nduration_us {}\nthreads {}\n"
      "calls {}\nlost {}\nfailed {}\nleft_out {}\n"
      "time_us thread call address length prot flags\n",
      printable(profile.comm), printable(profile.kernel), printable(profile.started),
      profile.duration_us, profile.threads, profile.operations.size(), profile.lost, profile.failed,
      profile.left_out);
  out.reserve(out.size() + profile.operations.size() * 64);
  for (const MapOperation& operation : profile.operations) append_operation(out, operation);
  return out;
}

std::string thread_contradiction(const MapOperation& operation, std::vector<ThreadLife>& lives) {
  ThreadLife& caller = lives[operation.thread];
  if (caller == ThreadLife::over)
    return fmt::format("thread {} has ended before", operation.thread);
  caller = operation.call == MapCall::exit ? ThreadLife::over : ThreadLife::alive;
  if (operation.child == kNoThread) return {};
  ThreadLife& child = lives[operation.child];
  if (child != ThreadLife::unseen)
    return fmt::format("thread {} is born, but appears before", operation.child);
  child = ThreadLife::alive;
  return {};
}

Result<MapProfile> read_map_profile(const std::string& path) {
  const auto text = read_file(path, kMaxProfileBytes);
  if (!text) return Failure(text.error());
  return parse_map_profile(*text, path);
}

}  // namespace stallproof
