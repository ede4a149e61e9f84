"use strict";
// Data as scripts, and elements made of texts. Nothing here or anywhere makes markup of a string.

const report = {
  known: new Map(),
  waiting: new Map(),
  keep: 80,

  // Called by every file of data.
  take(name, value) {
    if (name === "index") {
      report.index = value;
      report.start();
      return;
    }
    report.known.set(name, value);
    if (report.known.size > report.keep) report.known.delete(report.known.keys().next().value);
  },

  // The value of data/<name>.js; a page opened from a file may load scripts, but not fetch.
  load(name) {
    if (!/^\w+\/\w+(-\d+)*$/.test(name)) return Promise.reject(new Error("no such address"));
    if (report.known.has(name)) return Promise.resolve(report.known.get(name));
    if (!report.waiting.has(name)) report.waiting.set(name, report.script(`data/${name}.js`).then(
      () => report.known.get(name),
    ).finally(() => report.waiting.delete(name)));
    return report.waiting.get(name);
  },

  script(path) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = path;
      script.onload = () => { script.remove(); resolve(); };
      script.onerror = () => { script.remove(); reject(new Error(`${path} is missing: write the report again`)); };
      document.head.append(script);
    });
  },

  // Rows of a packed table (chunks.py) as objects.
  table(packed) {
    const columns = Object.entries(packed.columns).map(([name, [form, values, places]]) => [
      name, form === 0 ? () => values : form === 1 ? (row) => values[places[row]] : (row) => values[row],
    ]);
    return Array.from({ length: packed.rows }, (_, row) => {
      const object = {};
      for (const [name, value] of columns) object[name] = value(row);
      return object;
    });
  },

  async rows(name) {
    return report.table(await report.load(name));
  },
};

// What cannot be seen, or moves its neighbours: controls, marks of direction, half surrogate pairs, tags.
const ODD = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

const codeOf = (character) => `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
// For places that take no elements: attributes, charts.
const printed = (text) => text.replace(ODD, codeOf);

function odd(character) {
  const code = character.codePointAt(0);
  const name = codeOf(character);
  const mark = document.createElement("span");
  mark.className = "odd";
  mark.title = `the character ${name}`;
  mark.textContent = code < 0x20 ? String.fromCharCode(0x2400 + code) : name;
  return mark;
}

// A text as nodes: what is odd in it is seen and does nothing.
function pieces(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(ODD)) {
    if (found.index > end) nodes.push(text.slice(end, found.index));
    nodes.push(odd(found[0]));
    end = found.index + found[0].length;
  }
  if (end < text.length) nodes.push(text.slice(end));
  return nodes;
}

function put(parent, child) {
  if (child === null || child === undefined || child === false) return;
  if (Array.isArray(child)) child.forEach((one) => put(parent, one));
  else if (child instanceof Node) parent.append(child);
  else parent.append(...pieces(String(child)));
}

// el("a", { href: "#x", class: "y", onclick: f }, "text", node, [more])
function el(tag, given, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : name === "title" || name === "aria-label" ? printed(String(value)) : value);
  }
  children.forEach((child) => put(element, child));
  return element;
}

// Addresses of views: #view/argument/argument?name=value
const route = {
  read() {
    const [path, query] = location.hash.slice(1).split("?", 2);
    const [view, ...args] = path.split("/");
    return { view: view || "board", args, query: new URLSearchParams(query || "") };
  },
  to(view, args = [], query = {}) {
    const kept = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
    const text = new URLSearchParams(kept).toString();
    return `#${[view, ...args].join("/")}${text ? `?${text}` : ""}`;
  },
  // The same view with other choices; the place in the page and the focus stay.
  change(changes) {
    const { view, args, query } = route.read();
    report.stays = document.activeElement && document.activeElement.id;
    location.hash = route.to(view, args, { ...Object.fromEntries(query), ...changes });
  },
};

function say(text) {
  document.getElementById("said").textContent = text;
}

const percent = (share) => (share === null || share === undefined ? "–" : (100 * share).toFixed(1));
const signed = (share) => {
  const text = Math.abs(100 * share).toFixed(1);
  return text === "0.0" ? "0.0" : `${share > 0 ? "+" : "\u2212"}${text}`;
};
const count = (number) => (number === null || number === undefined ? "–" : number.toLocaleString("en").replaceAll(",", "\u202f"));
const probability = (p) => (p === null || p === undefined ? "–" : p < 1e-4 ? "< 0.0001" : Number(p.toPrecision(2)).toString());
