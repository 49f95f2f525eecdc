// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/vdbench_output.h"

#include <fmt/format.h>
#include <time.h>

#include <array>
#include <cstring>

#include "harness/base/clock.h"
#include "workloads/io/io_panel.h"
#include "workloads/vdbench/report/html_page.h"

namespace stallproof {
namespace {

constexpr unsigned kRowsPerHeader = 30;
constexpr const char* kFormatMark = "_format";

constexpr std::array kNames = {"summary",  "totals",  "flatfile",  "status",
                               "errorlog", "logfile", "histogram", "parmfile"};

tm local_time(Nanos realtime_ns) {
  const auto seconds = static_cast<time_t>(realtime_ns / kSecond);
  tm local{};
  ::localtime_r(&seconds, &local);
  return local;
}

std::string formatted(Nanos realtime_ns, const char* how) {
  const tm local = local_time(realtime_ns);
  std::array<char, 64> text{};
  ::strftime(text.data(), text.size(), how, &local);
  return text.data();
}

std::string now_text() { return clock_text(realtime_now()); }

std::string error_text(int error) {
  if (error == kUntouchedBuffer) return "797: 'the read succeeded and changed nothing'";
  if (error == kShortTransfer) return "798: 'short transfer'";
  if (error == kCorruption) return "60003: 'a data validation error was found'";
  const char* const name = ::strerrorname_np(error);
  return fmt::format("{}: '{}'", name == nullptr ? std::to_string(error) : name,
                     std::strerror(error));
}

}  // namespace

std::string clock_text(Nanos realtime_ns) {
  const tm local = local_time(realtime_ns);
  return fmt::format("{:02}:{:02}:{:02}.{:03}", local.tm_hour, local.tm_min, local.tm_sec,
                     realtime_ns % kSecond / kMillisecond);
}

std::string flat_time(Nanos realtime_ns) { return formatted(realtime_ns, "%m/%d/%Y-%H:%M:%S-%Z"); }

std::string date_text(Nanos realtime_ns) { return formatted(realtime_ns, "%b %d, %Y"); }

std::string io_error_line(const IoErrorLine& fault) {
  return fmt::format(
      "localhost-0: {} op: {:<6} lun: {:<30} lba: {:>12} 0x{:08X} xfer: {:>8} "
      "errno: {}",
      clock_text(fault.at_ns), fault.operation, fault.lun, fault.offset, fault.offset, fault.size,
      error_text(fault.error));
}

Result<VdbenchOutput> VdbenchOutput::create(const std::string& directory, Console& console) {
  VdbenchOutput output(directory, console);
  for (const char* const name : kNames)
    if (auto opened = output.open(name); !opened) return Failure(opened.error());
  return output;
}

Result<> VdbenchOutput::open(const std::string& name) {
  const std::string path = directory_ + "/" + name + ".html";
  File file(std::fopen(path.c_str(), "we"));
  if (!file) return fail_errno(path, errno, "give a writable place with -o");
  files_[name] = std::move(file);
  const std::size_t slash = directory_.find_last_of('/');
  write(name,
        page_title(directory_.substr(slash == std::string::npos ? 0 : slash + 1), name + ".html"));
  return {};
}

void VdbenchOutput::write(const std::string& name, const std::string& text) {
  const auto found = files_.find(name);
  if (found == files_.end()) return;
  std::FILE* const file = found->second.get();
  const bool good = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if ((std::fflush(file) != 0 || !good) && problem_.empty())
    problem_ = fmt::format("{}/{}.html: {}", directory_, name, std::strerror(errno));
}

void VdbenchOutput::begin(const Plan& plan, const std::vector<Pages>& pages,
                          const std::string& flat_header) {
  write("parmfile", plan.set.written);
  write("flatfile", flat_header);
  write("errorlog", "I/O errors, data validation and time-outs, in the order they came.\n\n");
  std::string links = page_link("Link to logfile", "logfile", "logfile") +
                      page_link("Run totals", "totals", "totals") +
                      page_link("Copy of input parameter files", "parmfile", "parmfile") +
                      page_link("Link to errorlog", "errorlog", "errorlog") +
                      page_link("Link to flatfile", "flatfile", "flatfile") +
                      page_link("Link to status", "status", "status") +
                      page_link("Link to response time histogram", "histogram", "histogram");
  for (const Pages& each : pages) {
    for (const std::string& name : each.names)
      if (auto opened = open(name); !opened && problem_.empty()) problem_ = opened.error().what;
    links += page_links(each.kind, each.names);
  }
  write("summary", links + run_links(plan));
  write("totals", run_links(plan));
  status("Starting slaves");
  status(fmt::format("Slave localhost-0 (pid {}) connected to master {}", ::getpid(), ::getpid()));
  status("Slaves connected");
  status("Query host configuration started");
  status("Query host configuration completed");
}

void VdbenchOutput::status(const std::string& text) {
  const Nanos now = realtime_now();
  write("status", fmt::format("{}\t{}\n", clock_text(now), text));
}

void VdbenchOutput::log(const std::string& text) {
  write("logfile", fmt::format("{} {}\n", now_text(), text));
}

void VdbenchOutput::say(const std::string& text) {
  const std::string line = fmt::format("{} {}", now_text(), text);
  console_->block(line + "\n");
  write("summary", line + "\n");
  write("logfile", line + "\n");
}

void VdbenchOutput::error(const std::string& text) {
  const std::string line = fmt::format("{} {}", now_text(), text);
  console_->block(line + "\n");
  write("errorlog", line + "\n");
  write("logfile", line + "\n");
}

void VdbenchOutput::error_only(const std::string& text) {
  write("errorlog", fmt::format("{} {}\n", now_text(), text));
}

void VdbenchOutput::start_run(const RunHeading& heading) {
  faults_before_ += faults_now_;
  faults_now_ = 0;
  const std::string line = fmt::format("{} Starting {}", now_text(), heading.text);
  const std::string mark = heading.format ? kFormatMark : fmt::format("_{}", ++runs_);
  console_->block(fmt::format("\n{}\n", line));
  const std::string html = fmt::format("\n<a name=\"{}\"></a><i><b>{}</b></i>\n\n", mark, line);
  for (const auto& [name, file] : files_) {
    if (name == "flatfile" || name == "status" || name == "parmfile" || name == "errorlog")
      continue;
    write(name, name == "logfile" ? line + "\n" : html);
    rows_[name] = 0;
  }
  rows_[""] = 0;
  write("errorlog", fmt::format("{}\n", line));
  // Tab separated, as wrappers read it.
  std::string words = heading.text;
  for (std::size_t at = words.find("; "); at != std::string::npos; at = words.find("; ", at))
    words.replace(at, 2, "\t");
  status("Starting\t" + words);
}

void VdbenchOutput::tell_row(const RowTexts& texts, bool total) {
  const auto with_header = [&](const std::string& where, const std::string& line) {
    const bool due = !total && rows_[where]++ % kRowsPerHeader == 0;
    return due ? texts.header + line : line;
  };
  console_->block(with_header("", texts.line));
  write("summary", with_header("summary", texts.line));
  write("logfile", texts.line);
  write("flatfile", texts.flat);
  for (const RowTexts::Named& each : texts.named)
    write(each.name, with_header(each.name, each.line));
  if (total) write("totals", texts.line.substr(0, texts.line.find('\n') + 1));
}

void VdbenchOutput::interval(const RowTexts& texts) { tell_row(texts, false); }

void VdbenchOutput::total(const RowTexts& texts) {
  tell_row(texts, true);
  write("histogram", texts.histogram);
  status("Workload done");
}

void VdbenchOutput::note_faults(std::uint64_t of_this_run) { faults_now_ = of_this_run; }

std::string interval_csv_header() {
  return "at_ms,run,interval,rate,mb_per_s,queue_depth,oldest_io_ms\n";
}

std::string interval_csv_row(const SeriesRow& row) {
  return fmt::format("{:.3f},{},{},{:.1f},{:.2f},{:.2f},{:.3f}\n", row.at_ms, row.run, row.interval,
                     row.rate, row.megabytes, row.in_flight, row.oldest_ms);
}

void VdbenchOutput::end(bool good, const std::string& directory) {
  if (faults() > 0)
    say("Vdbench terminating due to Data Validation or I/O errors. See errorlog.html.");
  status("Shutting down slaves");
  if (good) {
    say(fmt::format("Vdbench execution completed successfully. Output directory: {} ", directory));
    status("Vdbench complete");
  } else {
    status("Vdbench failed");
  }
}

}  // namespace stallproof
