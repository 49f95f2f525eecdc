// SPDX-License-Identifier: Apache-2.0
// The reported stall on an unmodified kernel: a second-try page fault holds mmap_lock for read
// while the FUSE service reads the page, mprotect queues for write, and the service's own threads
// queue behind it for read, because a direct read copies into the client's memory.
#include <fmt/format.h>

#include <array>

#include "harness/board/board.h"
#include "harness/scenario/scenario.h"
#include "workloads/ffs/ffs_ioctl.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"read-error",
          "the service answers EIO to every odd read of a page: the fault's second "
          "try reads again, now without giving mmap_lock up"},
    Named{"invalidate",
          "the service invalidates each page right after it was read, as a "
          "distributed file system's cache coherence does: the second try reads again"}};
constexpr std::array kFixes{
    Named{"pin-at-submit",
          "direct reads by pread with O_DIRECT: the submitting thread pins its "
          "buffer, the service never takes the client's mmap_lock"},
    Named{"split-pool", "page reads have service threads of their own"},
    Named{"no-writer", "no mprotect: nobody queues for write, readers pass"}};
constexpr std::array kParams{
    ScenarioParameter{"warmup", "2s", "healthy load before the variant is armed"},
    ScenarioParameter{"service-threads", "4", "dataio_srv threads of the service"},
    ScenarioParameter{"page-threads", "2", "threads for page reads with --fix split-pool"},
    ScenarioParameter{"queue", "shared",
                      "shared: one FIFO; hashed: jobs are bound to threads by offset"},
    ScenarioParameter{"notifier", "own",
                      "who sends invalidations: own thread, or the service thread itself "
                      "(a second, different deadlock)"},
    ScenarioParameter{"fault-threads", "4", "threads that fault on the mapped file"},
    ScenarioParameter{"mprotect-threads", "2", "threads that call mprotect"},
    ScenarioParameter{"direct-threads", "8", "threads that do direct reads"},
    ScenarioParameter{"direct-size", "64KiB", "size of a direct read"},
    ScenarioParameter{"file-size", "256MiB", "size of the file"},
    ScenarioParameter{"hot-pages", "0",
                      "faults only on the first N pages of the file; 0 is all of it"},
    ScenarioParameter{"mprotect-rate", "0",
                      "mprotect calls per second and thread; 0 is as fast as it goes"},
    ScenarioParameter{"writer", "mprotect",
                      "who queues for write: mprotect: threads that call nothing else; "
                      "thread-churn: threads that are born and end, as a JVM's"},
    ScenarioParameter{"birth-rate", "0",
                      "writer=thread-churn: births per second and thread; 0: as fast as it goes"},
    ScenarioParameter{"seed", "1", "seed of all offsets"}};
constexpr std::array kOtherWays{OtherWay{"writer", "thread-churn"}};

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kMaxServiceThreads = 1024;  // workloads/ffs/ffs_options.cpp
constexpr std::uint64_t kMaxFileSize = 1ULL << 40U;
constexpr std::uint64_t kSegment = 1U << 20U;  // as ServicePool::queue_of cuts the file
constexpr Nanos kMaxWarmup = 3600 * kSecond;

struct Counts {
  std::uint64_t service = 0, page = 0, fault = 0, writer = 0, direct = 0;
};

Failure refuse(const Settings& params, const char* name, const std::string& why) {
  return fail(fmt::format("{}: {} {}", name, params.text(name, ""), why));
}

Result<> read_count(const Settings& params, const char* name, std::uint64_t most,
                    std::uint64_t& into) {
  const auto count = params.count(name, 0);
  if (!count) return Failure(count.error());
  if (*count < 1 || *count > most)
    return refuse(params, name, fmt::format("is not between 1 and {}", most));
  into = *count;
  return {};
}

struct WantedCount {
  const char* name;
  std::uint64_t most;
  std::uint64_t* into;
};

Result<Counts> read_counts(const Settings& params) {
  Counts counts;
  const std::array<WantedCount, 5> wanted{{
      {"service-threads", kMaxServiceThreads, &counts.service},
      {"page-threads", kMaxServiceThreads, &counts.page},
      {"fault-threads", kMaxSlots, &counts.fault},
      {"mprotect-threads", kMaxSlots, &counts.writer},
      {"direct-threads", kMaxSlots, &counts.direct},
  }};
  for (const WantedCount& each : wanted) {
    if (auto read = read_count(params, each.name, each.most, *each.into); !read)
      return Failure(read.error());
  }
  if (counts.fault + counts.writer + counts.direct > kMaxSlots)
    return fail(fmt::format(
        "fault-threads, mprotect-threads and direct-threads: {} together, at most {} are possible",
        counts.fault + counts.writer + counts.direct, kMaxSlots));
  return counts;
}

Result<std::uint64_t> read_size(const Settings& params, const char* name, std::uint64_t most) {
  const auto size = params.size(name, 0);
  if (!size) return Failure(size.error());
  if (*size < kPage || *size % kPage != 0)
    return refuse(params, name, fmt::format("is not a multiple of {}", kPage));
  if (*size > most) return refuse(params, name, fmt::format("is more than {} bytes", most));
  return *size;
}

Result<> check_sizes(const Settings& params) {
  const auto direct = read_size(params, "direct-size", FFS_DIRECT_READ_MAX);
  if (!direct) return Failure(direct.error());
  const auto file = read_size(params, "file-size", kMaxFileSize);
  if (!file) return Failure(file.error());
  if (*file / 16 < *direct) return refuse(params, "file-size", "is less than 16 times direct-size");
  const auto hot = params.count("hot-pages", 0);
  if (!hot) return Failure(hot.error());
  if (*hot > *file / kPage)
    return refuse(params, "hot-pages",
                  fmt::format("is more than the file's {} pages", *file / kPage));
  return {};
}

Result<> check_queue(const Settings& params, const Counts& counts) {
  const auto queue = params.choice("queue", "shared", {"shared", "hashed"});
  if (!queue) return Failure(queue.error());
  if (*queue == "hashed" && counts.service < 2)
    return fail("queue: hashed leaves one service thread idle: service-threads must be 2 or more");
  if (*queue == "hashed" && *params.size("file-size", 0) / kSegment < counts.service)
    return refuse(params, "file-size", "is less than 1 MiB for each service thread (queue=hashed)");
  return {};
}

// The words that go to a child unchanged are checked here, where the user can still be told.
Result<> check_words(const Settings& params, const Counts& counts) {
  if (auto sizes = check_sizes(params); !sizes) return sizes;
  if (auto queue = check_queue(params, counts); !queue) return queue;
  if (auto rate = params.count("mprotect-rate", 0); !rate) return Failure(rate.error());
  if (auto rate = params.count("birth-rate", 0); !rate) return Failure(rate.error());
  if (auto writer = params.choice("writer", "mprotect", {"mprotect", "thread-churn"}); !writer)
    return Failure(writer.error());
  if (auto seed = params.count("seed", 0); !seed) return Failure(seed.error());
  if (auto sender = params.choice("notifier", "own", {"own", "service"}); !sender)
    return Failure(sender.error());
  return {};
}

// A thread's birth and end take the lock in several calls: any of them may come first.
std::vector<std::string> signatures_by(const std::string& writer) {
  std::vector<const char*> calls{"mprotect"};
  if (writer == "thread-churn") calls = {"mprotect", "mmap", "munmap", "madvise"};
  std::vector<std::string> signatures;
  for (const char* call : calls)
    signatures.push_back(fmt::format("mmap_lock_cycle:fault_read>{}_write>service_read", call));
  return signatures;
}

void copy_words(const Settings& from, Settings& to, std::initializer_list<const char*> names) {
  for (const char* name : names) to.set(name, from.text(name, ""));
}

Result<LabPlan> plan(const ScenarioRequest& request) {
  const Settings& params = request.params;
  const auto counts = read_counts(params);
  if (!counts) return Failure(counts.error());
  if (auto checked = check_words(params, *counts); !checked) return Failure(checked.error());
  const auto warmup = params.duration("warmup", 2 * kSecond);
  if (!warmup) return Failure(warmup.error());
  if (*warmup > kMaxWarmup) return refuse(params, "warmup", "is more than one hour");

  const std::string writer = params.text("writer", "mprotect");
  LabPlan lab;
  lab.warmup = *warmup;
  lab.behaviour = request.variant == "invalidate" ? Behaviour::invalidate : Behaviour::read_error;
  lab.expected_class = "mmap_lock_cycle";
  lab.expected_signatures = signatures_by(writer);
  lab.expected_root = "fault/*";
  const auto threads = [](std::uint64_t count) { return static_cast<std::uint32_t>(count); };
  lab.loads.push_back({"direct-read", threads(counts->direct)});
  lab.loads.push_back({"mapped-fault", threads(counts->fault)});
  if (request.fix != "no-writer") lab.loads.push_back({"mprotect-storm", threads(counts->writer)});

  copy_words(params, lab.ffs, {"service-threads", "queue", "notifier", "file-size"});
  lab.ffs.set("page-threads", request.fix == "split-pool" ? params.text("page-threads", "2") : "0");
  copy_words(params, lab.worker, {"direct-size", "hot-pages", "mprotect-rate", "birth-rate"});
  lab.worker.set("profile", writer == "thread-churn" ? writer : "raw");
  lab.seed = *params.count("seed", 1);
  lab.worker.set("pin", request.fix == "pin-at-submit" ? "1" : "0");
  // With jobs bound to threads, thread 0 gets no direct read: it stays idle, as in the crash core.
  const bool hashed = params.text("queue", "shared") == "hashed";
  lab.worker.set("hashed-queues", hashed ? params.text("service-threads", "4") : "0");
  return lab;
}

}  // namespace

extern const Scenario kMmapLockFault;
const Scenario kMmapLockFault{
    .id = "mmap-lock-fault",
    .summary =
        "page fault, mprotect and the data service's own threads close a circle on mmap_lock",
    .where = "host",
    .expected_class = "mmap_lock_cycle",
    .variants = kVariants,
    .fixes = kFixes,
    .params = kParams,
    .plan = plan,
    .other_ways = kOtherWays};

}  // namespace stallproof
