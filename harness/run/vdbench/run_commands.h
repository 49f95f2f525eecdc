// SPDX-License-Identifier: Apache-2.0
// Commands that a parameter file asks for (startcmd=, endcmd=, data_errors=, timeout=) and the file
// by which others end a run (monitor=). Controller; bounded.
#pragma once

#include <string>

#include "harness/run/vdbench/vdbench_output.h"
#include "harness/run/vdbench/vdbench_session.h"
#include "workloads/vdbench/definitions.h"

namespace stallproof {

// A shell command's output, line by line in the log; waits a minute for it at most.
std::string run_shell(const std::string& command, VdbenchSession& session, VdbenchOutput& output);
// Its output goes where the parameter file says.
void run_command(const ShellCommand& command, VdbenchSession& session, VdbenchOutput& output);

// The first word of the file: "end_rd", "end_vdbench", "" …
std::string monitor_wish(const std::string& path);
// As vdbench at its start: an old wish must not end a new run.
void clear_monitor(const std::string& path);

}  // namespace stallproof
