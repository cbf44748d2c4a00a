// A line around points chooses their rows, in every figure.
function isInside(polygon, x, y) {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i], [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

function rowsInside({ get, rows, level, levels }, polygon) {
  const { x, y } = get();
  const found = new Set();
  for (let i = 0; i < rows.length; i++) {
    if (x[i] == null || y[i] == null || linked.hidden.has(levels[level[i]].name)) continue;
    if (isInside(polygon, x[i], y[i])) found.add(rows[i]);
  }
  return found;
}

function lassoOn(panel, host) {
  const canvas = make("canvas", { class: "lasso", hidden: true, "aria-hidden": "true" });
  host.append(canvas);
  let line = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const draw = () => {
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (!line) return;
    pen.beginPath();
    line.forEach(([x, y]) => pen.lineTo(x, y));
    pen.closePath();
    pen.strokeStyle = css("--link");
    pen.lineWidth = 1.5;
    pen.stroke();
    pen.globalAlpha = 0.12;
    pen.fillStyle = css("--link");
    pen.fill();
    pen.globalAlpha = 1;
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.width = canvas.clientWidth;
    canvas.height = canvas.clientHeight;
    canvas.setPointerCapture(event.pointerId);
    line = [at(event)];
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!line) return;
    line.push(at(event));
    draw();
  });
  const end = () => {
    if (!line) return;
    const polygon = line.map((point) => panel.chart.convertFromPixel({ seriesIndex: 0 }, point));
    line = null;
    draw();
    linked.choose(polygon.length > 2 ? rowsInside(panel, polygon) : null);
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", () => { line = null; draw(); });
  return (isOn) => { canvas.hidden = !isOn; };
}
