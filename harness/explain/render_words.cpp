// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/render.h"

namespace stallproof {

std::string_view to_word(NodeKind kind) {
  switch (kind) {
    case NodeKind::task:
      return "task";
    case NodeKind::lock:
      return "lock";
    case NodeKind::fuse:
      return "fuse";
    case NodeKind::device:
      return "device";
    case NodeKind::fs:
      return "fs";
  }
  return "task";
}

std::string_view to_word(Role role) {
  switch (role) {
    case Role::none:
      return "none";
    case Role::holder:
      return "holder";
    case Role::queued_writer:
      return "queued_writer";
    case Role::queued_reader:
      return "queued_reader";
    case Role::service:
      return "service";
    case Role::idle_service:
      return "idle_service";
    case Role::bystander:
      return "bystander";
  }
  return "none";
}

std::string_view to_word(EdgeKind kind) {
  switch (kind) {
    case EdgeKind::waits_for:
      return "waits_for";
    case EdgeKind::held_by:
      return "held_by";
    case EdgeKind::served_by:
      return "served_by";
  }
  return "waits_for";
}

std::string_view to_word(LockMode mode) { return mode == LockMode::write ? "write" : "read"; }

std::string_view to_word(Certainty certainty) {
  switch (certainty) {
    case Certainty::exact:
      return "exact";
    case Certainty::likely:
      return "likely";
    case Certainty::inferred:
      return "inferred";
  }
  return "inferred";
}

std::string_view to_word(LensKind lens) {
  switch (lens) {
    case LensKind::live_bpf:
      return "live_bpf";
    case LensKind::live_proc:
      return "live_proc";
    case LensKind::crash_text:
      return "crash_text";
    case LensKind::vmcore:
      return "vmcore";
  }
  return "crash_text";
}

}  // namespace stallproof
