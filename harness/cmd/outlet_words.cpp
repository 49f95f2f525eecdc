// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/outlet_words.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <optional>

#include "harness/base/result_file.h"
#include "harness/base/signals.h"
#include "harness/base/units.h"
#include "harness/sink/metrics_endpoint.h"
#include "harness/sink/run_metrics.h"

namespace stallproof {
namespace {

constexpr Nanos kLongestLinger = 24 * 3600 * kSecond;

Result<Nanos> read_linger(const OutletWords& words) {
  if (words.linger.empty()) return Nanos{0};
  if (words.listen.empty()) return fail("--linger: is for --listen, which was not given");
  const auto linger = parse_duration(words.linger);
  if (!linger) return fail("--linger: " + linger.error().what);
  if (*linger > kLongestLinger) return fail("--linger: at most 24h");
  return *linger;
}

// Told now, not after a night: the file is replaced by rename, so its directory must let us.
Result<> check_textfile(const std::string& given) {
  if (given.empty()) return {};
  if (given.ends_with('/')) return fail("--textfile " + given + ": a file, not a directory");
  if (auto usable = check_replaced_file(given); !usable)
    return fail("--textfile " + usable.error().what);
  const auto behind = file_behind_links(given);
  if (!behind) return Failure(behind.error());
  const std::string& file = *behind;
  const std::size_t slash = file.rfind('/');
  const std::string directory =
      slash == std::string::npos ? "." : file.substr(0, slash == 0 ? 1 : slash);
  if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
    return fail_errno("--textfile " + file, errno, "a directory that can be written to");
  return {};
}

Result<std::optional<MetricsEndpoint>> open_endpoint(const std::string& listen,
                                                     const RunMetrics& metrics, Console& console) {
  if (listen.empty()) return std::optional<MetricsEndpoint>();
  const auto address = parse_listen_address(listen);
  if (!address) return fail("--listen " + address.error().what);
  auto endpoint = MetricsEndpoint::open(*address, [&metrics] { return metrics.collect(); });
  if (!endpoint) return fail("--listen " + endpoint.error().what);
  if (address->port == 0)
    console.problem(fmt::format("metrics: http://{}:{}/metrics", address->host, endpoint->port()));
  return std::optional(std::move(*endpoint));
}

void wait_for_signal(Nanos limit) {
  const SignalWatch signals;
  const Deadline deadline = Deadline::in(limit);
  while (!deadline.passed() && !signals.next()) {
    pollfd item{signals.fd(), POLLIN, 0};
    ::poll(&item, 1, deadline.poll_ms());
  }
}

}  // namespace

void add_outlet_options(CLI::App& app, OutletWords& words) {
  app.add_option("--listen", words.listen,
                 "Serve metrics for Prometheus at http://ADDR:PORT/metrics; PORT alone is on "
                 "127.0.0.1 (port 0: a free one)");
  app.add_option("--linger", words.linger,
                 "Keep serving them for so long after the verdict (two scrape intervals)");
  app.add_option("--textfile", words.textfile,
                 "Also write the metrics to this file every 10s, for node_exporter");
  add_notify_option(app, words.notify);
}

Result<int> with_outlets(const OutletWords& words, Console& console, ListenerOptions listeners,
                         const std::function<Result<int>(const RunFeed& feed)>& run) {
  const auto linger = read_linger(words);
  if (!linger) return Failure(linger.error());
  if (auto writable = check_textfile(words.textfile); !writable) return Failure(writable.error());
  auto notify = notify_command(words.notify, listeners.notify);
  if (!notify) return Failure(notify.error());
  listeners.notify = std::move(*notify);
  auto following = RunListeners::open(console, listeners);
  if (!following) return Failure(following.error());
  RunMetrics metrics(words.textfile, !words.listen.empty());
  const auto endpoint = open_endpoint(words.listen, metrics, console);
  if (!endpoint) return Failure(endpoint.error());
  RunFeed feed;
  feed.add(metrics);
  auto ended = run((*following)->with(feed));
  following->reset();
  metrics.finish();
  if (const std::string problem = metrics.problem(); !problem.empty()) console.problem(problem);
  if (*endpoint && *linger != 0 && metrics.begun() && !metrics.interrupted())
    wait_for_signal(*linger);
  return ended;
}

}  // namespace stallproof
