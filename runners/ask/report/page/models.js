"use strict";
// One sample in full: verdicts, texts, provenance; and one model with all its numbers.

const PARTS = { base: "base tests", plus: "extra tests" };

function verdictTable(sample, task) {
  const cases = { base: task.num_base_cases, plus: task.num_plus_cases };
  const rows = Object.keys(words.verdicts).flatMap((kind) => Object.keys(PARTS).map((part) => {
    const of = (what) => sample[`${kind}_${part}_${what}`];
    return { kind, part, verdict: of("verdict"), reason: of("reason"), failing: of("first_failing_case"), num_run: of("num_run"), num_passed: of("num_passed") };
  })).filter((row) => row.verdict !== null);
  const failing = (row) => (row.failing === null ? (row.verdict === "pass" ? "none" : "not recorded") : `case ${row.failing} (counted from 0)${cases[row.part] === null ? "" : ` of ${cases[row.part]}`}`);
  const columns = [
    { title: "Reading", cell: (row) => `${word(words.verdicts, row.kind)}, ${PARTS[row.part]}` },
    { title: "Verdict", cell: (row) => outcomeMark(row.verdict) },
    { title: "Why", cell: (row) => (row.reason === null ? "not recorded" : word(words.reasons, row.reason)) },
    { title: "First failing case", cell: failing },
    { title: "Cases run", number: true, cell: (row) => count(row.num_run) },
    { title: "Cases passed", number: true, cell: (row) => count(row.num_passed) },
  ];
  const fails = rows.some((row) => row.verdict !== "pass");
  return el("section", null, el("h2", null, "Verdicts"), table("Verdicts of every reading", columns, rows, "No grader has judged this sample."),
    fails && el("p", { class: "small" }, "Inputs and expected values of a case are not in the lake: they lie in the staged problems, under this data set and number."));
}

function whyNoText(sample) {
  if (report.index.texts === "none") return "Texts were left out of this report (--texts none).";
  if (report.index.texts === "failed") return "Only samples that fail have their texts in this report (--texts failed), or the lake holds no text of this one.";
  return "The lake holds no text of this sample: its source recorded the verdict alone, or the text was withheld when the lake was published.";
}

// A string and its runs (texts.py) as coloured pieces.
function coloured(text, runs) {
  const nodes = [];
  let at = 0;
  for (let place = 0; place < runs.length; place += 2) {
    const piece = text.slice(at, at + runs[place + 1]);
    nodes.push(runs[place] ? el("span", { class: `k${runs[place]}` }, piece) : pieces(piece));
    at += runs[place + 1];
  }
  return [nodes, pieces(text.slice(at))];
}

function textBlock(title, found, is_open, note) {
  if (!found) return null;
  const cut = found.cut;
  const shown = found.text === "" ? [el("em", null, "empty")] : [coloured(found.text, found.runs)];
  const lines = cut && `Only ${count(cut.num_shown)} of ${count(cut.num_characters)} characters are shown: the beginning, and the end below the line. The whole text has ${count(cut.num_bytes)} bytes, sha256 ${cut.sha256}.`;
  return el("details", { open: is_open, class: "text" }, el("summary", null, title), note && el("p", { class: "small" }, note), cut && el("p", { class: "small" }, lines),
    el("pre", { tabindex: "0", dir: "ltr", "aria-label": title }, el("code", null, shown)),
    cut && el("pre", { tabindex: "0", dir: "ltr", class: "tail", "aria-label": `${title}, its end` }, el("code", null, pieces(found.tail))));
}

function sampleTexts(sample, texts) {
  const has_any = Object.values(texts).some((text) => text);
  const same = sample.corrected_program_id !== null && sample.corrected_program_id === sample.program_id;
  return el("section", null, el("h2", null, "Texts"),
    !has_any && el("p", { class: "notice" }, whyNoText(sample)),
    textBlock("Reasoning", texts.reasoning, false),
    textBlock("Completion, as received", texts.raw_text, true),
    textBlock("Answer, after reasoning and stop strings", texts.answer, false),
    textBlock(same ? "Extracted program (both extractions)" : "Extracted program (official)", texts.program, true),
    textBlock("Extracted program (corrected)", texts.corrected_program, true, "The two extractions read different programs out of this completion."),
    has_any && !texts.program && el("p", { class: "notice" }, sample.program_id === null ? "No program was extracted, or it was not recorded." : `The lake does not hold the program ${sample.program_id}.`));
}

const PROVENANCE = [
  ["Sample", "sample_id"], ["Prompt digest", "prompt_digest"], ["Request digest", "request_digest"], ["Data set", "dataset_version"], ["Data set digest", "dataset_digest"], ["Task digest", "task_digest"],
  ["Model revision", "model_revision"], ["Weights digest", "weights_digest"], ["Trained from", "parent_model"], ["Training step", "training_step"], ["Chat template digest", "chat_template_sha"], ["Templating", "templating_mode"],
  ["Protocol", "protocol"], ["Temperature", "temperature"], ["top_p", "top_p"], ["top_k", "top_k"], ["min_p", "min_p"], ["Token limit", "max_tokens"], ["Seed", "seed"], ["Thinking", "thinking"], ["Effort", "effort"], ["Thinking budget, tokens", "thinking_budget"],
  ["Engine", "engine"], ["Engine version", "engine_version"], ["Image digest", "image_digest"], ["GPU", "gpu"], ["Quantization", "quantization"], ["Type", "dtype"],
  ["Prompt tokens", "prompt_tokens"], ["Completion tokens", "completion_tokens"], ["Reasoning tokens", "reasoning_tokens"], ["Ended by", "finish_reason"], ["Stopped at", "stop_reason"], ["Cut", "cut"], ["State of thinking", "think_state"], ["Reasoning from", "reasoning_source"], ["Odd about the answer", "answer_flags"], ["Requests it took", "attempts"], ["Arrived", "created_at"],
  ["Program", "program_id"], ["Corrected program", "corrected_program_id"], ["Trust tier", "trust_tier"], ["Sandbox", "sandbox_mode"], ["Layers", "sandbox_layers"], ["Time limits over the official ones", "limit_factor"], ["Graded unsafely", "is_unsafe"], ["Licence of the verdict", "licence"], ["Shard", "shard_id"],
];

function provenance(sample, cell) {
  const { comparability_digest, origin, grader_id, source } = cell.cell;
  const rows = [...PROVENANCE.map(([name, key]) => [name, sample[key]]), ["Grader", grader_id], ["Origin", origin === null ? null : word(words.origins, origin)], ["Source", source], ["Conditions", comparability_digest]];
  const text = (value) => (Array.isArray(value) ? value.join(", ") : value === true ? "yes" : value === false ? "no" : value);
  const unknown = rows.filter(([, value]) => value === null || value === undefined).map(([name]) => name.toLowerCase());
  return el("section", null, el("h2", null, "Provenance"), facts(rows.map(([name, value]) => [name, value === null || value === undefined ? null : String(text(value))])),
    unknown.length > 0 && el("p", { class: "small" }, `Not in the lake: ${unknown.join(", ")}.`));
}

const MODEL_COLUMNS = [
  { title: "Benchmark", cell: (row) => `${row.benchmark}${row.scenario === "default" ? "" : `: ${row.scenario}`}`, sort: (row) => row.benchmark + row.scenario },
  { title: "Solved [95 %]", number: true, cell: (row) => scoreCell(row), sort: (row) => row.score },
  column("Test set", "test_set"), column("Metric", "metric"),
  { title: "Reading", cell: (row) => word(words.verdicts, row.verdict), sort: (row) => row.verdict },
  { title: "Window", cell: (row) => row.scope, sort: (row) => row.scope },
  { title: "Ranks possible", cell: ranks, sort: (row) => row.rank_low, number: true, low: true },
  { title: "Quoted", cell: (row) => (row.is_quoted ? "quoted" : ""), sort: (row) => (row.is_quoted ? 0 : 1) },
  { title: "Conditions", cell: conditions, sort: (row) => row.comparability_digest },
  column("Origin", "origin"), column("Trust tier", "trust_tier", { cell: trust }), column("Notes", "flags"),
];

async function modelView({ args: [file] }) {
  const model = [...report.models.values()].find((one) => one.file === file);
  if (!model) return missing();
  const scores = await report.rows(`models/${file}`).catch(() => []);
  const approved = model.is_osi_approved === true ? "approved by the OSI" : model.is_osi_approved === false ? "not approved by the OSI" : "not known to be approved";
  return [
    el("h1", null, el("bdi", null, shownName(model.model))),
    facts([
      ["Model", model.model], ["On the Hub", model.hub_id], ["Revision", model.model_revision ?? "not recorded"], ["Licence", `${model.licence ?? "unknown"}, ${approved}`],
      ["Trained from", model.parent_model && `${model.parent_model}${model.training_step === null ? "" : `, step ${model.training_step}`}`], ["Quantization", model.quantization], ["Window, tokens", model.context_length && count(model.context_length)],
      ["Training data end", model.cutoff_date ? `${model.cutoff_date} (${word(null, model.cutoff_kind)}: ${model.cutoff_source})` : "not known"], ["Samples in the lake", count(model.num_samples)],
    ]),
    table(`${scores.length} numbers, those quoted first`, MODEL_COLUMNS, scores, "Nothing could be computed of this model."),
    el("p", null, el("a", { href: route.to("refusals", [], { model: model.model }) }, "Numbers of this model that were not computed, and why")),
  ];
}
