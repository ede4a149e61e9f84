"use strict";
// Tables that a screen reader, a keyboard, a narrow screen and a printer can use, and fields above them.

const SHOWN_ROWS = 600;
const counting = new Intl.Collator("en", { numeric: true }); // problem 2 before problem 10

function inOrder(one, other, sign) {
  const [a, b] = [one ?? null, other ?? null];
  if (a === null || b === null) return (a === null) - (b === null); // what is not known stands last both ways
  if (typeof a === "string" && typeof b === "string") return sign * counting.compare(a, b);
  if (typeof a !== typeof b) return sign * (typeof a === "number" ? -1 : 1);
  return sign * (a < b ? -1 : a > b ? 1 : 0);
}

// columns: { title, cell(row) -> node, text or list, sort(row), number, low, long, about }; the first one names the row.
function table(caption, columns, rows, empty) {
  if (!rows.length) return el("p", { class: "notice" }, empty || "No row fits what is chosen above.");
  let shown = Math.min(rows.length, SHOWN_ROWS);
  let ordered = rows;
  const body = el("tbody");
  const more = el("button", { type: "button", class: "more", onclick: () => { const from = shown; shown = Math.min(ordered.length, shown + SHOWN_ROWS); draw(from); } });
  const line = (row) => el("tr", null, columns.map((column, number) => {
    const kind = column.number ? "number" : column.long ? "long" : null;
    return number === 0 ? el("th", { scope: "row", class: kind }, column.cell(row)) : el("td", { class: kind }, column.cell(row));
  }));
  const draw = (from) => {
    body.append(...ordered.slice(from, shown).map(line));
    more.hidden = shown >= ordered.length;
    more.textContent = `Show ${Math.min(SHOWN_ROWS, ordered.length - shown)} more of ${count(ordered.length)} rows`;
  };
  const heads = columns.map((column) => {
    const sorts = column.sort !== undefined;
    const label = sorts ? el("button", { type: "button", onclick: () => order(column) }, column.title) : el("span", null, column.title);
    return el("th", { scope: "col", title: column.about, class: column.number ? "number" : null, "aria-sort": sorts ? "none" : null }, label);
  });
  function order(column) {
    const head = heads[columns.indexOf(column)];
    const first = column.number && !column.low ? "descending" : "ascending";
    const turned = { ascending: "descending", descending: "ascending", none: first }[head.getAttribute("aria-sort")];
    heads.forEach((one) => one.hasAttribute("aria-sort") && one.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", turned);
    const sign = turned === "ascending" ? 1 : -1;
    ordered = [...rows].sort((one, other) => inOrder(column.sort(one), column.sort(other), sign));
    body.replaceChildren();
    draw(0);
    say(`sorted by ${column.title}, ${turned}`);
  }
  draw(0);
  return el("div", null,
    el("div", { class: "board", role: "region", tabindex: "0", "aria-label": caption },
      el("table", null, el("caption", null, el("span", null, caption)), el("thead", null, el("tr", null, heads)), body)),
    more);
}

// A choice that changes the address. options: [value, label]
function choice(label, name, options, value) {
  const id = `choose-${name}`;
  const list = el("select", { id, onchange: (event) => route.change({ [name]: event.target.value }) },
    options.map(([one, shown]) => el("option", { value: one }, shown)));
  list.value = value;
  return el("div", { class: "field" }, el("label", { for: id }, label), list);
}

// Words that rows must hold; told of every key, without a new address for each.
function search(label, value, told) {
  return el("div", { class: "field" }, el("label", { for: "search" }, label),
    el("input", { id: "search", type: "search", autocomplete: "off", spellcheck: "false", value, oninput: (event) => told(event.target.value) }));
}

function tick(label, name, is_on) {
  return el("label", { class: "tick" },
    el("input", { id: `tick-${name}`, type: "checkbox", checked: is_on, onchange: (event) => route.change({ [name]: event.target.checked ? "1" : "0" }) }),
    label);
}

const fields = (...children) => el("div", { class: "fields", role: "group", "aria-label": "What is shown" }, children);

const fits = (text, wanted) => wanted.toLowerCase().split(/\s+/).every((part) => text.toLowerCase().includes(part));

function facts(pairs) {
  return el("dl", { class: "facts" }, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value))));
}

// ---- cells that several tables share

function modelLink(model) {
  const known = report.models.get(model);
  const name = pieces(shownName(model)).flatMap((piece) => typeof piece === "string" ? piece.split(/(?<=\/)/).flatMap((part, number) => number ? [el("wbr"), part] : [part]) : [piece]);
  return el("bdi", null, known ? el("a", { href: route.to("model", [known.file]) }, name) : name);
}

// `71.2 [64.1, 77.6]`, and the same drawn.
function interval(row) {
  const drawn = el("span", { class: "interval", "aria-hidden": "true" });
  const at = { low: row.interval_low ?? row.score, high: row.interval_high ?? row.score, at: row.score };
  for (const [name, share] of Object.entries(at)) drawn.style.setProperty(`--${name}`, `${(100 * share).toFixed(2)}%`);
  const limits = row.interval_low === null ? "" : ` [${percent(row.interval_low)}, ${percent(row.interval_high)}]`;
  return [el("b", null, percent(row.score)), el("span", { class: "limits" }, limits), drawn];
}

function ranks(row) {
  if (row.rank_low === null || row.rank_low === undefined) return "–";
  const places = row.rank_low === row.rank_high ? `${row.rank_low}` : `${row.rank_low}–${row.rank_high}`;
  return [places, el("span", { class: "of" }, ` of ${row.num_models ?? row.num_models_ranked}`)];
}

const conditions = (row) => [
  [row.protocol || "protocol unknown", row.temperature === null ? "T unknown" : `T ${row.temperature}`, `n = ${row.num_planned}`].join(" · "),
  " ", el("code", { title: row.comparability_digest }, String(row.comparability_digest).slice(0, 6)),
];

const column = (title, name, more) => ({ title, cell: (row) => (Array.isArray(row[name]) ? row[name].join(", ") : row[name] ?? ""), sort: (row) => (Array.isArray(row[name]) ? row[name].join() : row[name]), ...more });
const counted = (title, name, more) => ({ title, cell: (row) => count(row[name]), sort: (row) => row[name], number: true, ...more });
const named = (more) => ({ title: "Model", cell: (row) => modelLink(row.model), sort: (row) => shownName(row.model).toLowerCase(), ...more });
