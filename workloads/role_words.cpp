// SPDX-License-Identifier: Apache-2.0
#include "workloads/role_words.h"

#include <cstdio>

#include "harness/base/one_line.h"
#include "harness/base/process.h"
#include "harness/base/settings.h"

namespace stallproof {

int ready_fd_of(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    const auto settings = Settings::from_words({word});
    if (!settings || !settings->has("ready")) continue;
    const auto fd = settings->count("ready", 0);
    if (fd && *fd < 1U << 20U) return static_cast<int>(*fd);
  }
  return -1;
}

int refuse_role(int ready_fd, const Error& error) {
  if (ready_fd >= 0)
    report_failure(ready_fd, error);
  else
    std::fprintf(stderr, "%s\n", on_one_line(error.what).c_str());
  return error.origin == Origin::infra ? 3 : 2;
}

sigset_t block_ending_signals() {
  sigset_t ending;
  ::sigemptyset(&ending);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) ::sigaddset(&ending, number);
  ::pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  return ending;
}

}  // namespace stallproof
