// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/held_requests.h"

#include <gtest/gtest.h>
#include <linux/fuse.h>
#include <poll.h>

#include <cstring>
#include <string>

namespace stallproof {
namespace {

constexpr Nanos kPauseOfTest = 20 * kMillisecond;

class Held : public ::testing::Test {
 protected:
  void arm(Behaviour behaviour) {
    panel_.armed_ns.store(monotonic_now());
    panel_.behaviour.store(static_cast<std::uint32_t>(behaviour));
  }
  bool keep(std::uint32_t opcode, const std::string& name = {}) {
    fuse_in_header header{};
    header.opcode = opcode;
    std::vector<char> bytes(sizeof header);
    std::memcpy(bytes.data(), &header, sizeof header);
    if (opcode == FUSE_CREATE) bytes.resize(bytes.size() + sizeof(fuse_create_in));
    bytes.insert(bytes.end(), name.c_str(), name.c_str() + name.size() + 1);
    return held_.keep(bytes);
  }

  ServicePanel panel_{};
  HeldRequests held_{panel_, kPauseOfTest};
};

TEST_F(Held, NothingIsHeldByAServiceThatBehaves) {
  EXPECT_FALSE(keep(FUSE_READ));
  EXPECT_TRUE(held_.empty());
}

TEST_F(Held, OnlyTheKindThatIsHeldWaitsUntilItIsDisarmed) {
  arm(Behaviour::hold_writes);
  EXPECT_FALSE(keep(FUSE_READ));
  EXPECT_TRUE(keep(FUSE_WRITE));
  ::poll(nullptr, 0, 30);
  EXPECT_FALSE(held_.next_due());
  panel_.behaviour.store(static_cast<std::uint32_t>(Behaviour::plain));
  EXPECT_TRUE(held_.next_due());
  EXPECT_TRUE(held_.empty());
}

TEST_F(Held, ASlowAnswerWaitsForThePauseAndNoLonger) {
  arm(Behaviour::slow_reads);
  EXPECT_TRUE(keep(FUSE_READ));
  EXPECT_FALSE(held_.next_due());
  ::poll(nullptr, 0, 30);
  EXPECT_TRUE(held_.next_due());
}

TEST_F(Held, OneNameIsHeldInEveryRequestThatAsksForIt) {
  arm(Behaviour::hold_lookups);
  EXPECT_TRUE(keep(FUSE_LOOKUP, "first"));
  EXPECT_FALSE(keep(FUSE_LOOKUP, "second"));
  EXPECT_TRUE(keep(FUSE_CREATE, "first"));
  EXPECT_FALSE(keep(FUSE_CREATE, "second"));
}

TEST_F(Held, OneRequestIsHeldAndNoOther) {
  arm(Behaviour::hold_one);
  EXPECT_FALSE(keep(FUSE_FORGET));
  EXPECT_TRUE(keep(FUSE_READ));
  EXPECT_FALSE(keep(FUSE_READ));
  EXPECT_FALSE(keep(FUSE_IOCTL));
}

TEST_F(Held, ASilentServiceStillHearsWhatHasNoAnswer) {
  arm(Behaviour::silent);
  EXPECT_TRUE(keep(FUSE_GETATTR));
  EXPECT_FALSE(keep(FUSE_FORGET));
  EXPECT_FALSE(keep(FUSE_INTERRUPT));
}

TEST_F(Held, ATruncatedRequestIsLeftToTheSession) {
  arm(Behaviour::silent);
  const std::vector<char> bytes(7);
  EXPECT_FALSE(held_.keep(bytes));
}

}  // namespace
}  // namespace stallproof
