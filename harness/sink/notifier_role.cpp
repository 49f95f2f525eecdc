// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/notifier_role.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "harness/base/process.h"
#include "harness/base/units.h"
#include "harness/sink/notice_delivery.h"
#include "harness/sink/notice_desk.h"

namespace stallproof {
namespace {

constexpr Nanos kDeliverWithin = 10 * kSecond;
constexpr std::size_t kPacketMost = 256U << 10U;

class Notifier {
 public:
  Notifier(int socket, std::vector<std::string> command)
      : socket_(socket), command_(std::move(command)), packet_(kPacketMost) {}

  void run() {
    while (!controller_gone_) {
      start_next();
      wait();
      receive();
      if (delivery_ && delivery_->step()) settle(delivery_->failure());
      answer_if_idle();
    }
    if (delivery_) delivery_->give_up();
  }

 private:
  void start_next() {
    if (delivery_) return;
    auto text = desk_.next(monotonic_now());
    if (!text) return;
    auto started =
        NoticeDelivery::start({.command = command_, .directory = directory_, .text = *text},
                              Deadline::in(kDeliverWithin));
    if (started)
      delivery_.emplace(std::move(*started));
    else
      count(started.error().what);
  }

  void settle(const std::string& failure) {
    count(failure);
    delivery_.reset();
    // What the command has left behind and whose parent has ended is ours.
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }

  void count(const std::string& failure) {
    ++(failure.empty() ? counts_.delivered : counts_.failed);
    if (!failure.empty()) counts_.last_failure = command_.front() + ": " + failure;
  }

  void wait() {
    std::vector<pollfd> items{{socket_, POLLIN, 0}};
    int timeout_ms = 60'000;
    if (delivery_) {
      delivery_->add_to(items);
      timeout_ms = delivery_->deadline().poll_ms() + 1;
      if (!delivery_->wakes()) timeout_ms = std::min(timeout_ms, 20);
    } else if (const auto due = desk_.next_due()) {
      timeout_ms = Deadline(*due).poll_ms() + 1;
    }
    ::poll(items.data(), items.size(), timeout_ms);
  }

  void receive() {
    for (;;) {
      const ssize_t n = ::recv(socket_, packet_.data(), packet_.size(), MSG_DONTWAIT);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      if (n <= 0) {
        controller_gone_ = true;
        return;
      }
      const auto message = read_notice_packet({packet_.data(), static_cast<std::size_t>(n)});
      if (!message) continue;
      if (message->kind == NoticeKind::begin) directory_ = message->text;
      if (message->kind == NoticeKind::flush) question_ = message->id;
      desk_.take(*message, monotonic_now());
    }
  }

  void answer_if_idle() {
    if (question_.empty() || delivery_ || !desk_.empty()) return;
    counts_.asked = std::exchange(question_, {});
    counts_.limited = desk_.limited();
    counts_.dropped = desk_.dropped();
    const std::string answer = counts_packet(counts_);
    ::send(socket_, answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  int socket_;
  std::vector<std::string> command_;
  std::vector<char> packet_;
  std::string directory_ = "/";
  NoticeDesk desk_;
  std::optional<NoticeDelivery> delivery_;
  NoticeCounts counts_;
  std::string question_;  // the last one that is not answered
  bool controller_gone_ = false;
};

}  // namespace

int run_notifier_role(const std::vector<std::string>& words) {
  if (words.size() < 3) return 2;
  const auto socket = parse_count(words[0]);
  const auto ready = parse_count(words[1]);
  if (!socket || !ready) return 2;
  // Keys of a terminal go to the whole process group; only the controller may end this process.
  for (const int number : {SIGINT, SIGHUP, SIGQUIT, SIGTERM, SIGPIPE}) ::signal(number, SIG_IGN);
  // Whatever the command leaves behind must not become a child of the controller.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (::chdir("/") != 0) return 3;
  ::fcntl(static_cast<int>(*socket), F_SETFD, FD_CLOEXEC);
  report_ready(static_cast<int>(*ready));
  Notifier(static_cast<int>(*socket), {words.begin() + 2, words.end()}).run();
  return 0;
}

}  // namespace stallproof
