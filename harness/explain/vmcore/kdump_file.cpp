// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/kdump_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <libkdumpfile/kdumpfile.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "harness/explain/vmcore/dump_length.h"
#include "harness/explain/vmcore/flattened.h"

namespace stallproof {
namespace {

constexpr unsigned kPageShift = 12;

std::string reason(kdump_ctx_t* context) {
  const char* why = kdump_get_err(context);
  return why != nullptr ? why : "no reason given";
}

Failure refuse(const std::string& path, const char* what, kdump_ctx_t* context) {
  return fail(
      fmt::format("{}: {}: {} (if crash can open it: type what `stallproof explain "
                  "--crash-script` prints, and give the output)",
                  path, what, reason(context)));
}

// Neither left out when the dump was made nor an address that leads nowhere.
bool is_trouble(kdump_status status) {
  return status == KDUMP_ERR_SYSTEM || status == KDUMP_ERR_NOTIMPL || status == KDUMP_ERR_CORRUPT ||
         status == KDUMP_ERR_EOF;
}

}  // namespace

Result<std::unique_ptr<KdumpFile>> KdumpFile::open(const std::string& path) {
  std::unique_ptr<KdumpFile> file(new KdumpFile);
  file->file_ = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file->file_.valid()) return fail_errno(path, errno);
  std::array<char, 16> beginning{};
  const ssize_t got = ::pread(file->file_.get(), beginning.data(), beginning.size(), 0);
  if (got < 0) return fail_errno(path, errno);
  if (is_flattened({beginning.data(), static_cast<std::size_t>(got)})) {
    auto whole = unflatten(file->file_.get());
    if (!whole) return fail(path + ": " + whole.error().what);
    file->file_ = std::move(*whole);
  }
  if (const auto length = check_length(file->file_.get()); !length)
    return fail(path + ": " + length.error().what);
  if (auto attached = file->attach(path); !attached) return Failure(attached.error());
  return file;
}

Result<> KdumpFile::attach(const std::string& path) {
  context_ = kdump_new();
  if (context_ == nullptr) return fail("libkdumpfile: out of memory", Origin::infra);
  // Mapped pages of the file would count as our memory.
  kdump_set_number_attr(context_, KDUMP_ATTR_FILE_MMAP_POLICY, KDUMP_MMAP_NEVER);
  if (kdump_open_fd(context_, file_.get()) != KDUMP_OK)
    return refuse(path, "cannot be read as a memory image", context_);
  const char* arch = nullptr;
  if (kdump_get_string_attr(context_, KDUMP_ATTR_ARCH_NAME, &arch) != KDUMP_OK) {
    // QEMU leaves it out of its kdump form.
    kdump_clear_err(context_);
    kdump_set_string_attr(context_, KDUMP_ATTR_ARCH_NAME, KDUMP_ARCH_X86_64);
  } else if (std::string_view(arch) != KDUMP_ARCH_X86_64) {
    return fail(fmt::format("{}: of a machine of type {} (only x86_64 is read)", path, arch));
  }
  if (kdump_set_string_attr(context_, KDUMP_ATTR_OSTYPE, "linux") != KDUMP_OK)
    return refuse(path, "the kernel's page tables cannot be followed", context_);
  // VMCOREINFO is there only after that.
  char* raw = nullptr;
  if (kdump_vmcoreinfo_raw(context_, &raw) != KDUMP_OK)
    return refuse(path, "no VMCOREINFO in it, which says where the kernel lies", context_);
  vmcoreinfo_ = raw;
  std::free(raw);  // NOLINT: the library's own
  return {};
}

KdumpFile::~KdumpFile() {
  if (context_ != nullptr) kdump_free(context_);
}

const std::uint8_t* KdumpFile::page(std::uint64_t number) const {
  Page& slot = pages_[number % kPages];
  if (slot.number != number) {
    slot.number = number;
    std::size_t size = kPageBytes;
    const kdump_status status =
        kdump_read(context_, KDUMP_KVADDR, number << kPageShift, slot.bytes.data(), &size);
    slot.there = status == KDUMP_OK && size == kPageBytes;
    if (is_trouble(status) && trouble_.empty()) trouble_ = reason(context_);
    if (!slot.there) kdump_clear_err(context_);
  }
  return slot.there ? slot.bytes.data() : nullptr;
}

std::optional<CpuRegisters> KdumpFile::registers(std::int32_t cpu) const {
  // struct elf_prstatus of x86-64: registers as in struct pt_regs, from byte 112 on.
  constexpr std::size_t kRegisters = 112;
  constexpr std::size_t kLeast = kRegisters + 160;
  kdump_attr_t attribute{};
  const std::string key = fmt::format("cpu.{}.PRSTATUS", cpu);
  if (cpu < 0 || kdump_get_attr(context_, key.c_str(), &attribute) != KDUMP_OK ||
      attribute.type != KDUMP_BLOB) {
    kdump_clear_err(context_);
    return std::nullopt;
  }
  const auto* bytes = static_cast<const std::uint8_t*>(kdump_blob_pin(attribute.val.blob));
  std::optional<CpuRegisters> found;
  if (bytes != nullptr && kdump_blob_size(attribute.val.blob) >= kLeast) {
    const auto word = [bytes](std::size_t offset) {
      std::uint64_t value = 0;
      std::memcpy(&value, bytes + kRegisters + offset, sizeof(value));
      return value;
    };
    found = CpuRegisters{.ip = word(128), .sp = word(152), .bp = word(32), .cs = word(136)};
  }
  kdump_blob_unpin(attribute.val.blob);
  return found;
}

bool KdumpFile::read(std::uint64_t address, void* into, std::size_t size) const {
  auto* out = static_cast<std::uint8_t*>(into);
  if (address < kKernelHalf || size > ~address) return false;
  while (size > 0) {
    const std::size_t offset = address % kPageBytes;
    const std::size_t part = std::min(size, kPageBytes - offset);
    const std::uint8_t* from = page(address >> kPageShift);
    if (from == nullptr) return false;
    std::memcpy(out, from + offset, part);
    out += part;
    address += part;
    size -= part;
  }
  return true;
}

}  // namespace stallproof
