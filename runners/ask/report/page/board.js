"use strict";
// The leaderboard of one benchmark, and all benchmarks side by side.

const BOARD_KEYS = ["test_set", "metric", "verdict", "scope"];

// The benchmark that the address names, else the first one.
function chosenCell(query) {
  return report.index.cells[Number(query.get("cell") || 0)] || report.index.cells[0];
}

function cellChoice(query, cells = report.index.cells.map((cell, number) => [cell, number])) {
  return choice("Benchmark", "cell", cells.map(([cell, number]) => [String(number), cellTitle(cell)]), String(report.index.cells.indexOf(chosenCell(query))));
}

// Boards of the cell that agree with what was chosen so far; the first one is the most usual.
function chosenBoard(cell, query) {
  const of_cell = report.index.boards.filter((board) => board.benchmark === cell.benchmark && board.scenario === cell.scenario);
  let left = of_cell;
  for (const key of BOARD_KEYS) {
    const wanted = left.filter((board) => board[key] === query.get(key));
    if (wanted.length) left = wanted;
    else if (left.length) left = left.filter((board) => board[key] === left[0][key]);
  }
  return [left[0], of_cell];
}

function boardChoices(board, of_cell) {
  const labels = { test_set: "Test set", metric: "Metric", verdict: "Reading", scope: "Window" };
  const texts = { verdict: words.verdicts, scope: words.scopes };
  return BOARD_KEYS.map((key, number) => {
    const before = BOARD_KEYS.slice(0, number);
    const there = of_cell.filter((one) => before.every((name) => one[name] === board[name]));
    const values = [...new Set(there.map((one) => one[key]))];
    return choice(labels[key], key, values.map((value) => [value, word(texts[key], value)]), board[key]);
  });
}

const scoreCell = (row) => [row.cell ? el("a", { href: route.to("cell", [row.cell], { test_set: row.test_set, verdict: row.verdict, scope: row.scope && row.scope !== "all" ? row.scope : null }), class: "down", "aria-label": `${percent(row.score)}, problems of ${shownName(row.model)}` }, interval(row)) : interval(row)];

// A suite's tests run in the sample's own process: what its passes are worth stands beside the word.
function trust(row) {
  if (row.num_forged === null || row.detection_rate === null) return row.trust_tier ?? "";
  return [row.trust_tier, el("span", { class: "of" }, ` ${Math.round(row.detection_rate * row.num_forged)} of ${row.num_forged} forged seen`)];
}

const BOARD_COLUMNS = [
  named(),
  { title: "Solved [95 %]", cell: scoreCell, sort: (row) => row.score, number: true, about: "percent of problems solved, and its interval for problems like these; leads to the problems" },
  { title: "Ranks possible", cell: ranks, sort: (row) => row.rank_low === null ? null : row.rank_low + row.rank_high / 1e6, number: true, low: true, about: "among models asked under the same conditions; all hold at once with 95 %" },
  { title: "Conditions", cell: conditions, sort: (row) => `${row.protocol}${row.num_planned}${row.comparability_digest}`, about: "prompt protocol, temperature, samples per problem, digest of all of it" },
  column("Origin", "origin"),
  column("Trust tier", "trust_tier", { cell: trust, about: "whether a sample could forge its pass; of suites, how many of the forged samples that were tried are seen" }),
  counted("Problems", "num_problems"),
  counted("Unanswered", "num_unanswered", { about: "counted as wrong" }),
  column("Notes", "flags"),
  column("Interval by", "interval_method"),
  column("Source", "source", { long: true }),
];

async function boardView({ query }) {
  const cell = chosenCell(query);
  if (!cell) return [el("h1", null, "Leaderboard"), el("p", null, "The lake holds nothing yet.")];
  const [board, of_cell] = chosenBoard(cell, query);
  const title = el("h1", null, cellTitle(cell));
  if (!board) return [title, fields(cellChoice(query)), el("p", { class: "notice" }, "No number of this benchmark could be computed: ", el("a", { href: route.to("refusals", [], { cell: query.get("cell") }) }, "why"), ".")];
  const rows = (await report.rows(`boards/${board.board}`)).map((row) => ({ ...row, ...board, source: row.source }));
  const is_quoted = board.num_quoted > 0 && query.get("quoted") !== "0";
  const there = is_quoted ? rows.filter((row) => row.is_quoted) : rows;
  const place = el("div");
  const columns = BOARD_COLUMNS.filter((one) => there.some((row) => one.title !== "Source" || row.source));
  const draw = (wanted) => {
    const fitting = there.filter((row) => fits(`${row.model} ${shownName(row.model)}`, wanted));
    place.replaceChildren(table(`${cellTitle(cell)}, ${board.test_set}, ${board.metric}: ${fitting.length} rows`, columns, fitting));
  };
  draw("");
  return [title,
    el("p", { class: "intro" }, "Percent of problems solved. ", el("b", null, "71.2 [64.1, 77.6]"), ": with 95 % confidence between 64.1 and 77.6 on problems like these. A number leads to its problems, and these to single samples."),
    fields(cellChoice(query), search("Search models", "", draw), boardChoices(board, of_cell), board.num_quoted > 0 && board.num_quoted < rows.length && tick("only the number quoted for each model", "quoted", is_quoted)),
    place];
}

async function allView() {
  const boards = report.index.boards.filter((board) => board.num_quoted > 0);
  const models = new Map();
  for (const board of boards) {
    for (const row of await report.rows(`boards/${board.board}`)) {
      if (!row.is_quoted) continue;
      if (!models.has(row.model)) models.set(row.model, { model: row.model, quoted: new Map() });
      models.get(row.model).quoted.set(`${board.benchmark}/${board.scenario}`, { ...row, test_set: board.test_set, verdict: board.verdict });
    }
  }
  const cells = report.index.cells.filter((cell) => boards.some((board) => board.benchmark === cell.benchmark && board.scenario === cell.scenario));
  const columns = cells.map((cell) => {
    const of = (row) => row.quoted.get(`${cell.benchmark}/${cell.scenario}`);
    return { title: cellTitle(cell), number: true, sort: (row) => of(row)?.score ?? null, cell: (row) => (of(row) ? [scoreCell(of(row)), el("span", { class: "ranks" }, ranks(of(row)))] : "–") };
  });
  const rows = [...models.values()].sort((one, other) => other.quoted.size - one.quoted.size || (one.model < other.model ? -1 : 1));
  const place = el("div");
  const draw = (wanted) => place.replaceChildren(table(`All benchmarks: the number quoted for each of ${rows.length} models`, [named(), ...columns], rows.filter((row) => fits(`${row.model} ${shownName(row.model)}`, wanted))));
  draw("");
  return [el("h1", null, "All benchmarks"), fields(search("Search models", "", draw)), place];
}
