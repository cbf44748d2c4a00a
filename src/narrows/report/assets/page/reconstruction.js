// Each row's value in a column against its reconstruction, arm beside arm.
function reconstruction(host, data) {
  const names = [...new Set(data.panels.flatMap((panel) => panel.columns.map((one) => one.name)))];
  const charts = [];
  const select = make("select", { onchange: () => charts.forEach((draw) => draw()) },
    ...names.map((name) => make("option", { value: name }, name)));
  const grid = make("div", { class: "panels" });
  host.append(make("div", { class: "tools" }, make("label", {}, "Column ", select)), grid);
  const nothing = { original: [], rebuilt: [] };
  for (const panel of data.panels) {
    const place = make("div", { class: "plot" });
    grid.append(make("div", { class: "panel" }, make("h3", {}, panel.title), place));
    const current = () => panel.columns.find((one) => one.name === select.value) || nothing;
    const get = () => ({ x: current().original, y: current().rebuilt,
      axes: ["original", "reconstructed"] });
    const line = () => {
      const values = [...current().original, ...current().rebuilt].filter((v) => v !== null);
      const ends = values.length ? [Math.min(...values), Math.max(...values)] : [];
      return [{ id: "line", type: "line", silent: true, symbol: "none", z: 0,
        data: ends.map((v) => [v, v]), lineStyle: { color: css("--quiet"), type: "dashed" } }];
    };
    const made = scatter(place, `Values of a column against what ${panel.title} made of them`, {
      get, level: data.level, levels: data.levels, rows: data.rows, more: line,
      describe: (i) => [[`row ${data.names[i]}`], ["original", shown(current().original[i])],
        ["reconstructed", shown(current().rebuilt[i])]] });
    charts.push(made.draw);
  }
}
