// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/bpf_support.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "harness/base/fd.h"

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

bool is_forbidden(int error) { return std::abs(error) == EPERM || std::abs(error) == EACCES; }

}  // namespace

BpfWarningScope::BpfWarningScope() : before_(libbpf_set_print(keep_warning)) { forget(); }
BpfWarningScope::~BpfWarningScope() { libbpf_set_print(before_); }
void BpfWarningScope::forget() { last_warning().clear(); }

Failure bpf_refused(const std::string& what, int error) {
  const bool forbidden = is_forbidden(error);
  return bpf_refused(what, error,
                     forbidden
                         ? "run as root; else locks are only seen through /proc"
                         : "needs Linux 5.17 with BTF; else locks are only seen through /proc");
}

// Without the right to load, libbpf's own guess at the cause only misleads.
Failure bpf_refused(const std::string& what, int error, const std::string& try_this) {
  const bool told = !is_forbidden(error) && !last_warning().empty();
  return fail_errno("BPF " + what + (told ? " [" + last_warning() + "]" : ""), std::abs(error),
                    try_this, Origin::lacking);
}

// Every read(2) gives whole objects' output unless the room ends; cut records are trimmed later.
void read_bpf_iterator(int link_fd, BpfReading& reading) {
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

}  // namespace stallproof
