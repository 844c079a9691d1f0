// Charts of the selection, drawn as `report.figures` draws those of the whole.
const BARS = 24, FLOOR = 196;
const SVG = Object.assign(document.createElement("div"), {innerHTML: "<svg></svg>"}).firstChild.namespaceURI;
const PART_COLOURS = {won: "c-won", open_due: "c-due", open_pulled_in: "c-pulled", new: "c-new"};
function shape(name, given, words) {
  const made = document.createElementNS(SVG, name);
  for (const key in given) made.setAttribute(key, given[key]);
  if (words) made.textContent = words;
  return made;
}
function drawing(height, label, kind) {
  return shape("svg", {width: "100%", height: height, role: "img", "aria-label": label, class: ("chart " + kind).trim()});
}
function ticks(low, high) {
  const raw = (high - low) / 5, size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => size * m).find((s) => s >= raw * 0.999), out = [];
  for (let i = Math.ceil(low / step - 1e-9); i <= Math.floor(high / step + 1e-9); i++) out.push(i * step);
  return out;
}

function quarter(total) {
  const label = t("Outcomes of the selection: most likely {p50}; 80 % range {low} to {high}", {p50: money(total.p50), low: money(total.p10), high: money(total.p90)});
  const svg = drawing(FLOOR + 24, label, ""), sorted = total.sorted;
  let low = quantile(sorted, 0.003), high = quantile(sorted, 0.997);
  if (!(high > low)) { const room = Math.max(Math.abs(low) * 0.1, 1); low -= room; high += room; }
  const at = (x) => 0.5 + 99 * (x - low) / (high - low), words = (x, edge) => (x < edge ? "start" : x > 100 - edge ? "end" : "middle");
  for (const t of ticks(low, high)) {
    const x = at(t);
    svg.append(shape("line", {x1: x + "%", x2: x + "%", y1: 24, y2: FLOOR, class: "grid"}),
      shape("text", {x: x + "%", y: FLOOR + 16, "text-anchor": words(x, 8), class: "tick"}, money(t)));
  }
  const counts = new Array(BARS).fill(0), width = (high - low) / BARS;
  for (const x of sorted) counts[Math.min(BARS - 1, Math.max(0, Math.floor((x - low) / width)))]++;
  const tallest = Math.max(...counts);
  counts.forEach(function (n, i) {
    const from = low + i * width, middle = from + width / 2, height = (FLOOR - 32) * n / tallest;
    const within = (a, b) => total[a] <= middle && middle <= total[b];
    const kind = within("p25", "p75") ? "in50" : within("p10", "p90") ? "in80" : within("p025", "p975") ? "in95" : "tail";
    const place = {x: at(from) + "%", width: at(from + width) - at(from) + "%"};
    svg.append(shape("rect", {...place, y: FLOOR - height, height: height, class: "bar " + kind}),
      shape("rect", {...place, y: 24, height: FLOOR - 24, class: "hit", "data-tip": t("{low} to {high}: {share} of outcomes. Chance to reach {low}: {reach}.",
        {low: money(from), high: money(from + width), share: percent(n / sorted.length), reach: percent(chanceToReach(sorted, from))})}));
  });
  const x = at(total.p50);
  svg.append(shape("line", {x1: x + "%", x2: x + "%", y1: 24, y2: FLOOR, class: "middle"}),
    shape("text", {x: x + "%", y: 16, "text-anchor": words(x, 26), class: "mark"}, t("most likely {p50}", {p50: money(total.p50)})));
  return svg;
}
function partsBar(sums) {
  const shown = ["won", ...DRAWN].filter((part) => sums[part].mean > 0), whole = shown.reduce((n, part) => n + sums[part].mean, 0);
  const svg = drawing(40, t("Parts of the mean of the selection; the table below holds the same numbers"), "rounded");
  let at = 0;
  for (const part of shown) {
    const width = 100 * sums[part].mean / whole;
    svg.append(shape("rect", {x: at + "%", y: 0, width: width + "%", height: 40, class: PART_COLOURS[part]}));
    at += width;
  }
  return svg;
}
filters.heard.push(function (sums) {
  if (sums === null) return;
  if (filters.cells.length) put("quarter-chart", quarter(sums.total)); else put("quarter-chart", make("p", "empty", t("Nothing is in this selection.")));
  put("parts-chart", partsBar(sums));
});
