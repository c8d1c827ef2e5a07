// Call times: one distribution per command and device.

const WIDTH = 420, HEIGHT = 26, STEPS = 4;
const SVG = "http://www.w3.org/2000/svg";

function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function drawTimes() {
  const all = DATA.times;
  if (!all.length) return byId("times").remove();
  const low = Math.floor(Math.min(...all.map((one) => one.buckets[0][0])) / STEPS) * STEPS;
  const high = Math.ceil((Math.max(...all.map((one) => one.buckets[one.buckets.length - 1][0])) + 1) / STEPS) * STEPS;
  const x = (bucket) => ((bucket - low) / (high - low)) * WIDTH;
  const commands = [...groupBy(all, (one) => one.command)];
  const rows = commands.flatMap(([command, ones]) => ones.map((one, i) => [
    i ? "" : command, one.device || "no device", String(one.count), duration(one.median), duration(one.p99), distribution(one, x),
  ]));
  byId("distributions").append(table(["command", "device", "calls", "median", "99 %", axis(low, high, x)], rows, { class: "times" }));
}

function distribution(one, x) {
  const text = `${one.command}: ${one.count} calls, median ${duration(one.median)}, 99 % below ${duration(one.p99)}`;
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img", "aria-label": text });
  const tallest = Math.max(...one.buckets.map(([, count]) => count));
  for (const [bucket, count] of one.buckets) {
    const height = Math.max(1.5, (count / tallest) * (HEIGHT - 2));
    svg.append(shape("rect", { x: x(bucket), y: HEIGHT - height, width: x(bucket + 1) - x(bucket) - 1, height }));
  }
  const at = (ns) => x(STEPS * Math.log10(Math.max(ns, 1)));
  svg.append(shape("line", { x1: at(one.median), x2: at(one.median), y1: 0, y2: HEIGHT }));
  svg.append(shape("circle", { cx: at(one.p99), cy: HEIGHT - 4, r: 3 }));
  return svg;
}

function axis(low, high, x) {
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} 14`, width: WIDTH, height: 14, "aria-hidden": "true" });
  for (let bucket = low; bucket < high; bucket += STEPS) {
    const label = shape("text", { x: x(bucket), y: 11 });
    label.textContent = duration(10 ** (bucket / STEPS)).replace(/\.0+ /, " ");
    svg.append(label);
  }
  return svg;
}
