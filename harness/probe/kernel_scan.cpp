// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/kernel_scan.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <array>
#include <cstdarg>
#include <cstring>
#include <vector>

#include "fuse_scan.skel.h"
#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/probe/scan_record.h"
#include "task_scan.skel.h"

namespace stallproof {
namespace {

// libbpf explains a failure only in its log, line by line: keep the line that names a cause.
std::string& last_warning() {
  static std::string line;
  return line;
}

// A verifier log comes as one huge "warning". Of a field that this kernel has not, libbpf writes
// into it "failed to resolve CO-RE relocation <byte_off> [33] struct mm_struct.mmap_lock (…)".
std::string_view missing_type(std::string_view log) {
  constexpr std::string_view kMark = "failed to resolve CO-RE relocation ";
  const std::size_t mark = log.find(kMark);
  if (mark == std::string_view::npos) return {};
  std::string_view line = log.substr(mark + kMark.size());
  line = line.substr(0, line.find_first_of("\n("));
  const std::size_t begin = line.find("] ");
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin + 2);
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

int keep_warning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  std::vector<char> line(1U << 20U);
  const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
  const std::string_view text(line.data());
  if (const auto type = missing_type(text); !type.empty())
    last_warning() = "the BTF has no " + std::string(type);
  else if (text.find("BEGIN PROG LOAD LOG") == std::string_view::npos && last_warning().empty())
    last_warning() = text.substr(0, text.find('\n'));
  return length;
}

// libbpf's print function is process-wide: ours is there only while we load.
class WarningScope {
 public:
  WarningScope() : before_(libbpf_set_print(keep_warning)) { last_warning().clear(); }
  WarningScope(const WarningScope&) = delete;
  WarningScope& operator=(const WarningScope&) = delete;
  ~WarningScope() { libbpf_set_print(before_); }

 private:
  libbpf_print_fn_t before_;
};

// Without the right to load, libbpf's own guess at the cause only misleads.
Failure refused(const std::string& what, int error) {
  error = error < 0 ? -error : error;
  const bool forbidden = error == EPERM || error == EACCES;
  const std::string why = forbidden || last_warning().empty() ? "" : " [" + last_warning() + "]";
  return fail_errno("BPF " + what + why, error,
                    forbidden ? "run as root; else locks are only seen through /proc"
                              : "needs Linux 5.17 with BTF; else locks are only seen through /proc",
                    Origin::lacking);
}

struct Reading {
  std::span<std::byte> out;
  std::size_t used = 0;
  bool full = false;
  int error = 0;
};

// Every read(2) gives whole objects' output unless the room ends; cut records are trimmed later.
void read_pass(int link_fd, Reading& reading) {
  const Fd iterator(::bpf_iter_create(link_fd));
  if (!iterator.valid()) {
    reading.error = errno;
    return;
  }
  for (;;) {
    const std::span<std::byte> room = reading.out.subspan(reading.used);
    if (room.empty()) {
      reading.full = true;
      return;
    }
    const ssize_t got = ::read(iterator.get(), room.data(), room.size());
    if (got > 0) {
      reading.used += static_cast<std::size_t>(got);
      continue;
    }
    // EAGAIN: a million tasks or files without output; the next read goes on from there.
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) reading.error = errno;
    return;
  }
}

std::size_t whole_records(std::span<const std::byte> bytes) {
  std::size_t used = 0;
  while (used + sizeof(ScanHead) <= bytes.size()) {
    ScanHead head{};
    std::memcpy(&head, bytes.data() + used, sizeof(head));
    if (head.size < sizeof(head) || head.size > bytes.size() - used) break;
    used += head.size;
  }
  return used;
}

}  // namespace

struct KernelScan::Programs {
  task_scan* tasks = nullptr;
  fuse_scan* fuse = nullptr;
  std::string fuse_problem = "not asked for";
  std::uint64_t generation = 0;
  bool truncated = false;

  Programs() = default;
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;
  ~Programs() {
    fuse_scan__destroy(fuse);
    task_scan__destroy(tasks);
  }
  Result<> load_tasks(const bpf_object_open_opts& options);
  Result<> load_fuse(const bpf_object_open_opts& options);
  void run_passes(Reading& reading);
  [[nodiscard]] ScanBegin begin(Nanos started, const Reading& reading) const;
};

Result<> KernelScan::Programs::load_tasks(const bpf_object_open_opts& options) {
  tasks = task_scan__open_opts(&options);
  if (tasks == nullptr) return refused("open of the task scan", errno);
  int error = task_scan__load(tasks);
  if (error != 0) return refused("load of the task scan", error);
  error = task_scan__attach(tasks);
  if (error != 0) return refused("attach of the task scan", error);
  return {};
}

Result<> KernelScan::Programs::load_fuse(const bpf_object_open_opts& options) {
  fuse = fuse_scan__open_opts(&options);
  if (fuse == nullptr) return refused("open of the FUSE scan", errno);
  int error = ::bpf_map__reuse_fd(fuse->maps.request_tids, ::bpf_map__fd(tasks->maps.request_tids));
  if (error == 0)
    error = ::bpf_map__reuse_fd(fuse->maps.server_tgids, ::bpf_map__fd(tasks->maps.server_tgids));
  if (error == 0) error = fuse_scan__load(fuse);
  if (error == 0) error = fuse_scan__attach(fuse);
  if (error == 0) return {};
  fuse_scan__destroy(std::exchange(fuse, nullptr));
  return refused("load of the FUSE scan", error);
}

void KernelScan::Programs::run_passes(Reading& reading) {
  tasks->bss->generation = ++generation;
  if (fuse != nullptr) {
    fuse->bss->generation = generation;
    read_pass(::bpf_link__fd(fuse->links.scan_fuse), reading);
  }
  for (const bpf_link* link :
       {tasks->links.find_mmap_locks, tasks->links.find_other_locks, tasks->links.emit_tasks}) {
    if (reading.full || reading.error != 0) return;
    read_pass(::bpf_link__fd(link), reading);
  }
}

ScanBegin KernelScan::Programs::begin(Nanos started, const Reading& reading) const {
  ScanBegin record{};
  record.head = {SCAN_BEGIN, sizeof(record)};
  record.magic = SCAN_MAGIC;
  record.features = tasks->bss->features;
  if (fuse != nullptr) record.features |= fuse->bss->features;
  if (reading.full) record.notes |= SCAN_NOTE_BUFFER_FULL;
  if (reading.error != 0) record.notes |= SCAN_NOTE_INCOMPLETE;
  record.hz = tasks->bss->hz;
  record.jiffies = tasks->bss->jiffies_now;
  record.taken_ns = started;
  record.took_ns = monotonic_now() - started;
  return record;
}

KernelScan::KernelScan(std::unique_ptr<Programs> programs) : programs_(std::move(programs)) {}
KernelScan::KernelScan(KernelScan&&) noexcept = default;
KernelScan& KernelScan::operator=(KernelScan&&) noexcept = default;
KernelScan::~KernelScan() = default;

Result<KernelScan> KernelScan::open(const ScanOptions& options) {
  const WarningScope warnings;
  auto programs = std::make_unique<Programs>();
  bpf_object_open_opts open_options{};
  open_options.sz = sizeof open_options;
  if (!options.btf_path.empty()) open_options.btf_custom_path = options.btf_path.c_str();
  const Result<> loaded = programs->load_tasks(open_options);
  if (!loaded) return fail(loaded.error().what, loaded.error().origin);
  if (options.fuse) {
    last_warning().clear();
    const Result<> fuse = programs->load_fuse(open_options);
    programs->fuse_problem = fuse ? std::string{} : fuse.error().what;
  }
  return KernelScan(std::move(programs));
}

tl::expected<void, int> KernelScan::watch(pid_t tgid) noexcept {
  const auto key = static_cast<std::uint32_t>(tgid);
  const std::uint64_t value = 1;
  if (::bpf_map__update_elem(programs_->tasks->maps.watched_tgids, &key, sizeof(key), &value,
                             sizeof(value), BPF_ANY) != 0)
    return tl::unexpected<int>(errno);
  return {};
}

tl::expected<void, int> KernelScan::unwatch(pid_t tgid) noexcept {
  const auto key = static_cast<std::uint32_t>(tgid);
  if (::bpf_map__delete_elem(programs_->tasks->maps.watched_tgids, &key, sizeof(key), 0) != 0)
    return tl::unexpected<int>(errno);
  return {};
}

tl::expected<std::size_t, int> KernelScan::scan(std::span<std::byte> out) noexcept {
  if (out.size() < sizeof(ScanBegin)) return tl::unexpected<int>(EINVAL);
  const Nanos started = monotonic_now();
  Reading reading{.out = out, .used = sizeof(ScanBegin)};
  programs_->run_passes(reading);
  const ScanBegin first = programs_->begin(started, reading);
  std::memcpy(out.data(), &first, sizeof(first));
  programs_->truncated = reading.full;
  if (reading.error != 0 && reading.used == sizeof(ScanBegin))
    return tl::unexpected<int>(reading.error);
  return whole_records(out.first(reading.used));
}

bool KernelScan::truncated() const { return programs_->truncated; }
const std::string& KernelScan::fuse_problem() const { return programs_->fuse_problem; }

}  // namespace stallproof
