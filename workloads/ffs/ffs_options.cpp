// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/ffs_options.h"

#include <fmt/format.h>

#include "harness/base/settings.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kMaxThreads = 1024;
constexpr Nanos kMaxPause = 60 * kSecond;
constexpr std::uint64_t kMaxFileSize = 1ULL << 50U;

Result<std::uint64_t> count_between(const Settings& settings, const std::string& key,
                                    std::uint64_t fallback, std::uint64_t low) {
  auto value = settings.count(key, fallback);
  if (value && (*value < low || *value > kMaxThreads))
    return fail(fmt::format("{}: {} is not between {} and {}", key, *value, low, kMaxThreads));
  return value;
}

Result<int> inherited_fd(const Settings& settings, const std::string& key) {
  if (!settings.has(key)) return -1;
  const auto value = settings.count(key, 0);
  if (!value) return fail(value.error().what);
  if (*value > 1U << 20U) return fail(fmt::format("{}: {} is no descriptor", key, *value));
  return static_cast<int>(*value);
}

Result<> parse_tree_options(const Settings& settings, FfsOptions& options) {
  const auto writable = settings.choice("writable", "no", {"no", "yes"});
  const auto size = settings.size("store-size", options.store_size);
  const auto writeback = settings.choice("writeback-cache", "no", {"no", "yes"});
  const auto direct = settings.choice("direct-io", "no", {"no", "yes"});
  const auto pause = settings.duration("pause", options.pause);
  if (!direct) return Failure{direct.error()};
  if (!pause) return Failure{pause.error()};
  if (*pause > kMaxPause) return fail("pause: more than one minute");
  if (!writable) return Failure{writable.error()};
  if (!size) return Failure{size.error()};
  if (!writeback) return Failure{writeback.error()};
  options.writable = *writable == "yes";
  options.store_size = *size;
  options.writeback_cache = *writeback == "yes";
  options.direct_io = *direct == "yes";
  options.pause = *pause;
  for (const char* key : {"store-size", "writeback-cache", "direct-io"})
    if (settings.has(key) && !options.writable)
      return fail(fmt::format("{}: nothing can be written without writable=yes", key));
  return {};
}

}  // namespace

Result<FfsOptions> parse_ffs_options(const std::vector<std::string>& words) {
  const auto settings = Settings::from_words(words);
  if (!settings) return fail("ffs: " + settings.error().what);
  const auto known =
      settings->refuse_unknown({"board", "ready", "mount", "service-threads", "page-threads",
                                "queue", "notifier", "file-size", "direct-open", "writable",
                                "store-size", "writeback-cache", "direct-io", "pause"});
  const auto board = inherited_fd(*settings, "board");
  const auto ready = inherited_fd(*settings, "ready");
  const auto service = count_between(*settings, "service-threads", 4, 1);
  const auto pages = count_between(*settings, "page-threads", 0, 0);
  const auto queue = settings->choice("queue", "shared", {"shared", "hashed"});
  const auto notifier = settings->choice("notifier", "own", {"own", "service"});
  const auto direct =
      settings->choice("direct-open", "reply", {"reply", "lock-client", "lock-unpinned"});
  const auto size = settings->size("file-size", FfsOptions{}.file_size);
  if (!known) return fail("ffs: " + known.error().what);
  if (!board) return fail("ffs: " + board.error().what);
  if (!ready) return fail("ffs: " + ready.error().what);
  if (!service) return fail("ffs: " + service.error().what);
  if (!pages) return fail("ffs: " + pages.error().what);
  if (!queue) return fail("ffs: " + queue.error().what);
  if (!notifier) return fail("ffs: " + notifier.error().what);
  if (!direct) return fail("ffs: " + direct.error().what);
  if (!size) return fail("ffs: " + size.error().what);
  if (*size == 0 || *size > kMaxFileSize)
    return fail(fmt::format("ffs: file-size: {} is not between 1 and {}", *size, kMaxFileSize));
  if (*board < 0) return fail("ffs: board=FD is missing");
  FfsOptions options;
  options.board_fd = *board;
  options.ready_fd = *ready;
  options.mount_dir = settings->text("mount", "");
  options.service_threads = static_cast<unsigned>(*service);
  options.page_threads = static_cast<unsigned>(*pages);
  options.hashed = *queue == "hashed";
  options.locks_client = *direct != "reply";
  options.locks_unpinned = *direct == "lock-unpinned";
  options.service_notifies = *notifier == "service";
  options.file_size = *size;
  if (options.mount_dir.empty()) return fail("ffs: mount=DIR is missing");
  if (const auto tree = parse_tree_options(*settings, options); !tree)
    return fail("ffs: " + tree.error().what);
  return options;
}

}  // namespace stallproof
