"use strict";
// What the page says of the marts' words.

const words = {
  verdicts: { official: "official", strict: "strict", corrected_extraction: "corrected extraction" },
  scopes: { all: "all problems", clean: "clean: younger than the training data", without_errata: "without known errata" },
  origins: { self: "run by us", published: "verdicts of others" },
  reasons: {
    ok: "passed", wrong_answer: "wrong answer", exception: "exception", timeout: "timeout", memory: "memory",
    output_limit: "too much output", opaque_type: "value that cannot be compared", syntax: "syntax error",
    empty: "no program", killed: "killed", tamper: "tampered with the judge", not_one_expression: "not one expression",
    not_recorded: "not recorded", not_judged: "not judged",
  },
  glossary: [
    ["Percent solved [95 %]", "pass@k: a problem counts as solved where any of k samples passes; pass^k: where all of k pass. The interval is for the mean over problems like these; its method stands in the row."],
    ["Ranks possible", "The ranks that the noise allows, for all models of a board at once with 95 %. Only rows asked under the same conditions are ranked together."],
    ["Conditions", "Prompt protocol, temperature, samples per problem, and a digest of everything that must be equal before two models may be compared."],
    ["Reading", "official: as the benchmark's own harness reads an answer. strict: the best reading of what the model meant. corrected extraction: only the extraction of the program is corrected, the harness's own comparison kept."],
    ["Trust tier", "values: what the program returned is compared outside its process. suite: the tests ran in the program's own process, which could deceive them. published: verdicts of others, counted again here."],
    ["Origin", "self: we ran the model and judged its programs. published: somebody else's verdicts; the source names repository and commit."],
    ["Who is really better", "Paired by problem, under equal conditions. A difference is marked only where it holds in its family of questions after correction: against the best, against the baseline, between neighbours, or among all pairs."],
    ["Not computed", "A number that honest inputs do not give is refused, with its reason; nothing is estimated in its place."],
  ],
};

const word = (list, name) => (list && Object.hasOwn(list, name) ? list[name] : String(name ?? "–").replaceAll("_", " "));
// `org/name`, as the Hub writes it.
const shownName = (model) => String(model).replace("__", "/");
const cellTitle = (cell) => (cell.scenario === "default" ? cell.title : `${cell.title}: ${cell.scenario}`);
