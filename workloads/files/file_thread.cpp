// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/file_thread.h"

#include "workloads/io/io_account.h"

namespace stallproof {
namespace {

constexpr Nanos kPauseWhenBlocked = 200'000;
constexpr std::uint64_t kPauseEvery = 64;    // files and folders in a state of no use
constexpr std::uint64_t kCheckEvery = 1024;  // blocks
constexpr Nanos kBlockedForGood = 10 * kSecond;

}  // namespace

FileTurns::FileTurns(FileContext& context, const FileThread& thread)
    : context_(context),
      workload_(context.job.workloads[thread.workload]),
      workload_number_(thread.workload),
      tree_(*context.trees[workload_.anchor]),
      calls_(context, thread),
      prng_(Prng::mix(context.job.seed + context.slot_of(thread) + 1)),
      choice_{workload_.select_random, workload_.select_once, workload_.poisson_midpoint} {}

void FileTurns::run() {
  while (!context_.stopping()) {
    const Nanos now = monotonic_now();
    const Turn turn = context_.pace->next(workload_number_, now);
    if (turn.kind == Turn::ended) break;
    if (turn.kind == Turn::wait) {
      context_.sleep_until(turn.until);
      continue;
    }
    calls_.set_due(turn.due);
    if (turn.due > now) {
      calls_.begin_waiting(workload_.operation);
      context_.sleep_until(turn.due);
      calls_.end_waiting();
      if (context_.stopping()) break;
    }
    blocks_ = 0;
    if (one_turn()) continue;
    // Others of the workload may have begun files that they go on with.
    if (!context_.stopping() && context_.pace->leave(workload_number_))
      context_.panel.header().ended_workloads.fetch_add(1);
    break;
  }
  if (open_) open_->close();
}

bool FileTurns::one_turn() {
  if (workload_.read_percent >= 0) {
    const bool reads = static_cast<double>(prng_.below(1'000'000)) < workload_.read_percent * 1e4;
    return transfer_turn(reads ? Transfer::read : Transfer::write, false);
  }
  switch (workload_.operation) {
    case FileOperation::read:
      return transfer_turn(Transfer::read, true);
    case FileOperation::write:
      return transfer_turn(Transfer::write, false);
    case FileOperation::mkdir:
      return make_folder_turn();
    case FileOperation::rmdir:
      return remove_folder_turn();
    case FileOperation::copy:
    case FileOperation::move:
      return copy_turn(workload_.operation == FileOperation::move);
    case FileOperation::create:
      return create_turn();
    case FileOperation::erase:
      return delete_turn();
    case FileOperation::getattr:
      return attribute_turn(&FileCalls::get_attributes);
    case FileOperation::setattr:
      return attribute_turn(&FileCalls::set_attributes);
    case FileOperation::access:
      return attribute_turn(&FileCalls::look_for_access);
    case FileOperation::open:
      return open_turn(true);
    case FileOperation::close:
      return open_turn(false);
  }
  return false;
}

bool FileTurns::transfer_turn(Transfer kind, bool to_read) {
  for (unsigned tries = 0; !context_.stopping(); ++tries) {
    if (!open_) {
      const auto file = kind == Transfer::read ? find_to_read() : find_to_write();
      if (!file) return false;
      open_ = OpenFile::open(calls_, workload_, workload_.anchor, *file, to_read);
      if (!open_) return true;  // counted, and survived
    }
    const std::uint32_t size = drawn_size(workload_.xfersizes, prng_);
    const bool placed =
        !open_->enough() && (workload_.sequential ? open_->place_next(kind, size)
                                                  : open_->place_at_random(kind, size, prng_));
    if (placed) {
      open_->make(kind);
      return true;
    }
    open_->close();
    open_.reset();
    if (tries > 0 && !blocked(false)) return false;  // files of no size
  }
  return false;
}

bool FileTurns::create_turn() {
  const auto file = find_file(true, [this](FileNumber chosen) {
    if (tree_.exists(chosen)) return more_files_may_come() ? Fit::skip : Fit::stop;
    return tree_.folder_exists(tree_.folder_of(chosen)) ? Fit::take : Fit::skip;
  });
  if (!file) return false;
  const Nanos began = monotonic_now();
  const auto made = OpenFile::open(calls_, workload_, workload_.anchor, *file, false);
  if (!made) return true;
  made->close();
  calls_.count(FileOperation::create, began);
  return true;
}

bool FileTurns::delete_turn() {
  const auto file = find_existing(true);
  if (!file) return false;
  const int error = calls_.remove_file(calls_.file(workload_.anchor, *file), tree_.anchor().shared);
  if (error == 0 || error == ENOENT) tree_.set_gone(*file);
  tree_.leave(*file);
  return true;
}

bool FileTurns::attribute_turn(int (FileCalls::*call)(const Target&)) {
  const auto file = find_existing(false);
  if (!file) return false;
  (calls_.*call)(calls_.file(workload_.anchor, *file));
  tree_.leave(*file);
  return true;
}

bool FileTurns::open_turn(bool to_read) {
  const auto file = find_existing(false);
  if (!file) return false;
  if (const auto opened = OpenFile::open(calls_, workload_, workload_.anchor, *file, to_read))
    opened->close();
  return true;
}

// The file of the same number in the target's tree is written anew.
bool FileTurns::copy_turn(bool and_remove) {
  const auto target = static_cast<std::uint32_t>(workload_.target);
  AnchorTree& other = *context_.trees[target];
  const auto file = find_to_read();
  if (!file) return false;
  if (!choice_.random && tree_.copied(*file)) {
    tree_.leave(*file);
    return false;
  }
  if (!other.take_alone(*file)) {
    tree_.leave(*file);
    return blocked(true);  // the turn is lost
  }
  const Nanos began = monotonic_now();
  if (other.exists(*file) &&
      calls_.remove_file(calls_.file(target, *file), other.anchor().shared) == 0)
    other.set_gone(*file);
  const auto from = OpenFile::open(calls_, workload_, workload_.anchor, *file, true);
  if (!from) {
    other.leave(*file);
    return true;
  }
  const auto to = OpenFile::open(calls_, workload_, target, *file, false);
  if (to) {
    copy_all(*from, *to);
    to->close();
    tree_.set_copied(*file);
  }
  from->close(and_remove && to != nullptr);
  if (to) calls_.count(workload_.operation, began);
  return true;
}

void FileTurns::copy_all(OpenFile& from, OpenFile& to) {
  while (!context_.stopping() &&
         from.place_next(Transfer::read, drawn_size(workload_.xfersizes, prng_))) {
    from.make(Transfer::read);
    to.make_at(from, Transfer::write);
  }
}

bool FileTurns::make_folder_turn() {
  const auto folder = find_folder([this](FolderNumber chosen) {
    if (tree_.folder_exists(chosen)) return more_folders_may_come() ? Fit::skip : Fit::stop;
    return tree_.parent_exists(chosen) ? Fit::take : Fit::skip;
  });
  if (!folder) return false;
  const int error =
      calls_.make_folder(calls_.folder(workload_.anchor, *folder), tree_.anchor().shared);
  if (error == 0 || error == EEXIST) tree_.set_folder_there(*folder);
  tree_.leave_folder(*folder);
  return true;
}

bool FileTurns::remove_folder_turn() {
  const auto folder = find_folder([this](FolderNumber chosen) {
    if (!tree_.folder_exists(chosen)) return more_folders_may_come() ? Fit::skip : Fit::stop;
    if (tree_.files_in(chosen) > 0) return context_.removes_files ? Fit::skip : Fit::stop;
    for (const FolderNumber child : tree_.children(chosen))
      if (tree_.folder_exists(child)) return Fit::skip;
    return Fit::take;
  });
  if (!folder) return false;
  const int error =
      calls_.remove_folder(calls_.folder(workload_.anchor, *folder), tree_.anchor().shared);
  if (error == 0 || error == ENOENT) tree_.set_folder_gone(*folder);
  tree_.leave_folder(*folder);
  return true;
}

template <class Judge>
std::optional<FileNumber> FileTurns::find_file(bool alone, Judge judge) {
  while (!context_.stopping()) {
    const auto file = tree_.next_file(choice_, prng_);
    if (!file) return std::nullopt;
    if (!(alone ? tree_.take_alone(*file) : tree_.take(*file, workload_.share_files))) {
      if (!blocked(true)) return std::nullopt;
      continue;
    }
    const Fit fit = judge(*file);
    if (fit == Fit::take) return file;
    tree_.leave(*file);
    if (fit == Fit::stop || !blocked(false)) return std::nullopt;
  }
  return std::nullopt;
}

template <class Judge>
std::optional<FolderNumber> FileTurns::find_folder(Judge judge) {
  while (!context_.stopping()) {
    const FolderNumber folder = tree_.next_folder(choice_.random, prng_);
    if (!tree_.take_folder(folder)) {
      if (!blocked(true)) return std::nullopt;
      continue;
    }
    const Fit fit = judge(folder);
    if (fit == Fit::take) return folder;
    tree_.leave_folder(folder);
    if (fit == Fit::stop || !blocked(false)) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<FileNumber> FileTurns::find_to_read() {
  return find_file(false, [this](FileNumber chosen) {
    if (!tree_.exists(chosen)) return more_files_may_come() ? Fit::skip : Fit::stop;
    return tree_.current_size(chosen) > 0 ? Fit::take : Fit::skip;
  });
}

std::optional<FileNumber> FileTurns::find_existing(bool alone) {
  return find_file(alone, [this](FileNumber chosen) {
    if (tree_.exists(chosen)) return Fit::take;
    return more_files_may_come() ? Fit::skip : Fit::stop;
  });
}

// Sequential writing makes files that are not there, random writing needs them.
std::optional<FileNumber> FileTurns::find_to_write() {
  return find_file(workload_.delete_first, [this](FileNumber chosen) {
    if (!tree_.exists(chosen) && !workload_.sequential)
      return more_files_may_come() ? Fit::skip : Fit::stop;
    return tree_.folder_exists(tree_.folder_of(chosen)) ? Fit::take : Fit::skip;
  });
}

bool FileTurns::more_files_may_come() const {
  if (tree_.existing_files() >= tree_.used_files()) return context_.removes_files;
  return tree_.existing_files() > 0 || context_.makes_files;
}

bool FileTurns::more_folders_may_come() const {
  if (tree_.existing_folders() >= tree_.folders()) return context_.removes_folders;
  return tree_.existing_folders() > 0 || context_.makes_folders;
}

std::uint64_t FileTurns::work_of_all(bool& any_in_flight) const {
  std::uint64_t sum = 0;
  any_in_flight = false;
  const Nanos now = monotonic_now();
  for (const JobFileWorkload& workload : context_.job.workloads)
    for (const BoardSlot& slot :
         context_.board.slots().subspan(workload.first_slot, workload.threads)) {
      sum += slot.ops.load(std::memory_order_relaxed);
      const Nanos began = slot.op_started_ns.load(std::memory_order_relaxed);
      any_in_flight = any_in_flight || (began != 0 && began <= now);
    }
  return sum;
}

// vdbench ends the whole run after 10 000 tries. Here only a workload ends, and only when for ten
// seconds no thread has moved nor been inside of a call: a stall makes others wait, and is no
// reason.
bool FileTurns::blocked(bool busy) {
  context_.panel.header().blocked.fetch_add(1, std::memory_order_relaxed);
  if (blocks_++ % kCheckEvery == 0) {
    const Nanos now = monotonic_now();
    bool in_flight = false;
    const std::uint64_t work = work_of_all(in_flight);
    if (blocks_ == 1 || in_flight || work != work_at_block_) {
      work_at_block_ = work;
      blocked_since_ = now;
    } else if (now - blocked_since_ > kBlockedForGood) {
      calls_.note(workload_.operation, {.anchor = workload_.anchor}, kFoundNothing);
      return false;
    }
  }
  if (busy || blocks_ % kPauseEvery == 0) context_.sleep_until(monotonic_now() + kPauseWhenBlocked);
  return true;
}

}  // namespace stallproof
