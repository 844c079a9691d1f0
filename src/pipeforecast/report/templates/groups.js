// Tables by group, of the selection: each group is added up from its cells' draws.
const MOST_GROUPS = 200;
function valued(value) {
  const cell = make("td", "num", amount(value));
  cell.dataset.value = value === null ? "" : value;
  return cell;
}
function groupRow(name, cell) {
  const head = make("th", "", named(name, 50));
  head.scope = "row";
  const row = make("tr", "", head);
  row.append(valued(cell.won.mean), ...["mean", "p10", "p50", "p90"].map((q) => valued(cell.total[q])));
  return row;
}
function plainRow(kind, words, mean) {
  const head = make("th", "", words);
  head.scope = "row";
  return make("tr", kind, head, make("td"), make("td", "num", amount(mean)), make("td"), make("td"), make("td"));
}
function groupRows(place, sums) {
  const of = new Map();
  for (const i of filters.cells) {
    const g = page.cells.groups[place][i];
    if (!of.has(g)) of.set(g, []);
    of.get(g).push(i);
  }
  const all = Array.from(of, ([g, cells]) => [page.cells.filters[place].groups[g], rollUp(cells)]);
  all.sort((a, b) => b[1].total.mean - a[1].total.mean);
  const rest = all.slice(MOST_GROUPS), foot = [plainRow("total", t("Sum of the means"), sums.total.mean)];
  if (rest.length) foot.unshift(plainRow("", count(rest.length, "more group", "more groups"), rest.reduce((n, r) => n + r[1].total.mean, 0)));
  return [all.slice(0, MOST_GROUPS).map(([name, cell]) => groupRow(name, cell)), foot];
}
filters.heard.push(function (sums) {
  for (const panel of document.querySelectorAll("#groups-panels [data-level]")) {
    const place = page.cells.filters.findIndex((f) => f.column === panel.dataset.level), table = panel.querySelector("table");
    if (place < 0) { grey(panel, sums !== null); continue; }
    if (!panel.kept) panel.kept = [Array.from(table.tBodies[0].rows), Array.from(table.tFoot.rows)];
    const [rows, foot] = sums === null ? panel.kept : groupRows(place, sums);
    table.tBodies[0].replaceChildren(...rows);
    table.tFoot.replaceChildren(...foot);
    for (const head of table.querySelectorAll("[aria-sort]")) head.removeAttribute("aria-sort");
  }
});
