// Colours that can be seen on the page's ground, symbols, the box beside the pointer.
const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

function luminance(colour) {
  const [r, g, b] = channels(colour).map((c) => {
    const part = c / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

// Marks need three to one (WCAG 1.4.11): a colour moves towards black or white until it has that.
function visible(colour) {
  const ground = css("--paper");
  const end = isDark() ? 255 : 0;
  let found = colour;
  for (let share = 0.1; contrast(found, ground) < 3 && share <= 1; share += 0.1) {
    const mixed = channels(colour).map((c) => Math.round(c + share * (end - c)));
    found = "#" + mixed.map((c) => c.toString(16).padStart(2, "0")).join("");
  }
  return found;
}

const SYMBOLS = {
  o: "circle", "^": "triangle", s: "rect", D: "diamond",
  v: "path://M0,0 L10,0 L5,9 Z",
  P: "path://M3,0 L7,0 L7,3 L10,3 L10,7 L7,7 L7,10 L3,10 L3,7 L0,7 L0,3 L3,3 Z",
  X: "path://M2,0 L5,3 L8,0 L10,2 L7,5 L10,8 L8,10 L5,7 L2,10 L0,8 L3,5 L0,2 Z",
  "<": "path://M9,0 L9,10 L0,5 Z", ">": "path://M0,0 L0,10 L9,5 Z",
  x: "path://M1,0 L5,4 L9,0 L10,1 L6,5 L10,9 L9,10 L5,6 L1,10 L0,9 L4,5 L0,1 Z",
};
const symbolOf = (shape) => SYMBOLS[shape] || "circle";

// ECharts draws it too, so that a key looks like its points.
function keyMark(level) {
  const host = make("span", { class: "key", "aria-hidden": "true" });
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "-1 -1 12 12");
  const shapes = {
    o: "M5,0 A5,5 0 1 1 4.99,0 Z", "^": "M5,0.5 L10,9.5 L0,9.5 Z", s: "M0.5,0.5 H9.5 V9.5 H0.5 Z",
    D: "M5,0 L10,5 L5,10 L0,5 Z",
  };
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const drawn = shapes[level.shape] || symbolOf(level.shape).replace("path://", "");
  path.setAttribute("d", drawn);
  path.setAttribute("fill", visible(level.colour));
  svg.append(path);
  host.append(svg);
  return host;
}

const axisLook = () => ({
  axisLine: { onZero: false, lineStyle: { color: css("--edge") } },
  axisTick: { show: false },
  axisLabel: { color: css("--quiet"), fontSize: 11, hideOverlap: true },
  splitLine: { lineStyle: { color: css("--line") } },
  nameTextStyle: { color: css("--quiet"), fontSize: 11 },
});
const FONT = getComputedStyle(document.body).fontFamily;

// A chart in a host; drawn again when the theme or the host's width changes.
function chartIn(host, label, option) {
  host.setAttribute("role", "img");
  host.setAttribute("aria-label", label);
  const chart = echarts.init(host, null, { renderer: "canvas" });
  const draw = () => {
    chart.setOption({
      animation: false, backgroundColor: "transparent",
      textStyle: { fontFamily: FONT, color: css("--ink") }, ...option(),
    }, { replaceMerge: ["series"] });
  };
  document.addEventListener("narrows:theme", draw);
  new ResizeObserver(() => { chart.resize(); draw(); }).observe(host);
  draw();
  return { chart, draw };
}

const tip = make("div", { class: "tip", hidden: true, "aria-hidden": "true" });
document.body.append(tip);

// Beside the pointer, and inside the window.
function showTip(event, lines) {
  tip.replaceChildren(...lines.map(([name, value]) => {
    if (value === undefined) return make("strong", {}, name);
    return make("div", {}, make("span", {}, name), make("bdi", {}, value));
  }));
  tip.hidden = false;
  const { clientX, clientY } = event.touches ? event.touches[0] || event.changedTouches[0] : event;
  const width = tip.offsetWidth, height = tip.offsetHeight;
  const left = clientX + 16 + width > innerWidth ? clientX - width - 16 : clientX + 16;
  tip.style.left = `${Math.max(4, Math.min(left, innerWidth - width - 4))}px`;
  tip.style.top = `${Math.max(4, Math.min(clientY + 12, innerHeight - height - 4))}px`;
}
const hideTip = () => { tip.hidden = true; };
addEventListener("scroll", hideTip, { passive: true });
const shown = (value) => (value === null || value === undefined ? "–"
  : typeof value === "number" ? String(value).replace("-", "−") : value);
