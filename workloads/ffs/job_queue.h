// SPDX-License-Identifier: Apache-2.0
// A FIFO from the receiver to service threads of the same process. pop() sleeps in the condition
// variable's futex (state S), which is what an idle service thread must look like from outside.
// It waits without a time limit on purpose: close() ends every wait, and the process ends by
// _exit() if a thread does not follow.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace stallproof {

template <class Job>
class JobQueue {
 public:
  // Any thread. Dropped when the queue is closed.
  void push(Job job) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      jobs_.push_back(std::move(job));
    }
    arrived_.notify_one();
  }
  // The oldest job; nullopt once closed, whatever is still queued.
  std::optional<Job> pop() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
    if (closed_) return std::nullopt;
    std::optional<Job> job(std::move(jobs_.front()));
    jobs_.pop_front();
    return job;
  }
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    arrived_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Job> jobs_;
  bool closed_ = false;
};

}  // namespace stallproof
