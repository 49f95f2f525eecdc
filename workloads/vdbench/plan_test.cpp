// SPDX-License-Identifier: Apache-2.0
// Rules of planning that the golden files do not show, one claim each.
#include "workloads/vdbench/plan.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

#include "workloads/vdbench/plan_text.h"

namespace stallproof {
namespace {

// A parameter file that goes away with the test.
class ParameterFile {
 public:
  explicit ParameterFile(const std::string& text) {
    const int fd = ::mkstemp(path_.data());
    if (fd >= 0) ::close(fd);
    std::ofstream(path_) << text;
  }
  ~ParameterFile() { ::unlink(path_.c_str()); }
  ParameterFile(const ParameterFile&) = delete;
  ParameterFile& operator=(const ParameterFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string name() const { return path_.substr(path_.rfind('/') + 1); }

 private:
  std::string path_ = "/tmp/stallproof-parm-XXXXXX";
};

Result<Plan> planned(const std::string& text, const PlanOptions& options = {},
                     const std::vector<std::string>& words = {}) {
  const ParameterFile file(text);
  return plan_parameter_files({file.path()}, words, options);
}

// The lines of the plan, or the error without its file.
std::string told(const std::string& text, const PlanOptions& options = {}) {
  const auto plan = planned(text, options);
  if (!plan) return plan.error().what.substr(plan.error().what.find(':') + 1);
  std::string out;
  for (const PlannedRun& run : plan->runs) out += run_text(run, plan->file_systems) + "\n";
  return out;
}

const std::string kRaw =
    "sd=sd1,lun=/f1,size=64m\nsd=sd2,lun=/f2,size=64m\nsd=sd3,lun=/f3,size=64m\n"
    "wd=wd1,sd=sd*\nwd=wd2,sd=sd1,skew=30\n";
const std::string kFiles =
    "fsd=fsd1,anchor=/a,depth=1,width=2,files=10,sizes=4k\n"
    "fwd=fwd1,fsd=fsd1,operation=read,fileio=random\n";
const std::string kRun = "rd=rd1,wd=wd1,iorate=100\n";

TEST(VdbenchPlan, EveryErrorNamesFileLineAndColumn) {
  const ParameterFile file("sd=sd1,lun=/f1\n\n* comment\nwd=wd1,sd=sd1,xfersise=4k\n" + kRun);
  const auto plan = plan_parameter_files({file.path()}, {}, {});
  ASSERT_FALSE(plan);
  EXPECT_TRUE(plan.error().what.starts_with(file.path() + ":4:15: unknown keyword 'xfersise'"))
      << plan.error().what;
}

TEST(VdbenchPlan, ColumnsAreThoseOfTheLineAsItWasWritten) {
  struct Case {
    std::string line;
    std::vector<std::string> words;
    std::string place;
  };
  const std::vector<Case> cases = {{"  wd=wd1,xfersise=4k", {}, ":2:10: "},
                                   {"wd=$name,xfersise=4k", {"name=a-longer-one"}, ":2:10: "},
                                   {"wd=\"wd1\",sd=sd1,xfersise=4k", {}, ":2:17: "},
                                   {"wd=wd1,sd=sd1,\n\txfersise=4k", {}, ":3:2: "},
                                   {"wd=wd1,sd=sd1)", {}, ":2:14: "}};
  for (const Case& each : cases) {
    const ParameterFile file("sd=sd1,lun=/f1\n" + each.line + "\n" + kRun);
    const auto plan = plan_parameter_files({file.path()}, each.words, {});
    ASSERT_FALSE(plan) << each.line;
    EXPECT_TRUE(plan.error().what.starts_with(file.path() + each.place)) << plan.error().what;
  }
}

TEST(VdbenchPlan, ErrorInAnIncludedFileNamesThatFile) {
  const ParameterFile included("sd=sd1,lun=/f1\nsd=sd2\n");
  const ParameterFile file("include=" + included.path() + "\nwd=wd1,sd=sd1\n" + kRun);
  const auto plan = plan_parameter_files({file.path()}, {}, {});
  ASSERT_FALSE(plan);
  EXPECT_TRUE(plan.error().what.starts_with(included.path() + ":2:")) << plan.error().what;
}

TEST(VdbenchPlan, IncludedFilesMayNotInclude) {
  const ParameterFile inner("sd=sd1,lun=/f1\n"), outer("include=" + inner.path() + "\n");
  EXPECT_FALSE(planned("include=" + outer.path() + "\nwd=wd1,sd=sd1\n" + kRun));
  EXPECT_TRUE(planned("include=" + inner.path() + "\nwd=wd1,sd=sd1\n" + kRun));
  EXPECT_FALSE(planned("include=/nonexistent/x\n" + kRaw + kRun));
  EXPECT_FALSE(planned("include=/tmp\n" + kRaw + kRun));
}

TEST(VdbenchPlan, SeveralFilesCountAsOne) {
  const ParameterFile storage(kRaw), runs(kRun);
  EXPECT_TRUE(plan_parameter_files({storage.path(), runs.path()}, {}, {}));
  EXPECT_FALSE(plan_parameter_files({runs.path(), storage.path()}, {}, {}));
  EXPECT_FALSE(plan_parameter_files({storage.path(), "/nonexistent"}, {}, {}));
}

TEST(VdbenchPlan, WhatFollowsEofIsNotRead) {
  EXPECT_TRUE(planned(kRaw + kRun + "eof\nnonsense\n"));
  EXPECT_FALSE(planned(kRaw + kRun + "nonsense\n"));
}

TEST(VdbenchPlan, WindowsLineEndsAndTabsAreBlanks) {
  EXPECT_EQ(told("messagescan=no\t# quiet\r\nsd=sd1,lun=/f1\r\nwd=wd1,sd=sd1\r\n"
                 "rd=rd1,wd=wd1,iorate=max\r\n"),
            "RD=rd1; I/O rate: Uncontrolled MAX; elapsed=30; For loops: None\n");
}

TEST(VdbenchPlan, AListLeftOpenIsTaken) {
  EXPECT_TRUE(planned(kRaw + "rd=rd1,wd=wd1,iorate=(100,200\n"));
  EXPECT_FALSE(planned(kRaw + "rd=rd1,wd=wd1,iorate=100)\n"));
}

TEST(VdbenchPlan, SkewMakesAMaximumControlled) {
  EXPECT_EQ(told(kRaw + "rd=rd1,wd=wd*,iorate=max\n"),
            "RD=rd1; I/O rate: Controlled MAX; elapsed=30; For loops: None\n");
  EXPECT_FALSE(planned(kRaw + "rd=rd1,wd=wd2,iorate=max\n"));  // 30 percent are not 100
}

TEST(VdbenchPlan, RatesOfAListAreTheInnermostLoop) {
  EXPECT_EQ(told(kRaw + "rd=rd1,wd=wd1,iorate=(100,max),forthreads=(1,1024)\n"),
            "RD=rd1; I/O rate: 100; elapsed=30; For loops: threads=1 iorate=100\n"
            "RD=rd1; I/O rate: 100; elapsed=30; For loops: threads=1 iorate=max\n"
            "RD=rd1; I/O rate: 100; elapsed=30; For loops: threads=1k iorate=100\n"
            "RD=rd1; I/O rate: 100; elapsed=30; For loops: threads=1k iorate=max\n");
}

TEST(VdbenchPlan, PercentagesOfTheMaximumAreRoundedUp) {
  EXPECT_EQ(told(kRaw + "rd=rd1,wd=wd1,iorate=curve,curve=(3,33.7)\n"),
            "RD=rd1; I/O rate: Uncontrolled curve; elapsed=30; For loops: None\n"
            "RD=rd1_(3%); I/O rate: 300; elapsed=30; For loops: None\n"
            "RD=rd1_(33%); I/O rate: 3300; elapsed=30; For loops: None\n");
}

TEST(VdbenchPlan, VariableRatesAreShownAsSuch) {
  EXPECT_EQ(told(kRaw + "rd=rd1,wd=wd1,dist=variable,iorate=(100,5,300,5)\n"),
            "RD=rd1; I/O rate: Variable; elapsed=30; For loops: None\n");
  EXPECT_FALSE(planned(kRaw + "rd=rd1,wd=wd1,dist=variable,iorate=(100,5,300)\n"));
}

TEST(VdbenchPlan, SetsOfSdsAreDrawnAsVdbenchDrawsThem) {
  const auto plan = planned(kRaw + "rd=rd1,wd=wd1,sd=setsof2,iorate=max\n");
  ASSERT_TRUE(plan) << plan.error().what;
  ASSERT_EQ(plan->runs.size(), 2U);
  for (const char* bad : {"setsof", "setsof0", "setsofx"})
    EXPECT_FALSE(planned(kRaw + "rd=rd1,wd=wd1,iorate=max,sd=" + bad + "\n")) << bad;
}

TEST(VdbenchPlan, TimesDivideByTheInterval) {
  for (const char* bad : {"elapsed=10,interval=3", "elapsed=10,interval=6", "elapsed=1",
                          "elapsed=10,interval=2,warmup=3", "elapsed=x", "elapsed=60s"})
    EXPECT_FALSE(planned(kRaw + "rd=rd1,wd=wd1,iorate=100," + bad + "\n")) << bad;
  EXPECT_TRUE(planned(kRaw + "rd=rd1,wd=wd1,iorate=100,elapsed=67\n"));
}

TEST(VdbenchPlan, NamesThatDoNotExistAreRefused) {
  for (const char* bad : {"rd=rd1,wd=wd9,iorate=1\n", "rd=rd1,wd=wd1,sd=sd9,iorate=1\n",
                          "rd=rd1,iorate=1\n", "rd=rd1,wd=(wd1,sd1),iorate=1\n"})
    EXPECT_FALSE(planned(kRaw + bad)) << bad;
  EXPECT_FALSE(planned("sd=sd1,lun=/f\nwd=wd1\n" + kRun));
  EXPECT_FALSE(planned("sd=sd1\nwd=wd1,sd=sd1\n" + kRun));
  EXPECT_FALSE(planned("sd=sd1,lun=/f,host=h1\nwd=wd1,sd=sd1\n" + kRun));
}

TEST(VdbenchPlan, NothingToRunIsAnError) {
  EXPECT_FALSE(planned(""));
  EXPECT_FALSE(planned("* only a comment\n"));
  EXPECT_FALSE(planned(kRaw));
  EXPECT_FALSE(planned(kRaw + "rd=default,iorate=max\n"));
}

TEST(VdbenchPlan, LoopsThatNeverEndAreRefused) {
  EXPECT_FALSE(
      planned(kRaw + "rd=rd1,wd=wd1,iorate=1,forthreads=(1-1000,1),forrdpct=(0-1000,1)\n"));
}

TEST(VdbenchPlan, SequentialFilesTakeNoReadPercentage) {
  EXPECT_FALSE(
      planned("fsd=fsd1,anchor=/a\nfwd=fwd1,fsd=fsd1,rdpct=50\nrd=rd1,fwd=fwd1,fwdrate=1\n"));
  EXPECT_TRUE(
      planned("fsd=fsd1,anchor=/a\nfwd=fwd1,fsd=fsd1,rdpct=50,fileio=random\n"
              "rd=rd1,fwd=fwd1,fwdrate=1\n"));
}

TEST(VdbenchPlan, OperationsAreALoopOfTheirOwn) {
  EXPECT_EQ(told(kFiles + "rd=rd1,fwd=fwd1,fwdrate=max,foroperations=(read,getattr)\n"),
            "RD=rd1; elapsed=30; fwdrate=max. For loops: operation=read\n"
            "RD=rd1; elapsed=30; fwdrate=max. For loops: operation=getattr\n");
  EXPECT_FALSE(planned(kFiles + "rd=rd1,fwd=fwd1,fwdrate=max,operations=(read,fly)\n"));
  EXPECT_FALSE(planned(kFiles + "rd=rd1,fwd=fwd1,fwdrate=1,operations=read,foroperations=read\n"));
}

TEST(VdbenchPlan, FormatOnceIsOneFormatForAllLoops) {
  EXPECT_EQ(told(kFiles + "rd=rd1,fwd=fwd1,fwdrate=max,format=once,forthreads=(1,2)\n"),
            "RD=format_for_rd1\n"
            "RD=rd1; elapsed=30; fwdrate=max. For loops: threads=1\n"
            "RD=rd1; elapsed=30; fwdrate=max. For loops: threads=2\n");
  EXPECT_FALSE(planned(kFiles + "rd=rd1,fwd=fwd1,fwdrate=max,format=once\n"));
}

TEST(VdbenchPlan, TheCommandLineOverridesFormats) {
  const std::string runs = "rd=rd1,fwd=fwd1,fwdrate=max,format=yes\nrd=rd2,fwd=fwd1,fwdrate=max\n";
  const std::string one = "RD=rd1; elapsed=30; fwdrate=max. For loops: None\n";
  const std::string two = "RD=rd2; elapsed=30; fwdrate=max. For loops: None\n";
  PlanOptions options;
  options.format = FormatOverride::no;
  EXPECT_EQ(told(kFiles + runs, options), one + two);
  options.format = FormatOverride::yes;
  EXPECT_EQ(told(kFiles + runs, options),
            "RD=format_for_rd1\n" + one + "RD=format_for_rd2\n" + two);
  options.format = FormatOverride::only;
  EXPECT_EQ(told(kFiles + runs, options), "RD=format_for_rd1\nRD=format_for_rd2\n");
}

TEST(VdbenchPlan, ANameInACommentCountsAsUsed) {
  EXPECT_TRUE(planned("* for $disk\n" + kRaw + kRun, {}, {"disk=a"}));
  EXPECT_FALSE(planned(kRaw + kRun, {}, {"disk=a"}));
}

TEST(VdbenchPlan, WorkingSetMustFitIntoTheTree) {
  const std::string run = "rd=rd1,fwd=fwd1,fwdrate=max,";
  EXPECT_TRUE(planned(kFiles + run + "forwss=80k\n"));  // 20 files of 4k
  EXPECT_FALSE(planned(kFiles + run + "forwss=81k\n"));
  EXPECT_FALSE(planned(kFiles + run + "fortotalsize=50%\n"));
}

TEST(VdbenchPlan, SeveralHostsNeedASharedFileSystem) {
  const std::string hosts = "hd=a,system=localhost\nhd=b,system=localhost\n";
  const std::string run = "rd=rd1,fwd=fwd1,fwdrate=max\n";
  EXPECT_FALSE(planned(hosts + kFiles + run));
  EXPECT_TRUE(planned(hosts + "fsd=default,shared=yes\n" + kFiles + run));
}

TEST(VdbenchPlan, ValidationAsksForWholeBlocks) {
  const std::string run = "rd=rd1,fwd=fwd1,fwdrate=max,forxfersize=";
  PlanOptions validate;
  validate.validate = true;
  EXPECT_TRUE(planned(kFiles + run + "(4k,8k)\n", validate));
  EXPECT_FALSE(planned(kFiles + run + "(4k,6k)\n", validate));
  EXPECT_TRUE(planned(kFiles + run + "(4k,6k)\n"));
}

TEST(VdbenchPlan, DedupShortensNames) {
  const std::string dedup = "dedupratio=2,dedupunit=4k\n";
  const std::string rest = "wd=wd1,sd=*\n" + kRun;
  EXPECT_TRUE(planned(dedup + "sd=short,lun=/f\n" + rest));
  EXPECT_FALSE(planned(dedup + "sd=longer_name,lun=/f\n" + rest));
  EXPECT_FALSE(planned("dedupratio=2\nsd=short,lun=/f\n" + rest));
}

TEST(VdbenchPlan, ExtrasOfTheCommandLineWinInEveryRun) {
  PlanOptions options;
  options.run_extras = "iorate=7";
  EXPECT_EQ(told(kRaw + kRun, options), "RD=rd1; I/O rate: 7; elapsed=30; For loops: None\n");
}

TEST(VdbenchPlan, RetriedRangesOfCountKeepVdbenchsOrder) {
  const std::string sds =
      "sd=a,lun=/a,count=(1,1)\nsd=b,lun=/b,count=(1,1)\nsd=c,lun=/c,count=(1,1)\n";
  EXPECT_EQ(told(sds + "wd=wd1,sd=*\nrd=r,wd=wd1,sd=range,iorate=1\n"),
            "RD=r_a1-a1; I/O rate: 1; elapsed=30; For loops: None\n"
            "RD=r_a1-c1; I/O rate: 1; elapsed=30; For loops: None\n"
            "RD=r_a1-b1; I/O rate: 1; elapsed=30; For loops: None\n");
}

// Each of these once left the planner through an undefined cast or an exception.
TEST(VdbenchPlan, NumbersThatAreNotOnesMeantAreRefused) {
  const auto rest = "fwd=fwd1,fsd=fsd1\nrd=rd1,fwd=fwd1,fwdrate=max\n";
  const std::string fsd = "fsd=fsd1,anchor=/d,depth=1,width=1,files=1,size=";
  for (const char* size : {"(1,9e9)", "(1,9e17)", "(1,-9e17)"})
    EXPECT_FALSE(planned(fsd + size + "\n" + rest)) << size;
  for (const char* seek : {"--3", "1..2", "+-"})
    EXPECT_FALSE(planned("sd=s,lun=/f\nwd=w,sd=s,seekpct=(" + std::string(seek) + ")\n")) << seek;
  for (const char* parts : {"(8g,0)", "(8g,0.5)"})
    EXPECT_FALSE(planned("sd=s,lun=/f,size=" + std::string(parts) + "\nwd=w,sd=s\n" + kRun));
}

TEST(VdbenchPlan, HarmlessKeywordsAreNamed) {
  const auto plan = planned("compratio=2\nmessagescan=no\nport=5\n" + kRaw + kRun);
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_EQ(plan->ignored, (std::vector<std::string>{"compratio", "messagescan", "port"}));
}

TEST(VdbenchPlan, ReplayIsRefusedByName) {
  EXPECT_FALSE(planned(kRaw + "rd=rd1,wd=wd1,replay=x\n"));
}

}  // namespace
}  // namespace stallproof
