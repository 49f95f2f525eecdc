// SPDX-License-Identifier: Apache-2.0
#include "harness/store/mark.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/units.h"
#include "harness/store/run_dir.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFile = "/marks.jsonl";
constexpr Nanos kLockWithin = 5 * kSecond;
constexpr std::size_t kMostBytes = 1U << 20U;  // read at once

bool is_run(const std::string& directory) {
  return ::access((directory + "/run.id").c_str(), F_OK) == 0 ||
         ::access((directory + "/events.jsonl").c_str(), F_OK) == 0;
}

Result<> lock(const Fd& file, const std::string& path) {
  const Deadline deadline = Deadline::in(kLockWithin);
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return fail_errno("lock " + path, errno);
    if (deadline.passed()) return fail_errno("lock " + path, EWOULDBLOCK, "try again");
    ::poll(nullptr, 0, 5);
  }
  return {};
}

// A line that was cut by a full disk must not become part of the next one.
Result<> append_line(const Fd& file, const std::string& path, const std::string& line) {
  struct stat before {};
  if (::fstat(file.get(), &before) != 0) return fail_errno("stat " + path, errno);
  const ssize_t n = ::write(file.get(), line.data(), line.size());
  if (n == static_cast<ssize_t>(line.size())) {
    if (::fsync(file.get()) == 0) return {};
    return fail_errno("sync " + path, errno);
  }
  const int error = n < 0 ? errno : ENOSPC;
  if (n > 0 && ::ftruncate(file.get(), before.st_size) != 0)
    return fail_errno("cut " + path, errno);
  return fail_errno("write " + path, error);
}

std::optional<Mark> parse_mark(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto number = [&json](const char* key) -> std::optional<Nanos> {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number_unsigned()) return std::nullopt;
    return found->get<Nanos>();
  };
  const auto at = number("at_ns"), realtime = number("realtime_ns"), lasts = number("for_ns");
  const auto text = json.find("text");
  if (!at || !realtime || !lasts || text == json.end() || !text->is_string()) return std::nullopt;
  return Mark{.at_ns = *at,
              .realtime_ns = *realtime,
              .lasts_ns = *lasts,
              .allow_ns = number("allow_ns"),
              .text = text->get<std::string>()};
}

}  // namespace

std::string mark_json(const Mark& mark) {
  const Json document = {{"at_ns", mark.at_ns},
                         {"realtime_ns", mark.realtime_ns},
                         {"for_ns", mark.lasts_ns},
                         {"allow_ns", mark.allow_ns ? Json(*mark.allow_ns) : Json(nullptr)},
                         {"at", format_rfc3339(mark.realtime_ns)},
                         {"text", mark.text}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<> append_mark(const std::string& run_directory, const Mark& mark) {
  if (!run_is_held(run_directory))
    return fail(fmt::format("{}: {} (name a run that goes on, where it runs)", run_directory,
                            is_run(run_directory) ? "the run has ended, or runs on another node"
                                                  : "not a run directory"));
  const std::string path = run_directory + kFile;
  const Fd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!file.valid() && errno == ENOENT)
    return fail(
        fmt::format("{}: this run takes no marks (run, vdbench and watch do)", run_directory));
  if (!file.valid()) return fail_errno("open " + path, errno);
  if (auto locked = lock(file, path); !locked) return locked;
  return append_line(file, path, mark_json(mark) + "\n");
}

Result<MarkReader> MarkReader::create(const std::string& run_directory) {
  const std::string path = run_directory + kFile;
  MarkReader reader;
  reader.file_ = Fd(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0644));
  if (!reader.file_.valid()) return fail_errno("create " + path, errno);
  return reader;
}

std::vector<Mark> MarkReader::take() {
  std::vector<Mark> marks;
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0) return marks;
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size <= read_) return marks;
  std::string text(std::min(size - read_, kMostBytes), '\0');
  const ssize_t n = ::pread(file_.get(), text.data(), text.size(), static_cast<off_t>(read_));
  if (n <= 0) return marks;
  text.resize(static_cast<std::size_t>(n));
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    if (auto mark = parse_mark(text.substr(begin, end - begin)))
      marks.push_back(std::move(*mark));
    else
      ++unreadable_;
    begin = end + 1;
  }
  read_ += begin;
  return marks;
}

Marked marked_at(const std::vector<Mark>& marks, Nanos at) {
  Marked marked;
  for (const Mark& mark : marks) {
    if (at < mark.at_ns || at - mark.at_ns > mark.lasts_ns) continue;
    marked.any = true;
    if (mark.allow_ns) marked.allow_ns = std::max(marked.allow_ns.value_or(0), *mark.allow_ns);
  }
  return marked;
}

Marked marked_at(const std::vector<MarkEntry>& marks, double at_ms) {
  std::vector<Mark> since_start;
  for (const MarkEntry& mark : marks) {
    Mark as_read{.at_ns = nanos_from_ms(mark.start_ms),
                 .lasts_ns = nanos_from_ms(mark.end_ms - mark.start_ms),
                 .text = mark.text};
    if (mark.allow_ms) as_read.allow_ns = nanos_from_ms(*mark.allow_ms);
    since_start.push_back(std::move(as_read));
  }
  return marked_at(since_start, nanos_from_ms(at_ms));
}

}  // namespace stallproof
