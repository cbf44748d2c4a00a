// Losses and metrics over the epochs, a line for each training.
const SETS = { training: "#000000", validation: "#CC79A7" };

function curvesOption(panel) {
  const values = panel.curves.flatMap((curve) => curve.values);
  const low = Math.min(...values), high = Math.max(...values);
  const isLog = low > 0 && high / low > 20;
  const strong = panel.curves.some((curve) => curve.used) ? (curve) => curve.used : () => true;
  return {
    grid: { left: 8, right: 16, top: 12, bottom: 24, outerBoundsMode: "same",
      outerBoundsContain: "axisLabel", outerBounds: { left: 4, right: 10, top: 8, bottom: 20 } },
    xAxis: { type: "value", min: "dataMin", max: "dataMax", name: "epoch", nameGap: 24,
      nameLocation: "middle", ...axisLook(), splitLine: { show: false } },
    yAxis: { type: isLog ? "log" : "value", scale: true, splitNumber: 4, ...axisLook() },
    series: panel.curves.map((curve, number) => ({ id: `curve-${number}`, type: "line",
      data: curve.epochs.map((epoch, i) => [epoch, curve.values[i]]), triggerLineEvent: true,
      showSymbol: curve.epochs.length === 1, z: strong(curve) ? 3 : 2, cursor: "default",
      emphasis: { disabled: true },
      lineStyle: { color: visible(SETS[curve.data]), width: strong(curve) ? 2 : 1,
        opacity: strong(curve) ? 1 : 0.35, type: curve.data === "training" ? "solid" : "dashed" },
    })),
  };
}

function history(host, data) {
  const sets = [...new Set(data.panels.flatMap((panel) => panel.curves.map((one) => one.data)))];
  const keys = make("div", { class: "levels" });
  const fill = () => keys.replaceChildren(...sets.map((name) => make("span", { class: "level" },
    keyMark({ shape: name === "training" ? "s" : "o", colour: SETS[name] }), name)));
  fill();
  document.addEventListener("narrows:theme", fill);
  const grid = make("div", { class: "panels" });
  host.append(keys, grid);
  for (const panel of data.panels) {
    const place = make("div", { class: "plot" });
    grid.append(make("div", { class: "panel" }, make("h3", {}, panel.title), place));
    const last = (panel.curves.find((one) => one.used) || panel.curves[0]).values.at(-1);
    const { chart } = chartIn(place, `${panel.title} over the epochs, ${panel.curves.length} `
      + `lines; the one in use ends at ${last}`, () => curvesOption(panel));
    chart.on("mousemove", (event) => {
      const curve = panel.curves[event.seriesIndex];
      const x = chart.convertFromPixel({ xAxisIndex: 0 }, event.event.offsetX);
      const i = curve.epochs.reduce((best, epoch, at) =>
        (Math.abs(epoch - x) < Math.abs(curve.epochs[best] - x) ? at : best), 0);
      showTip(event.event.event, [[`restart ${curve.restart}${curve.used ? ", in use" : ""}`],
        [`${curve.data}, epoch ${curve.epochs[i]}`, shown(curve.values[i])]]);
    });
    chart.on("mouseout", hideTip);
  }
}
