// SPDX-License-Identifier: Apache-2.0
// Test results as JUnit XML, in the form that Jenkins, GitLab and GitHub actions read. Pure; any
// bytes are accepted and come out as XML 1.0 allows them.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stallproof {

struct JunitCase {
  std::string classname, name;
  double seconds = 0;
  // What failed, and what is not known. Readers take one failure and one error of a case: several
  // become lines of one.
  std::vector<std::string> failures, errors;
  std::string failure_type = "stall";
  std::string output;  // <system-out>
};

struct JunitSuite {
  std::string name, hostname, timestamp;
  double seconds = 0;
  std::vector<std::pair<std::string, std::string>> properties;
  std::vector<JunitCase> cases;
};

std::string junit_xml(const std::string& name, const std::vector<JunitSuite>& suites);

}  // namespace stallproof
