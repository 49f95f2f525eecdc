// SPDX-License-Identifier: Apache-2.0
#include "harness/run/coordinate/card_exchange.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>

#include "harness/base/bounded.h"
#include "harness/base/fd.h"
#include "harness/base/file.h"

namespace stallproof {
namespace {

constexpr std::size_t kLargestCard = 16U << 20U;

// A card holds no zero byte, so that it can stand between two.
bool put_all(int into, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t put = ::write(into, text.data() + at, text.size() - at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    at += static_cast<std::size_t>(put);
  }
  return true;
}

// No fsync: a card is of use now or never. Closing it is what a network file system sends it by.
int put_card(const std::string& path, const std::string& content) {
  const std::string fresh = path + ".new";
  {
    const Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file.valid()) return errno;
    if (!put_all(file.get(), content)) return errno == 0 ? ENOSPC : errno;
  }
  return ::rename(fresh.c_str(), path.c_str()) == 0 ? 0 : errno;
}

}  // namespace

Result<std::vector<std::string>> exchange_cards(const std::string& directory,
                                                const std::string& name, const std::string& content,
                                                const std::vector<std::string>& others,
                                                Deadline deadline) {
  const BoundedText answer = text_bounded(
      [&](int into) {
        if (const int failed = put_card(directory + "/" + name, content); failed != 0)
          return failed;
        for (const std::string& other : others) {
          const auto text = read_file(directory + "/" + other, kLargestCard);
          if (!put_all(into, (text ? *text : std::string()) + '\0')) return EIO;
        }
        return 0;
      },
      deadline);
  if (answer.error != 0)
    return fail_errno("meet in " + directory, answer.error, "is it shared by all nodes, and up?",
                      Origin::infra);
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < answer.text.size();) {
    const std::size_t end = answer.text.find('\0', at);
    if (end == std::string::npos) break;
    texts.push_back(answer.text.substr(at, end - at));
    at = end + 1;
  }
  texts.resize(others.size());
  return texts;
}

}  // namespace stallproof
