// SPDX-License-Identifier: Apache-2.0
// Several explanations as the one result that a command prints. Pure.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

// `documents`: each in `format`, at least one. One stays as it is. More are, as text or dot (whose
// tools read a stream of graphs), one after the other; as json {"schema":1,"explanations":[…]}; as
// svg an Error, for a picture is one document. What is not JSON is an Error too.
Result<std::string> as_one_document(const std::vector<std::string>& documents,
                                    const std::string& format);

}  // namespace stallproof
