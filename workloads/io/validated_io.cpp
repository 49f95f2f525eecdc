// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/validated_io.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "workloads/io/io_account.h"
#include "workloads/io/io_engine.h"

namespace stallproof {
namespace {

// Nearly all blocks are under way when that many in a row are.
constexpr unsigned kTriesBeforeRest = 100;
constexpr Nanos kRest = kMillisecond;

std::uint64_t milliseconds_now() { return realtime_now() / kMillisecond; }

// A read of all that is known, to the end of the file: what is not known is passed by.
bool reads_known_blocks_alone(const JobStream& stream) {
  return stream.stop_at_end && stream.seek_percent <= 0 && stream.read_percent >= 100;
}

}  // namespace

Result<std::unique_ptr<Validation>> attach_validation(const IoJob& job, int maps_fd) {
  if (job.engine != IoEngine::psync)
    return fail("data validation: only the psync engine can do it", Origin::infra);
  auto maps = KeyMaps::attach(maps_fd);
  if (!maps) return Failure(maps.error());
  for (std::uint32_t number = 0; number < job.files.size(); ++number) {
    const JobFile& file = job.files[number];
    if (file.key_block == 0) continue;
    if (file.key_map >= maps->size() || maps->map(file.key_map).block_size() != file.key_block ||
        file.key_block % kValidationSector != 0)
      return fail(
          fmt::format("sd={}: its key map is not of blocks of {} bytes", file.name, file.key_block),
          Origin::infra);
    if (job.largest_transfer(number) > maps->largest_transfer())
      return fail(fmt::format("sd={}: the key maps are for smaller transfers", file.name),
                  Origin::infra);
  }
  ValidationPattern pattern(maps->largest_transfer());
  return std::make_unique<Validation>(Validation{std::move(*maps), std::move(pattern)});
}

ValidatedIo::ValidatedIo(EngineContext& context, const EngineThread& thread, IoBuffers buffers,
                         OneIo one_io)
    : context_(context),
      slot_number_(context.job.files[thread.file].first_slot + thread.first),
      map_(context.validation->maps.map(context.job.files[thread.file].key_map)),
      block_size_(map_.block_size()),
      name_(validation_name(context.job.files[thread.file].name)),
      buffers_(buffers),
      one_io_(std::move(one_io)),
      prng_(Prng::mix(realtime_now() + slot_number_)) {
  const std::size_t most = context.job.largest_transfer(thread.file) / block_size_;
  before_.reserve(most);
  keys_.reserve(most);
}

void ValidatedIo::make(IoRequest io, Chooser& chooser) {
  if (!acquire(io, chooser)) return;
  if (io.write)
    preread_and_write(io);
  else
    read_and_check(io, LastUse::read);
  map_.release(first_, before_, keys_);
}

bool ValidatedIo::acquire(IoRequest& io, Chooser& chooser) {
  const bool known_alone = reads_known_blocks_alone(context_.job.streams[io.stream]);
  for (unsigned tries = 0; !context_.stopping();) {
    find_blocks(io);
    if (!known_alone || map_.any_known(first_, before_.size())) {
      if (map_.try_acquire(first_, before_) == KeyMap::Taken::yes) {
        keys_ = before_;
        return true;
      }
      if (++tries % kTriesBeforeRest == 0) context_.sleep_until(monotonic_now() + kRest);
    }
    const auto other = context_.source->another(io, chooser);
    if (!other) return false;
    io = *other;
  }
  return false;
}

void ValidatedIo::find_blocks(const IoRequest& io) {
  first_ = io.offset / block_size_;
  const std::uint64_t rest = map_.blocks() - std::min(first_, map_.blocks());
  before_.resize(std::min<std::uint64_t>(io.size / block_size_, rest));
}

void ValidatedIo::preread_and_write(const IoRequest& io) {
  const auto is_known = [](std::uint8_t key) { return key != kUnknownKey; };
  IoRequest next = io;
  if (!context_.job.validation.no_preread && std::any_of(keys_.begin(), keys_.end(), is_known)) {
    next.write = false;
    if (!read_and_check(next, LastUse::pre_read)) return;
    next.write = true;
    next.due = 0;  // the wait until it was made is in the read's time
  }
  write(next);
}

void ValidatedIo::write(const IoRequest& io) {
  const std::uint64_t now_ms = milliseconds_now();
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    keys_[i] = next_key(keys_[i], prng_);
    BlockIdentity identity = identity_of(i);
    identity.timestamp_ms = now_ms;
    fill_block({buffers_.write + i * block_size_, block_size_}, identity,
               context_.validation->pattern);
  }
  const std::size_t whole = keys_.size() * block_size_;
  std::memset(buffers_.write + whole, 0, io.size - whole);
  map_.begin_write(first_, keys_.size());
  if (one_io_(io) != 0) {
    give_up_all();
    return;
  }
  const std::uint64_t done_ms = milliseconds_now();
  for (std::size_t i = 0; i < keys_.size(); ++i) note_use(i, LastUse::write, done_ms);
  if (!context_.job.validation.read_after_write) return;
  IoRequest back = io;
  back.write = false;
  back.due = 0;
  read_and_check(back, LastUse::read_back);
}

bool ValidatedIo::read_and_check(const IoRequest& io, LastUse use) {
  if (one_io_(io) != 0) {
    give_up_all();
    return false;
  }
  const std::uint64_t now_ms = map_.keeps_times() ? milliseconds_now() : 0;
  std::uint32_t good = 0;
  std::uint32_t bad = 0;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i] == kUnknownKey) continue;
    if (checked(i).what != BlockClass::good) {
      ++bad;
      continue;
    }
    ++good;
    note_use(i, use, now_ms);
  }
  map_.count_validated(good);
  context_.panel.header().validated_blocks.fetch_add(good, std::memory_order_relaxed);
  if (bad != 0) report_bad_blocks(io, use, bad);
  return bad == 0;
}

BlockIdentity ValidatedIo::identity_of(std::size_t index) const {
  return {.offset = (first_ + index) * block_size_,
          .key = keys_[index],
          .timestamp_ms = 0,
          .name = name_,
          .owner = context_.validation->maps.owner()};
}

BlockReport ValidatedIo::checked(std::size_t index) const {
  return check_block({buffers_.read + index * block_size_, block_size_}, identity_of(index),
                     context_.validation->pattern);
}

void ValidatedIo::report_bad_blocks(const IoRequest& io, LastUse use, std::uint32_t bad) {
  BoardSlot& slot = context_.board.slots()[slot_number_];
  FaultRecord fault{.realtime_ns = realtime_now(),
                    .offset = io.offset,
                    .size = io.size,
                    .error = kCorruption,
                    .stream = io.stream,
                    .write = false,
                    .tid = slot.tid.load(std::memory_order_relaxed)};
  fault.block.size = block_size_;
  fault.block.of_io = bad;
  fault.block.found_by = use;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i] == kUnknownKey) continue;
    fault.block.report = checked(i);
    if (fault.block.report.what == BlockClass::good) continue;
    fault.block.offset = (first_ + i) * block_size_;
    fault.block.expected_key = keys_[i];
    fault.block.last_use = map_.last_use(first_ + i);
    context_.panel.note_fault(fault);
    grow(slot.mismatches, 1);
    give_up(i);
    ++fault.block.place;
  }
}

void ValidatedIo::give_up(std::size_t index) {
  keys_[index] = kBadKey;
  context_.panel.header().bad_blocks.fetch_add(1, std::memory_order_relaxed);
}

void ValidatedIo::give_up_all() {
  for (std::size_t i = 0; i < keys_.size(); ++i) give_up(i);
}

void ValidatedIo::note_use(std::size_t index, LastUse use, std::uint64_t now_ms) {
  map_.note_use(first_ + index, {use, now_ms});
}

}  // namespace stallproof
