// SPDX-License-Identifier: Apache-2.0
// A mutex whose holder has the priority of the first who waits for it (PTHREAD_PRIO_INHERIT): an
// ordinary thread that a full machine does not run keeps no real-time thread waiting. For
// std::lock_guard and std::unique_lock; what waits on it needs std::condition_variable_any. Where
// the kernel has no such locks it is an ordinary mutex.
#pragma once

#include <pthread.h>

namespace stallproof {

class InheritingMutex {
 public:
  InheritingMutex() {
    pthread_mutexattr_t inheriting;
    ::pthread_mutexattr_init(&inheriting);
    ::pthread_mutexattr_setprotocol(&inheriting, PTHREAD_PRIO_INHERIT);
    ::pthread_mutex_init(&mutex_, &inheriting);
    ::pthread_mutexattr_destroy(&inheriting);
  }
  InheritingMutex(const InheritingMutex&) = delete;
  InheritingMutex& operator=(const InheritingMutex&) = delete;
  ~InheritingMutex() { ::pthread_mutex_destroy(&mutex_); }

  void lock() { ::pthread_mutex_lock(&mutex_); }
  void unlock() { ::pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

}  // namespace stallproof
