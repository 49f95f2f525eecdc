// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/explain.h"

#include "harness/explain/deadlock.h"
#include "harness/explain/scene.h"
#include "harness/explain/story.h"

namespace stallproof {

Explanation explain(const LockSnapshot& snapshot, const FsKnowledge& knowledge,
                    DetectorSet without) {
  const Scene scene = build_scene(snapshot, knowledge, without);
  const Deadlock deadlock = find_deadlock(scene);
  const Story story = find_story(scene, deadlock);
  Explanation explanation;
  explanation.stall_class = std::string{story.stall_class};
  explanation.signature = signature_of(story);
  explanation.summary = summary_of(story);
  explanation.advice = advice_of(story);
  explanation.blind_spots = snapshot.blind_spots;
  explanation.lens = snapshot.lens;
  draw(story, explanation);
  return explanation;
}

}  // namespace stallproof
