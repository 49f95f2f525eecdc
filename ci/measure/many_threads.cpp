// SPDX-License-Identifier: Apache-2.0
// many_threads N: N threads that sleep and one that reads a file, until it is killed. Says how many
// it made. For the measures of wide processes.
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace {

void* sleep_for_ever(void*) {
  for (;;) ::pause();
  return nullptr;
}

int start_threads(int wanted) {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, 16384);
  ::pthread_attr_setguardsize(&attributes, 0);  // one mapping per thread, not two
  int made = 0;
  for (pthread_t thread{}; made < wanted; ++made)
    if (::pthread_create(&thread, &attributes, sleep_for_ever, nullptr) != 0) break;
  return made;
}

}  // namespace

int main(int argc, char** argv) {
  std::printf("%d\n", start_threads(argc > 1 ? std::atoi(argv[1]) : 0));
  std::fflush(stdout);
  const int file = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  std::array<char, 64> bytes{};
  while (::pread(file, bytes.data(), bytes.size(), 0) >= 0) ::usleep(2000);
  return 1;
}
