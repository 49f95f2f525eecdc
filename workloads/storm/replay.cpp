// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/replay.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>

#include "workloads/storm/replay_clock.h"
#include "workloads/storm/replay_plan.h"
#include "workloads/storm/slot_pool.h"
#include "workloads/storm/stack_pool.h"

namespace stallproof {
namespace {

// For calls that are late when their time is over.
constexpr Nanos kGrace = 500 * kMillisecond;
// Threads end by themselves once the pass is over; one that stands in the kernel does not.
constexpr Nanos kEndWithin = 3600 * kSecond;
constexpr double kMaxSpeed = 1000;

Result<double> speed_of(const Settings& settings) {
  const std::string text = settings.text("speed", "1");
  double speed = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, speed);
  if (failed != std::errc{} || rest != end || !(speed >= 1 / kMaxSpeed && speed <= kMaxSpeed))
    return fail(fmt::format("speed: '{}' is not a number from 0.001 to 1000", text));
  return speed;
}

Op op_of(MapCall call) {
  switch (call) {
    case MapCall::munmap:
      return Op::munmap;
    case MapCall::mprotect:
      return Op::mprotect;
    case MapCall::madvise:
      return Op::madvise;
    case MapCall::clone:
      return Op::thread_start;
    case MapCall::mmap:
    case MapCall::mremap:
    case MapCall::brk:
    case MapCall::exit:
      return Op::mmap;
  }
  return Op::none;
}

// 0 or an errno. Only addresses of the plan's own area come here.
int make_on_map(const MapOperation& call) {
  const auto as_long = [](std::uint64_t value) { return static_cast<long>(value); };
  long result = 0;
  switch (call.call) {
    case MapCall::mmap:
      result = ::syscall(SYS_mmap, call.address, call.length, as_long(call.prot),
                         as_long(call.flags), -1L, 0L);
      break;
    case MapCall::munmap:
      result = ::syscall(SYS_munmap, call.address, call.length);
      break;
    case MapCall::mprotect:
      result = ::syscall(SYS_mprotect, call.address, call.length, as_long(call.prot));
      break;
    case MapCall::madvise:
      result = ::syscall(SYS_madvise, call.address, call.length, as_long(call.flags));
      break;
    case MapCall::mremap:
      result = ::syscall(SYS_mremap, call.from_address, call.from_length, call.length,
                         as_long(call.flags), call.address);
      break;
    case MapCall::brk:
    case MapCall::clone:
    case MapCall::exit:
      break;
  }
  return result == -1 ? errno : 0;
}

class Replay : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;

 private:
  Result<> lead(WorkerContext& ctx);
  void pass_through(const WorkerContext& ctx);
  void live(std::uint32_t thread);
  bool make(const MapOperation& call);
  void tell_once(MapCall call, int error);

  std::string path_;
  double speed_ = 1;
  std::uint64_t repeat_ = 0;
  ReplayPlan plan_;
  MapArea area_;
  SlotPool slots_;
  StackPool stacks_;
  ReplayClock clock_;
  std::atomic<std::size_t> made_ = 0;
  std::atomic<bool> told_ = false;
  std::atomic<bool> over_ = false;
};

Result<> Replay::configure(const LoadContext& load) {
  path_ = load.settings.text("profile-file", "none");
  if (path_ == "none") return fail("profile-file: is missing (stallproof record writes one)");
  const auto speed = speed_of(load.settings);
  if (!speed) return Failure(speed.error());
  speed_ = *speed;
  const auto repeat = load.settings.count("repeat", 0);
  if (!repeat) return Failure(repeat.error());
  repeat_ = *repeat;
  return {};
}

Result<> Replay::prepare(const LoadContext& load) {
  if (auto read = configure(load); !read) return read;
  auto profile = read_map_profile(path_);
  if (!profile) return Failure(profile.error());
  if (profile->operations.empty()) return fail(path_ + ": holds no call to replay");
  const auto map = AddressMap::of(profile->operations);
  if (!map) return fail(path_ + ": " + map.error().what);
  auto area = MapArea::reserve(map->size());
  if (!area) return fail(path_ + ": " + area.error().what);
  area_ = std::move(*area);
  plan_ = ReplayPlan(std::move(*profile), *map, area_.base());
  if (plan_.left_out() > 0)
    std::fprintf(stderr, "%s: %zu calls are not replayed (forks, harmful advice)\n", path_.c_str(),
                 plan_.left_out());
  slots_.resize(load.threads);
  return stacks_.prepare(
      plan_.threads_at_once(),
      [](void* self, std::uint32_t thread) { static_cast<Replay*>(self)->live(thread); }, this);
}

Result<> Replay::run(WorkerContext& ctx) {
  slots_.offer(ctx.index, ctx.slot);
  if (ctx.index == 0) return lead(ctx);
  while (!over_.load(std::memory_order_acquire)) ctx.pause(kSecond / 50);
  return {};
}

Result<> Replay::lead(WorkerContext& ctx) {
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // its threads inherit it
  Result<> result;
  for (std::uint64_t pass = 0; !ctx.stopping() && (repeat_ == 0 || pass < repeat_); ++pass) {
    if (!area_.reset()) {
      result = fail_errno("replay: reset of its address space", errno);
      break;
    }
    clock_.start(speed_);
    made_.store(0, std::memory_order_relaxed);
    for (const std::uint32_t thread : plan_.roots())
      if (const int error = stacks_.start(thread); error != 0) tell_once(MapCall::clone, error);
    pass_through(ctx);
    clock_.end();
    stacks_.join_all(Deadline::in(kEndWithin));
  }
  over_.store(true, std::memory_order_release);
  return result;
}

void Replay::pass_through(const WorkerContext& ctx) {
  const auto all_made = [this] { return made_.load(std::memory_order_relaxed) == plan_.calls(); };
  while (!ctx.stopping()) {
    const Nanos end = clock_.due(plan_.duration_us()), now = monotonic_now();
    if (now >= end && (all_made() || now >= end + kGrace)) return;
    ctx.pause(now < end ? end - now : kMillisecond);
  }
}

// One recorded thread, from its birth to its death or the end of the pass.
void Replay::live(std::uint32_t thread) {
  const auto tid = static_cast<std::uint32_t>(::syscall(SYS_gettid));
  for (const MapOperation& call : plan_.calls_of(thread)) {
    if (!clock_.wait_until(call.at_us)) return;
    made_.fetch_add(1, std::memory_order_relaxed);
    if (call.call == MapCall::exit) return;
    slots_.make(tid, op_of(call.call), call.address, [&] { return make(call); });
  }
  clock_.wait_for_end();
}

bool Replay::make(const MapOperation& call) {
  const int error = call.call == MapCall::clone ? stacks_.start(call.child) : make_on_map(call);
  if (error != 0) tell_once(call.call, error);
  return error == 0;
}

// Every failure is counted; one is told.
void Replay::tell_once(MapCall call, int error) {
  if (told_.exchange(true)) return;
  const char* const hint = error == ENOMEM   ? " (see vm.max_map_count)"
                           : error == EAGAIN ? " (see ulimit -u and kernel.threads-max)"
                                             : "";
  std::fprintf(stderr, "replay: %s failed: %s%s; more are only counted\n",
               std::string(map_call_name(call)).c_str(), std::strerror(error), hint);
}

}  // namespace

std::unique_ptr<Workload> make_replay() { return std::make_unique<Replay>(); }

}  // namespace stallproof
