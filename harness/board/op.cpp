// SPDX-License-Identifier: Apache-2.0
#include "harness/board/op.h"

namespace stallproof {
namespace {

// In the order of Op.
constexpr std::array<std::string_view, kOps> kNames{"idle",
                                                    "read",
                                                    "write",
                                                    "direct read",
                                                    "page fault",
                                                    "page drop",
                                                    "mprotect",
                                                    "serve page read",
                                                    "serve direct read",
                                                    "mkdir",
                                                    "rmdir",
                                                    "create",
                                                    "open",
                                                    "close",
                                                    "delete",
                                                    "getattr",
                                                    "setattr",
                                                    "access",
                                                    "copy",
                                                    "move",
                                                    "mmap",
                                                    "munmap",
                                                    "madvise",
                                                    "thread start",
                                                    "thread end",
                                                    "msync",
                                                    "lock",
                                                    "exec",
                                                    "vfork"};
// In the order of OpKind.
constexpr std::array<std::string_view, kOpKinds> kKindNames{
    "other", "read", "write", "fault", "mprotect", "map", "sync", "file", "thread", "serve"};

}  // namespace

std::string_view op_name(Op op) {
  const auto number = static_cast<std::size_t>(op);
  return number < kNames.size() ? kNames[number] : "unknown";
}

std::string_view op_kind_name(OpKind kind) {
  const auto number = static_cast<std::size_t>(kind);
  return number < kKindNames.size() ? kKindNames[number] : "other";
}

}  // namespace stallproof
