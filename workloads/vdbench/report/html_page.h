// SPDX-License-Identifier: Apache-2.0
// What makes vdbench's text files pages: the title, links between them, and the lines that say a
// run starts. Names are written as they are. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/vdbench/plan.h"

namespace stallproof {

// The first line of every page. `folder` is the name of the output folder, without its path; `file`
// ends in .html.
std::string page_title(std::string_view folder, std::string_view file);

// One line; "Link to flatfile: flatfile" that leads to flatfile.html.
std::string page_link(std::string_view label, std::string_view page, std::string_view shown);

// "Link to SD reports: sd1 sd2 …", eight names in a line; nothing without names.
std::string page_links(std::string_view kind, const std::vector<std::string>& names);

// Links to the starts of all runs, with an empty line before and after. What a line repeats of the
// one above, but for its last word, is left blank.
std::string run_links(const Plan& plan);

// HH:MM:SS.mmm Starting RD=…, for the console and the log.
std::string run_start(std::string_view time, const PlannedRun& run, bool file_systems);

// The same for a page, where run_links() finds it: `index` is the run's place in the plan.
std::string run_start_html(std::string_view time, const PlannedRun& run, bool file_systems,
                           std::size_t index);

}  // namespace stallproof
