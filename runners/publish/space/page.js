// Runs once in each table's component. `element` holds the table, which the server replaces whenever a choice changes.
const sorted = { title: "", direction: "none" };

function value(row, column) {
  const cell = row.cells[column];
  const text = cell.dataset.sort ?? cell.textContent.trim();
  const number = Number(text);
  return text === "" ? null : Number.isNaN(number) ? text.toLowerCase() : number;
}

function inOrder(one, other) {
  if (typeof one === typeof other) return one < other ? -1 : one > other ? 1 : 0;
  return typeof one === "number" ? -1 : 1;
}

// What is not known stands last in both directions; equal values keep their order.
function sort(header, direction) {
  const body = header.closest("table").tBodies[0];
  const sign = direction === "ascending" ? 1 : -1;
  const rows = Array.from(body.rows, (row) => [value(row, header.cellIndex), row]);
  rows.sort(([one], [other]) => {
    if (one === null || other === null) return (one === null) - (other === null);
    return sign * inOrder(one, other);
  });
  for (const other of header.parentElement.cells) other.setAttribute("aria-sort", "none");
  header.setAttribute("aria-sort", direction);
  body.append(...rows.map(([, row]) => row));
  Object.assign(sorted, { title: header.textContent, direction });
}

// The table as it stands, in the reader's order.
function download(board) {
  const quoted = (cell) => `"${cell.innerText.replace(/\s+/g, " ").trim().replaceAll('"', '""')}"`;
  const rows = Array.from(board.querySelectorAll("tr"), (row) => Array.from(row.cells, quoted).join(","));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([rows.join("\r\n") + "\r\n"], { type: "text/csv" }));
  link.download = board.getAttribute("aria-label").replace(/[^\w.@]+/g, "_").slice(0, 60) + ".csv";
  link.click();
  URL.revokeObjectURL(link.href);
}

element.addEventListener("click", (event) => {
  if (event.target.closest(".csv")) download(event.target.closest(".board"));
  const header = event.target.closest("th[aria-sort]");
  if (header) {
    const first = header.classList.contains("number") && header.dataset.first !== "low" ? "descending" : "ascending";
    const turned = { ascending: "descending", descending: "ascending", none: first };
    sort(header, turned[header.getAttribute("aria-sort")]);
  }
  const link = event.target.closest("a[data-model]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    trigger("select", { model: link.dataset.model });
  }
});

// A new table keeps the order that the reader asked for.
watch("value", () => {
  const headers = Array.from(element.querySelectorAll("th[aria-sort]"));
  const same = headers.find((header) => header.textContent === sorted.title);
  if (same && sorted.direction !== "none") sort(same, sorted.direction);
});
