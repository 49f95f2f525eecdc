// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/io_source.h"

#include <algorithm>

namespace stallproof {
namespace {

constexpr Nanos kAskAgain = 200'000;

class FreeSource final : public IoSource {
 public:
  explicit FreeSource(const IoJob& job) : IoSource(job), of_file_(job.files.size()) {
    for (std::uint32_t i = 0; i < job.streams.size(); ++i)
      of_file_[job.streams[i].file].push_back(i);
  }
  void begin(Nanos) override {}
  NextIo next(std::uint32_t file, Chooser& chooser, std::uint64_t& turn, Nanos) override {
    const std::vector<std::uint32_t>& mine = of_file_[file];
    for (std::size_t tried = 0; tried < mine.size(); ++tried) {
      const std::uint32_t number = mine[turn++ % mine.size()];
      StreamState& stream = *streams_[number];
      if (stream.ended()) continue;
      auto io = chooser.choose(stream);
      if (!io) {
        end_stream(stream);
        continue;
      }
      io->stream = number;
      return {.kind = NextIo::request, .io = *io};
    }
    return {.kind = NextIo::ended};
  }

 private:
  std::vector<std::vector<std::uint32_t>> of_file_;  // streams
};

class PacedSource final : public IoSource {
 public:
  explicit PacedSource(const IoJob& job) : IoSource(job), job_(job), waiting_(job.files.size()) {}

  void begin(Nanos now) override {
    for (std::uint32_t i = 0; i < job_.streams.size(); ++i) {
      // Streams with no share of the rate never have their turn.
      const double rate = job_.streams[i].rate;
      if (rate <= 0) {
        end_stream(*streams_[i]);
        continue;
      }
      arrivals_.push_back({i, Arrivals(now, rate, job_.distribution, job_.seed + i)});
      heap_.push_back({arrivals_.back().times.next(), arrivals_.size() - 1});
    }
    std::make_heap(heap_.begin(), heap_.end(), later);
  }

  NextIo next(std::uint32_t file, Chooser& chooser, std::uint64_t&, Nanos now) override {
    for (;;) {
      Due due;
      {
        const std::lock_guard<std::mutex> hold(lock_);
        const auto taken = take(file, due);
        if (taken == Taken::blocked) return {.kind = NextIo::wait, .until = now + kAskAgain};
        if (taken == Taken::none) return {.kind = NextIo::ended};
      }
      StreamState& stream = *streams_[due.arrivals];
      auto io = chooser.choose(stream);
      if (!io) {
        end_stream(stream);
        continue;
      }
      io->stream = static_cast<std::uint32_t>(due.arrivals);
      io->due = due.at;
      return {.kind = NextIo::request, .io = *io};
    }
  }

 private:
  struct Entry {
    std::uint32_t stream;
    Arrivals times;
  };
  struct Due {
    Nanos at = 0;
    std::size_t arrivals = 0;  // in heap_: index of arrivals_; in waiting_ and taken: the stream
  };
  enum class Taken { due, blocked, none };

  static bool later(const Due& a, const Due& b) { return a.at > b.at; }

  // The next I/O of a file; those of others that come before it wait for their threads.
  Taken take(std::uint32_t file, Due& out) {
    std::deque<Due>& mine = waiting_[file];
    if (!mine.empty()) {
      out = mine.front();
      mine.pop_front();
      return Taken::due;
    }
    while (!heap_.empty()) {
      const Due first = heap_.front();
      Entry& entry = arrivals_[first.arrivals];
      const std::uint32_t owner = job_.streams[entry.stream].file;
      if (owner != file && waiting_[owner].size() >= kMostWaiting) return Taken::blocked;
      std::pop_heap(heap_.begin(), heap_.end(), later);
      heap_.pop_back();
      if (streams_[entry.stream]->ended()) continue;
      heap_.push_back({entry.times.next(), first.arrivals});
      std::push_heap(heap_.begin(), heap_.end(), later);
      const Due due{first.at, entry.stream};
      if (owner == file) {
        out = due;
        return Taken::due;
      }
      waiting_[owner].push_back(due);
    }
    return Taken::none;
  }

  const IoJob& job_;
  std::mutex lock_;
  std::vector<Entry> arrivals_;
  std::vector<Due> heap_;
  std::vector<std::deque<Due>> waiting_;  // by file
};

}  // namespace

IoSource::IoSource(const IoJob& job) {
  for (const JobStream& stream : job.streams)
    streams_.push_back(std::make_unique<StreamState>(stream, job.files[stream.file]));
}

std::optional<IoRequest> IoSource::another(const IoRequest& refused, Chooser& chooser) {
  StreamState& stream = *streams_[refused.stream];
  auto io = stream.ended() ? std::nullopt : chooser.choose(stream);
  if (!io) {
    end_stream(stream);
    return std::nullopt;
  }
  io->stream = refused.stream;
  io->due = refused.due;
  return io;
}

std::unique_ptr<IoSource> make_source(const IoJob& job) {
  if (job.paced()) return std::make_unique<PacedSource>(job);
  return std::make_unique<FreeSource>(job);
}

}  // namespace stallproof
