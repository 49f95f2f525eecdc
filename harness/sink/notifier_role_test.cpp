// SPDX-License-Identifier: Apache-2.0
// The process as it is, in a child of its own; the shell scripts are real.
#include "harness/sink/notifier_role.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <optional>

#include "harness/base/fd.h"
#include "harness/base/process.h"
#include "harness/sink/notice.h"

namespace stallproof {
namespace {

class Role {
 public:
  explicit Role(const std::string& script) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) return;
    auto ready = Pipe::create();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      ::alarm(30);
      ::_exit(run_notifier_role({std::to_string(ends[1]), std::to_string(ready->write_end.get()),
                                 "/bin/sh", "-c", script}));
    }
    ::close(ends[1]);
    socket_ = Fd(ends[0]);
    ready->write_end.reset();
    EXPECT_TRUE(wait_ready(ready->read_end, "role", Deadline::in(5 * kSecond)));
  }
  // Ends as it does when the controller is gone.
  int end() {
    socket_.reset();
    int status = -1;
    ::waitpid(pid_, &status, 0);
    return status;
  }
  void send(const NoticeMessage& message) {
    const std::string packet = notice_packet(message);
    EXPECT_EQ(::send(socket_.get(), packet.data(), packet.size(), 0),
              static_cast<ssize_t>(packet.size()));
  }
  std::optional<NoticeCounts> settle(const std::string& question) {
    send({.kind = NoticeKind::flush, .id = question});
    pollfd item{socket_.get(), POLLIN, 0};
    if (::poll(&item, 1, 15'000) != 1) return std::nullopt;
    char packet[8192];
    const ssize_t n = ::recv(socket_.get(), packet, sizeof packet, 0);
    return n > 0 ? read_counts_packet({packet, static_cast<std::size_t>(n)}) : std::nullopt;
  }

 private:
  pid_t pid_ = -1;
  Fd socket_;
};

TEST(NotifierRole, DeliversInOrderAndCounts) {
  const std::string file = ::testing::TempDir() + "notifier-role";
  Role role("cat >>" + file + "; test -e /nothing || ! grep -q fails " + file);
  role.send({.kind = NoticeKind::begin, .text = "/nonexistent"});
  role.send({.kind = NoticeKind::stall, .id = "1", .key = "a", .text = "one"});
  role.send({.kind = NoticeKind::resolved, .id = "1", .text = "two"});
  const auto first = role.settle("1");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->asked, "1");
  EXPECT_EQ(first->delivered, 2U);
  EXPECT_EQ(first->failed, 0U);
  role.send({.kind = NoticeKind::verdict, .text = "this fails"});
  const auto second = role.settle("2");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->delivered, 2U);
  EXPECT_EQ(second->failed, 1U);
  EXPECT_EQ(second->last_failure, "/bin/sh: exit 1");
  EXPECT_EQ(role.end(), 0);
  std::ifstream stream(file);
  std::string text((std::istreambuf_iterator<char>(stream)), {});
  ::unlink(file.c_str());
  EXPECT_EQ(text, "one\ntwo\nthis fails\n");
}

TEST(NotifierRole, EndsWithItsController) {
  Role role("sleep 60");
  role.send({.kind = NoticeKind::verdict, .text = "hangs"});
  ::poll(nullptr, 0, 50);
  const Nanos before = monotonic_now();
  EXPECT_EQ(role.end(), 0);
  EXPECT_LT(monotonic_now() - before, 2 * kSecond);
}

TEST(NotifierRole, WordsThatAreWrongAreRefused) {
  EXPECT_EQ(run_notifier_role({}), 2);
  EXPECT_EQ(run_notifier_role({"x", "3", "/bin/true"}), 2);
}

}  // namespace
}  // namespace stallproof
