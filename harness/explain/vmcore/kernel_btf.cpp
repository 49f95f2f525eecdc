// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/kernel_btf.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "harness/base/fd.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostBytes = 64U << 20U;
constexpr std::uint64_t kScanned = 256U << 20U;  // text, read-only data and what lies between
constexpr int kDeepest = 8;
constexpr std::uint32_t kHeaderBytes = 24;

// struct btf_header (include/uapi/linux/btf.h).
struct Header {
  std::uint16_t magic;
  std::uint8_t version;
  std::uint8_t flags;
  std::uint32_t header_bytes;
  std::uint32_t type_offset;
  std::uint32_t type_bytes;
  std::uint32_t string_offset;
  std::uint32_t string_bytes;
};

std::optional<std::size_t> whole_size(const Header& header) {
  if (header.magic != 0xeb9f || header.version != 1 || header.flags != 0 ||
      header.header_bytes != kHeaderBytes)
    return std::nullopt;
  const std::uint64_t end = std::uint64_t{header.string_offset} + header.string_bytes;
  if (header.type_bytes == 0 || header.type_offset != 0 ||
      header.string_offset < header.type_bytes || end > kMostBytes)
    return std::nullopt;
  return kHeaderBytes + static_cast<std::size_t>(end);
}

// libbpf 1.1 declares a function for this and has none: it reads split BTF from files only.
btf* parse_in_a_file(std::span<const std::byte> bytes, btf* base) {
  const Fd file(::memfd_create("btf", MFD_CLOEXEC));
  if (!file.valid()) return nullptr;
  while (!bytes.empty()) {
    const ssize_t put = ::write(file.get(), bytes.data(), bytes.size());
    if (put <= 0) return nullptr;
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return btf__parse_raw_split(fmt::format("/proc/self/fd/{}", file.get()).c_str(), base);
}

bool is_named_kind(const btf_type* type) { return btf_is_composite(type) || btf_is_any_enum(type); }

}  // namespace

void KernelBtf::Freed::operator()(btf* types) const { btf__free(types); }

void KernelBtf::name_types(std::uint32_t first) {
  const std::uint32_t count = btf__type_cnt(types_.get());
  for (std::uint32_t id = first; id < count; ++id) {
    const btf_type* type = btf__type_by_id(types_.get(), id);
    if (type == nullptr || !is_named_kind(type)) continue;
    const char* name = btf__name_by_offset(types_.get(), type->name_off);
    if (name != nullptr && *name != '\0') named_.emplace(name, id);
  }
}

Result<KernelBtf> KernelBtf::parse(std::span<const std::byte> bytes) {
  libbpf_set_print(nullptr);
  KernelBtf out;
  out.types_.reset(btf__new(bytes.data(), static_cast<std::uint32_t>(bytes.size())));
  if (out.types_ == nullptr) return fail("BTF: damaged");
  out.name_types(1);
  if (!out.size("task_struct")) return fail("BTF: it does not describe a kernel");
  return out;
}

Result<KernelBtf> KernelBtf::parse_split(std::span<const std::byte> bytes, const KernelBtf& base) {
  libbpf_set_print(nullptr);
  KernelBtf out;
  out.types_.reset(parse_in_a_file(bytes, base.types_.get()));
  if (out.types_ == nullptr)
    return fail("BTF of a module: damaged, or no memfd_create (3.17) here to read it by");
  out.name_types(btf__type_cnt(base.types_.get()));
  return out;
}

Result<KernelBtf> KernelBtf::read(const KernelMemory& memory, std::uint64_t start,
                                  std::uint64_t stop) {
  if (stop <= start || stop - start > kMostBytes) return fail("BTF: no sensible size");
  std::vector<std::byte> bytes(static_cast<std::size_t>(stop - start));
  if (!memory.read(start, bytes.data(), bytes.size()))
    return fail("BTF: part of it is not in the dump");
  return parse(bytes);
}

Result<KernelBtf> KernelBtf::find(const KernelMemory& memory, std::uint64_t from) {
  constexpr std::size_t kPage = 4096;
  std::vector<std::byte> page(kPage);
  const std::uint64_t begin = from & ~std::uint64_t{kPage - 1};
  for (std::uint64_t at = begin; at < begin + kScanned; at += kPage) {
    if (!memory.read(at, page.data(), kPage)) continue;
    // The linker aligns it to 4 bytes at least.
    for (std::size_t i = 0; i + sizeof(Header) <= kPage; i += 4) {
      Header header{};
      std::memcpy(&header, &page[i], sizeof(header));
      const auto size = whole_size(header);
      if (!size) continue;
      if (auto found = read(memory, at + i, at + i + *size)) return found;
    }
  }
  return fail("no BTF in the dump");
}

std::uint32_t KernelBtf::bare(std::uint32_t id) const {
  for (int depth = 0; depth < kDeepest; ++depth) {
    const btf_type* type = btf__type_by_id(types_.get(), id);
    if (type == nullptr) return 0;
    if (!btf_is_typedef(type) && !btf_is_mod(type)) return id;
    id = type->type;
  }
  return 0;
}

// Members of structures without a name belong to the one around them.
std::optional<KernelBtf::Found> KernelBtf::direct_member(std::uint32_t id, std::string_view name,
                                                         int depth) const {
  const btf_type* type = btf__type_by_id(types_.get(), bare(id));
  if (type == nullptr || !btf_is_composite(type) || depth > kDeepest) return std::nullopt;
  const btf_member* members = btf_members(type);
  for (std::uint32_t i = 0; i < btf_vlen(type); ++i) {
    const char* own = btf__name_by_offset(types_.get(), members[i].name_off);
    const std::uint32_t bit = btf_member_bit_offset(type, i);
    if (own != nullptr && name == own)
      return Found{bit, btf_member_bitfield_size(type, i), members[i].type};
    if (own != nullptr && *own != '\0') continue;
    if (auto inside = direct_member(members[i].type, name, depth + 1)) {
      inside->bit += bit;
      return inside;
    }
  }
  return std::nullopt;
}

std::optional<KernelBtf::Found> KernelBtf::member(std::uint32_t id, std::string_view path) const {
  Found found{0, 0, id};
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    const auto step = direct_member(found.type, path.substr(0, dot), 0);
    if (!step) return std::nullopt;
    found = {found.bit + step->bit, step->width, step->type};
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  }
  return found;
}

std::optional<KernelBtf::Found> KernelBtf::find_member(std::string_view type,
                                                       std::string_view path) const {
  const auto id = named_.find(type);
  if (id == named_.end()) return std::nullopt;
  return member(id->second, path);
}

std::optional<std::uint32_t> KernelBtf::offset(
    std::string_view type, std::initializer_list<std::string_view> paths) const {
  constexpr std::uint32_t kFarthest = 1U << 20U;  // a damaged offset is no offset
  for (const std::string_view path : paths)
    if (const auto found = find_member(type, path); found && found->bit / 8 < kFarthest)
      return found->bit / 8;
  return std::nullopt;
}

std::optional<KernelBtf::Bits> KernelBtf::bits(std::string_view type, std::string_view path) const {
  const auto found = find_member(type, path);
  if (!found) return std::nullopt;
  return Bits{found->bit, found->width};
}

std::optional<std::uint32_t> KernelBtf::size(std::string_view type) const {
  const auto id = named_.find(type);
  if (id == named_.end()) return std::nullopt;
  const std::int64_t size = btf__resolve_size(types_.get(), id->second);
  if (size <= 0 || size > (1 << 20)) return std::nullopt;
  return static_cast<std::uint32_t>(size);
}

std::optional<std::uint32_t> KernelBtf::enum_value(std::string_view type,
                                                   std::string_view name) const {
  const auto id = named_.find(type);
  if (id == named_.end()) return std::nullopt;
  const btf_type* list = btf__type_by_id(types_.get(), id->second);
  if (list == nullptr || !btf_is_enum(list)) return std::nullopt;
  const struct btf_enum* values = ::btf_enum(list);
  for (std::uint32_t i = 0; i < btf_vlen(list); ++i) {
    const char* own = btf__name_by_offset(types_.get(), values[i].name_off);
    if (own != nullptr && name == own) return static_cast<std::uint32_t>(values[i].val);
  }
  return std::nullopt;
}

std::string KernelBtf::member_type(std::string_view type, std::string_view path) const {
  const auto found = find_member(type, path);
  if (!found) return {};
  const btf_type* own = btf__type_by_id(types_.get(), found->type);
  const char* name = own == nullptr ? nullptr : btf__name_by_offset(types_.get(), own->name_off);
  return name == nullptr ? std::string{} : name;
}

}  // namespace stallproof
