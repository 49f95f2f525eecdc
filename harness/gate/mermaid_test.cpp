// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/mermaid.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace stallproof {
namespace {

StoredExplanation two_parties() {
  StoredExplanation told;
  told.nodes.push_back({.id = "task:1",
                        .kind = "task",
                        .label = "java 1",
                        .role = "holder",
                        .stack = {"filemap_fault"}});
  told.nodes.push_back({.id = "lock:a", .kind = "lock", .label = "mmap_lock of java"});
  told.edges.push_back({"task:1", "lock:a", "waits_for", "write", "exact", ""});
  told.edges.push_back({"lock:a", "task:1", "held_by", "", "inferred", ""});
  told.cycle = {"task:1", "lock:a"};
  return told;
}

TEST(Mermaid, DrawsPartiesEdgesAndTheCircle) {
  EXPECT_EQ(mermaid_flowchart(two_parties()),
            "flowchart LR\n"
            "  n0[\"java 1<br/>holder<br/>filemap_fault\"]\n"
            "  n1[\"mmap_lock of java\"]\n"
            "  n0 -->|\"waits for (write)\"| n1\n"
            "  n1 -.->|\"held by (inferred)\"| n0\n"
            "  classDef circle stroke:#c00,stroke-width:3px\n"
            "  class n0,n1 circle\n");
}

TEST(Mermaid, WithoutEdgesThereIsNoGraph) { EXPECT_EQ(mermaid_flowchart({}), ""); }

TEST(Mermaid, NamesOfStrangersCannotLeaveTheirLabel) {
  EXPECT_EQ(mermaid_text("a\"]\n```<b>#;&\\"), "a#34;#93; #96;#96;#96;#60;b#62;#35;#59;#38;#92;");
  EXPECT_EQ(mermaid_text("d\xc3\xa9j\xc3\xa0 \xf0\x9f\x92\xbe"), "d#233;j#224; #128190;");
  const std::string bytes = mermaid_text("\xff\xfe\x01");
  EXPECT_EQ(bytes.find('\xff'), std::string::npos);
  StoredExplanation told = two_parties();
  told.nodes[0].label = "\"]; click n0 \"javascript:alert(1)\"\n```\n# x";
  const std::string graph = mermaid_flowchart(told);
  EXPECT_EQ(graph.find("```"), std::string::npos);
  EXPECT_EQ(graph.find("click n0 \""), std::string::npos);
  EXPECT_EQ(std::count(graph.begin(), graph.end(), '\n'), 7);
}

TEST(Mermaid, AnEdgeToNobodyIsDrawnByItsId) {
  StoredExplanation told;
  told.edges.push_back({"task:1", "fuse:39", "waits_for", "", "exact", ""});
  EXPECT_NE(mermaid_flowchart(told).find("n1[\"fuse:39\"]"), std::string::npos);
}

TEST(Mermaid, LargeGraphsAreCut) {
  StoredExplanation told;
  for (int i = 0; i < 300; ++i)
    told.edges.push_back({"task:" + std::to_string(i), "lock:a", "waits_for", "", "exact", ""});
  const std::string graph = mermaid_flowchart(told);
  EXPECT_NE(graph.find("240 edges more"), std::string::npos);
  EXPECT_LT(std::count(graph.begin(), graph.end(), '\n'), 130);
}

}  // namespace
}  // namespace stallproof
