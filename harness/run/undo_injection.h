// SPDX-License-Identifier: Apache-2.0
// Undoes from outside what the injector of a run has made, where it could not do so itself: it was
// killed, or hangs. Known by the run's name and directory alone: cgroups called stallproof-RUN in
// every hierarchy, mounts below the run's directory beside `mnt`, which is the service's.
// Controller only; every call is bounded in time, each by a child.
#pragma once

#include <string>
#include <vector>

namespace stallproof {

// One line for each thing undone, and for each that could not be.
struct UndoNotes {
  std::vector<std::string> done;
  std::vector<std::string> failed;
};

// First, so that processes can go on or die: limits of the cgroups are lifted, file systems thawed,
// FUSE connections aborted.
void lift_injections(const std::string& directory, UndoNotes& notes);

// When the processes are gone: cgroups are removed, mounts detached, deepest first, and their
// directories removed.
void remove_injections(const std::string& directory, UndoNotes& notes);

}  // namespace stallproof
