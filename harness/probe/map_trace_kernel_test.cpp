// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <vector>

#include "harness/base/process.h"
#include "harness/probe/map_trace.h"

namespace stallproof {
namespace {

constexpr std::size_t kPage = 4096;

bool lacks_means() { return ::geteuid() != 0 || ::access("/sys/kernel/btf/vmlinux", R_OK) != 0; }

// A child that waits for a byte, does its work and ends.
class Waiting {
 public:
  explicit Waiting(const std::function<void()>& work) {
    auto pipe = Pipe::create();
    go_ = std::move(pipe->write_end);
    pid_ = ::fork();
    if (pid_ != 0) return;
    go_.reset();
    char byte = 0;
    if (::read(pipe->read_end.get(), &byte, 1) == 1) work();
    ::_exit(0);
  }
  void run() {
    ASSERT_EQ(::write(go_.get(), "g", 1), 1);
    ASSERT_EQ(::waitpid(pid_, nullptr, 0), pid_);
  }
  ~Waiting() { ::kill(pid_, SIGKILL); }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  Fd go_;
  pid_t pid_ = -1;
};

void fixed_sequence() {
  void* const at =
      ::mmap(nullptr, 3 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ::mprotect(at, kPage, PROT_NONE);
  ::mprotect(nullptr, kPage, PROT_READ);  // fails: nothing is there
  ::madvise(at, 3 * kPage, MADV_DONTNEED);
  ::munmap(at, 3 * kPage);
}

std::vector<MapEvent> events_of(MapTrace& trace) {
  std::vector<MapEvent> events;
  trace.stop();
  trace.take([&events](const MapEvent& event) { events.push_back(event); });
  return events;
}

TEST(MapTrace, SeesExactlyTheCallsOfAKnownProgram) {
  Waiting program(fixed_sequence);
  auto trace = MapTrace::open(program.pid());
  if (!trace && lacks_means()) GTEST_SKIP() << trace.error().what;
  ASSERT_TRUE(trace) << trace.error().what;
  program.run();
  const std::vector<MapEvent> events = events_of(*trace);
  ASSERT_EQ(events.size(), 5U);
  const std::uint32_t kinds[] = {MAP_EVENT_MMAP, MAP_EVENT_MPROTECT, MAP_EVENT_MADVISE,
                                 MAP_EVENT_MUNMAP, MAP_EVENT_EXIT};
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].kind, kinds[i]);
    EXPECT_EQ(events[i].tid, static_cast<std::uint32_t>(program.pid()));
    EXPECT_GE(events[i].time_ns, events[i == 0 ? 0 : i - 1].time_ns);
  }
  EXPECT_EQ(events[0].length, 3 * kPage);
  EXPECT_EQ(events[0].prot, static_cast<std::uint32_t>(PROT_READ | PROT_WRITE));
  EXPECT_EQ(events[0].flags, static_cast<std::uint64_t>(MAP_PRIVATE | MAP_ANONYMOUS));
  EXPECT_EQ(events[1].address, events[0].address);
  EXPECT_EQ(events[1].length, kPage);
  EXPECT_EQ(events[1].prot, 0U);
  EXPECT_EQ(events[2].flags, static_cast<std::uint64_t>(MADV_DONTNEED));
  EXPECT_EQ(events[3].address, events[0].address);
  EXPECT_EQ(trace->failed(), 1U);
  EXPECT_EQ(trace->lost(), 0U);
}

TEST(MapTrace, BirthComesBeforeTheCallsOfTheChildAndOthersAreNotSeen) {
  Waiting program([] {
    const pid_t child = ::fork();
    if (child == 0) {
      fixed_sequence();
      ::execl("/bin/true", "true", nullptr);
      ::_exit(1);
    }
    ::waitpid(child, nullptr, 0);
    fixed_sequence();
  });
  auto trace = MapTrace::open(program.pid());
  if (!trace && lacks_means()) GTEST_SKIP() << trace.error().what;
  ASSERT_TRUE(trace) << trace.error().what;
  program.run();
  const std::vector<MapEvent> events = events_of(*trace);
  ASSERT_EQ(events.size(), 7U);
  EXPECT_EQ(events[0].kind, MAP_EVENT_CLONE);
  EXPECT_NE(events[0].child, 0U);
  EXPECT_EQ(events[1].kind, MAP_EVENT_OTHER_EXEC);
  EXPECT_STREQ(events[1].comm, "true");
  EXPECT_EQ(events[2].kind, MAP_EVENT_MMAP);
}

}  // namespace
}  // namespace stallproof
