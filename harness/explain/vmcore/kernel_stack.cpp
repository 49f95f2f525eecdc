// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/kernel_stack.h"

#include <fmt/core.h>

namespace stallproof {
namespace {

constexpr std::size_t kMostFrames = 256;

// struct inactive_task_frame (arch/x86/include/asm/switch_to.h, 4.9 to 6.18, 64 bit): what
// __switch_to_asm pushed.
constexpr std::uint64_t kInactiveBp = 40;
constexpr std::uint64_t kInactiveReturn = 48;
constexpr std::uint64_t kInactiveBytes = 56;

// struct pt_regs, 64 bit; the processor itself pushes the part from ip on.
constexpr std::uint64_t kRegsR13 = 16;
constexpr std::uint64_t kRegsBp = 32;
constexpr std::uint64_t kRegsR10 = 56;
constexpr std::uint64_t kRegsDx = 96;
constexpr std::uint64_t kRegsDi = 112;
constexpr std::uint64_t kRegsIp = 128;
constexpr std::uint64_t kRegsCs = 136;
constexpr std::uint64_t kRegsSp = 152;

// ORC_REG_* of orc_types.h.
enum : std::uint8_t { kPrevSp = 1, kDx, kDi, kBp, kSp, kR10, kR13, kBpIndirect, kSpIndirect };

class Unwinder {
 public:
  Unwinder(const StackCopy& stack, const OrcTables& orc) : stack_(stack), orc_(orc) {}

  UnwoundStack run(std::uint64_t first_run) {
    const auto bp = stack_.word(stack_.begin + kInactiveBp);
    const auto ip = stack_.word(stack_.begin + kInactiveReturn);
    if (!bp || !ip) return stop("its stack is not in the dump");
    bp_ = *bp;
    ip_ = *ip;
    sp_ = stack_.begin + kInactiveBytes;
    signal_ = ip_ == first_run;
    out_.frames.push_back({ip_, stack_.begin + kInactiveReturn, signal_});
    return follow();
  }

  UnwoundStack run(const CpuRegisters& registers) {
    bp_ = registers.bp;
    ip_ = registers.ip;
    sp_ = registers.sp;
    signal_ = true;
    out_.frames.push_back({ip_, sp_, signal_});
    return follow();
  }

 private:
  UnwoundStack follow() {
    while (out_.frames.size() < kMostFrames)
      if (!step()) return std::move(out_);
    return stop("more frames than a stack holds");
  }
  UnwoundStack stop(std::string why) {
    out_.problem = std::move(why);
    return std::move(out_);
  }
  bool give_up(std::string why) {
    out_.problem = std::move(why);
    return false;
  }
  // From the registers that an interrupt saved, as long as nothing has changed them since.
  std::optional<std::uint64_t> saved(std::uint64_t offset) const {
    if (full_regs_ == 0) return std::nullopt;
    return stack_.word(full_regs_ + offset);
  }

  std::optional<std::uint64_t> base_of(const OrcEntry& orc) const {
    const auto offset = static_cast<std::uint64_t>(std::int64_t{orc.sp_offset});
    switch (orc.sp_reg) {
      case kSp:
        return sp_ + offset;
      case kBp:
        return bp_ + offset;
      case kSpIndirect: {
        // The word is read first, then moved (unwind_next_frame, 5.12 to 6.18).
        const auto there = stack_.word(sp_);
        return there ? std::optional(*there + offset) : std::nullopt;
      }
      case kBpIndirect:
        return stack_.word(bp_ + offset);
      case kR10:
        return saved(kRegsR10);
      case kR13:
        return saved(kRegsR13);
      case kDi:
        return saved(kRegsDi);
      case kDx:
        return saved(kRegsDx);
      default:
        return std::nullopt;
    }
  }

  bool step() {
    const auto orc = orc_.find(signal_ ? ip_ : ip_ - 1);
    if (!orc || orc->kind == OrcEntry::Kind::undefined)
      return give_up(fmt::format("nothing says how to go on from 0x{:x}", ip_));
    if (orc->kind == OrcEntry::Kind::end) return false;
    const auto base = base_of(*orc);
    if (!base) return give_up(fmt::format("the frame at 0x{:x} cannot be left", ip_));
    const std::uint64_t before = sp_;
    const bool more = orc->kind == OrcEntry::Kind::call ? call(*base) : interrupted(*orc, *base);
    if (!more) return false;
    if (orc->bp_reg != 0 && !restore_bp(*orc, *base)) return give_up("a saved frame is missing");
    if (sp_ <= before) return give_up("the stack does not lead on");
    return true;
  }

  bool call(std::uint64_t base) {
    const auto next = stack_.word(base - 8);
    if (!next || *next == 0) return give_up("a return address is missing");
    ip_ = *next;
    sp_ = base;
    signal_ = false;
    full_regs_ = 0;
    out_.frames.push_back({ip_, base - 8, false});
    return true;
  }

  // `base` is where the registers lie; a partial set begins with ip.
  bool interrupted(const OrcEntry& orc, std::uint64_t base) {
    const bool partial = orc.kind == OrcEntry::Kind::regs_partial;
    const std::uint64_t regs = partial ? base - kRegsIp : base;
    const auto ip = stack_.word(regs + kRegsIp);
    const auto cs = stack_.word(regs + kRegsCs);
    const auto sp = stack_.word(regs + kRegsSp);
    if (!ip || !cs || !sp) return give_up("saved registers are missing");
    if ((*cs & 3U) != 0) return false;  // from user space: the bottom of the stack
    ip_ = *ip;
    sp_ = *sp;
    signal_ = true;
    full_regs_ = partial ? 0 : regs;
    out_.frames.push_back({ip_, regs + kRegsIp, true});
    return true;
  }

  bool restore_bp(const OrcEntry& orc, std::uint64_t base) {
    const auto offset = static_cast<std::uint64_t>(std::int64_t{orc.bp_offset});
    std::optional<std::uint64_t> value;
    if (orc.kind == OrcEntry::Kind::regs)
      value = saved(kRegsBp);
    else if (orc.bp_reg == kPrevSp)
      value = stack_.word(base + offset);
    else if (orc.bp_reg == kBp)
      value = stack_.word(bp_ + offset);
    if (!value) return false;
    bp_ = *value;
    return true;
  }

  const StackCopy& stack_;
  const OrcTables& orc_;
  std::uint64_t ip_ = 0;
  std::uint64_t sp_ = 0;
  std::uint64_t bp_ = 0;
  std::uint64_t full_regs_ = 0;
  bool signal_ = false;
  UnwoundStack out_;
};

}  // namespace

UnwoundStack unwind_sleeping(const StackCopy& stack, const OrcTables& orc,
                             std::uint64_t first_run) {
  return Unwinder(stack, orc).run(first_run);
}

UnwoundStack unwind_running(const StackCopy& stack, const OrcTables& orc,
                            const CpuRegisters& registers) {
  return Unwinder(stack, orc).run(registers);
}

}  // namespace stallproof
