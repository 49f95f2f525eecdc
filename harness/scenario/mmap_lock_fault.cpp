// SPDX-License-Identifier: Apache-2.0
// The reported stall on an unmodified kernel: a second-try page fault holds mmap_lock for read
// while the FUSE service reads the page, mprotect queues for write, and the service's own threads
// queue behind it for read, because a direct read copies into the client's memory.
#include <array>

#include "harness/scenario/scenario.h"

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
    Parameter{"warmup", "2s", "healthy load before the variant is armed"},
    Parameter{"service-threads", "4", "dataio_srv threads of the service"},
    Parameter{"page-threads", "2", "threads for page reads with --fix split-pool"},
    Parameter{"queue", "shared", "shared: one FIFO; hashed: jobs are bound to threads by offset"},
    Parameter{"notifier", "own",
              "who sends invalidations: own thread, or the service thread itself "
              "(a second, different deadlock)"},
    Parameter{"fault-threads", "4", "threads that fault on the mapped file"},
    Parameter{"mprotect-threads", "2", "threads that call mprotect"},
    Parameter{"direct-threads", "8", "threads that do direct reads"},
    Parameter{"direct-size", "64KiB", "size of a direct read"},
    Parameter{"file-size", "256MiB", "size of the file"},
    Parameter{"hot-pages", "0", "faults only on the first N pages of the file; 0 is all of it"},
    Parameter{"mprotect-rate", "0",
              "mprotect calls per second and thread; 0 is as fast as it goes"},
    Parameter{"seed", "1", "seed of all offsets"}};

struct Counts {
  std::uint64_t service = 0, page = 0, fault = 0, writer = 0, direct = 0;
};

Result<> read_count(const Settings& params, const std::string& name, std::uint64_t& into) {
  const auto count = params.count(name, 0);
  if (!count) return Failure(count.error());
  if (*count < 1 || *count > 20000)
    return fail(name + ": " + params.text(name, "") + " is not between 1 and 20000");
  into = *count;
  return {};
}

Result<Counts> read_counts(const Settings& params) {
  Counts counts;
  const std::array<std::pair<const char*, std::uint64_t*>, 5> wanted{{
      {"service-threads", &counts.service},
      {"page-threads", &counts.page},
      {"fault-threads", &counts.fault},
      {"mprotect-threads", &counts.writer},
      {"direct-threads", &counts.direct},
  }};
  for (const auto& [name, into] : wanted) {
    if (auto read = read_count(params, name, *into); !read) return Failure(read.error());
  }
  return counts;
}

// The words that go to a child unchanged are checked here, where the user can still be told.
Result<> check_words(const Settings& params) {
  for (const char* name : {"direct-size", "file-size"}) {
    const auto size = params.size(name, 0);
    if (!size) return Failure(size.error());
    if (*size < 4096 || *size % 4096 != 0)
      return fail(std::string(name) + ": " + params.text(name, "") + " is not a multiple of 4096");
  }
  if (*params.size("file-size", 0) < 16 * *params.size("direct-size", 0))
    return fail("file-size: must be at least 16 times direct-size");
  for (const char* name : {"hot-pages", "mprotect-rate", "seed"}) {
    if (auto count = params.count(name, 0); !count) return Failure(count.error());
  }
  if (auto queue = params.choice("queue", "shared", {"shared", "hashed"}); !queue)
    return Failure(queue.error());
  if (auto sender = params.choice("notifier", "own", {"own", "service"}); !sender)
    return Failure(sender.error());
  return {};
}

void copy_words(const Settings& from, Settings& to, std::initializer_list<const char*> names) {
  for (const char* name : names) to.set(name, from.text(name, ""));
}

Result<LabPlan> plan(const ScenarioRequest& request) {
  const Settings& params = request.params;
  const auto counts = read_counts(params);
  if (!counts) return Failure(counts.error());
  if (auto checked = check_words(params); !checked) return Failure(checked.error());
  const auto warmup = params.duration("warmup", 2 * kSecond);
  if (!warmup) return Failure(warmup.error());

  LabPlan lab;
  lab.warmup = *warmup;
  lab.behaviour = request.variant == "invalidate" ? Behaviour::invalidate : Behaviour::read_error;
  lab.expected_class = "mmap_lock_cycle";
  lab.expected_signature = "mmap_lock_cycle:fault_read>mprotect_write>service_read";
  const auto threads = [](std::uint64_t count) { return static_cast<std::uint32_t>(count); };
  lab.loads.push_back({"direct-read", threads(counts->direct)});
  lab.loads.push_back({"mapped-fault", threads(counts->fault)});
  if (request.fix != "no-writer") lab.loads.push_back({"mprotect-storm", threads(counts->writer)});

  copy_words(params, lab.ffs, {"service-threads", "queue", "notifier", "file-size"});
  lab.ffs.set("page-threads", request.fix == "split-pool" ? params.text("page-threads", "2") : "0");
  copy_words(params, lab.worker, {"direct-size", "hot-pages", "mprotect-rate"});
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
    .plan = plan};

}  // namespace stallproof
