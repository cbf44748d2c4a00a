// A scatter of rows: a series for each level, one for the rows that are not chosen.
const LARGE = 2000;

function sizeFor(count) { return count > 5000 ? 3 : count > 1000 ? 4.5 : 8; }

// `get()` gives x, y and axes; `rows` their numbers in the table and `describe(i)` what a tip says.
function scatter(host, label, { get, level, levels, rows, describe, more = () => [] }) {
  let places = [];
  const option = () => {
    const { x, y, axes } = get();
    const groups = levels.map(() => []);
    const rest = [];
    for (let i = 0; i < level.length; i++) {
      if (x[i] == null || y[i] == null || linked.hidden.has(levels[level[i]].name)) continue;
      const isOut = linked.chosen && !linked.chosen.has(rows[i]);
      (isOut ? rest : groups[level[i]]).push(i);
    }
    const style = { type: "scatter", symbolSize: sizeFor(level.length), large: true,
      largeThreshold: LARGE, progressive: 0, cursor: "default", emphasis: { disabled: true } };
    const isSmall = level.length <= 1000;
    const series = [{ ...style, id: "rest", data: rest.map((i) => [x[i], y[i]]), z: 1,
      symbolSize: sizeFor(level.length) * 0.7,
      itemStyle: { color: css("--faint"), opacity: 0.7 } }];
    places = [rest];
    levels.forEach((one, number) => {
      places.push(groups[number]);
      series.push({ ...style, id: `level-${number}`, z: 2, symbol: symbolOf(one.shape),
        data: groups[number].map((i) => [x[i], y[i]]),
        itemStyle: { color: visible(one.colour), opacity: isSmall ? 0.85 : 0.6,
          borderColor: css("--paper"), borderWidth: isSmall ? 0.6 : 0 } });
    });
    const axis = { type: "value", scale: true, ...axisLook() };
    return {
      grid: { left: 6, right: 12, top: 26, bottom: 24, outerBoundsMode: "same",
        outerBoundsContain: "axisLabel", outerBounds: { left: 2, right: 8, top: 22, bottom: 22 } },
      xAxis: { ...axis, name: axes[0], nameLocation: "middle", nameGap: 22, splitNumber: 4 },
      yAxis: { ...axis, name: axes[1], nameLocation: "end", nameGap: 8, splitNumber: 4,
        nameTextStyle: { ...axis.nameTextStyle, align: "left" } },
      dataZoom: [0, 1].map((number) => ({ type: "inside", filterMode: "none",
        [number ? "yAxisIndex" : "xAxisIndex"]: 0, zoomOnMouseWheel: "ctrl",
        moveOnMouseMove: "shift", moveOnMouseWheel: false, preventDefaultMouseMove: false })),
      series: [...series, ...more()],
    };
  };
  const made = chartIn(host, label, option);
  const { chart } = made;
  const placeOf = ({ seriesIndex, dataIndex }) => places[seriesIndex]?.[dataIndex];
  const ring = new echarts.graphic.Circle({ silent: true, zlevel: 5, z: 100, shape: { r: 8 },
    style: { fill: "none", stroke: css("--ink"), lineWidth: 2 }, ignore: true });
  chart.getZr().add(ring);
  const pointed = (event) => {
    const i = placeOf(event);
    if (i === undefined) return;
    linked.point(rows[i]);
    showTip(event.event.event, describe(i));
  };
  chart.on("mouseover", pointed);
  chart.on("click", pointed);
  chart.on("mouseout", () => { linked.point(null); hideTip(); });
  const placeByRow = new Map(rows.map((row, i) => [row, i]));
  linked.pointers.push((row) => {
    const i = row === null ? undefined : placeByRow.get(row);
    const { x, y } = get();
    if (i === undefined || x[i] == null || y[i] == null) { ring.attr({ ignore: true }); return; }
    const [cx, cy] = chart.convertToPixel({ seriesIndex: 0 }, [x[i], y[i]]);
    ring.attr({ ignore: false, shape: { cx, cy, r: 8 }, style: { stroke: css("--ink") } });
  });
  linked.listeners.push(made.draw);
  return { ...made, get, rows, level, levels };
}
