// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/flattened.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace stallproof {
namespace {

constexpr std::string_view kSignature = "makedumpfile";
constexpr std::size_t kHeaderBytes = 4096;
constexpr std::int64_t kLastPlace = std::int64_t{1} << 46;  // 64 TiB: no dump is longer
constexpr std::size_t kChunk = 1U << 20U;

std::int64_t big_endian(const unsigned char* bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8U | bytes[i];
  return static_cast<std::int64_t>(value);
}

bool read_all(int fd, void* into, std::size_t size, std::int64_t& place) {
  auto* bytes = static_cast<char*>(into);
  while (size > 0) {
    const ssize_t got = ::pread(fd, bytes, size, place);
    if (got <= 0) return false;
    bytes += got;
    size -= static_cast<std::size_t>(got);
    place += got;
  }
  return true;
}

bool write_all(int fd, const char* bytes, std::size_t size, std::int64_t place) {
  while (size > 0) {
    const ssize_t put = ::pwrite(fd, bytes, size, place);
    if (put <= 0) return false;
    bytes += put;
    size -= static_cast<std::size_t>(put);
    place += put;
  }
  return true;
}

Fd nameless_file() {
  const char* chosen = std::getenv("TMPDIR");
  for (const char* folder : {chosen, "/var/tmp"}) {
    if (folder == nullptr || *folder == '\0') continue;
    Fd file(::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (file.valid()) return file;
  }
  return Fd(::memfd_create("vmcore", MFD_CLOEXEC));
}

}  // namespace

bool is_flattened(std::string_view beginning) { return beginning.starts_with(kSignature); }

Result<Fd> unflatten(int from) {
  Fd into = nameless_file();
  if (!into.valid()) return fail_errno("flattened dump: a temporary file", errno, "set TMPDIR");
  std::vector<char> chunk(kChunk);
  std::int64_t at = kHeaderBytes;
  while (true) {
    std::array<unsigned char, 16> head{};
    if (!read_all(from, head.data(), head.size(), at))
      return fail("flattened dump: it ends early, without its end mark (copied only in part?)");
    const std::int64_t place = big_endian(head.data());
    std::int64_t size = big_endian(head.data() + 8);
    if (place == -1 && size == -1) return into;
    if (place < 0 || size <= 0 || place > kLastPlace || size > kLastPlace - place)
      return fail("flattened dump: damaged: a piece has no valid place or size");
    for (std::int64_t done = 0; size > 0;) {
      const auto part = static_cast<std::size_t>(std::min<std::int64_t>(size, kChunk));
      if (!read_all(from, chunk.data(), part, at))
        return fail("flattened dump: it ends inside a piece (copied only in part, or damaged)");
      if (!write_all(into.get(), chunk.data(), part, place + done))
        return fail_errno("flattened dump: the temporary file", errno, "set TMPDIR");
      done += static_cast<std::int64_t>(part);
      size -= static_cast<std::int64_t>(part);
    }
  }
}

}  // namespace stallproof
