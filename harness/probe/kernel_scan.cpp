// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/kernel_scan.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include "fuse_scan.skel.h"
#include "harness/base/clock.h"
#include "harness/probe/bpf_support.h"
#include "harness/probe/scan_record.h"
#include "task_scan.skel.h"

namespace stallproof {
namespace {

// libbpf loads nothing that asks for a value of the kernel's configuration, weak or not, where the
// system has no file of it. 0 is "unknown" in ScanBegin::hz.
constexpr const char* kNoSystemConfig = "CONFIG_HZ=0\n";

bool has_system_config() {
  utsname system{};
  ::uname(&system);
  const std::string file = std::string("/boot/config-") + system.release;
  return ::access(file.c_str(), R_OK) == 0 || ::access("/proc/config.gz", R_OK) == 0;
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
  std::uint32_t plain_limit = ~0U;
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
  void run_passes(BpfReading& reading, Depth depth);
  void start(Depth depth);
  [[nodiscard]] ScanBegin begin(Nanos started, const BpfReading& reading, Depth depth) const;
};

Result<> KernelScan::Programs::load_tasks(const bpf_object_open_opts& options) {
  tasks = task_scan__open_opts(&options);
  if (tasks == nullptr) return bpf_refused("open of the task scan", errno);
  int error = task_scan__load(tasks);
  if (error != 0) return bpf_refused("load of the task scan", error);
  error = task_scan__attach(tasks);
  if (error != 0) return bpf_refused("attach of the task scan", error);
  return {};
}

Result<> KernelScan::Programs::load_fuse(const bpf_object_open_opts& options) {
  fuse = fuse_scan__open_opts(&options);
  if (fuse == nullptr) return bpf_refused("open of the FUSE scan", errno);
  int error = ::bpf_map__reuse_fd(fuse->maps.request_tids, ::bpf_map__fd(tasks->maps.request_tids));
  if (error == 0)
    error = ::bpf_map__reuse_fd(fuse->maps.server_tgids, ::bpf_map__fd(tasks->maps.server_tgids));
  if (error == 0) error = fuse_scan__load(fuse);
  if (error == 0) error = fuse_scan__attach(fuse);
  if (error == 0) return {};
  fuse_scan__destroy(std::exchange(fuse, nullptr));
  return bpf_refused("load of the FUSE scan", error);
}

void KernelScan::Programs::start(Depth depth) {
  tasks->bss->generation = ++generation;
  tasks->bss->waits_for_others = 0;
  tasks->bss->plain_tasks = 0;
  tasks->bss->plain_limit = plain_limit;
  tasks->bss->marks = 0;
  tasks->bss->quick = depth == Depth::quick ? 1 : 0;
}

void KernelScan::Programs::run_passes(BpfReading& reading, Depth depth) {
  start(depth);
  if (depth == Depth::quick)
    return read_bpf_iterator(::bpf_link__fd(tasks->links.find_mmap_locks), reading);
  if (fuse != nullptr) {
    fuse->bss->generation = generation;
    fuse->bss->marks = 0;
    read_bpf_iterator(::bpf_link__fd(fuse->links.scan_fuse), reading);
    tasks->bss->marks = fuse->bss->marks;
  }
  for (const bpf_link* link :
       {tasks->links.find_mmap_locks, tasks->links.find_other_locks, tasks->links.emit_tasks}) {
    if (reading.full || reading.error != 0) return;
    if (link == tasks->links.find_other_locks && tasks->bss->waits_for_others == 0) continue;
    read_bpf_iterator(::bpf_link__fd(link), reading);
  }
}

ScanBegin KernelScan::Programs::begin(Nanos started, const BpfReading& reading, Depth depth) const {
  ScanBegin record{};
  record.head = {SCAN_BEGIN, sizeof(record)};
  record.magic = SCAN_MAGIC;
  record.features = tasks->bss->features;
  if (fuse != nullptr) record.features |= fuse->bss->features;
  if (reading.full) record.notes |= SCAN_NOTE_BUFFER_FULL;
  if (reading.error != 0) record.notes |= SCAN_NOTE_INCOMPLETE;
  if (tasks->bss->plain_tasks > plain_limit) record.notes |= SCAN_NOTE_PLAIN_CUT;
  if (depth == Depth::quick) record.notes |= SCAN_NOTE_QUICK;
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
  const BpfWarningScope warnings;
  auto programs = std::make_unique<Programs>();
  bpf_object_open_opts open_options{};
  open_options.sz = sizeof open_options;
  if (!options.btf_path.empty()) open_options.btf_custom_path = options.btf_path.c_str();
  if (!has_system_config()) open_options.kconfig = kNoSystemConfig;
  programs->plain_limit = options.plain_limit;
  const Result<> loaded = programs->load_tasks(open_options);
  if (!loaded) return fail(loaded.error().what, loaded.error().origin);
  if (options.fuse) {
    BpfWarningScope::forget();
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

tl::expected<std::size_t, int> KernelScan::scan(std::span<std::byte> out, Depth depth) noexcept {
  if (out.size() < sizeof(ScanBegin)) return tl::unexpected<int>(EINVAL);
  const Nanos started = monotonic_now();
  BpfReading reading{.out = out, .used = sizeof(ScanBegin)};
  programs_->run_passes(reading, depth);
  const ScanBegin first = programs_->begin(started, reading, depth);
  std::memcpy(out.data(), &first, sizeof(first));
  programs_->truncated = reading.full;
  if (reading.error != 0 && reading.used == sizeof(ScanBegin))
    return tl::unexpected<int>(reading.error);
  return whole_records(out.first(reading.used));
}

bool KernelScan::truncated() const { return programs_->truncated; }
const std::string& KernelScan::fuse_problem() const { return programs_->fuse_problem; }

}  // namespace stallproof
