// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/notices.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace stallproof {
namespace {

constexpr Nanos kReadyWithin = 5 * kSecond;
constexpr Nanos kEndsWithin = 3 * kSecond;
constexpr int kPassMs = 100;

std::string how_it_ended(int status) {
  return "notices: the process that delivers them ended: " + describe_status(status);
}

}  // namespace

Result<std::unique_ptr<Notices>> Notices::start(const std::vector<std::string>& command,
                                                Console& console) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("notices: socket", errno, {}, Origin::infra);
  Fd ours(ends[0]), theirs(ends[1]);
  auto ready = Pipe::create();
  if (!ready) return Failure(ready.error());
  std::vector<std::string> words{fmt::format("{}", theirs.get()),
                                 fmt::format("{}", ready->write_end.get())};
  words.insert(words.end(), command.begin(), command.end());
  auto child = Child::spawn("notifier", words, {theirs.get(), ready->write_end.get()});
  if (!child) return Failure(child.error());
  theirs.reset();
  ready->write_end.reset();
  std::unique_ptr<Notices> notices(new Notices(std::move(*child), std::move(ours), console));
  if (auto up = wait_ready(ready->read_end, "notices", Deadline::in(kReadyWithin)); !up)
    return Failure(up.error());
  return notices;
}

Notices::~Notices() {
  socket_.reset();
  if (child_.reap_by(Deadline::in(kEndsWithin))) return;
  child_.signal(SIGKILL);
  child_.reap_by(Deadline::in(kSecond));
}

void Notices::send(const NoticeMessage& message) {
  const std::string packet = notice_packet(message);
  if (::send(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
      message.kind != NoticeKind::flush)
    ++unsent_;
}

void Notices::on_begin(const RunNews& news, std::shared_ptr<const FigureSource>) {
  frame_.run = news;
  const Nanos now = monotonic_now();
  frame_.started_realtime_ns = realtime_now() - (now > news.started_ns ? now - news.started_ns : 0);
  send({.kind = NoticeKind::begin, .text = news.dir});
}

void Notices::send_stall(NoticeKind kind, std::string_view event, const StallNews& news) {
  send({.kind = kind,
        .id = news.id,
        .key = news.signature,
        .conclusive = news.in_circle,
        .text = stall_notice(frame_, event, news, realtime_now())});
}

void Notices::on_stall(const StallNews& news) {
  if (!window_ && !allowed_.keep(news)) send_stall(NoticeKind::stall, "stall", news);
}

// Still the notice of the stall, better.
void Notices::on_explained(const StallNews& news) {
  if (!allowed_.update(news)) send_stall(NoticeKind::explained, "stall", news);
}

void Notices::on_resolved(const StallNews& news) {
  const AllowedStalls::End end = allowed_.end(news);
  if (end == AllowedStalls::End::within) return;
  if (end == AllowedStalls::End::outlasted) send_stall(NoticeKind::stall, "stall", news);
  send_stall(NoticeKind::resolved, "resolved", news);
}

void Notices::on_blind(std::string_view why) {
  if (window_) return;
  send({.kind = NoticeKind::blind,
        .key = fmt::format("blind: {}", why),
        .text = blind_notice(frame_, why, realtime_now())});
}

std::optional<NoticeCounts> Notices::settle(Nanos patience, std::string_view phase) {
  const std::string question = fmt::format("{}", ++questions_);
  send({.kind = NoticeKind::flush, .id = question});
  const Deadline deadline = Deadline::in(patience);
  std::vector<char> packet(16U << 10U);
  while (!deadline.passed()) {
    pollfd item{socket_.get(), POLLIN, 0};
    const int ready = ::poll(&item, 1, std::min(deadline.poll_ms(), kPassMs));
    if (ready == 0) console_.progress(phase, phase);
    if (ready <= 0) continue;
    const ssize_t n = ::recv(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return std::nullopt;
    auto counts = read_counts_packet({packet.data(), static_cast<std::size_t>(n)});
    if (counts && counts->asked == question) return counts;
  }
  return std::nullopt;
}

void Notices::on_pass(Nanos now, std::string_view) {
  const double now_ms =
      (static_cast<double>(now) - static_cast<double>(frame_.run.started_ns)) / 1e6;
  for (const StallNews& news : allowed_.outlasted(now_ms))
    send_stall(NoticeKind::stall, "stall", news);
  const auto status = child_.try_reap();
  if (!status || told_end_) return;
  told_end_ = true;
  console_.problem(how_it_ended(*status));
}

std::string Notices::trouble() {
  const auto status = child_.reap_by(Deadline::in(50 * kMillisecond));
  return status ? how_it_ended(*status) : "notices: some are not delivered yet";
}

std::vector<std::string> Notices::notes() {
  const auto counts = settle(kPendingPatience, "waiting for notices");
  if (!counts) return {trouble()};
  failed_before_ = counts->failed;
  std::vector<std::string> lines;
  if (const std::string text = counts_text(*counts); !text.empty()) lines.push_back(text);
  if (unsent_ > 0) lines.push_back(fmt::format("notices: {} could not be handed over", unsent_));
  return lines;
}

void Notices::on_verdict(const Verdict& verdict) {
  if (child_.try_reap()) return;  // as the notes say
  send({.kind = NoticeKind::verdict, .text = verdict_notice(frame_, verdict, realtime_now())});
  const auto counts = settle(kVerdictPatience, "waiting for notices");
  if (!counts) return console_.problem(trouble());
  if (counts->failed > failed_before_)
    console_.problem("notices: the verdict was not delivered: " + counts->last_failure);
}

}  // namespace stallproof
