"use strict";
// Behind a number: its problems, the samples of a problem, one sample with everything the lake holds of it.

async function readCell(id) {
  const data = await report.load(`cells/${id}`);
  if (!data.read) {
    data.read = { id, ...data, tasks: report.table(data.tasks), samples: report.table(data.samples), attempts: report.table(data.attempts) };
    data.read.samples.forEach((sample, number) => { sample.number = number; });
    data.read.of = data.read.tasks.map(() => []);
    data.read.samples.forEach((sample) => data.read.of[sample.task].push(sample));
  }
  return data.read;
}

// The verdict of one reading on one test set, and why: plus means base and plus (as fct_sample_results reads it).
function judged(outcome, task, verdict, test_set) {
  const at = 4 * Object.keys(words.verdicts).indexOf(verdict);
  const [base, why, plus, why_plus] = outcome.slice(at, at + 4);
  const needs_plus = test_set === "plus" && task.has_plus;
  if (base === null || (needs_plus && plus === null)) return ["not judged", "not_judged"];
  if (base !== "pass" || !needs_plus) return [base, why ?? (base === "pass" ? "ok" : "not_recorded")];
  return [plus, why_plus ?? (plus === "pass" ? "ok" : "not_recorded")];
}

function problemScores(cell, verdict, test_set) {
  return cell.tasks.map((task, number) => {
    const score = { task, number, passed: 0, judged: 0, num_samples: 0, reasons: new Map(), differs: false };
    for (const sample of cell.of[number]) {
      const [found, why] = judged(sample.outcome, task, verdict, test_set);
      score.num_samples += 1;
      score.judged += found !== "not judged";
      score.passed += found === "pass";
      if (found !== "pass") score.reasons.set(why, (score.reasons.get(why) || 0) + 1);
      const [strict] = judged(sample.outcome, task, "strict", test_set);
      const [official] = judged(sample.outcome, task, "official", test_set);
      score.differs ||= strict !== "not judged" && strict !== official;
    }
    return score;
  });
}

const outcomeMark = (verdict) => el("span", { class: `verdict ${verdict === "pass" ? "pass" : verdict === "not judged" ? "none" : "fail"}` }, `${verdict === "pass" ? "✓" : verdict === "not judged" ? "?" : "✗"} ${verdict}`);

function readingChoices(cell, query) {
  const test_sets = [...new Set(cell.tasks.flatMap((task) => task.test_sets || []))];
  const verdicts = Object.keys(words.verdicts).filter((verdict) => cell.samples.some((sample) => sample.outcome[4 * Object.keys(words.verdicts).indexOf(verdict)] !== null));
  const verdict = verdicts.includes(query.get("verdict")) ? query.get("verdict") : verdicts[0] || "official";
  const test_set = test_sets.includes(query.get("test_set")) ? query.get("test_set") : test_sets[test_sets.length - 1] || "";
  return [verdict, test_set, [
    verdicts.length > 1 && choice("Reading", "verdict", verdicts.map((one) => [one, word(words.verdicts, one)]), verdict),
    test_sets.length > 1 && choice("Test set", "test_set", test_sets.map((one) => [one, one]), test_set),
  ]];
}

function crumbs(cell, ...more) {
  const { model, benchmark, scenario } = cell.cell;
  const number = report.index.cells.findIndex((one) => one.benchmark === benchmark && one.scenario === scenario);
  const shown = number < 0 ? benchmark : cellTitle(report.index.cells[number]);
  return el("nav", { class: "crumbs", "aria-label": "Where this is" }, el("ol", null, [el("a", { href: route.to("board", [], { cell: number }) }, shown), modelLink(model), ...more].map((one) => el("li", null, one))));
}

const FILTERS = { all: "all problems", failed: "not solved by every sample", passed: "solved by every sample", differs: "official and strict differ" };

async function cellView({ args: [id], query }) {
  const cell = await readCell(id);
  const [verdict, test_set, choices] = readingChoices(cell, query);
  const scores = problemScores(cell, verdict, test_set).filter((score) => !test_set || !score.task.test_sets || score.task.test_sets.includes(test_set));
  const reasons = new Map();
  scores.forEach((score) => score.reasons.forEach((number, why) => reasons.set(why, (reasons.get(why) || 0) + number)));
  const filter = Object.hasOwn(FILTERS, query.get("show") || "") ? query.get("show") : "all";
  const reason = reasons.has(query.get("reason")) ? query.get("reason") : "";
  const kept = scores.filter((score) => (!reason || score.reasons.has(reason)) && ({ all: true, failed: score.passed < score.num_samples, passed: score.passed === score.num_samples, differs: score.differs })[filter]);
  const place = el("div");
  const draw = (wanted) => place.replaceChildren(problemTable(cell, kept.filter((score) => fits(String(score.task.task_id), wanted)), verdict, test_set));
  draw("");
  const total = scores.reduce((sum, score) => sum + score.passed, 0);
  const samples = scores.reduce((sum, score) => sum + score.num_samples, 0);
  return [
    crumbs(cell),
    el("h1", null, "Problems of ", el("bdi", null, shownName(cell.cell.model))),
    el("p", { class: "intro" }, `${count(total)} of ${count(samples)} samples pass, of ${count(scores.length)} problems. Reading: ${word(words.verdicts, verdict)}${test_set ? `, test set ${test_set}` : ""}.`),
    query.get("scope") && el("p", { class: "notice" }, `The number that led here counts only the problems of its window (${word(words.scopes, query.get("scope"))}); here stand all problems of the model.`),
    fields(choices, choice("Show", "show", Object.entries(FILTERS), filter), reasons.size > 0 && choice("That fail by", "reason", [["", "any reason"], ...[...reasons].sort((a, b) => b[1] - a[1]).map(([why, number]) => [why, `${word(words.reasons, why)} (${number})`])], reason), search("Search problems", "", draw)),
    place,
    el("h2", null, "What ran"),
    table("Attempts in the ledger of runs", [column("Stage", "stage"), column("Ended by", "cause"), counted("Attempts", "num_attempts"), column("Engine", "engine"), column("Version", "engine_version"), column("Image", "image_digest"), column("GPU", "gpu"), { ...counted("GPU seconds", "gpu_seconds"), cell: (row) => (row.gpu_seconds === null ? "–" : count(Math.round(row.gpu_seconds))) }, counted("Rows", "num_rows")], cell.attempts, "The lake's ledger holds no run of this model here: these are records of others."),
  ];
}

function problemTable(cell, rows, verdict, test_set) {
  const columns = [
    { title: "Problem", sort: (row) => row.task.task_id, cell: (row) => el("a", { href: down(cell, row, verdict, test_set) }, row.task.task_id) },
    { title: "Passed", number: true, sort: (row) => row.passed / (row.num_samples || 1), cell: (row) => [row.num_samples === 1 ? outcomeMark(row.judged ? (row.passed ? "pass" : "fail") : "not judged") : `${row.passed} of ${row.num_samples}`] },
    { title: "Fails by", sort: (row) => [...row.reasons.keys()].join(), cell: (row) => [...row.reasons].map(([why, number]) => `${word(words.reasons, why)}${row.num_samples > 1 ? ` (${number})` : ""}`).join(", ") },
    { title: "Official ≠ strict", sort: (row) => Number(row.differs), cell: (row) => (row.differs ? "differs" : "") },
    { title: "Stratum", sort: (row) => row.task.stratum, cell: (row) => row.task.stratum ?? "" },
    { title: "Published", sort: (row) => row.task.contest_date, cell: (row) => row.task.contest_date ?? "" },
    { title: "Kind", sort: (row) => row.task.kind, cell: (row) => row.task.kind ?? "" },
  ];
  const used = columns.filter((one, number) => number < 3 || rows.some((row) => one.sort(row)));
  return table(`${rows.length} problems`, used, rows);
}

// One sample is shown at once, several are listed.
function down(cell, row, verdict, test_set) {
  const samples = cell.of[row.number];
  return samples.length === 1 ? route.to("sample", [cell.id, samples[0].number], { verdict, test_set }) : route.to("problem", [cell.id, row.number], { verdict, test_set });
}

const problemLink = (cell, number, query) => el("a", { href: route.to("problem", [cell.id, number], Object.fromEntries(query)) }, cell.tasks[number].task_id);
const cellLink = (cell, query) => el("a", { href: route.to("cell", [cell.id], Object.fromEntries(query)) }, "problems");

async function problemView({ args: [id, number], query }) {
  const cell = await readCell(id);
  const task = cell.tasks[number];
  if (!task) return missing();
  const test_sets = task.test_sets && task.test_sets.length ? task.test_sets : ["full"];
  const readings = Object.keys(words.verdicts).flatMap((verdict) => test_sets.map((test_set) => ({
    title: `${word(words.verdicts, verdict)}${test_sets.length > 1 ? `, ${test_set}` : ""}`, verdict, test_set,
    cell: (sample) => { const [found, why] = judged(sample.outcome, task, verdict, test_set); return [outcomeMark(found), found === "pass" || why === "not_judged" ? "" : ` ${word(words.reasons, why)}`]; },
    sort: (sample) => judged(sample.outcome, task, verdict, test_set).join(),
  }))).filter((one) => cell.of[number].some((sample) => judged(sample.outcome, task, one.verdict, one.test_set)[0] !== "not judged"));
  return [
    crumbs(cell, cellLink(cell, query)),
    el("h1", null, "Samples of ", task.task_id),
    facts([["Data set", task.dataset_version], ["Kind", task.kind], ["Cases", task.num_base_cases === null ? null : `${task.num_base_cases} base, ${task.num_plus_cases ?? 0} more`], ["Stratum", task.stratum], ["Published", task.contest_date], ["Made from", task.source_problem === task.task_id ? null : task.source_problem]]),
    table(`${cell.of[number].length} samples`, [{ title: "Sample", cell: (sample) => el("a", { href: route.to("sample", [id, sample.number], Object.fromEntries(query)) }, `sample ${sample.index}`), sort: (sample) => sample.index }, ...readings], cell.of[number]),
  ];
}

async function sampleView({ args: [id, number], query }) {
  const cell = await readCell(id);
  const listed = cell.samples[number];
  if (!listed) return missing();
  const data = await report.load(`samples/${id}-${listed.file}`);
  data.read ||= report.table(data.samples);
  const sample = data.read[listed.row];
  const task = cell.tasks[listed.task];
  const beside = (step, label) => cell.samples[Number(number) + step] && el("a", { href: route.to("sample", [id, Number(number) + step], Object.fromEntries(query)) }, label);
  return [
    crumbs(cell, cellLink(cell, query), problemLink(cell, listed.task, query)),
    el("h1", null, `${task.task_id}, sample ${listed.index}`),
    el("p", { class: "beside" }, beside(-1, "← sample before"), " ", beside(1, "next sample →")),
    verdictTable(sample, task),
    sampleTexts(sample, data.texts[listed.row] ?? {}),
    provenance(sample, cell),
  ];
}
