// SPDX-License-Identifier: Apache-2.0
#include "workloads/work_order.h"

#include <gtest/gtest.h>

#include <array>

namespace stallproof {
namespace {

TEST(WorkOrder, SurvivesItsJourney) {
  WorkOrder order{.name = "client", .cpus = {0, 1}, .loads = {{}}};
  LoadOrder& load = order.loads[0];
  load.name = "maps";
  load.workload = "mapped-fault";
  load.file = "/mnt/a \"quoted\" name";
  load.thread_names = "java";
  load.cpus = {1};
  load.schedule = {.start = 5, .end = 9, .phases = {{.duration = 3, .on = false}}};
  load.settings.set("hot-pages", "7");
  const auto back = work_order_of_json(work_order_json(order));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(work_order_json(*back), work_order_json(order));
  EXPECT_EQ(back->loads[0].file, load.file);
  EXPECT_EQ(back->loads[0].schedule.phases.size(), 1U);
  EXPECT_EQ(back->loads[0].settings.text("hot-pages", ""), "7");
}

TEST(WorkOrder, DamagedTextIsRefused) { EXPECT_FALSE(work_order_of_json("{\"name\":")); }

TEST(WorkOrder, ThreadsAreNumberedExceptThoseOfAJvm) {
  EXPECT_EQ(thread_name("dataio_srv", 3), "dataio_srv/3");
  EXPECT_EQ(thread_name("java", 3), "java");
}

TEST(WorkOrder, WithoutOneTheKnownLoadsOfTheBoardAreTaken) {
  const std::array<Board::LoadSpec, 2> loads{Board::LoadSpec{"mprotect-storm", 1},
                                             Board::LoadSpec{"somebody-elses", 1}};
  const auto board = Board::create(loads, 1);
  ASSERT_TRUE(board);
  const WorkOrder order = order_for_board(*board, "/f", {});
  ASSERT_EQ(order.loads.size(), 1U);
  EXPECT_EQ(order.loads[0].name, "mprotect-storm");
  EXPECT_EQ(order.loads[0].file, "/f");
  Settings settings;
  settings.set("own-files", "yes");
  EXPECT_EQ(order_for_board(*board, "/f", settings).loads[0].file, "/f-mprotect-storm");
}

}  // namespace
}  // namespace stallproof
