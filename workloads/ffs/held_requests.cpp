// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/held_requests.h"

#include <linux/fuse.h>

#include <cstring>

namespace stallproof {
namespace {

// Has no answer, or is about another request or the connection itself.
bool is_bookkeeping(std::uint32_t opcode) {
  return opcode == FUSE_INIT || opcode == FUSE_FORGET || opcode == FUSE_BATCH_FORGET ||
         opcode == FUSE_INTERRUPT || opcode == FUSE_DESTROY;
}

// Of a request that asks for a name in a directory; empty for any other.
std::string name_asked_for(std::uint32_t opcode, std::span<const char> request) {
  std::size_t at = sizeof(fuse_in_header);
  if (opcode == FUSE_CREATE)
    at += sizeof(fuse_create_in);
  else if (opcode == FUSE_MKNOD)
    at += sizeof(fuse_mknod_in);
  else if (opcode == FUSE_MKDIR)
    at += sizeof(fuse_mkdir_in);
  else if (opcode != FUSE_LOOKUP)
    return {};
  if (at >= request.size()) return {};
  return {request.data() + at, ::strnlen(request.data() + at, request.size() - at)};
}

}  // namespace

bool HeldRequests::keep_as(Behaviour behaviour, std::span<const char> request) {
  fuse_in_header header{};
  if (request.size() < sizeof header) return false;
  std::memcpy(&header, request.data(), sizeof header);
  if (is_bookkeeping(header.opcode)) return false;
  bool held = false;
  bool for_a_while = true;
  switch (behaviour) {
    case Behaviour::silent:
      for_a_while = false;
      [[fallthrough]];
    case Behaviour::slow:
      held = true;
      break;
    case Behaviour::hold_one:
      for_a_while = false;
      held = held_.empty();
      break;
    case Behaviour::hold_reads:
      for_a_while = false;
      [[fallthrough]];
    case Behaviour::slow_reads:
      held = header.opcode == FUSE_READ;
      break;
    case Behaviour::hold_writes:
      for_a_while = false;
      [[fallthrough]];
    case Behaviour::slow_writes:
      held = header.opcode == FUSE_WRITE;
      break;
    case Behaviour::hold_lookups:
      for_a_while = false;
      held = is_of_held_name(name_asked_for(header.opcode, request));
      break;
    case Behaviour::slow_lookups:
      held = header.opcode == FUSE_LOOKUP;
      break;
    default:
      break;
  }
  if (held)
    held_.push_back({behaviour, for_a_while ? monotonic_now() + pause_ : 0,
                     std::vector<char>(request.begin(), request.end())});
  return held;
}

bool HeldRequests::is_of_held_name(const std::string& name) {
  if (name.empty()) return false;
  const std::uint64_t armed = panel_.armed_ns.load(std::memory_order_relaxed);
  if (armed != armed_ns_) {
    armed_ns_ = armed;
    held_name_ = name;
  }
  return name == held_name_;
}

std::optional<std::vector<char>> HeldRequests::next_due() {
  if (held_.empty()) return std::nullopt;
  const Held& oldest = held_.front();
  const auto behaviour = static_cast<Behaviour>(panel_.behaviour.load(std::memory_order_relaxed));
  const bool armed = behaviour == oldest.under;
  if (armed && (oldest.until == 0 || monotonic_now() < oldest.until)) return std::nullopt;
  std::optional<std::vector<char>> bytes(std::move(held_.front().bytes));
  held_.pop_front();
  return bytes;
}

}  // namespace stallproof
