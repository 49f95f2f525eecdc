// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/kmsg_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include "harness/base/fd.h"

namespace stallproof {
namespace {

class Device : public KmsgSource {
 public:
  explicit Device(Fd fd) : fd_(std::move(fd)) {}
  long read(std::span<char> into) noexcept override {
    const ssize_t got = ::read(fd_.get(), into.data(), into.size());
    return got < 0 ? -errno : got;
  }

 private:
  Fd fd_;
};

}  // namespace

Result<KmsgReader> KmsgReader::open(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid())
    return fail_errno("open " + path, errno, "run as root, or with CAP_SYSLOG", Origin::lacking);
  if (::lseek(fd.get(), 0, SEEK_END) < 0)
    return fail_errno("go to the end of " + path, errno, {}, Origin::lacking);
  return KmsgReader(std::make_unique<Device>(std::move(fd)));
}

// After an overrun the kernel goes on with its oldest record, so the gap tells how many are gone.
void KmsgReader::account(std::uint64_t sequence) {
  if (next_sequence_ != 0 && sequence > next_sequence_)
    lost_ += sequence - next_sequence_;
  else if (overrun_)
    ++lost_;
  overrun_ = false;
  next_sequence_ = sequence + 1;
}

std::size_t KmsgReader::drain(KmsgRing& ring, std::size_t limit) noexcept {
  std::size_t appended = 0;
  // Every turn consumes a record or ends; the bound is for a source that only ever fails.
  for (std::size_t turn = 0; turn < 2 * limit && appended < limit; ++turn) {
    const long got = source_->read(buffer_);
    if (got == -EINTR) continue;
    if (got == -EPIPE) {
      overrun_ = true;
      continue;
    }
    if (got == -EINVAL) {  // longer than the buffer; the kernel has skipped it
      ++unreadable_;
      continue;
    }
    if (got == 0 || got == -EAGAIN) return appended;
    if (got < 0) {
      ++unreadable_;
      return appended;
    }
    if (!parse_kmsg({buffer_.data(), static_cast<std::size_t>(got)}, record_)) {
      ++unreadable_;
      continue;
    }
    account(record_.sequence);
    ring.push() = record_;
    ++appended;
  }
  return appended;
}

}  // namespace stallproof
