// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/vmcore_look.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>

#include "harness/base/bounded.h"
#include "harness/base/large_pages.h"
#include "harness/explain/snapshot_read.h"
#include "harness/explain/snapshot_text.h"
#include "harness/explain/vmcore/kdump_file.h"
#include "harness/explain/vmcore/vmcore.h"
#include "harness/explain/vmcore/vmcore_text.h"

namespace stallproof {
namespace {

constexpr Nanos kAtLeast = 4 * kSecond;
constexpr std::uint64_t kBytesPerSecond = 100'000'000;

// What the child says: a letter, a line for each thing missing, an empty line, the text.
constexpr char kFailed = 'E';
constexpr char kDone = 'D';

// A damaged size must not take the machine's memory. Sanitizers need address space of their own.
void limit_memory() {
#ifndef __SANITIZE_ADDRESS__
  constexpr rlim_t kMost = rlim_t{4} << 30U;
  const rlimit most{kMost, kMost};
  ::setrlimit(RLIMIT_AS, &most);
#endif
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
}

std::string show(const Vmcore& dump, VmcoreView view) {
  switch (view) {
    case VmcoreView::bt:
      return bt_text(dump);
    case VmcoreView::tasks:
      return tasks_text(dump);
    case VmcoreView::waiters:
      return waiters_text(dump);
    case VmcoreView::explanation:
      break;
  }
  return snapshot_json(dump.snapshot);
}

std::string unreadable(const std::string& trouble) {
  return "part of the file cannot be read: it is damaged, cut short, or compressed in a form that "
         "libkdumpfile does not know: " +
         trouble;
}

std::string read_it(const std::string& path, VmcoreView view, const VmcoreSources& sources) {
  const auto file = KdumpFile::open(path);
  if (!file) return kFailed + file.error().what;
  const Vmcoreinfo info((*file)->vmcoreinfo());
  const auto dump = read_vmcore(**file, info, sources);
  const std::string& trouble = (*file)->trouble();
  if (!dump)
    return kFailed + path + ": " + dump.error().what +
           (trouble.empty() ? "" : " [" + unreadable(trouble) + "]");
  std::string said(1, kDone);
  for (const std::string& each : dump->missing) said += each + '\n';
  if (!trouble.empty()) said += unreadable(trouble) + '\n';
  return said + '\n' + show(*dump, view);
}

int write_all(int into, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(into, text.data(), text.size());
    if (put <= 0) return EPIPE;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return 0;
}

Result<VmcoreLook> understand(std::string_view said, VmcoreView view) {
  VmcoreLook look;
  while (true) {
    const std::size_t end = said.find('\n');
    if (end == std::string_view::npos) return fail("the reader's answer breaks off", Origin::infra);
    const std::string_view line = said.substr(0, end);
    said.remove_prefix(end + 1);
    if (line.empty()) break;
    look.missing.emplace_back(line);
  }
  if (view != VmcoreView::explanation) {
    look.text = said;
    return look;
  }
  auto snapshot = read_snapshot_json(said);
  if (!snapshot) return Failure(snapshot.error());
  look.snapshot = std::move(*snapshot);
  return look;
}

}  // namespace

Result<VmcoreLook> look_at_vmcore(const std::string& path, VmcoreView view,
                                  const VmcoreSources& sources) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return fail_errno(path, errno);
  const auto bytes = static_cast<std::uint64_t>(info.st_size);
  const Nanos limit = kAtLeast + bytes / kBytesPerSecond * kSecond;
  const auto work = [&](int into) {
    limit_memory();
    take_memory_in_large_pages();
    return write_all(into, read_it(path, view, sources));
  };
  const BoundedText answer = text_bounded(work, Deadline::in(limit));
  if (answer.error == ETIMEDOUT)
    return fail(fmt::format("{}: not read within {} s: damaged, or on a very slow disk", path,
                            limit / kSecond));
  if (answer.error != 0 || answer.text.empty())
    return fail(path + ": damaged: the process that read it died of it");
  if (answer.text[0] == kFailed) return fail(answer.text.substr(1));
  auto look = understand(std::string_view(answer.text).substr(1), view);
  if (!look) return fail(path + ": " + look.error().what, look.error().origin);
  return look;
}

std::string_view no_vmcores_because() { return {}; }

}  // namespace stallproof
