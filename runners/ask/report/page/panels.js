"use strict";
// What stands beside the board: curves, reasons, disagreements, costs, coverage, refusals, words.

const MOST_MODELS = 8; // in one chart of lines: more colours and shapes are not told apart
const MOST_BARS = 30;

// The panel's table of the chosen benchmark, and the choice among benchmarks that have one.
async function panel(name, query) {
  const there = report.index.panels[name];
  const cells = report.index.cells.map((cell, number) => [cell, number]).filter(([cell]) => there.some((one) => one.benchmark === cell.benchmark && one.scenario === cell.scenario));
  const wanted = cells.find(([, number]) => String(number) === query.get("cell")) || cells[0];
  if (!wanted) return { cells: [], rows: [] };
  const listed = there.find((one) => one.benchmark === wanted[0].benchmark && one.scenario === wanted[0].scenario);
  const select = choice("Benchmark", "cell", cells.map(([cell, number]) => [String(number), cellTitle(cell)]), String(wanted[1]));
  const rows = (await report.rows(`panels/${listed.panel}`)).map((row) => ({ ...row, benchmark: wanted[0].benchmark, scenario: wanted[0].scenario }));
  return { cell: wanted[0], cells, rows, select };
}

// A choice among the values of a column; narrows the rows.
function narrowed(rows, label, name, query, usual, texts) {
  const values = [...new Set(rows.map((row) => row[name]))].sort((one, other) => (other === usual) - (one === usual) || (String(one) < String(other) ? -1 : 1));
  const value = values.some((one) => String(one) === query.get(name)) ? query.get(name) : String(values[0]);
  return [rows.filter((row) => String(row[name]) === value), values.length > 1 && choice(label, name, values.map((one) => [String(one), word(texts, one)]), value)];
}

const nothing = (title, text) => [el("h1", null, title), el("p", { class: "notice" }, text)];

// Samples behind a row of a panel: the cell of a board's row with the same conditions.
async function cellsOf(rows) {
  const found = new Map();
  for (const board of report.index.boards.filter((one) => rows.some((row) => row.benchmark === one.benchmark && row.scenario === one.scenario))) {
    for (const row of await report.rows(`boards/${board.board}`)) {
      if (row.cell) found.set(`${row.model} ${row.comparability_digest} ${row.origin}`, row.cell).set(`${row.model} ${row.comparability_digest}`, row.cell);
    }
  }
  return (row) => found.get(`${row.model} ${row.comparability_digest} ${row.origin}`) || found.get(`${row.model} ${row.comparability_digest}`);
}

async function reasonsView({ query }) {
  const title = "Why samples fail";
  const { cell, rows, select } = await panel("reasons", query);
  if (!cell) return nothing(title, "No sample was judged.");
  const [of_set, sets] = narrowed(rows, "Test set", "test_set", query, "plus");
  const [of_verdict, verdicts] = narrowed(of_set, "Reading", "verdict", query, "official", words.verdicts);
  const cellOf = await cellsOf(rows);
  const groups = new Map();
  for (const row of of_verdict) {
    const key = `${row.model} ${row.comparability_digest} ${row.origin}`;
    if (!groups.has(key)) groups.set(key, { ...row, of: new Map() });
    groups.get(key).of.set(row.reason, row);
  }
  const passed = (group) => group.of.get("ok")?.share ?? 0;
  const listed = [...groups.values()].sort((one, other) => passed(other) - passed(one));
  const total = new Map();
  of_verdict.forEach((row) => total.set(row.reason, (total.get(row.reason) || 0) + row.num_samples));
  const reasons = [...total].filter(([reason]) => reason !== "ok").sort((one, other) => other[1] - one[1]).map(([reason]) => reason);
  const drawn = listed.slice(0, MOST_BARS);
  const told_apart = [(group) => shownName(group.model), (group) => `${shownName(group.model)} ${String(group.comparability_digest).slice(0, 4)}`, (group) => `${shownName(group.model)} ${String(group.comparability_digest).slice(0, 4)} ${group.origin}`];
  const label = (group) => (told_apart.find((name) => drawn.filter((other) => name(other) === name(group)).length === 1) || told_apart[2])(group);
  const values = drawn.flatMap((group) => reasons.filter((reason) => group.of.has(reason)).map((reason) => ({ model: label(group), reason: word(words.reasons, reason), order: reasons.indexOf(reason), share: 100 * group.of.get(reason).share, num_samples: group.of.get(reason).num_samples })));
  const link = (group, reason) => { const id = cellOf(group); const row = group.of.get(reason); if (!row) return "0"; const text = [percent(row.share), el("span", { class: "of" }, ` (${count(row.num_samples)})`)]; return id && reason !== "ok" ? el("a", { href: route.to("cell", [id], { reason, verdict: group.verdict, test_set: group.test_set }) }, text) : text; };
  return [el("h1", null, title), el("p", { class: "intro" }, "Percent of the samples of a model that end this way (and how many). A number leads to the problems."), fields(select, sets, verdicts),
    charts.figure("reasons", values, `Reasons of failure of ${drawn.length} of ${listed.length} models on ${cellTitle(cell)}, those that pass most first. The most frequent reason over all is ${word(words.reasons, reasons[0])}.`),
    table(`${cellTitle(cell)}: ${listed.length} rows`, [named(), conditionsShort, ...["ok", ...reasons].map((reason) => ({ title: word(words.reasons, reason), number: true, sort: (group) => group.of.get(reason)?.share ?? 0, cell: (group) => link(group, reason) }))], listed)];
}

const conditionsShort = { title: "Conditions", sort: (row) => row.comparability_digest, cell: (row) => el("code", { title: row.comparability_digest }, String(row.comparability_digest).slice(0, 6)) };

async function disagreementsView({ query }) {
  const title = "Where readings disagree";
  const { cell, rows, select } = await panel("disagreements", query);
  if (!cell) return nothing(title, "No sample has two readings that disagree, or only one reading was recorded.");
  const cellOf = await cellsOf(rows);
  const columns = [named(), conditionsShort,
    { title: "Moved by", sort: (row) => row.axis, cell: (row) => word(null, row.axis), about: "extraction: another program was read; oracle: another comparison was made" },
    { title: "Tests", sort: (row) => row.part, cell: (row) => PARTS[row.part] ?? row.part },
    column("Official", "official_verdict"), column("Corrected extraction", "corrected_extraction_verdict"), column("Strict", "strict_verdict"),
    { title: "Samples", number: true, sort: (row) => row.num_samples, cell: (row) => { const id = cellOf(row); return id ? el("a", { href: route.to("cell", [id], { show: "differs" }) }, count(row.num_samples)) : count(row.num_samples); } }];
  return [el("h1", null, title), el("p", { class: "intro" }, "Samples whose verdict depends on who reads them, by what moved it. A number leads to the problems."), fields(select), table(`${cellTitle(cell)}: ${rows.length} rows`, columns, rows)];
}

const COSTS = { completion_tokens: "Completion tokens per sample", gpu_seconds: "GPU seconds per sample", price: "Money per sample" };

async function costsView({ query }) {
  const title = "Cost against score";
  const { cell, rows, select } = await panel("costs", query);
  if (!cell) return nothing(title, "Nothing is known of tokens or GPU seconds here: records of others do not say them.");
  const [of_set, sets] = narrowed(rows, "Test set", "test_set", query, "plus");
  const known = Object.keys(COSTS).filter((name) => of_set.some((row) => row[name] > 0));
  const cost = known.includes(query.get("cost")) ? query.get("cost") : known[0];
  const over = { completion_tokens: "num_samples_counted", gpu_seconds: "num_samples", price: "num_samples" }[cost];
  const values = of_set.filter((row) => row[cost] > 0 && row.score !== null).map((row) => ({ model: shownName(row.model), score: 100 * row.score, cost: row[cost] / row[over] }));
  const base = report.index.charts?.costs.encoding;
  const encoding = base && { encoding: { ...base, x: { ...base.x, title: COSTS[cost] }, tooltip: base.tooltip.map((one) => (one.field === "cost" ? { ...one, title: COSTS[cost].toLowerCase() } : one)) } };
  const cellOf = await cellsOf(rows);
  const columns = [{ ...named() }, conditionsShort,
    { title: "Solved", number: true, sort: (row) => row.score, cell: (row) => { const id = cellOf(row); return id ? el("a", { href: route.to("cell", [id], { test_set: row.test_set }) }, percent(row.score)) : percent(row.score); } },
    counted("Samples", "num_samples"), counted("Prompt tokens", "prompt_tokens"), counted("Completion tokens", "completion_tokens"), counted("Reasoning tokens", "reasoning_tokens"),
    rounded("Tokens per point", "completion_tokens_per_point"), rounded("GPU seconds", "gpu_seconds"), rounded("GPU seconds per point", "gpu_seconds_per_point"), rounded("Money", "price", 4)];
  return [el("h1", null, title), el("p", { class: "intro" }, "Tokens include thinking. A point is one percent of the problems solved."), fields(select, sets, known.length > 1 && choice("Cost", "cost", known.map((name) => [name, COSTS[name]]), cost)),
    values.length > 0 && charts.figure("costs", values, `${COSTS[cost]} (logarithmic) against percent solved, ${values.length} models on ${cellTitle(cell)}.`, encoding),
    table(`${cellTitle(cell)}: ${of_set.length} rows`, columns.filter((one, number) => number < 3 || of_set.some((row) => one.sort(row) !== null)), of_set)];
}

const rounded = (title, name, digits = 1) => ({ ...counted(title, name), cell: (row) => (row[name] === null ? "–" : row[name].toLocaleString("en", { maximumFractionDigits: digits }).replaceAll(",", "\u202f")) });

async function contaminationView({ query }) {
  const title = "Score by month of publication";
  const { cell, rows, select } = await panel("contamination", query);
  if (!cell) return nothing(title, "No benchmark here has problems with a date of publication.");
  const [of_set, sets] = narrowed(rows, "Test set", "test_set", query, "full");
  const [of_metric, metrics] = narrowed(of_set, "Metric", "metric", query, "pass@1");
  const [of_verdict, verdicts] = narrowed(of_metric, "Reading", "verdict", query, "official", words.verdicts);
  const [of_protocol, protocols] = narrowed(of_verdict, "Protocol", "protocol", query, "official");
  const models = [...new Set(of_protocol.map((row) => row.model))].sort((one, other) => (mean(of_protocol, other) - mean(of_protocol, one)) || (one < other ? -1 : 1));
  const asked = (query.get("models") || "").split(",").filter(Boolean).map(Number).filter((number) => number >= 0 && number < models.length);
  const picked = asked.length ? asked.slice(0, MOST_MODELS) : models.map((_, number) => number).slice(0, 3);
  const boxes = el("details", { class: "pick" }, el("summary", null, `Models drawn: ${picked.length} of ${models.length}`), models.map((model, number) => el("label", { class: "tick" }, el("input", { type: "checkbox", id: `model-${number}`, checked: picked.includes(number), disabled: !picked.includes(number) && picked.length >= MOST_MODELS, onchange: (event) => route.change({ models: (event.target.checked ? [...picked, number] : picked.filter((one) => one !== number)).join(",") }) }), shownName(model))));
  boxes.open = asked.length > 0;
  const drawn = of_protocol.filter((row) => picked.includes(models.indexOf(row.model)));
  const ways = (row) => new Set(drawn.filter((other) => other.model === row.model).map((other) => `${other.comparable_within} ${other.origin}`)).size;
  const line = (row) => (ways(row) > 1 ? `${shownName(row.model)} ${String(row.comparable_within).slice(0, 4)} ${row.origin}` : shownName(row.model));
  const values = drawn.map((row) => ({ model: line(row), month: row.month, score: 100 * row.score, low: 100 * (row.interval_low ?? row.score), high: 100 * (row.interval_high ?? row.score), num_problems: row.num_problems, cutoff: row.cutoff_date, is_last: !drawn.some((other) => other.model === row.model && line(other) === line(row) && other.month > row.month) }));
  const falls = await fallsOf(cell);
  return [el("h1", null, title), el("p", { class: "intro" }, "Problems by the month in which they became public, with 95 % intervals. Broken upright lines: where a model's training data end. A fall behind that line, more than others fall, is what contamination looks like."), fields(select, sets, metrics, verdicts, protocols), boxes,
    charts.figure("contamination", values, `Percent solved by month on ${cellTitle(cell)}: ${picked.map((number) => shownName(models[number])).join(", ")}.`),
    table(`${cellTitle(cell)}: ${drawn.length} months of ${picked.length} models`, [named(), column("Month", "month", { cell: (row) => row.month.slice(0, 7) }), { title: "Solved [95 %]", number: true, sort: (row) => row.score, cell: interval }, counted("Problems", "num_problems"), { title: "After the training data", sort: (row) => row.is_after_cutoff, cell: (row) => (row.is_after_cutoff === null ? "not known" : row.is_after_cutoff ? "after" : "before") }, column("Training data end", "cutoff_date"), column("Source", "source", { long: true })], drawn),
    falls];
}

const mean = (rows, model) => { const own = rows.filter((row) => row.model === model); return own.reduce((sum, row) => sum + row.score, 0) / own.length; };

async function fallsOf(cell) {
  const listed = report.index.panels.falls.find((one) => one.benchmark === cell.benchmark && one.scenario === cell.scenario);
  const rows = listed ? await report.rows(`panels/${listed.panel}`) : [];
  return [el("h2", null, "Falls after the training data end, more than a reference falls"), table("Difference in differences, points; minus means a fall", [named(), { title: "Against", sort: (row) => row.reference, cell: (row) => modelLink(row.reference) }, { title: "Points [95 %]", number: true, sort: (row) => row.difference_in_differences, cell: (row) => `${signed(row.difference_in_differences)} [${signed(row.interval_low)}, ${signed(row.interval_high)}]` }, counted("Problems before", "num_before"), counted("Problems after", "num_after"), column("Training data end", "cutoff_date"), column("Metric", "metric")], rows, "No model here has a reference whose training data end before or after all problems; Not computed says why.")];
}

async function coverageView() {
  const rows = await report.rows("panels/coverage");
  const by_model = new Map();
  rows.forEach((row) => by_model.set(row.model, (by_model.get(row.model) || new Map()).set(`${row.benchmark}/${row.scenario}`, row)));
  const columns = report.index.cells.map((cell, number) => {
    const of = (line) => line.of.get(`${cell.benchmark}/${cell.scenario}`);
    const refused = (row, line) => el("a", { href: route.to("refusals", [], { cell: number, model: line.model }), title: (row.reasons || []).map((one) => word(null, one)).join(", ") }, row.num_problems === null ? `refused: ${word(null, row.reasons[0])}` : `${row.num_refused} refused`);
    return { title: cellTitle(cell), sort: (line) => of(line)?.num_problems ?? null, number: true, cell: (line) => { const row = of(line); return row ? [row.num_problems !== null && `${count(row.num_problems)}${row.num_problems_pinned ? ` of ${count(row.num_problems_pinned)}` : ""} problems, n = ${row.num_planned}`, row.num_refused && [row.num_problems !== null && el("br"), refused(row, line)]] : "not asked"; } };
  });
  const lines = [...by_model].filter(([model]) => report.models.has(model)).map(([model, of]) => ({ model, of }));
  return [el("h1", null, "Coverage"), el("p", { class: "intro" }, "Which model has a quoted number on which benchmark, over how many of its problems, and how many numbers were refused."), table(`${lines.length} models, ${columns.length} benchmarks`, [named(), ...columns], lines)];
}

async function refusalsView({ query }) {
  const title = "Not computed";
  const there = report.index.panels.refusals;
  const cell = query.has("cell") ? report.index.cells[Number(query.get("cell"))] : null;
  const wanted = there.filter((one) => !cell || (one.benchmark === cell.benchmark && one.scenario === cell.scenario));
  const rows = (await Promise.all(wanted.map(async (one) => (await report.rows(`panels/${one.panel}`)).map((row) => ({ ...row, benchmark: one.benchmark, scenario: one.scenario }))))).flat();
  const reasons = [...new Set(rows.map((row) => row.reason))].sort();
  const reason = reasons.includes(query.get("reason")) ? query.get("reason") : "";
  const model = query.get("model") || "";
  const kept = rows.filter((row) => (!reason || row.reason === reason) && (!model || row.model === model));
  const columns = [named(), { title: "Why", sort: (row) => row.reason, cell: (row) => word(null, row.reason) }, column("In detail", "detail", { long: true }), column("Differs in", "differing_fields"), column("Benchmark", "benchmark"), column("Scenario", "scenario"), column("Test set", "test_set"), column("Metric", "metric"), column("Reading", "verdict"), column("Window", "scope"), counted("Affected", "num_affected")];
  const place = el("div");
  const draw = (text) => place.replaceChildren(table(`${kept.length} numbers were not computed`, columns, kept.filter((row) => fits(`${row.model} ${shownName(row.model)} ${row.detail}`, text)), "Nothing was refused."));
  draw("");
  const cells = [["", "any"], ...report.index.cells.map((one, number) => [String(number), cellTitle(one)])];
  return [el("h1", null, title), el("p", { class: "intro" }, "A score with missing verdicts, a pass@k with fewer than k samples, a comparison of models that were asked differently. Nothing is estimated in their place."),
    fields(choice("Benchmark", "cell", cells, query.get("cell") || ""), choice("Why", "reason", [["", "any reason"], ...reasons.map((one) => [one, word(null, one)])], reason), model && el("a", { href: route.to("refusals", [], { cell: query.get("cell"), reason }) }, `only ${shownName(model)}: show all models`), search("Search", "", draw)), place];
}

function wordsView() {
  const { version, texts, num_samples, num_texts, is_only_headline, patterns } = report.index;
  return [el("h1", null, "What the words mean"), facts(words.glossary), el("h2", null, "What this report holds"),
    facts([["Made by", `benchForge ${version}`], ["Samples", `${count(num_samples)}, ${count(num_texts)} with their text`], ["Texts", { all: "of all samples, where the lake holds them", failed: "of samples that fail", none: "left out" }[texts]], ["Problems and samples of", is_only_headline ? "quoted numbers only" : "all numbers"], ["Models with samples", patterns.models.join(", ") || "all"], ["Benchmarks with samples", patterns.benchmarks.join(", ") || "all"]]),
    el("p", null, "Every number again, and the SQL that gives it: ", el("code", null, "benchforge explain MODEL BENCHMARK"), "; any other question: ", el("code", null, "benchforge sql"), ".")];
}
