// SPDX-License-Identifier: Apache-2.0
// Lines of a saved kernel log without what logging put around the kernel's own words: dmesg (also
// -T, -x, -r), journal, syslog, serial console, netconsole, records of /dev/kmsg
// (Documentation/ABI/testing/dev-kmsg), line ends that rsyslog wrote as #012, colours, mail quotes;
// any of them on top of another. Pure and total, linear in the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace stallproof {

struct LogLine {
  std::string_view text;     // trimmed; valid during the call only
  std::uint64_t caller = 0;  // lines of one report share it (CONFIG_PRINTK_CALLER); 0: not told
  std::size_t number = 0;    // from 1, as an editor counts
  bool stamped = false;      // something of logging stood before it
  // Written by a process (facility 1 and above in a record or a priority): proves nothing.
  bool by_process = false;
};

void each_log_line(std::string_view text, const std::function<void(const LogLine&)>& take);

// One line. `room` keeps what has to be rewritten (escapes, colours) and what `text` points to.
LogLine clean_line(std::string_view raw, std::string& room);

}  // namespace stallproof
