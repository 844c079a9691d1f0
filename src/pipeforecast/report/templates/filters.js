// What is chosen: one group of each grouping, or all (-1). The address keeps it, so that a link shows the same.
const filters = {form: document.getElementById("filters"), heard: [], chosen: [], cells: null};

function filtersAreOn() { return filters.chosen.some((g) => g >= 0); }
function chosenCells() {
  const c = page.cells, out = [];
  for (let i = 0; i < c.n; i++) {
    if (filters.chosen.every((g, k) => g < 0 || c.groups[k][i] === g)) out.push(i);
  }
  return out;
}
// The quota of the selection: that of a chosen group from which no other choice takes anything away.
function chosenQuota() {
  const on = filters.chosen.map((g, k) => [g, k]).filter((pair) => pair[0] >= 0);
  const whole = ([g, k]) => page.cells.groups[k].reduce((n, x) => n + (x === g), 0) === filters.cells.length;
  const quotas = on.filter(whole).map(([g, k]) => page.cells.filters[k].quotas[g]).filter((q) => q !== null);
  return quotas.length ? quotas[0] : null;
}

function toHash() {
  const named = filters.chosen.map((g, k) => [page.cells.filters[k], g]).filter((pair) => pair[1] >= 0);
  return named.map(([f, g]) => f.column + "=" + encodeURIComponent(f.groups[g])).join("&");
}
function fromHash() {
  const asked = new URLSearchParams(location.hash.slice(1).replace(/\+/g, "%2B"));
  return page.cells.filters.map((f) => f.groups.indexOf(asked.get(f.column)));
}

async function choose(chosen, keep) {
  filters.chosen = chosen;
  chosen.forEach(function (g, k) { filters.form.elements[page.cells.filters[k].column].value = g < 0 ? "" : String(g); });
  const on = filtersAreOn();
  if (on) await drawsReady();
  filters.cells = on ? chosenCells() : null;
  const sums = on ? rollUp(filters.cells) : null;
  for (const tell of filters.heard) tell(sums);
  announce(sums);
  if (!keep) history.replaceState(null, "", on ? "#" + toHash() : location.pathname + location.search);
}
function announce(sums) {
  const words = document.getElementById("filter-words");
  filters.form.querySelector(".clear").hidden = sums === null;
  document.getElementById("filter-note").hidden = sums === null;
  if (sums === null) { words.textContent = t("All of {period}.", {period: page.period}); return; }
  const names = filters.chosen.map((g, k) => (g < 0 ? "" : page.cells.filters[k].groups[g])).filter(Boolean);
  const most = filters.cells.length ? t("most likely {p50}", {p50: money(sums.total.p50, page.currency)}) : t("nothing is there");
  words.replaceChildren(...pieces("{groups}: {most}, mean {mean}.", {groups: named(names.join(", "), 160), most: most, mean: money(sums.total.mean)}));
}

function startFilters() {
  if (!filters.form || typeof DecompressionStream === "undefined") return;
  filters.form.hidden = false;
  filters.chosen = page.cells.filters.map(() => -1);
  filters.form.addEventListener("change", function () {
    choose(page.cells.filters.map((f) => { const v = filters.form.elements[f.column].value; return v === "" ? -1 : Number(v); }));
  });
  filters.form.addEventListener("submit", (event) => event.preventDefault());
  filters.form.querySelector(".clear").addEventListener("click", function () {
    choose(filters.chosen.map(() => -1));
    filters.form.querySelector("select").focus();
  });
  window.addEventListener("hashchange", function () { if (location.hash.includes("=")) choose(fromHash(), true); });
  // A link to a section would put its own name in the address: the selection stays there while there is one.
  document.addEventListener("click", function (event) {
    const link = event.target.closest("a[href^='#']");
    if (!link || !filtersAreOn()) return;
    const section = document.getElementById(link.hash.slice(1));
    event.preventDefault();
    section.scrollIntoView();
    section.tabIndex = -1;
    section.focus({preventScroll: true});
  });
  if (location.hash.includes("=")) choose(fromHash(), true);
}
