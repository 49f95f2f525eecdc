// SPDX-License-Identifier: Apache-2.0
// What a thread is inside of: the single operation, for people who look at a stall, and its kind,
// for figures that need few values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace stallproof {

// Shown to people as op_name().
enum class Op : std::uint32_t {
  none,
  read,
  write,
  direct_read,
  page_fault,
  page_drop,
  mprotect,
  serve_page,
  serve_direct,
  mkdir,
  rmdir,
  create,
  open,
  close,
  remove,
  getattr,
  setattr,
  access,
  copy,
  move,
  mmap,
  munmap,
  madvise,
  thread_start,
  thread_end,
  msync,
  lock,
  exec,
  vfork
};
inline constexpr std::size_t kOps = static_cast<std::size_t>(Op::vfork) + 1;
std::string_view op_name(Op op);

enum class OpKind : std::uint8_t {
  other,
  read,
  write,
  fault,
  mprotect,
  map,  // every other change of the memory map
  sync,
  file,  // names, attributes, open and close
  thread,
  serve  // by the file system's own threads
};
inline constexpr std::size_t kOpKinds = static_cast<std::size_t>(OpKind::serve) + 1;
// As metrics call it.
std::string_view op_kind_name(OpKind kind);

namespace op_kinds {
constexpr OpKind of(Op op) {
  switch (op) {
    case Op::read:
    case Op::direct_read:
      return OpKind::read;
    case Op::write:
      return OpKind::write;
    case Op::page_fault:
      return OpKind::fault;
    case Op::mprotect:
      return OpKind::mprotect;
    case Op::page_drop:
    case Op::mmap:
    case Op::munmap:
    case Op::madvise:
      return OpKind::map;
    case Op::msync:
      return OpKind::sync;
    case Op::thread_start:
    case Op::thread_end:
      return OpKind::thread;
    case Op::serve_page:
    case Op::serve_direct:
      return OpKind::serve;
    default:
      return op >= Op::mkdir && op <= Op::move ? OpKind::file : OpKind::other;
  }
}

inline constexpr std::array<OpKind, kOps> kOf = [] {
  std::array<OpKind, kOps> kinds{};
  for (std::size_t i = 0; i < kOps; ++i) kinds[i] = of(static_cast<Op>(i));
  return kinds;
}();
}  // namespace op_kinds

// One look into a table: it is asked for every operation. What is no Op is `other`.
inline OpKind kind_of(std::uint32_t op_code) {
  return op_code < kOps ? op_kinds::kOf[op_code] : OpKind::other;
}

}  // namespace stallproof
