// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "harness/base/fd.h"
#include "harness/probe/kmsg_reader.h"

namespace stallproof {
namespace {

TEST(KmsgKernel, MarkerOfAProcessIsReadAsUserTextAndOlderOnesAreNot) {
  const Fd out(::open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
  if (!out.valid()) GTEST_SKIP() << "needs root to write /dev/kmsg";
  const std::string before = fmt::format("stallproof test {} before", ::getpid());
  const std::string after = fmt::format("stallproof test {} tab\there", ::getpid());
  // Without the newline the kernel keeps a record open for a continuation, unread (5.10 and later).
  const auto mark = [&out](const std::string& text) {
    const std::string line = text + "\n";
    return ::write(out.get(), line.data(), line.size()) > 0;
  };
  ASSERT_TRUE(mark(before));
  auto reader = KmsgReader::open();
  ASSERT_TRUE(reader) << reader.error().what;
  ASSERT_TRUE(mark(after));
  KmsgRing ring(64);
  bool seen = false;
  const Deadline deadline = Deadline::in(2 * kSecond);
  while (!seen && !deadline.passed()) {
    ring.clear();
    reader->drain(ring);
    for (std::size_t i = 0; i < ring.size(); ++i) {
      EXPECT_NE(ring[i].text(), before);
      if (ring[i].text() != after) continue;
      seen = true;
      EXPECT_FALSE(ring[i].kernel);
    }
    ::poll(nullptr, 0, 5);
  }
  EXPECT_TRUE(seen);
  EXPECT_EQ(reader->lost(), 0U);
}

}  // namespace
}  // namespace stallproof
