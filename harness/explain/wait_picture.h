// SPDX-License-Identifier: Apache-2.0
// What a picture of an explanation shows, before it is drawn: one chain of steps (the circle, where
// there is one), and beside each step who else is there. Pure. Points into the explanation, which
// must outlive it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/explain/explanation.h"

namespace stallproof {

struct PictureStep {
  const ExplainedNode* node = nullptr;
  const ExplainedEdge* next = nullptr;  // to the step after it; of the last: to the first, or none
};

struct PictureRow {
  std::string place;  // in a queue: "3 R"; else empty
  const ExplainedNode* node = nullptr;
  const ExplainedEdge* edge = nullptr;  // why it is listed; none in the last panel
  bool in_chain = false;
};

struct PicturePanel {
  std::size_t step = 0;  // it belongs to this one; steps.size(): to none
  std::string title;
  std::vector<PictureRow> rows;
  std::size_t left_out = 0;
};

struct WaitPicture {
  bool closed = false;  // a circle: the last step waits for the first
  std::vector<PictureStep> steps;
  std::vector<PicturePanel> panels;  // by step
};

WaitPicture arrange_picture(const Explanation& explanation);

// "waits to write (inferred)"
std::string edge_words(const ExplainedEdge& edge);

}  // namespace stallproof
