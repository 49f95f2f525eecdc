// SPDX-License-Identifier: Apache-2.0
#include "harness/run/postmortem/crash_site.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/capture/crash_means.h"

namespace stallproof {
namespace {

constexpr std::string_view kMark = "stallproof: run=", kBoot = " boot=";
constexpr auto kSlack = 60 * static_cast<std::int64_t>(kSecond);
constexpr std::size_t kMostOfLog = 256U << 20U;

std::string text_or_nothing(const std::string& path) {
  auto text = read_file(path, kMostOfLog);
  return text ? std::move(*text) : std::string();
}

std::int64_t changed_ns(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return 0;
  return info.st_mtim.tv_sec * static_cast<std::int64_t>(kSecond) + info.st_mtim.tv_nsec;
}

bool is_log(const std::string& name) {
  return name.starts_with("dmesg") || name.starts_with("vmcore-dmesg");
}

bool is_incomplete(const std::string& name) {
  return (name.starts_with("dump") || name.starts_with("vmcore")) &&
         name.find("incomplete") != std::string::npos;
}

bool is_dump(const std::string& name) {
  return name == "vmcore" || name.starts_with("vmcore.") || name.starts_with("dump.");
}

// A whole one before an incomplete one.
void take_log(CrashSite& site, const std::string& path) {
  if (site.log_file.empty() || site.log_file.find("incomplete") != std::string::npos)
    site.log_file = path;
}

CrashSite look_into(const std::filesystem::path& directory) {
  CrashSite site;
  site.directory = directory.string();
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string(), path = entry->path().string();
    if (is_log(name))
      take_log(site, path);
    else if (is_incomplete(name))
      site.incomplete = path;
    else if (is_dump(name))
      site.dump = path;
    else
      continue;
    site.written_ns = std::max(site.written_ns, changed_ns(path));
  }
  return site;
}

std::vector<std::string> crash_folders(const std::string& root) {
  std::vector<std::string> folders{root + "/var/crash", root + "/var/spool/abrt"};
  const std::string configured = dump_directory(text_or_nothing(root + "/etc/kdump.conf"),
                                                text_or_nothing(root + "/etc/default/kdump-tools"));
  if (!configured.empty()) folders.push_back(root + configured);
  return folders;
}

bool ends_a_word(std::string_view text, std::size_t at) {
  return at >= text.size() || text[at] == ' ' || text[at] == '\n' || text[at] == ':' ||
         text[at] == '\r';
}

bool has_at(std::string_view text, std::size_t at, std::string_view wanted) {
  return !wanted.empty() && text.compare(at, wanted.size(), wanted) == 0 &&
         ends_a_word(text, at + wanted.size());
}

bool written_after(const CrashSite& site, const UnfinishedRun& run) {
  return site.written_ns != 0 && site.written_ns + kSlack >= run.last_sign_ns;
}

}  // namespace

std::vector<CrashSite> find_crash_sites(const std::string& root) {
  std::vector<CrashSite> sites;
  std::vector<std::string> seen;
  for (const std::string& folder : crash_folders(root == "/" ? "" : root)) {
    std::error_code error;
    const std::string real = std::filesystem::weakly_canonical(folder, error).string();
    if (std::find(seen.begin(), seen.end(), real) != seen.end()) continue;
    seen.push_back(real);
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      if (!entry->is_directory(error)) continue;
      CrashSite site = look_into(entry->path());
      if (site.written_ns != 0) sites.push_back(std::move(site));
    }
  }
  std::sort(sites.begin(), sites.end(), [](const CrashSite& left, const CrashSite& right) {
    return left.written_ns < right.written_ns;
  });
  return sites;
}

std::string_view tie_words(TiedBy tie) {
  switch (tie) {
    case TiedBy::nothing:
      return "not tied to the run";
    case TiedBy::time:
      return "by its time alone";
    case TiedBy::boot_line:
      return "by the line of a run of the same boot in its kernel log";
    case TiedBy::run_line:
      return "by the run's line in its kernel log";
  }
  return "";
}

LogTie tie_log(std::string_view log, const UnfinishedRun& run) {
  LogTie tie;
  bool other = false;
  for (std::size_t at = log.find(kMark); at != std::string_view::npos;
       at = log.find(kMark, at + 1)) {
    const std::size_t end = std::min(log.find('\n', at), log.size());
    const std::string_view line = log.substr(at, end - at);
    if (has_at(line, kMark.size(), run.id)) {
      tie.by = TiedBy::run_line;
      break;
    }
    const std::size_t boot = line.find(kBoot);
    if (boot == std::string_view::npos) continue;
    if (has_at(line, boot + kBoot.size(), run.boot_id))
      tie.by = TiedBy::boot_line;
    else
      other = true;
  }
  tie.contradicted = other && tie.by == TiedBy::nothing;
  return tie;
}

FoundCrash crash_of(const UnfinishedRun& run, const std::vector<CrashSite>& sites) {
  FoundCrash best;
  for (const CrashSite& site : sites) {
    std::string log = site.log_file.empty() ? "" : text_or_nothing(site.log_file);
    LogTie tie = tie_log(log, run);
    // The first one after the run's last sign of life: a later one is of a later boot.
    if (tie.by == TiedBy::nothing && !tie.contradicted && written_after(site, run))
      tie.by = TiedBy::time;
    if (tie.by > best.by) best = {.site = site, .by = tie.by, .log = std::move(log)};
  }
  return best;
}

}  // namespace stallproof
