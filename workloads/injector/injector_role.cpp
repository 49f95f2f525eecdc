// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/injector_role.h"

#include <fmt/format.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "harness/base/one_line.h"
#include "harness/base/process.h"
#include "harness/board/board.h"
#include "workloads/injector/injector_catalogue.h"
#include "workloads/role_words.h"

namespace stallproof {
namespace {

// How late SIGTERM may be seen; a wanted step is seen at once.
constexpr timespec kLookAtSignals{0, 20'000'000};

void copy_text(const std::string& text, std::array<char, 256>& into) {
  const std::size_t length = std::min(text.size(), into.size() - 1);
  std::copy_n(text.data(), length, into.data());
  into[length] = '\0';
}

Result<const InjectorInfo*> injector_of(const Settings& settings) {
  const std::string name = settings.text("injector", "");
  const InjectorInfo* const info = find_injector(name);
  if (info == nullptr) return fail(fmt::format("injector: there is none named '{}'", name));
  std::vector<std::string> known{"board",      "ready",        "injector",       "directory",
                                 "cgroup-cpu", "cgroup-blkio", "cgroup-freezer", "cgroup-unified"};
  for (const WorkloadParameter& parameter : info->parameters) known.emplace_back(parameter.name);
  if (auto refused = settings.refuse_unknown(known); !refused) return Failure{refused.error()};
  for (const char* needed : {"board", "directory"})
    if (!settings.has(needed)) return fail(fmt::format("{}=... is missing", needed));
  return info;
}

Settings complete(const InjectorInfo& info, Settings settings) {
  for (const WorkloadParameter& parameter : info.parameters) {
    const std::string name(parameter.name);
    if (!settings.has(name)) settings.set(name, std::string(parameter.fallback));
  }
  return settings;
}

// One injector and the panel by which the controller leads it.
class Led {
 public:
  Led(Injector& injector, BoardHeader& header)
      : injector_(injector), panel_(header.injector), service_(header.service) {}

  Result<> prepare(const InjectorContext& context) {
    const auto file = injector_.prepare(context);
    if (!file) return Failure{file.error()};
    if (file->size() >= panel_.file.size())
      return fail(fmt::format("{}: the name is longer than {} bytes", *file, panel_.file.size()));
    copy_text(*file, panel_.file);
    return {};
  }
  void follow(const sigset_t& watched) {
    const timespec at_once{0, 0};
    while (::sigtimedwait(&watched, nullptr, &at_once) != SIGTERM) {
      const std::uint32_t wanted = panel_.wanted.load(std::memory_order_acquire);
      if (wanted > taken_) take(static_cast<InjectorStep>(wanted));
      injector_.count(service_);
      ::syscall(SYS_futex, &panel_.wanted, FUTEX_WAIT, wanted, &kLookAtSignals, nullptr, 0);
    }
  }
  // The exit code.
  int end() {
    bool undone = note(injector_.heal());
    undone = note(injector_.remove()) && undone;
    return undone ? 0 : 3;
  }

 private:
  void take(InjectorStep step) {
    taken_ = static_cast<std::uint32_t>(step);
    const bool done = note(step == InjectorStep::injected ? injector_.inject(panel_.worker.load())
                                                          : injector_.heal());
    if (done) panel_.reached.store(taken_, std::memory_order_release);
  }
  bool note(const Result<>& result) {
    if (result) return true;
    std::fprintf(stderr, "injector: %s\n", on_one_line(result.error().what).c_str());
    if (panel_.failed.load() == 0) copy_text(result.error().what, panel_.problem);
    panel_.failed.store(1, std::memory_order_release);
    return false;
  }

  Injector& injector_;
  InjectorPanel& panel_;
  ServicePanel& service_;
  std::uint32_t taken_ = static_cast<std::uint32_t>(InjectorStep::prepared);
};

}  // namespace

int run_injector_role(const std::vector<std::string>& words) {
  const int ready_fd = ready_fd_of(words);
  const auto settings = Settings::from_words(words);
  if (!settings) return refuse_role(ready_fd, {"injector: " + settings.error().what});
  const auto info = injector_of(*settings);
  if (!info) return refuse_role(ready_fd, {"injector: " + info.error().what});
  const auto board_fd = settings->count("board", 0);
  if (!board_fd) return refuse_role(ready_fd, {"injector: " + board_fd.error().what});
  auto board = Board::attach(static_cast<int>(*board_fd), true);
  if (!board) return refuse_role(ready_fd, board.error());

  const sigset_t watched = block_ending_signals();
  const auto injector = (*info)->make();
  Led led(*injector, board->header());
  const auto prepared = led.prepare(
      {.directory = settings->text("directory", ""), .settings = complete(**info, *settings)});
  if (!prepared) {
    led.end();
    return refuse_role(ready_fd, {fmt::format("{}: {}", (*info)->name, prepared.error().what),
                                  prepared.error().origin});
  }
  if (ready_fd >= 0) report_ready(ready_fd);
  led.follow(watched);
  return led.end();
}

}  // namespace stallproof
