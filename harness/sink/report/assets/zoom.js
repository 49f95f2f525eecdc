// SPDX-License-Identifier: Apache-2.0
// Replaces the static charts that come into view by ones with zoom and cursor, all on one time axis.
"use strict";
const makeZoomable = () => {
  const data = JSON.parse(document.getElementById("zoom-data").textContent);
  const charts = new Map();
  // The time axis counts from midnight of the day it began, so that its marks are round times.
  const base = data.day_s ?? 0;
  let range = [base, base + data.end_s];
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
    86400, 172800, 604800];

  // 16-bit logarithms, see packed_values().
  const known = Float64Array.from({ length: 65536 },
    (_, code) => code === 0 ? 0 : 2 ** ((code - 1) / 900 - 10));
  const unpack = (text, least) => {
    const raw = atob(text);
    const values = new Array(raw.length / 2);
    for (let i = 0; i < values.length; i++) {
      const code = raw.charCodeAt(2 * i) | (raw.charCodeAt(2 * i + 1) << 8);
      values[i] = code === 65535 ? null : Math.max(known[code], least);
    }
    return values;
  };

  const two = (n) => String(n).padStart(2, "0");
  const clock = (s, fine) => {
    if (data.day_s === null) return "+" + s.toFixed(fine ? 1 : 0) + " s";
    const day = ((s % 86400) + 86400) % 86400;
    const whole = two(Math.floor(day / 3600)) + ":" + two(Math.floor(day / 60) % 60);
    return whole + (fine ? ":" + two(Math.floor(day % 60)) : "");
  };
  const short = (v, unit) => {
    if (v === null || v === undefined) return "–";
    if (unit === "µs") return v < 1e3 ? v.toPrecision(3) + " µs"
      : v < 1e6 ? (v / 1e3).toPrecision(3) + " ms" : (v / 1e6).toPrecision(3) + " s";
    if (unit === "ms") return v < 1e3 ? v.toPrecision(3) + " ms" : (v / 1e3).toPrecision(3) + " s";
    return v >= 1e6 ? (v / 1e6).toPrecision(3) + " M" : v >= 1e3 ? (v / 1e3).toPrecision(3) + " k"
      : String(+v.toPrecision(3));
  };
  const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const drawBands = (plot, load) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.globalAlpha = 0.25;
    for (const band of data.bands) {
      if (band.load && band.load !== load) continue;
      const from = Math.max(plot.valToPos(base + band.from, "x", true), bbox.left);
      const to = Math.min(plot.valToPos(base + band.to, "x", true), bbox.left + bbox.width);
      if (to < bbox.left || from > bbox.left + bbox.width) continue;
      ctx.fillStyle = band.color;
      ctx.fillRect(from, bbox.top, Math.max(to - from, 2), bbox.height);
    }
    ctx.restore();
  };

  const zoomAll = (from, to) => {
    const width = Math.min(Math.max(to - from, 5), data.end_s);
    from = Math.min(Math.max(from, base), base + Math.max(data.end_s - width, 0));
    range = [from, from + width];
    for (const plot of charts.values()) plot.setScale("x", { min: range[0], max: range[1] });
    const words = document.getElementById("zoom-range");
    if (words) words.textContent = clock(range[0], true) + " – " + clock(range[1], true);
  };

  const axisLook = () => ({
    stroke: variable("--soft"),
    grid: { stroke: variable("--edge"), width: 1 },
    ticks: { stroke: variable("--edge"), width: 1 },
    font: "11px system-ui, sans-serif",
  });

  const build = (box, chart) => {
    const least = chart.log ? chart.low : 0;
    const ys = chart.lines.map((line) => unpack(line.y, least));
    const xs = ys[0].map((_, i) => base + i * chart.width);
    box.replaceChildren();
    const plot = new uPlot({
      width: box.clientWidth,
      height: chart.height + 36,
      cursor: { sync: { key: "time" }, drag: { x: true, y: false, setScale: false } },
      scales: {
        x: { time: false, range: () => range },
        y: chart.log ? { distr: 3, range: [chart.low, chart.high] } : { range: [0, chart.high] },
      },
      axes: [
        { ...axisLook(), size: 28, incrs: steps, space: 70,
          values: (u, at) => at.map((s) => clock(s, range[1] - range[0] < 600)) },
        { ...axisLook(), size: 62, values: (u, at) => at.map((v) => v === null ? "" : short(v, chart.unit)) },
      ],
      series: [
        { label: "time", value: (u, s) => s === null ? "–" : clock(s, true) },
        ...chart.lines.map((line) => ({
          label: line.name,
          stroke: variable("--" + line.css) || line.color,
          width: 1.2,
          points: { show: false },
          value: (u, v) => short(v, chart.unit),
        })),
      ],
      hooks: {
        drawClear: [(u) => drawBands(u, chart.load)],
        // Dragging: what one shows, all show.
        setSelect: [(u) => {
          if (u.select.width < 3) return;
          const from = u.posToVal(u.select.left, "x");
          const to = u.posToVal(u.select.left + u.select.width, "x");
          u.setSelect({ left: 0, width: 0 }, false);
          zoomAll(from, to);
        }],
      },
    }, [xs, ...ys], box);
    plot.over.addEventListener("dblclick", () => act.all());
    charts.set(chart.id, plot);
    box.dataset.drawn = "yes";
  };

  const byId = new Map(data.charts.map((chart) => [chart.id, chart]));
  // One chart a frame: the static ones are there meanwhile, and the page stays quick.
  const waiting = [];
  const buildNext = () => {
    const box = waiting.shift();
    if (box && !charts.has(box.id)) build(box, byId.get(box.id));
    if (waiting.length > 0) requestAnimationFrame(buildNext);
  };
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      if (waiting.push(entry.target) === 1) requestAnimationFrame(buildNext);
    }
  });
  for (const chart of data.charts) {
    const box = document.getElementById(chart.id);
    if (box) seen.observe(box);
  }

  const act = {
    in: () => zoomAll(range[0] + (range[1] - range[0]) / 4, range[1] - (range[1] - range[0]) / 4),
    out: () => zoomAll(range[0] - (range[1] - range[0]) / 2, range[1] + (range[1] - range[0]) / 2),
    left: () => zoomAll(range[0] - (range[1] - range[0]) / 4, range[1] - (range[1] - range[0]) / 4),
    right: () => zoomAll(range[0] + (range[1] - range[0]) / 4, range[1] + (range[1] - range[0]) / 4),
    all: () => zoomAll(base, base + data.end_s),
  };
  for (const button of document.querySelectorAll("[data-zoom]"))
    button.addEventListener("click", () => act[button.dataset.zoom]());
  for (const link of document.querySelectorAll("[data-from]"))
    link.addEventListener("click", () => zoomAll(base + +link.dataset.from, base + +link.dataset.to));
  document.documentElement.classList.add("zoomable");

  new ResizeObserver(() => {
    for (const [id, plot] of charts)
      plot.setSize({ width: document.getElementById(id).clientWidth, height: plot.height });
  }).observe(document.body);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const [id, plot] of [...charts]) {
      plot.destroy();
      charts.delete(id);
      build(document.getElementById(id), byId.get(id));
    }
  });
};
// What is in view is painted first: the static charts need no script.
const whenIdle = window.requestIdleCallback ?? ((run) => setTimeout(run, 50));
addEventListener("load", () => requestAnimationFrame(() => whenIdle(makeZoomable, { timeout: 300 })));
