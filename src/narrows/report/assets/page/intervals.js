// Each arm's difference from the reference with its interval.
const VERDICTS = {
  better: ["^", "#0072B2"], worse: ["v", "#D55E00"],
  equivalent: ["s", "#000000"], undecided: ["o", "#7F7F7F"],
};
const verdictMark = (verdict) => VERDICTS[verdict] || VERDICTS.undecided;

function intervalLine(params, api) {
  const [low, row] = api.coord([api.value(0), api.value(2)]);
  const [high] = api.coord([api.value(1), api.value(2)]);
  return { type: "line", shape: { x1: low, y1: row, x2: high, y2: row },
    style: { stroke: api.visual("color"), lineWidth: 2.5 } };
}

function intervalsOption(data, panel, range, width) {
  const colours = panel.arms.map((arm) => visible(verdictMark(arm.verdict)[1]));
  const label = Math.min(190, width * 0.42);
  return {
    grid: { left: label + 12, right: 16, top: 6, bottom: 42 },
    xAxis: { type: "value", min: range[0], max: range[1], name: data.axis, nameGap: 26,
      nameLocation: "middle", ...axisLook() },
    yAxis: { type: "category", inverse: true, data: panel.arms.map((arm) => arm.name),
      ...axisLook(), axisLabel: { color: css("--ink"), fontSize: 11.5, lineHeight: 13, width: label,
        overflow: "break", interval: 0 } },
    series: [
      { id: "lines", type: "custom", renderItem: intervalLine, encode: { x: [0, 1], y: 2 },
        data: panel.arms.flatMap((arm, place) => (arm.low === null ? [] : [{
          value: [arm.low, arm.high, place], itemStyle: { color: colours[place] } }])),
        silent: true, z: 2,
        markArea: { silent: true, itemStyle: { color: css("--band") },
          data: data.rope > 0 ? [[{ xAxis: -data.rope }, { xAxis: data.rope }]] : [] },
        markLine: { silent: true, symbol: "none", label: { show: false },
          lineStyle: { color: css("--quiet"), type: "dashed" }, data: [{ xAxis: 0 }] } },
      { id: "points", type: "scatter", symbolSize: 12, z: 3, cursor: "default",
        emphasis: { disabled: true },
        data: panel.arms.map((arm, place) => ({ value: [arm.difference, place],
          symbol: symbolOf(verdictMark(arm.verdict)[0]), itemStyle: { color: colours[place] } })) },
    ],
  };
}

function intervals(host, data) {
  const ends = data.panels.flatMap((panel) => panel.arms.flatMap((arm) =>
    [arm.low ?? arm.difference, arm.high ?? arm.difference])).concat(0, data.rope, -data.rope);
  const span = Math.max(...ends) - Math.min(...ends) || 1;
  const step = 10 ** Math.floor(Math.log10(span)) / 2;
  const range = [Math.floor((Math.min(...ends) - 0.02 * span) / step) * step,
    Math.ceil((Math.max(...ends) + 0.02 * span) / step) * step];
  const keys = make("div", { class: "levels" });
  const used = Object.keys(VERDICTS).filter((name) =>
    data.panels.some((panel) => panel.arms.some((arm) => arm.verdict === name)));
  const fill = () => keys.replaceChildren(...used.map((name) => make("span", { class: "level" },
    keyMark({ shape: VERDICTS[name][0], colour: VERDICTS[name][1] }), name)));
  fill();
  document.addEventListener("narrows:theme", fill);
  const grid = make("div", { class: "panels broad" });
  host.append(keys, grid);
  for (const panel of data.panels) {
    const place = make("div", { class: "plot" });
    place.style.height = `${60 + 34 * panel.arms.length}px`;
    grid.append(make("div", { class: "panel" }, make("h3", {}, panel.title), place));
    const said = panel.arms.map((arm) => `${arm.name} ${shown(arm.difference)}, ${arm.verdict}`);
    const { chart } = chartIn(place, `${panel.title}: ${data.axis}: ${said.join("; ")}`,
      () => intervalsOption(data, panel, range, place.clientWidth));
    chart.on("mouseover", (event) => {
      const arm = panel.arms[event.dataIndex];
      showTip(event.event.event, [[arm.name], ["verdict", arm.verdict],
        ["difference", shown(arm.difference)],
        ["95 % interval", arm.low === null ? "–" : `${shown(arm.low)} to ${shown(arm.high)}`],
        ["P(better), P(equiv.), P(worse)", arm.chances.map(shown).join(", ")]]);
    });
    chart.on("mouseout", hideTip);
  }
}
