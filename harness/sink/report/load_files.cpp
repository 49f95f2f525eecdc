// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/load_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "harness/sink/report/csv_rows.h"

namespace stallproof {
namespace {

constexpr std::size_t kLoadsKept = 200;
constexpr std::size_t kPointsKept = 3'000'000;  // of all loads: 72 MB
constexpr std::size_t kWindowsKept = 2000;

// Columns by name: files of other versions may have more, or another order.
class Columns {
 public:
  void take(const CsvRow& header) {
    for (std::size_t i = 0; i < header.size(); ++i) places_[std::string(header.text(i))] = i;
  }
  [[nodiscard]] std::size_t at(std::string_view name) const {
    const auto found = places_.find(name);
    return found == places_.end() ? static_cast<std::size_t>(-1) : found->second;
  }

 private:
  std::map<std::string, std::size_t, std::less<>> places_;
};

// Loads in the order of their first row. The next row is usually of the same load or of the one
// after it.
class LoadFinder {
 public:
  explicit LoadFinder(std::vector<LoadSeries>& loads) : loads_(loads) {}

  LoadSeries* find(std::string_view name, bool make) {
    for (std::size_t step = 0; step < loads_.size(); ++step) {
      const std::size_t at = (last_ + step) % loads_.size();
      if (loads_[at].name != name) continue;
      last_ = at;
      return &loads_[at];
    }
    if (!make || loads_.size() >= kLoadsKept || name.empty()) return nullptr;
    last_ = loads_.size();
    loads_.push_back({});
    loads_.back().name = std::string(name);
    return &loads_.back();
  }

 private:
  std::vector<LoadSeries>& loads_;
  std::size_t last_ = 0;
};

void note_bad(const CsvCounts& counts, const std::string& path,
              std::vector<std::string>& problems) {
  if (counts.bad == 0) return;
  const std::size_t slash = path.rfind("/series/");
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  problems.push_back(
      fmt::format("{}: {} of {} rows cut or damaged", name, counts.bad, counts.bad + counts.rows));
}

// Growth since the row before it as a rate; rows that were written late tell of a longer time.
float rate_of(double growth, double at_s, const LoadSeries& load, double usual_s) {
  double span = usual_s;
  if (!load.points.empty()) span = at_s - static_cast<double>(load.points.back().t_s);
  return static_cast<float>(growth / std::max(span, usual_s / 10));
}

bool goes_on(double at_s, const LoadSeries& load) {
  return at_s >= 0 && (load.points.empty() || at_s > static_cast<double>(load.points.back().t_s));
}

struct LoadColumns {
  explicit LoadColumns(const Columns& columns)
      : t(columns.at("t_ms")),
        load(columns.at("load")),
        ops(columns.at("ops")),
        p50(columns.at("p50_us")),
        p99(columns.at("p99_us")),
        max(columns.at("max_us")),
        oldest(columns.at("oldest_ms")) {}
  std::size_t t, load, ops, p50, p99, max, oldest;
};

bool add_point(const LoadColumns& at, const CsvRow& row, double usual_s, LoadSeries& load) {
  const double t = row.number(at.t) / 1e3, ops = row.number(at.ops);
  if (std::isnan(ops) || !goes_on(t, load)) return false;
  LoadPoint point;
  point.per_second = rate_of(ops, t, load, usual_s);
  point.t_s = static_cast<float>(t);
  point.p50_us = static_cast<float>(row.number(at.p50));
  point.p99_us = static_cast<float>(row.number(at.p99));
  point.max_us = static_cast<float>(row.number(at.max));
  point.oldest_ms = static_cast<float>(row.number(at.oldest));
  load.has_latency = load.has_latency || !std::isnan(point.p99_us);
  load.has_oldest = load.has_oldest || !std::isnan(point.oldest_ms);
  load.points.push_back(point);
  return true;
}

CsvCounts read_points(const std::string& path, double usual_s, std::vector<LoadSeries>& loads) {
  Columns columns;
  LoadColumns at(columns);
  LoadFinder finder(loads);
  std::size_t kept = 0;
  return read_csv(
      path,
      [&](const CsvRow& header) {
        columns.take(header);
        at = LoadColumns(columns);
      },
      [&](const CsvRow& row) {
        LoadSeries* load = finder.find(row.text(at.load), true);
        if (load == nullptr || kept >= kPointsKept) return false;
        ++kept;
        return add_point(at, row, usual_s, *load);
      });
}

// Free text: as it is, or in quotes with its own quotes doubled.
std::string free_text(std::string_view field) {
  if (field.size() < 2 || field.front() != '"' || field.back() != '"') return std::string(field);
  std::string text;
  for (std::size_t i = 1; i + 1 < field.size(); ++i) {
    if (field[i] == '"' && field[i + 1] == '"' && i + 2 < field.size()) ++i;
    text += field[i];
  }
  return text;
}

}  // namespace

void read_load_seconds(const std::string& path, RunContents& contents) {
  note_bad(read_points(path, 1, contents.loads), path, contents.problems);
}

std::vector<LoadSeries> read_around(const std::string& path, std::vector<std::string>& problems) {
  std::vector<LoadSeries> loads;
  note_bad(read_points(path, 0.1, loads), path, problems);
  return loads;
}

void read_old_seconds(const std::string& path, RunContents& contents) {
  std::vector<std::size_t> columns;
  const CsvCounts counts = read_csv(
      path,
      [&](const CsvRow& header) {
        for (std::size_t i = 1; i < header.size() && columns.size() < kLoadsKept; ++i) {
          const std::string_view name = header.text(i);
          if (name == "page_reads" || name == "direct_reads" || name == "hazards") continue;
          columns.push_back(i);
          contents.loads.push_back({});
          contents.loads.back().name = std::string(name);
        }
      },
      [&](const CsvRow& row) {
        const double t = row.number(0) / 1e3;
        for (std::size_t i = 0; i < columns.size(); ++i) {
          LoadSeries& load = contents.loads[i];
          const double ops = row.number(columns[i]);
          if (std::isnan(ops) || !goes_on(t, load)) return false;
          const auto none = static_cast<float>(kNoNumber);
          load.points.push_back(
              {static_cast<float>(t), rate_of(ops, t, load, 1), none, none, none, none});
        }
        return true;
      });
  note_bad(counts, path, contents.problems);
}

void read_latency_classes(const std::string& path, RunContents& contents) {
  std::size_t t = 0, load = 0, from = 0, count = 0;
  LoadFinder finder(contents.loads);
  const CsvCounts counts = read_csv(
      path,
      [&](const CsvRow& header) {
        Columns columns;
        columns.take(header);
        t = columns.at("t_ms");
        load = columns.at("load");
        from = columns.at("from_us");
        count = columns.at("count");
      },
      [&](const CsvRow& row) {
        const double at_s = row.number(t) / 1e3, from_us = row.number(from);
        const double times = row.number(count);
        LoadSeries* series = finder.find(row.text(load), false);
        if (series == nullptr || std::isnan(at_s + from_us + times)) return false;
        if (!series->heat) series->heat.emplace(contents.span_s);
        series->heat->add(at_s, from_us, times);
        return true;
      });
  note_bad(counts, path, contents.problems);
}

void read_windows(const std::string& path, RunContents& contents) {
  const CsvCounts counts = read_csv(
      path, [](const CsvRow&) {},
      [&](const CsvRow& row) {
        const double start = row.number(0), end = row.number(1);
        if (std::isnan(start) || row.size() < 3 || contents.windows.size() >= kWindowsKept)
          return false;
        // Without an end it stood open when the run ended.
        contents.windows.push_back({start, std::isnan(end) ? contents.span_s * 1e3 : end,
                                    std::string(row.text(2)), free_text(row.text(3))});
        return true;
      });
  note_bad(counts, path, contents.problems);
}

}  // namespace stallproof
