// SPDX-License-Identifier: Apache-2.0
#include "harness/run/postmortem/kernel_log_left.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <vector>

#include "harness/base/bounded.h"
#include "harness/base/file.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostOfPart = 16U << 20U;
constexpr auto kSlack = 60 * static_cast<std::int64_t>(kSecond);

struct Records {
  std::vector<std::string> parts;  // paths
  std::int64_t written_ns = 0;
};

// A log is split into records that say "Panic#1 Part2" in their first line; part 1 has the newest
// lines (fs/pstore/platform.c pstore_dump, 6.1).
long part_number(const std::string& text) {
  const std::size_t at = text.find(" Part");
  return at == std::string::npos || at > 64 ? 0 : std::strtol(text.c_str() + at + 5, nullptr, 10);
}

// By folder: systemd-pstore keeps the records of each crash in one of their own.
void gather(const std::string& folder, int depth, std::map<std::string, Records>& into) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string path = entry->path().string();
    if (entry->is_directory(error)) {
      if (depth > 0) gather(path, depth - 1, into);
      continue;
    }
    struct stat info {};
    if (!entry->path().filename().string().starts_with("dmesg") || ::stat(path.c_str(), &info) != 0)
      continue;
    Records& records = into[folder];
    records.parts.push_back(path);
    records.written_ns =
        std::max(records.written_ns, info.st_mtim.tv_sec * static_cast<std::int64_t>(kSecond));
  }
}

std::string joined(const Records& records) {
  std::vector<std::string> texts;
  for (const std::string& path : records.parts)
    if (auto text = read_file(path, kMostOfPart)) texts.push_back(std::move(*text));
  std::stable_sort(texts.begin(), texts.end(), [](const auto& left, const auto& right) {
    return part_number(left) > part_number(right);
  });
  std::string all;
  for (const std::string& text : texts) all += text + (text.ends_with('\n') ? "" : "\n");
  return all;
}

int run_journalctl(const std::vector<std::string>& words, int into) {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0 || ::dup2(nothing, STDIN_FILENO) < 0 || ::dup2(nothing, STDERR_FILENO) < 0 ||
      ::dup2(into, STDOUT_FILENO) < 0)
    return errno;
  std::vector<char*> argv;
  std::vector<std::string> own(words);
  for (std::string& word : own) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  return errno;
}

}  // namespace

KernelLogLeft pstore_of(const UnfinishedRun& run, const std::string& root) {
  const std::string at = root == "/" ? "" : root;
  std::map<std::string, Records> crashes;
  gather(at + "/sys/fs/pstore", 0, crashes);
  gather(at + "/var/lib/systemd/pstore", 2, crashes);
  KernelLogLeft best;
  for (const auto& [folder, records] : crashes) {
    std::string text = joined(records);
    LogTie tie = tie_log(text, run);
    if (tie.by == TiedBy::nothing && !tie.contradicted &&
        records.written_ns + kSlack >= run.last_sign_ns)
      tie.by = TiedBy::time;
    if (tie.by > best.by) best = {.where = folder, .text = std::move(text), .by = tie.by};
  }
  return best;
}

KernelLogLeft journal_of(const UnfinishedRun& run, const std::string& root, Deadline deadline) {
  std::string boot;
  for (const char letter : run.boot_id)
    if (std::isxdigit(static_cast<unsigned char>(letter)) != 0) boot += letter;
  if (boot.size() != 32) return {};
  std::vector<std::string> words{"journalctl",     "-k", "-b", boot, "--no-pager", "-o",
                                 "short-monotonic"};
  if (root != "/") words.push_back("--root=" + root);
  BoundedText said =
      text_bounded([&words](int into) { return run_journalctl(words, into); }, deadline);
  // "-- No entries --" and the like are no log.
  if (said.text.empty() || said.text.starts_with("-- ")) return {};
  return {.where = fmt::format("the journal of boot {}{}", boot,
                               said.error == ETIMEDOUT ? ", as far as it came in time" : ""),
          .text = std::move(said.text),
          .by = TiedBy::boot_line};
}

}  // namespace stallproof
