// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/blamed_function.h"

#include <algorithm>
#include <array>

#include "harness/explain/glob.h"
#include "harness/explain/kernel_functions.h"

namespace stallproof {
namespace {

using Frames = std::vector<SeenFrame>;

// Where an interrupt came in: what lies outside of it is what the CPU was at. arch/*/kernel/entry*.
constexpr std::array<std::string_view, 22> kEntries = {"el1_irq",
                                                       "el1h_64_irq",
                                                       "el0_irq",
                                                       "el0t_64_irq",
                                                       "__irq_svc",
                                                       "__irq_usr",
                                                       "handle_int",
                                                       "ret_from_irq",
                                                       "ret_from_intr",
                                                       "asm_sysvec_*",
                                                       "asm_common_interrupt",
                                                       "asm_exc_nmi",
                                                       "end_repeat_nmi",
                                                       "common_interrupt",
                                                       "*apic_timer_interrupt",
                                                       "reschedule_interrupt",
                                                       "call_function*interrupt",
                                                       "decrementer_common*",
                                                       "hardware_interrupt_common*",
                                                       "ret_from_exception",
                                                       "ext_int_handler",
                                                       "handle_vint"};
// Who looks at the stack of the CPU that it interrupted.
constexpr std::array<std::string_view, 8> kLookers = {
    "watchdog_*", "*dump_stack*",   "dump_backtrace*",     "show_regs",
    "panic",      "rcu_*clock_irq", "rcu_check_callbacks", "*_cpu_backtrace*"};

template <std::size_t N>
bool is_any_of(std::string_view function, const std::array<std::string_view, N>& names) {
  return std::any_of(names.begin(), names.end(),
                     [function](std::string_view name) { return glob_match(name, function); });
}

// The first frame from `from` on that says why and fits; the end when none does.
template <class Fits>
std::size_t first_reason(const Frames& frames, std::size_t from, Fits fits) {
  while (from < frames.size() && (!fits(frames[from]) || is_way_to_wait(frames[from].function)))
    ++from;
  return from;
}

bool is_entry_from_user(std::string_view function) {
  return function.starts_with("el0") || function == "__irq_usr";
}

struct Outside {
  std::size_t begin = 0;   // behind the innermost interrupt, if that is the one that looked
  bool user_mode = false;  // it came while a program ran
};

Outside outside_interrupt(const Frames& frames, std::size_t from) {
  bool looked = false;
  std::size_t at = from;
  for (; at < frames.size() && !is_any_of(frames[at].function, kEntries); ++at)
    looked = looked || is_any_of(frames[at].function, kLookers);
  if (at == frames.size() || !looked) return {from, false};
  const bool user_mode = is_entry_from_user(frames[at].function);
  while (at < frames.size() && is_any_of(frames[at].function, kEntries)) ++at;
  return {at, user_mode};
}

std::size_t blamed_on_cpu(const Frames& frames, bool guessed) {
  const auto sure = [guessed](const SeenFrame& frame) { return frame.guessed <= guessed; };
  const auto running = std::find_if(frames.begin(), frames.end(),
                                    [](const SeenFrame& frame) { return frame.running; });
  const bool told = running != frames.end();
  const auto from = told ? static_cast<std::size_t>(running - frames.begin()) : 0;
  if (told && !is_way_to_wait(running->function)) return from;
  const Outside interrupted = outside_interrupt(frames, from);
  if (interrupted.user_mode) return frames.size();
  if (told || interrupted.begin > 0)
    if (const std::size_t at = first_reason(frames, interrupted.begin, sure); at < frames.size())
      return at;
  if (told) return first_reason(frames, from, sure);
  const std::size_t outside = first_reason(
      frames, 0, [sure](const SeenFrame& frame) { return sure(frame) && !frame.interrupt; });
  return outside < frames.size() ? outside : first_reason(frames, 0, sure);
}

// Whether an unwinder wrote this stack: one that only looks for addresses of code also finds those
// that no call returns to. Before 4.14 without frame pointers.
bool is_unwound(const Frames& frames) {
  bool sure = false;
  for (const SeenFrame& frame : frames) {
    if (frame.guessed) continue;
    sure = true;
    if (frame.pointer && !frame.function.starts_with("ret_")) return false;
  }
  return sure;
}

// Among addresses found on a stack: what stands inside of the first way to wait is left over from
// earlier calls, and so is a single one between two of them.
std::size_t blamed_of_found(const Frames& frames) {
  const auto real = [](const SeenFrame& frame) { return !frame.pointer; };
  const auto begin = std::find_if(frames.begin(), frames.end(), [](const SeenFrame& frame) {
    return is_way_to_wait(frame.function);
  });
  if (begin == frames.end()) return first_reason(frames, 0, real);
  auto at = static_cast<std::size_t>(begin - frames.begin());
  for (;;) {
    at = first_reason(frames, at, real);
    if (at == frames.size() || frames[at].function.find("wait") != std::string::npos) return at;
    std::size_t next = at + 1;
    while (next < frames.size() && frames[next].pointer) ++next;
    if (next == frames.size() || !is_way_to_wait(frames[next].function)) return at;
    at = next;
  }
}

std::size_t blamed_asleep(const Frames& frames) {
  if (is_unwound(frames)) {
    const std::size_t at =
        first_reason(frames, 0, [](const SeenFrame& frame) { return !frame.guessed; });
    if (at < frames.size()) return at;
  }
  return blamed_of_found(frames);
}

}  // namespace

std::string blamed_function(const ReportDraft& draft) {
  const Frames& frames = draft.frames;
  std::size_t at = draft.on_cpu ? blamed_on_cpu(frames, false) : blamed_asleep(frames);
  if (at >= frames.size() && draft.on_cpu) at = blamed_on_cpu(frames, true);
  return at < frames.size() ? frames[at].function : std::string{};
}

}  // namespace stallproof
