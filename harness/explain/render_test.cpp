// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/render.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "harness/explain/explain.h"
#include "harness/explain/snapshot_fixture.h"

namespace stallproof {
namespace {

using namespace fixture;
using Json = nlohmann::json;

// Names a hostile program could choose.
LockSnapshot evil() {
  LockSnapshot snapshot = reported_stall();
  snapshot.tasks[0].comm = "<a>&\"'\x1b[2J";
  snapshot.tasks[1].comm = "\xff\xfe ]]> \xc3\xa9";
  snapshot.tasks[3].stack.insert(snapshot.tasks[3].stack.begin() + 1, {"--><script>", "\x01", 0});
  return snapshot;
}

TEST(RenderJson, HasTheKeysOfTheContract) {
  const Explanation explanation = explain(reported_stall(), shipped());
  const Json json = Json::parse(render_json(explanation));
  for (const char* key : {"class", "signature", "summary", "nodes", "edges", "cycle", "root",
                          "advice", "lens", "blind_spots"})
    EXPECT_TRUE(json.contains(key)) << key;
  EXPECT_EQ(json["class"], "mmap_lock_cycle");
  EXPECT_EQ(json["cycle"].get<std::vector<std::string>>(), *explanation.cycle);
  EXPECT_EQ(json["root"]["holder"], "task:101");
  EXPECT_EQ(json["lens"], "live_bpf");
  ASSERT_EQ(json["nodes"].size(), explanation.nodes.size());
  ASSERT_EQ(json["edges"].size(), explanation.edges.size());
  EXPECT_EQ(json["nodes"][0]["id"], "task:101");
  EXPECT_EQ(json["nodes"][0]["role"], "holder");
  EXPECT_EQ(json["nodes"][0]["kind"], "task");
  EXPECT_EQ(json["nodes"][0]["stack"][0], "request_wait_answer");
  for (const Json& found : json["edges"]) {
    EXPECT_TRUE(found["kind"] == "waits_for" || found["kind"] == "held_by" ||
                found["kind"] == "served_by");
    EXPECT_TRUE(found["mode"].is_null() || found["mode"] == "read" || found["mode"] == "write");
    EXPECT_TRUE(found["certainty"] == "exact" || found["certainty"] == "likely" ||
                found["certainty"] == "inferred");
  }
}

TEST(RenderJson, NoCycleIsNull) {
  const Json json = Json::parse(render_json(explain({}, shipped())));
  EXPECT_TRUE(json["cycle"].is_null());
  EXPECT_TRUE(json["root"]["holder"].is_null());
  EXPECT_TRUE(json["nodes"].is_array());
}

TEST(RenderJson, InvalidUtf8IsReplaced) {
  EXPECT_FALSE(Json::parse(render_json(explain(evil(), shipped()))).is_discarded());
}

TEST(RenderSvg, IsWellFormedXmlWithEveryStepOfTheCycle) {
  for (const LockSnapshot& snapshot : {reported_stall(), evil(), LockSnapshot{}}) {
    const std::string svg = render_svg(explain(snapshot, shipped()));
    pugi::xml_document document;
    const pugi::xml_parse_result parsed = document.load_buffer(svg.data(), svg.size());
    EXPECT_TRUE(parsed) << parsed.description() << " at " << parsed.offset;
    EXPECT_STREQ(document.document_element().name(), "svg");
    EXPECT_FALSE(has(svg, "<script"));
  }
  EXPECT_TRUE(has(render_svg(explain(reported_stall(), shipped())), "dataio_srv/0 201"));
}

TEST(RenderDot, QuotesNames) {
  const std::string dot = render_dot(explain(evil(), shipped()));
  EXPECT_TRUE(has(dot, "\\\""));
  EXPECT_TRUE(has(dot, "color=red"));
  EXPECT_EQ(dot.substr(0, 8), "digraph ");
}

TEST(RenderText, NamesCannotSteerTheTerminal) {
  EXPECT_FALSE(has(render_text(explain(evil(), shipped())), "\x1b"));
}

TEST(RenderText, TellsCircleQueueStacksAndAdvice) {
  const std::string page = render_text(explain(reported_stall(), shipped()));
  for (const char* part :
       {"The circle:", "Queue of the mmap_lock of process 100",
        "1 W load 102, 2 R dataio_srv/0 201", "Stacks, innermost first:", "What to do:"})
    EXPECT_TRUE(has(page, part)) << part << "\n" << page;
}

}  // namespace
}  // namespace stallproof
