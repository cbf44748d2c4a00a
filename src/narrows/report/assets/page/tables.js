// A table is sorted by a click, or Enter, on a column's heading; a second one turns it round.
const NUMBER = /^[+−-]?[\d.,]+(e[+−-]?\d+)?/;

function numberIn(text) {
  const found = NUMBER.exec(text.trim());
  return found ? Number(found[0].replace(/−/g, "-").replace(/,/g, "")) : NaN;
}

function sortTable(table, place, direction) {
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, text: row.cells[place].textContent.trim() }));
  const isAbsent = ({ text }) => text === "" || text === "–";
  const numeric = rows.every((one) => isAbsent(one) || !Number.isNaN(numberIn(one.text)));
  rows.sort((one, other) => {
    if (isAbsent(one) || isAbsent(other)) return isAbsent(one) - isAbsent(other);
    const order = numeric
      ? numberIn(one.text) - numberIn(other.text)
      : one.text.localeCompare(other.text, "en", { numeric: true });
    return direction * order;
  });
  body.append(...rows.map(({ row }) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  if (table.tBodies[0].rows.length < 2) continue;
  heads.forEach((head, place) => {
    const button = make("button", { type: "button", class: "sort" }, head.textContent);
    button.addEventListener("click", () => {
      const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
      sortTable(table, place, direction);
    });
    head.replaceChildren(button);
  });
}
