// SPDX-License-Identifier: Apache-2.0
// bare_mm LOOP [--threads N] [--seconds S] [--warm S] [--file PATH] [--stride PAGES]: what the
// machine gives to a loop of system calls that does nothing else, no clock and no shared state.
// Prints JSON: ops, seconds. LOOP is one of
//   mprotect      the middle page of three, own mapping in each thread (an op is a call)
//   churn         threads with a Java thread's four calls on their stack (an op is a life)
//   fault-minor   touches of a mapped tmpfs file, in order, MADV_DONTNEED after each round
//   fault-cache   the same on a file made at PATH, all of it in the page cache
// Touches are --stride pages apart, 16 by default: fault-around maps 16 pages at once (64 KiB,
// should_fault_around in mm/memory.c, 6.12), so then each touch is a fault.
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "ci/bench/mm/count_window.h"

namespace {

using bare::Count;
using bare::must;
using bare::Options;

constexpr std::size_t kPage = 4096;
constexpr int kWritable = PROT_READ | PROT_WRITE;
constexpr int kPrivate = MAP_PRIVATE | MAP_ANONYMOUS;

void mprotect_loop(Count& count, const std::atomic<bool>& stop) {
  auto* const base = static_cast<char*>(::mmap(nullptr, 5 * kPage, PROT_NONE, kPrivate, -1, 0));
  must(base != MAP_FAILED && ::mprotect(base + kPage, 3 * kPage, kWritable) == 0, "map");
  while (!stop.load(std::memory_order_relaxed)) {
    must(::mprotect(base + 2 * kPage, kPage, PROT_READ) == 0, "mprotect");
    must(::mprotect(base + 2 * kPage, kPage, kWritable) == 0, "mprotect");
    count.add(2);
  }
}

constexpr std::size_t kStack = 1 << 20;
constexpr std::size_t kGuard = 16384;

void* live(void* stack) {
  must(::mmap(stack, kGuard, kWritable, kPrivate | MAP_FIXED, -1, 0) == stack, "mmap");
  must(::mprotect(stack, kGuard, PROT_NONE) == 0, "mprotect");
  must(::mmap(stack, kGuard, PROT_NONE, kPrivate | MAP_FIXED | MAP_NORESERVE, -1, 0) == stack,
       "mmap");
  must(::madvise(stack, kStack - 24576, MADV_DONTNEED) == 0, "madvise");
  return nullptr;
}

void churn_loop(Count& count, const std::atomic<bool>& stop) {
  void* const stack =
      ::mmap(nullptr, kStack, kWritable, kPrivate | MAP_NORESERVE | MAP_STACK, -1, 0);
  must(stack != MAP_FAILED, "map a stack");
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  must(::pthread_attr_setstack(&attributes, stack, kStack) == 0, "set a stack");
  while (!stop.load(std::memory_order_relaxed)) {
    pthread_t thread{};
    must(::pthread_create(&thread, &attributes, live, stack) == 0, "pthread_create");
    ::pthread_join(thread, nullptr);
    count.add();
  }
}

constexpr std::size_t kRound = 4096;  // pages between two MADV_DONTNEED
constexpr std::size_t kRoundBytes = kRound * kPage;
constexpr std::size_t kPiece = 1U << 20U;

char* map_shared(int file, std::size_t bytes) {
  must(::ftruncate(file, static_cast<off_t>(bytes)) == 0, "ftruncate");
  // In large pieces, as our loads make their files: large folios are as large as the writes were.
  const std::string block(kPiece, 'x');
  for (std::size_t at = 0; at < bytes; at += kPiece)
    must(::pwrite(file, block.data(), kPiece, static_cast<off_t>(at)) ==
             static_cast<ssize_t>(kPiece),
         "write");
  must(::fdatasync(file) == 0 || errno == EINVAL, "fdatasync");
  // As mapped-fault does with fault-start=cold: an empty page cache, a page read for each touch.
  must(::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0, "fadvise");
  void* const base = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
  must(base != MAP_FAILED, "map a file");
  must(::madvise(base, bytes, MADV_RANDOM) == 0, "madvise");
  return static_cast<char*>(base);
}

void fault_loop(char* part, std::size_t stride, Count& count, const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_relaxed)) {
    std::uint64_t touched = 0;
    for (std::size_t page = 0; page < kRound; page += stride, ++touched)
      (void)*static_cast<volatile char*>(part + page * kPage);
    count.add(touched);
    must(::madvise(part, kRoundBytes, MADV_DONTNEED) == 0, "madvise");
  }
}

[[noreturn]] void measure_faults(const Options& options, int file) {
  must(file >= 0, "open --file");
  char* const base = map_shared(file, kRoundBytes * options.threads);
  bare::measure(options, [base, stride = options.stride](unsigned index, Count& count,
                                                         const std::atomic<bool>& stop) {
    fault_loop(base + index * kRoundBytes, stride, count, stop);
  });
}

[[noreturn]] void run(std::string_view loop, const Options& options) {
  if (loop == "mprotect")
    bare::measure(options, [](unsigned, Count& count, const std::atomic<bool>& stop) {
      mprotect_loop(count, stop);
    });
  if (loop == "churn")
    bare::measure(options, [](unsigned, Count& count, const std::atomic<bool>& stop) {
      churn_loop(count, stop);
    });
  if (loop == "fault-minor") measure_faults(options, ::memfd_create("bare", MFD_CLOEXEC));
  if (loop == "fault-cache")
    measure_faults(options, ::open(std::string(options.file).c_str(),
                                   O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  std::fprintf(stderr, "bare_mm: mprotect, churn, fault-minor or fault-cache\n");
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--threads") options.threads = static_cast<unsigned>(std::atoi(argv[i + 1]));
    if (name == "--seconds") options.seconds = std::atof(argv[i + 1]);
    if (name == "--warm") options.warm = std::atof(argv[i + 1]);
    if (name == "--file") options.file = argv[i + 1];
    if (name == "--stride") options.stride = static_cast<unsigned>(std::atoi(argv[i + 1]));
  }
  run(argc > 1 ? argv[1] : "", options);
}
