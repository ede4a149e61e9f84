"use strict";
// Which view an address shows, the way between them, and the colours.

const VIEWS = {
  board: boardView, all: allView, pairs: pairsView, pair: pairView, contamination: contaminationView, reasons: reasonsView,
  disagreements: disagreementsView, costs: costsView, coverage: coverageView, refusals: refusalsView, words: wordsView,
  model: modelView, cell: cellView, problem: problemView, sample: sampleView,
};
const NAVIGATION = {
  board: "Leaderboard", all: "All benchmarks", pairs: "Who is better", contamination: "By month", reasons: "Failures",
  disagreements: "Readings", costs: "Costs", coverage: "Coverage", refusals: "Not computed", words: "Words",
};

function missing() {
  return [el("h1", null, "Not in this report"), el("p", null, "This address names something that the report does not hold. ", el("a", { href: "#board" }, "To the leaderboard"))];
}

let turn = 0;

async function show() {
  const here = route.read();
  const mine = ++turn;
  const main = document.getElementById("main");
  let made;
  try {
    made = await (Object.hasOwn(VIEWS, here.view) ? VIEWS[here.view](here) : missing());
  } catch (error) {
    made = [el("h1", null, "This part cannot be shown"), el("p", { class: "notice" }, error.message)];
  }
  if (mine !== turn) return; // another address was opened meanwhile
  charts.drawn.filter((one) => main.contains(one.canvas)).forEach((one) => { if (one.view) one.view.finalize(); });
  charts.drawn = charts.drawn.filter((one) => !main.contains(one.canvas));
  main.replaceChildren(...[made].flat(9).filter(Boolean));
  main.dataset.view = location.hash;
  const title = main.querySelector("h1");
  document.title = `${title ? title.textContent : ""} – benchForge report`;
  document.querySelectorAll("#nav a").forEach((link) => {
    if (link.dataset.view === here.view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  focus(main, title);
}

// A reader who chose something stays at the field; one who followed a link starts at the top of the new view.
function focus(main, title) {
  const stays = report.stays && document.getElementById(report.stays);
  report.stays = null;
  if (stays) stays.focus();
  else if (report.was_shown) {
    window.scrollTo(0, 0);
    if (title) { title.tabIndex = -1; title.focus({ preventScroll: true }); }
  }
  report.was_shown = true;
}

const kept = {
  read() { try { return localStorage.getItem("benchforge-theme") || ""; } catch { return ""; } },
  write(value) { try { localStorage.setItem("benchforge-theme", value); } catch { /* a page of a file may have no store */ } },
};

function paint(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  charts.redraw();
}

report.start = () => {
  report.models = new Map(report.table(report.index.models).map((model) => [model.model, model]));
  document.getElementById("nav").append(el("ul", null, Object.entries(NAVIGATION).map(([view, name]) => el("li", null, el("a", { href: `#${view}`, "data-view": view }, name)))));
  const { version, num_samples, num_texts } = report.index;
  const numbers = report.index.boards.reduce((sum, board) => sum + board.num_rows, 0);
  document.getElementById("foot").append(el("p", null, `${count(numbers)} numbers of ${count(report.models.size)} models; ${count(num_samples)} samples, ${count(num_texts)} with their text. Made by benchForge ${version}.`));
  const theme = document.getElementById("theme");
  theme.value = kept.read();
  paint(theme.value);
  theme.addEventListener("change", () => { kept.write(theme.value); paint(theme.value); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.redraw());
  window.addEventListener("beforeprint", () => document.querySelectorAll("#main details").forEach((one) => { one.open = true; }));
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // its address would be that of a view
    document.getElementById("main").focus();
  });
  window.addEventListener("hashchange", show);
  show();
};
