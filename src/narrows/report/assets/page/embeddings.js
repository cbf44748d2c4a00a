// Embeddings side by side, with filter, lasso, search for a row, and the chosen rows as a table.
const MOST_LISTED = 20;

function levelButtons(data) {
  const buttons = data.levels.map((one) => {
    const button = make("button", { type: "button", class: "level", "aria-pressed": "true" });
    const fill = () => button.replaceChildren(keyMark(one), make("bdi", {}, one.name));
    fill();
    document.addEventListener("narrows:theme", fill);
    button.addEventListener("click", () => {
      const isShown = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!isShown));
      linked.hide(one.name, isShown);
    });
    return button;
  });
  return make("div", { class: "levels", role: "group", "aria-label": `Show or hide ${data.label}` },
    make("span", { class: "quiet" }, data.label), ...buttons);
}

function describeRow(data, i) {
  const lines = [[`row ${data.names[i]}`], [data.label, data.labels[i]]];
  for (const column of data.columns) lines.push([column.name, shown(column.values[i])]);
  return lines;
}

function chosenRows(data) {
  return data.rows.map((row, i) => i).filter((i) => linked.chosen?.has(data.rows[i])
    && !linked.hidden.has(data.levels[data.level[i]].name));
}

function csvOf(data, places) {
  // A spreadsheet would run a cell that starts like a formula.
  const cell = (value) => {
    const text = value === null ? "" : String(value);
    const safe = typeof value !== "number" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
  };
  const head = ["row", data.label, ...data.columns.map((column) => column.name)];
  const lines = places.map((i) => [data.names[i], data.labels[i],
    ...data.columns.map((column) => column.values[i])]);
  return [head, ...lines].map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
}

function chosenTable(data, places) {
  const head = ["row", data.label, ...data.columns.map((column) => column.name)];
  const body = places.slice(0, MOST_LISTED).map((i) => make("tr", {},
    make("th", { scope: "row" }, data.names[i]), make("td", {}, make("bdi", {}, data.labels[i])),
    ...data.columns.map((column) => make("td", {}, make("bdi", {}, shown(column.values[i]))))));
  return make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Chosen rows" },
    make("table", { "aria-label": "Chosen rows" },
      make("thead", {}, make("tr", {}, ...head.map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, ...body)));
}

function showChosen(data, status, list, clear) {
  const places = chosenRows(data);
  clear.disabled = !linked.chosen;
  list.replaceChildren();
  if (!linked.chosen) { status.textContent = ""; return; }
  const counts = data.levels.map((one, number) =>
    [places.filter((i) => data.level[i] === number).length, one.name]);
  const parts = counts.filter(([count]) => count).map(([count, name]) => `${count} ${name}`);
  status.textContent = `${places.length} of ${data.rows.length} rows chosen`
    + (parts.length ? `: ${parts.join(", ")}.` : ".");
  if (!places.length) return;
  const left = places.length - MOST_LISTED;
  list.append(chosenTable(data, places));
  if (left > 0) list.append(make("p", { class: "note" }, `${left} more are in the file.`));
  list.append(make("button", { type: "button", onclick: () => save("chosen-rows.csv",
    new Blob([csvOf(data, places)], { type: "text/csv" })) }, "Save the chosen rows (CSV)"));
}

function rowSearch(data, status) {
  const input = make("input", { type: "search", autocomplete: "off", size: "10" });
  const form = make("form", { class: "search" }, make("label", {}, "Row ", input),
    make("button", { type: "submit" }, "Find"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = input.value.trim();
    const found = data.rows.filter((row, i) => data.names[i].trim() === wanted);
    linked.choose(found.length ? new Set(found) : null);
    if (!found.length) status.textContent = `No row drawn here is called ${wanted}.`;
    else linked.point(found[0]);
  });
  return form;
}

function embeddings(host, data) {
  const status = make("p", { class: "status", role: "status" });
  const list = make("div", { class: "chosen" });
  const lasso = make("button", { type: "button", "aria-pressed": "false" }, "Lasso");
  const clear = make("button", { type: "button", disabled: true,
    onclick: () => linked.choose(null) }, "Choose none");
  const whole = make("button", { type: "button" }, "Whole figures");
  const help = make("p", { class: "note" }, "Point at a row to see its values and where it lies "
    + "in every embedding. With the lasso, draw around points to choose their rows everywhere. "
    + "Ctrl and the wheel zoom, Shift and the pointer move.");
  const grid = make("div", { class: "panels" });
  host.append(levelButtons(data),
    make("div", { class: "tools" }, lasso, clear, whole, rowSearch(data, status)), help, grid,
    status, list);
  const switches = [], charts = [];
  for (const panel of data.panels) {
    const place = make("div", { class: "plot" });
    grid.append(make("div", { class: "panel" }, make("h3", {}, panel.title), place));
    const made = scatter(place, `Embedding by ${panel.title}: ${data.rows.length} rows coloured `
      + `by ${data.label}`, { get: () => panel, level: data.level, levels: data.levels,
      rows: data.rows, describe: (i) => describeRow(data, i) });
    charts.push(made.chart);
    switches.push(lassoOn(made, place));
  }
  lasso.addEventListener("click", () => {
    const isOn = lasso.getAttribute("aria-pressed") !== "true";
    lasso.setAttribute("aria-pressed", String(isOn));
    for (const set of switches) set(isOn);
  });
  whole.addEventListener("click", () => {
    for (const chart of charts) for (const dataZoomIndex of [0, 1])
      chart.dispatchAction({ type: "dataZoom", dataZoomIndex, start: 0, end: 100 });
  });
  linked.listeners.push(() => showChosen(data, status, list, clear));
}
