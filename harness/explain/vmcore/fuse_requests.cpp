// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/fuse_requests.h"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <utility>

#include "harness/explain/vmcore/module_btf.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kBuckets = 256;  // FUSE_PQ_HASH_SIZE
constexpr std::uint64_t kListHead = 16;
enum Place : std::uint32_t { kPending, kProcessing };

class Walk {
 public:
  Walk(const KernelMemory& memory, const FuseLayout& layout, ScanRecords& records,
       std::vector<std::string>& missing)
      : memory_(memory), layout_(layout), records_(records), missing_(missing) {}

  void add(const OpenFuse& open) {
    const std::uint64_t fc = memory_.pointer(open.device + layout_.dev_fc);
    if (!is_kernel_pointer(fc)) return;  // opened, not yet mounted
    ScanConnection out = describe(fc, open.tgid);
    found_ = 0;
    bool whole = true;
    if (connections_.insert(fc).second) {
      whole = follow(fc + layout_.conn_pending, kPending, out);
      whole = follow(fc + layout_.conn_background, kPending, out) && whole;
    }
    if (devices_.insert(open.device).second) whole = read_device(open.device, out) && whole;
    if (!whole)
      missing_.push_back(
          fmt::format("FUSE connection {}: lists of its requests break off", out.number));
    records_.connections.push_back(out);
  }

 private:
  [[nodiscard]] ScanConnection describe(std::uint64_t fc, std::int32_t tgid) const {
    ScanConnection out{};
    out.head = {SCAN_CONNECTION, sizeof(out)};
    out.fc = fc;
    out.number = memory_.value<std::uint32_t>(fc + layout_.conn_number).value_or(0);
    out.waiting = memory_.value<std::uint32_t>(fc + layout_.conn_waiting).value_or(0);
    out.server_tgid = tgid;
    const std::uint64_t space = memory_.pointer(fc + layout_.conn_pid_ns);
    const auto level = memory_.value<std::uint32_t>(space + layout_.pid_ns_level);
    if (is_kernel_pointer(space) && level.value_or(0) != 0) out.flags |= SCAN_CONN_PID_NS;
    if (layout_.conn_ring && memory_.pointer(fc + *layout_.conn_ring) != 0)
      out.flags |= SCAN_CONN_RING;
    return out;
  }

  bool read_device(std::uint64_t device, ScanConnection& out) {
    bool whole = follow(device + layout_.dev_io, kProcessing, out);
    if (!layout_.hashed) return follow(device + layout_.dev_processing, kProcessing, out) && whole;
    const std::uint64_t table = memory_.pointer(device + layout_.dev_processing);
    for (std::uint64_t i = 0; i < kBuckets; ++i)
      whole = follow(table + i * kListHead, kProcessing, out) && whole;
    return whole;
  }

  // False when the list breaks off.
  bool follow(std::uint64_t head, Place place, ScanConnection& out) {
    std::uint64_t node = is_kernel_pointer(head) ? memory_.pointer(head) : 0;
    while (node != head || head == 0) {
      const std::uint64_t next = is_kernel_pointer(node) ? memory_.pointer(node) : 0;
      if (next == 0 || memory_.pointer(next + 8) != node) return false;
      if (found_ == SCAN_MAX_REQUESTS) {
        out.flags |= SCAN_CONN_CUT;
        return true;
      }
      take(node - layout_.req_list, place, out.number);
      node = next;
    }
    return true;
  }

  void take(std::uint64_t request, Place place, std::uint32_t number) {
    ScanRequest out{};
    out.head = {SCAN_REQUEST, sizeof(out)};
    out.request = request;
    out.unique = memory_.pointer(request + layout_.req_unique);
    out.opcode = memory_.value<std::uint32_t>(request + layout_.req_opcode).value_or(0);
    out.client = memory_.value<std::int32_t>(request + layout_.req_pid).value_or(0);
    out.number = number;
    out.processing = place;
    records_.requests.push_back(out);
    ++found_;
  }

  const KernelMemory& memory_;
  const FuseLayout& layout_;
  ScanRecords& records_;
  std::vector<std::string>& missing_;
  std::set<std::uint64_t> connections_, devices_;
  std::size_t found_ = 0;
};

}  // namespace

void add_fuse_records(const KernelMemory& memory, const FuseLayout& layout,
                      const std::vector<OpenFuse>& open, ScanRecords& records,
                      std::vector<std::string>& missing) {
  Walk walk(memory, layout, records, missing);
  for (const OpenFuse& each : open) walk.add(each);
}

Result<> read_fuse(const KernelMemory& memory, const KernelBtf& kernel, const SymbolBook& book,
                   const std::vector<DumpedTask>& tasks, ScanRecords& records,
                   std::vector<std::string>& missing) {
  const auto files = FileTableLayout::of(kernel);
  if (!files) return fail("BTF does not describe open files");
  bool unread = false;
  const std::vector<OpenFuse> open = find_open_fuse(memory, *files, tasks, unread);
  if (unread)
    missing.emplace_back("a table of open files is not in the dump: a FUSE server may be unseen");
  if (open.empty()) return {};
  std::optional<KernelBtf> module;
  if (!kernel.size("fuse_conn")) {  // it is not built in
    auto types = read_module_btf(memory, kernel, book, "fuse");
    if (!types) return Failure(types.error());
    module = std::move(*types);
  }
  const auto layout = FuseLayout::of(kernel, module ? *module : kernel);
  if (!layout) return Failure(layout.error());
  add_fuse_records(memory, *layout, open, records, missing);
  return {};
}

}  // namespace stallproof
