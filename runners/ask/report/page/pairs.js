"use strict";
// Who is really better: a matrix in blocks, and one pair with the problems that tell the two apart.

const BLOCK = 25;

const conditionsOf = (pairs) => `${pairs.num_planned === 1 ? "1 sample" : `${pairs.num_planned} samples`} a problem, conditions ${String(pairs.comparability_digest).slice(0, 6)}, ${word(words.origins, pairs.origin)}`;

function pairsTitle(pairs) {
  const cell = report.index.cells.find((one) => one.benchmark === pairs.benchmark && one.scenario === pairs.scenario);
  return `${cell ? cellTitle(cell) : pairs.benchmark}, ${pairs.test_set}, ${pairs.metric}${pairs.verdict === "official" ? "" : `, ${word(words.verdicts, pairs.verdict)}`}${pairs.scope === "all" ? "" : `, ${pairs.scope}`}`;
}

// Pairs of the block (down, across), turned so that its row stands first.
async function block(pairs, down, across) {
  const name = `pairs/${pairs.pairs}-${Math.min(down, across)}-${Math.max(down, across)}`;
  const found = await report.rows(name).catch(() => []);
  return found.flatMap((pair) => [pair, turned(pair)]);
}

const minus = (value) => (value === null ? null : -value);
const turned = (pair) => ({ ...pair, row: pair.column, column: pair.row, difference: minus(pair.difference), difference_low: minus(pair.difference_high), difference_high: minus(pair.difference_low) });

// What may be said of a pair: better, worse, or not told apart.
function standing(pair) {
  const holds = pair.families_held && pair.families_held.length > 0;
  if (holds) return pair.difference > 0 ? ["better", "▲"] : ["worse", "▼"];
  return ["equal", "≈"];
}

function pairCell(pairs, pair, models) {
  if (!pair) return el("td", { class: "none" }, "·");
  const [kind, sign] = standing(pair);
  const said = { better: "better by", worse: "worse by", equal: "not told apart, differs by" }[kind];
  const label = `${shownName(models[pair.row])} against ${shownName(models[pair.column])}: ${said} ${signed(pair.difference)} points`;
  return el("td", { class: kind }, el("a", { href: route.to("pair", [pairs.pairs, pair.row, pair.column]), "aria-label": label, title: label }, `${sign} ${signed(pair.difference)}`));
}

function blockChoice(label, name, models, value) {
  const blocks = Array.from({ length: Math.ceil(models.length / BLOCK) }, (_, number) => [String(number), `${number * BLOCK + 1}–${Math.min(models.length, (number + 1) * BLOCK)}`]);
  return blocks.length > 1 && choice(label, name, blocks, String(value));
}

async function pairsView({ query }) {
  const all = report.index.pairs;
  const title = el("h1", null, "Who is really better");
  if (!all.length) return [title, el("p", { class: "notice" }, "No two models were asked under the same conditions.")];
  const pairs = all.find((one) => one.pairs === query.get("pairs")) || all[0];
  const models = pairs.models;
  const [down, across] = ["down", "across"].map((name) => Math.max(0, Math.min(Number.parseInt(query.get(name) || "0", 10) || 0, Math.ceil(models.length / BLOCK) - 1)));
  const found = new Map((await block(pairs, down, across)).map((pair) => [`${pair.row},${pair.column}`, pair]));
  const part = (number) => models.slice(number * BLOCK, (number + 1) * BLOCK).map((_, place) => number * BLOCK + place);
  const head = part(across).map((place) => el("th", { scope: "col", title: shownName(models[place]) }, el("span", { class: "unseen" }, shownName(models[place])), el("span", { "aria-hidden": "true" }, String(place + 1))));
  const lines = part(down).map((row) => el("tr", null, el("th", { scope: "row" }, `${row + 1} `, modelLink(models[row])), part(across).map((column) => (row === column ? el("td", { class: "self" }, "–") : pairCell(pairs, found.get(`${row},${column}`), models)))));
  const caption = `${pairsTitle(pairs)}: ${conditionsOf(pairs)}; row minus column, in points`;
  return [title,
    el("p", { class: "intro" }, "Paired by problem, best first. ▲ the row is better, ▼ worse: the difference holds after correction for all questions of its family. ≈ this many problems do not tell the two apart. Columns bear the numbers of the rows."),
    fields(choice("Board", "pairs", all.map((one) => [one.pairs, `${pairsTitle(one)} (${one.models.length} models, ${conditionsOf(one)})`]), pairs.pairs), blockChoice("Rows", "down", models, down), blockChoice("Columns", "across", models, across)),
    el("div", { class: "board matrix", role: "region", tabindex: "0", "aria-label": caption }, el("table", null, el("caption", null, el("span", null, caption)), el("thead", null, el("tr", null, el("th", { scope: "col" }, "Model"), head)), el("tbody", null, lines)))];
}

// The samples behind a model of a board of pairs, if they are in the report.
async function cellBehind(pairs, model) {
  const board = report.index.boards.find((one) => ["benchmark", "scenario", "test_set", "metric", "verdict", "scope"].every((key) => one[key] === pairs[key]));
  if (!board) return null;
  const rows = await report.rows(`boards/${board.board}`);
  return rows.find((row) => row.model === model && row.comparability_digest === pairs.comparability_digest && row.origin === pairs.origin)?.cell ?? null;
}

async function pairView({ args: [name, row, column] }) {
  const pairs = report.index.pairs.find((one) => one.pairs === name);
  const found = pairs && (await block(pairs, Math.floor(row / BLOCK), Math.floor(column / BLOCK))).find((one) => one.row === Number(row) && one.column === Number(column));
  if (!found) return missing();
  const models = [pairs.models[found.row], pairs.models[found.column]];
  const [kind] = standing(found);
  const held = (found.families_held || []).map((family) => word(null, family)).join(", ");
  return [
    el("h1", null, modelLink(models[0]), " against ", modelLink(models[1])),
    el("p", null, el("a", { href: route.to("pairs", [], { pairs: name, down: Math.floor(row / BLOCK), across: Math.floor(column / BLOCK) }) }, pairsTitle(pairs)), `, ${conditionsOf(pairs)}`),
    facts([
      ["In words", { better: "The first is better.", worse: "The second is better.", equal: "This many problems do not tell them apart." }[kind]],
      ["Difference, points [95 %]", `${signed(found.difference)}${found.difference_low === null ? "" : ` [${signed(found.difference_low)}, ${signed(found.difference_high)}]`}`],
      ["p, by luck alone", probability(found.p_value)],
      ["q, among all pairs", probability(found.q_all_pairs)],
      ["Holds", held || "in no family of questions"],
      ["Problems that differ", `${count(found.num_discordant)} of ${count(found.num_problems)}`],
    ]),
    await differing(pairs, models),
  ];
}

async function differing(pairs, models) {
  const ids = await Promise.all(models.map((model) => cellBehind(pairs, model)));
  if (ids.includes(null)) return el("p", { class: "notice" }, "The samples of this pair are not in this report.");
  const [first, second] = await Promise.all(ids.map(readCell));
  const scores = [first, second].map((cell) => problemScores(cell, pairs.verdict, pairs.test_set));
  const place = new Map(second.tasks.map((task, number) => [`${task.dataset_version} ${task.task_id}`, number]));
  const rows = first.tasks.flatMap((task, number) => {
    const other = place.get(`${task.dataset_version} ${task.task_id}`);
    if (other === undefined) return [];
    const [a, b] = [scores[0][number], scores[1][other]];
    return a.passed === b.passed ? [] : [{ task, a, b, number, other }];
  });
  const side = (id, which, place_of) => ({
    title: shownName(models[which ? 1 : 0]), number: true, sort: (row) => (which ? row.b : row.a).passed,
    cell: (row) => el("a", { href: route.to("problem", [id, row[place_of]], { verdict: pairs.verdict, test_set: pairs.test_set }) }, `${(which ? row.b : row.a).passed} of ${(which ? row.b : row.a).judged}`),
  });
  return table(`Problems that the two do differently: ${rows.length}`, [
    { title: "Problem", cell: (row) => row.task.task_id, sort: (row) => row.task.task_id },
    side(ids[0], 0, "number"), side(ids[1], 1, "other"),
    { title: "In favour of", cell: (row) => shownName(models[row.a.passed > row.b.passed ? 0 : 1]), sort: (row) => row.a.passed - row.b.passed },
  ], rows, "They pass the same problems equally often.");
}
