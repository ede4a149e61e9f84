"use strict";
// Charts by Vega-Lite from the specifications of the index; each stands above the table of its rows, which is its text.

const charts = {
  drawn: [],
  library: null,

  load() {
    charts.library ||= report.script("charts/vega.js");
    return charts.library;
  },

  palette() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    return { ink: colour("ink"), faint: colour("line"), paper: colour("paper"), categories: Array.from({ length: 10 }, (_, number) => colour(`c${number + 1}`)) };
  },

  config() {
    const { ink, faint, categories } = charts.palette();
    const is_narrow = window.innerWidth < 600;
    const text = { labelColor: ink, titleColor: ink, labelFontSize: 12, titleFontSize: 12, labelLimit: is_narrow ? 130 : 260 };
    return {
      aria: false, background: null, font: "system-ui, sans-serif", view: { stroke: faint },
      axis: { ...text, gridColor: faint, domainColor: faint, tickColor: faint, titleFontWeight: "normal" },
      legend: { ...text, orient: "bottom", columns: is_narrow ? 1 : 4, direction: "horizontal" },
      range: { category: categories }, mark: { color: categories[0] }, rule: { color: ink },
    };
  },

  // What is seen where a chart would stand; `said` is read instead of the picture.
  figure(name, rows, said, more = {}) {
    if (!report.index.charts) return el("p", { class: "notice" }, "Charts are left out: the package that brings the plotting library was not installed (pip install 'benchforge[report]'). The table holds their numbers.");
    const values = rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, typeof value === "string" ? printed(value) : value])));
    const spec = { ...report.index.charts[name], ...more, width: "container", data: { values }, autosize: { type: "fit-x", contains: "padding" } };
    const canvas = el("div", { class: "chart", role: "img", "aria-label": said });
    const one = { canvas, spec };
    charts.drawn.push(one);
    charts.draw(one);
    return el("figure", null, canvas, el("figcaption", null, said));
  },

  async draw(one) {
    try {
      await charts.load();
      if (!one.canvas.isConnected) await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      if (one.view) one.view.finalize();
      one.view = await window.vegaEmbed(one.canvas, { ...one.spec, $schema: "https://vega.github.io/schema/vega-lite/v6.json" }, { mode: "vega-lite", renderer: "svg", actions: false, ast: true, config: charts.config(), tooltip: { disableDefaultStyle: true }, logLevel: 0 });
      one.canvas.querySelectorAll("svg").forEach((svg) => svg.setAttribute("aria-hidden", "true"));
      one.canvas.dataset.drawn = "yes";
    } catch (error) {
      one.canvas.replaceChildren(el("p", { class: "notice" }, `The chart could not be drawn (${error.message}); the table holds its numbers.`));
    }
  },

  forget() {
    charts.drawn.forEach((one) => one.view && one.view.finalize());
    charts.drawn = [];
  },

  redraw() {
    charts.drawn.forEach(charts.draw);
  },
};
