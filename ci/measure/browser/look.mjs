// SPDX-License-Identifier: Apache-2.0
// node look.mjs ORDERS.json: opens pages in Chromium as the orders say and prints one JSON document
// of what was seen. Judges nothing; report.py does.
// An order: {name, url, scheme, width, height, scripts, steps: [...], shot, at}. With a height the
// picture is of one window, `at` the top of which is, else of the whole page.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const { browser: program, orders } = JSON.parse(readFileSync(process.argv[2], "utf8"));

const seenOnPage = () => {
  const shown = (element) => element.getClientRects().length > 0;
  const texts = (selector) => [...document.querySelectorAll(selector)].map((e) => e.textContent.trim());
  return {
    title: document.title,
    background: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color,
    charts: document.querySelectorAll("svg.chart").length,
    chart_lines: document.querySelectorAll("svg.chart path.rate").length,
    heats: document.querySelectorAll("svg.heat").length,
    drawn: document.querySelectorAll(".plot[data-drawn] canvas").length,
    graph_nodes: texts(".wg-node text:first-of-type"),
    graph_text: texts(".wg text"),
    circle_edges: document.querySelectorAll(".wg .wg-circle").length,
    headings: texts("h1, h2"),
    zero: texts(".zero").join(" "),
    images_without_words: [...document.querySelectorAll("svg")]
      .filter((svg) => !svg.getAttribute("aria-label") && !svg.closest("[aria-hidden=true]")).length,
    tables_without_headings: [...document.querySelectorAll("table")]
      .filter((t) => !t.closest(".uplot")
        && !(t.querySelector("thead th[scope=col]") && t.querySelector("caption")))
      .length,
    // Wider than the window: only what scrolls by itself may be.
    page_width: document.documentElement.scrollWidth,
    window_width: document.documentElement.clientWidth,
    tools_shown: [...document.querySelectorAll("[data-zoom]")].filter(shown).length,
    range: document.getElementById("zoom-range")?.textContent ?? null,
    open_details: document.querySelectorAll("details[open]").length,
  };
};

const steps = {
  async zoom(page) {
    await page.locator(".plot[data-drawn] .u-over").first().scrollIntoViewIfNeeded();
    const box = await page.locator(".plot[data-drawn] .u-over").first().boundingBox();
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.4, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, y, { steps: 4 });
    await page.mouse.up();
    await page.waitForTimeout(100);
    return page.locator("#zoom-range").textContent();
  },
  async cursor(page) {
    const over = page.locator(".plot[data-drawn] .u-over").first();
    const box = await over.boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.waitForTimeout(50);
    return page.locator(".plot[data-drawn] .u-legend").first().textContent();
  },
  // By keyboard alone: Tab until the summary has the focus, then Enter.
  async open_by_keyboard(page, words) {
    for (let pressed = 1; pressed < 200; pressed++) {
      await page.keyboard.press("Tab");
      const focus = await page.evaluate(() => document.activeElement.textContent.trim().slice(0, 80));
      if (!focus.startsWith(words)) continue;
      const before = await page.evaluate(() => document.activeElement.parentElement.open);
      await page.keyboard.press("Enter");
      const after = await page.evaluate(() => document.activeElement.parentElement.open);
      return { pressed, before, after };
    }
    return null;
  },
  async scroll_through(page) {
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    for (let y = 0; y < height; y += 500) {
      await page.evaluate((top) => scrollTo(0, top), y);
      await page.waitForTimeout(30);
    }
    return height;
  },
};

const look = async (browser, order) => {
  const context = await browser.newContext({
    colorScheme: order.scheme ?? "light",
    viewport: { width: order.width ?? 1200, height: order.height ?? 900 },
    javaScriptEnabled: order.scripts ?? true,
    offline: order.offline ?? false,
  });
  const page = await context.newPage();
  const requests = [], complaints = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (line) => {
    if (["error", "warning"].includes(line.type())) complaints.push(line.text());
  });
  const began = performance.now();
  await page.goto(order.url, { waitUntil: "load" });
  // Two frames after `load`: what is in view has been painted.
  let seen = null;
  if (order.scripts ?? true)
    await page.evaluate(() => new Promise((done) =>
      requestAnimationFrame(() => requestAnimationFrame(done))));
  else
    await page.screenshot();
  const drawn_ms = performance.now() - began;
  // With scripts: until the charts in view can be zoomed.
  let zoomable_ms = null;
  if (order.zooms) {
    await page.waitForFunction(() => document.documentElement.classList.contains("zoomable") &&
      [...document.querySelectorAll(".plot[id]")].every((box) => {
        const at = box.getBoundingClientRect();
        return box.dataset.drawn || at.top > innerHeight || at.bottom < 0;
      }), null, { timeout: 10000, polling: "raf" });
    zoomable_ms = performance.now() - began;
  }
  if (order.only_timed) {
    await context.close();
    return { drawn_ms, zoomable_ms };
  }
  const answers = {};
  for (const [step, words] of order.steps ?? []) answers[step] = await steps[step](page, words);
  seen = await page.evaluate(seenOnPage);
  if (order.at) await page.locator(order.at).evaluate((element) => element.scrollIntoView());
  if (order.shot) await page.screenshot({ path: order.shot, fullPage: !order.height });
  await context.close();
  return { name: order.name, drawn_ms, zoomable_ms, requests, complaints, seen, answers };
};

// The page's own time is the least of several: what else the machine does can only add to it.
const kLoads = 3;
const look_and_time = async (browser, order) => {
  const result = await look(browser, order);
  for (let load = 1; order.timed && load < kLoads; load++) {
    const again = await look(browser, { ...order, only_timed: true });
    result.drawn_ms = Math.min(result.drawn_ms, again.drawn_ms);
    if (result.zoomable_ms !== null)
      result.zoomable_ms = Math.min(result.zoomable_ms, again.zoomable_ms);
  }
  return result;
};

const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
const results = [];
try {
  for (const order of orders) {
    try {
      results.push(await look_and_time(browser, order));
    } catch (error) {
      results.push({ name: order.name, problem: String(error).split("\n")[0] });
    }
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(results));
