"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const NS = "http://www.w3.org/2000/svg", DASH = MISSING;
  let shown = null, looked = null;

  // Numbers as the rest of the page writes them.
  const few = (v) => v === null ? DASH : fixed(v, 1);
  const many = (v) => fixed(Math.round(v), 0);
  const range = (low, high) => t("{low} to {high}", {low: low, high: high});

  // One row of thresholds.csv: the same sums as there, in the same order.
  function priced(curve, i, terms) {
    const row = {place: i, threshold: curve.t[i], leads: curve.n[i], uncontacted: curve.u[i], precision: curve.p[i],
      lower: curve.pl[i], upper: curve.pu[i], recall: curve.r[i], missed: curve.m[i], missedUpper: curve.mu[i]};
    row.perWeek = curve.w[i];
    row.cost = row.leads * terms.cost;
    row.value = curve.c[i] * terms.value;
    row.net = row.value - row.cost;
    row.valueLower = curve.cl[i] * terms.value;
    return row;
  }
  function bestOf(rows, capacity) {
    let best = null;
    for (const row of rows) {
      const fits = capacity === null || row.perWeek === null || row.perWeek <= capacity + 1e-9;
      if (fits && (best === null || row.net >= best.net)) best = row;
    }
    return best || rows[rows.length - 1];
  }

  function asked() {
    const wrong = [];
    const number = function (id, empty) {
      const field = at(id), text = field.value.trim(), v = text === "" ? empty : Number(text);
      // A browser empties a field whose text is no number.
      const bad = field.validity.badInput || v === undefined || (v !== null && !(v >= 0 && Number.isFinite(v)));
      field.setAttribute("aria-invalid", String(bad));
      if (bad) wrong.push(field.parentNode.firstChild.textContent.trim());
      return bad ? null : v;
    };
    const terms = {cost: number("cost"), value: number("value"), capacity: number("capacity", null)};
    at("wrong").hidden = !wrong.length;
    at("wrong").textContent = wrong.length ? t("{fields}: expected a number of 0 or more", {fields: wrong.join(", ")}) : "";
    return wrong.length ? null : terms;
  }

  function chosen() {
    const step = data.steps[at("step").value], scale = at("scale").value;
    const segments = step.scales[scale];
    const name = Object.hasOwn(segments, at("segment").value) ? at("segment").value : data.all;
    return {step: step, scale: scale, name: name, curve: segments[name]};
  }

  function listSegments() {
    const select = at("segment"), before = select.value;
    const names = Object.keys(data.steps[at("step").value].scales[at("scale").value]);
    select.replaceChildren(...names.map(function (name) {
      const option = document.createElement("option");
      option.value = name;
      option.textContent = name.length > 60 ? name.slice(0, 59) + "…" : name;
      return option;
    }));
    select.value = names.includes(before) ? before : data.all;
  }

  function update() {
    const terms = asked();
    if (terms === null) return;
    const now = chosen();
    const capacity = terms.capacity === null ? null : terms.capacity * now.curve.share;
    const rows = now.curve.t.map((_, i) => priced(now.curve, i, terms));
    const best = bestOf(rows, capacity);
    shown = {now: now, rows: rows, best: best, terms: terms, capacity: capacity};
    looked = best.place;
    at("threshold").max = String(rows.length - 1);
    answer();
    look();
    table();
  }

  function answer() {
    const b = shown.best, now = shown.now;
    at("best-threshold").textContent = b.leads ? String(b.threshold) : t("nobody");
    at("best-per-week").textContent = few(b.perWeek);
    at("best-leads").textContent = t("{n} of {total} leads", {n: many(b.leads), total: many(now.curve.all)});
    at("best-precision").textContent = percent(b.precision);
    at("best-range").textContent = b.precision === null ? "" : range(percent(b.lower), percent(b.upper));
    at("best-net").textContent = money(b.net);
    at("best-value").textContent = t("value {low} to {high}, cost {cost}", {low: money(b.valueLower), high: money(b.value), cost: money(b.cost)});
    at("best-missed").textContent = many(b.missed) === many(b.missedUpper) ? many(b.missed) : range(many(b.missed), many(b.missedUpper));
    at("best-recall").textContent = t("found {share} (recall)", {share: percent(b.recall)});
    const least = {threshold: b.threshold};
    const words = [!b.leads ? t("No lead is worth handing over.") : now.scale === "p" ? t("Leads with a chance of {threshold} or more.", least)
      : t("Leads with {threshold} points or more.", least)];
    if (now.name !== data.all) words.push(t("Segment: {name}.", {name: now.name}));
    if (shown.capacity !== null) words.push(t("Within a capacity of {n} a week.", {n: few(shown.capacity)}));
    at("best-words").textContent = words.join(" ");
    at("yaml").value = [
      "# settings of: pipeforecast thresholds",
      "cost_per_contact: " + shown.terms.cost, "value_per_conversion: " + shown.terms.value,
      "capacity_per_week: " + (shown.terms.capacity === null ? "null" : shown.terms.capacity),
      "by: " + now.scale,
      "# what they give: save=NAME writes it for score",
      "# segment: " + JSON.stringify(now.name), "# threshold: " + b.threshold, "# net: " + Math.round(b.net),
    ].join("\n") + "\n";
    at("copied").textContent = "";
    const slider = at("capacity-slider"), most = Math.max(1, Math.ceil(shown.rows[0].perWeek / now.curve.share || 1));
    slider.max = String(most);
    slider.value = String(shown.terms.capacity === null ? most : Math.min(most, shown.terms.capacity));
    slider.setAttribute("aria-valuetext", shown.terms.capacity === null ? t("no limit") : t("{n} leads a week", {n: shown.terms.capacity}));
  }

  function look() {
    const r = shown.rows[looked];
    at("threshold").value = String(looked);
    const words = t("{threshold}: {n} a week, {share} convert, net {net}", {threshold: r.threshold, n: few(r.perWeek), share: percent(r.precision), net: money(r.net)});
    at("look-words").textContent = words;
    at("threshold").setAttribute("aria-valuetext", words);
    beside();
    curves();
    weeks();
  }

  function cell(row, text, value, kind) {
    const made = document.createElement(kind || "td");
    made.textContent = text;
    if (kind === "th") made.scope = "row"; else made.className = "num";
    if (value !== undefined) made.dataset.value = value === null ? "" : String(value);
    row.append(made);
  }
  function line(name, r) {
    const row = document.createElement("tr");
    cell(row, name, undefined, "th");
    for (const [text, value] of [[r.leads ? String(r.threshold) : t("nobody"), r.threshold], [few(r.perWeek), r.perWeek],
      [percent(r.precision), r.precision], [percent(r.recall), r.recall], [money(r.cost), r.cost], [money(r.value), r.value],
      [money(r.net), r.net]]) cell(row, text, value);
    return row;
  }
  function beside() {
    const now = shown.now, best = line(t("Best threshold"), shown.best);
    best.className = "is-best";
    const rows = [best];
    if (looked !== shown.best.place) rows.push(line(t("Looked at"), shown.rows[looked]));
    if (now.scale === data.scale && data.current !== null) {
      const today = shown.rows.find((r) => r.threshold === data.current);
      if (today) rows.push(line(t("Today's threshold"), today));
    }
    if (Object.hasOwn(now.step.rule, now.name)) {
      const one = {};
      for (const [key, v] of Object.entries(now.step.rule[now.name])) one[key] = [v];
      rows.push(line(t("Today's rules card ({name})", {name: now.step.rule_name}), priced(one, 0, shown.terms)));
    }
    if (rows.length === 1 || (rows.length === 2 && looked !== shown.best.place)) {
      const row = document.createElement("tr"), none = document.createElement("td");
      none.colSpan = 8;
      none.className = "done";
      none.textContent = t("Today's rule is not known: name its threshold with current=N, or a rules card with lead_card=NAME.");
      row.append(none);
      rows.push(row);
    }
    at("beside").tBodies[0].replaceChildren(...rows);
  }

  function table() {
    at("thresholds-caption").textContent = [
      shown.now.scale === "p" ? t("Every threshold of the chance") : t("Every threshold of points"),
      shown.now.name === data.all ? t("all leads") : shown.now.name, t("missed: from none more to as contacted ones"),
    ].join("; ");
    at("thresholds").tBodies[0].replaceChildren(...shown.rows.map(function (r) {
      const row = document.createElement("tr");
      if (r === shown.best) row.className = "is-best";
      cell(row, r.leads ? String(r.threshold) : t("nobody"), r.threshold, "td");
      for (const [text, value] of [[many(r.leads), r.leads], [few(r.perWeek), r.perWeek], [many(r.uncontacted), r.uncontacted],
        [percent(r.precision), r.precision], [r.precision === null ? DASH : range(percent(r.lower), percent(r.upper)), undefined],
        [percent(r.recall), r.recall], [range(many(r.missed), many(r.missedUpper)), r.missed], [money(r.cost), r.cost],
        [money(r.value), r.value], [money(r.net), r.net]]) cell(row, text, value);
      return row;
    }));
  }

  // Charts: across in percent of the width, down in pixels, as on the other pages.
  function draw(name, attributes, text) {
    const made = document.createElementNS(NS, name);
    for (const [key, v] of Object.entries(attributes)) made.setAttribute(key, v);
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function scaleOf(low, high, from, to) {
    const span = high - low || 1;
    return (v) => from + Math.min(Math.max((v - low) / span, 0), 1) * (to - from);
  }
  const LEFT = 8, RIGHT = 98, TOP = 14, BOTTOM = 178, HEIGHT = 204;
  function frame(label, low, high, words) {
    const svg = draw("svg", {width: "100%", height: HEIGHT, role: "img", "aria-label": label, class: "chart"});
    const y = scaleOf(low, high, BOTTOM, TOP);
    for (const v of [low, (low + high) / 2, high]) {
      svg.append(draw("line", {x1: LEFT + "%", x2: RIGHT + "%", y1: y(v), y2: y(v), class: "grid"}));
      svg.append(draw("text", {x: LEFT - 1 + "%", y: y(v) + 4, "text-anchor": "end", class: "tick"}, words(v)));
    }
    return [svg, y];
  }
  function curve(svg, x, y, points, kind) {
    for (let i = 1; i < points.length; i++) {
      const a = points[i - 1], b = points[i];
      if (a[1] === null || b[1] === null) continue;
      svg.append(draw("line", {x1: x(a[0]) + "%", x2: x(b[0]) + "%", y1: y(a[1]).toFixed(1), y2: y(b[1]).toFixed(1), class: "line " + kind}));
    }
  }
  function marks(svg, x) {
    const here = shown.rows[looked].threshold, ends = [shown.rows[0].threshold, shown.rows[shown.rows.length - 1].threshold];
    svg.append(draw("line", {x1: x(here) + "%", x2: x(here) + "%", y1: TOP, y2: BOTTOM, class: "looked"}));
    if (shown.now.scale === data.scale && data.current !== null) {
      svg.append(draw("line", {x1: x(data.current) + "%", x2: x(data.current) + "%", y1: TOP, y2: BOTTOM, class: "now"}));
      svg.append(draw("text", {x: x(data.current) + "%", y: 10, "text-anchor": "middle", class: "tick"}, t("today")));
    }
    const anchors = ["start", "end"];
    ends.forEach((v, i) => svg.append(draw("text", {x: x(v) + "%", y: HEIGHT - 6, "text-anchor": anchors[i], class: "tick"}, String(v))));
  }
  function curves() {
    const rows = shown.rows, nets = rows.map((r) => r.net);
    const x = scaleOf(rows[0].threshold, rows[rows.length - 1].threshold, LEFT, RIGHT);
    const [net, y] = frame(t("Net by threshold; the best is {net} at {threshold}", {net: money(shown.best.net), threshold: shown.best.threshold}),
      Math.min(0, ...nets), Math.max(1, ...nets), money);
    net.append(draw("line", {x1: LEFT + "%", x2: RIGHT + "%", y1: y(0), y2: y(0), class: "zero"}));
    curve(net, x, y, rows.map((r) => [r.threshold, r.net]), "lm");
    marks(net, x);
    net.append(draw("circle", {cx: x(shown.best.threshold) + "%", cy: y(shown.best.net), r: 6, class: "knot lm"}));
    at("chart-net").replaceChildren(net);
    const [shares, z] = frame(t("Precision and recall by threshold; at {threshold} {precision} and {recall}",
      {threshold: rows[looked].threshold, precision: percent(rows[looked].precision), recall: percent(rows[looked].recall)}), 0, 1, percent);
    curve(shares, x, z, rows.map((r) => [r.threshold, r.precision]), "lm");
    curve(shares, x, z, rows.map((r) => [r.threshold, r.recall]), "l1");
    marks(shares, x);
    at("chart-shares").replaceChildren(shares);
  }
  function weeks() {
    const now = shown.now, days = now.curve.days, counts = now.curve.counts[looked];
    at("weeks-title").textContent = nt("Leads handed over in each of the last {n} week, against the capacity",
      "Leads handed over in each of the last {n} weeks, against the capacity", days.length, {});
    if (!days.length) {
      const none = document.createElement("p");
      none.className = "empty";
      none.textContent = t("Leads without dates have no weeks.");
      at("chart-weeks").replaceChildren(none);
      return;
    }
    const capacity = shown.capacity, most = Math.max(1, capacity || 0, ...counts);
    const over = capacity === null ? 0 : counts.filter((c) => c > capacity + 1e-9).length;
    const [svg, y] = frame(t("Leads handed over a week, from {low} to {high}", {low: Math.min(...counts), high: Math.max(...counts)}) +
      (capacity === null ? "" : "; " + t("above the capacity in {over} of {n} weeks", {over: over, n: days.length})), 0, most, few);
    const wide = (RIGHT - LEFT) / days.length;
    counts.forEach(function (c, i) {
      const bar = draw("rect", {x: LEFT + i * wide + wide * 0.12 + "%", width: wide * 0.76 + "%", y: y(c), height: BOTTOM - y(c),
        class: "week" + (capacity !== null && c > capacity + 1e-9 ? " over" : "")});
      bar.append(draw("title", {}, t("week to {day}: {n}", {day: days[i], n: c})));
      svg.append(bar);
    });
    if (capacity !== null) svg.append(draw("line", {x1: LEFT + "%", x2: RIGHT + "%", y1: y(capacity), y2: y(capacity), class: "limit"}));
    svg.append(draw("text", {x: LEFT + "%", y: HEIGHT - 6, "text-anchor": "start", class: "tick"}, t("week to {day}", {day: days[0]})));
    svg.append(draw("text", {x: RIGHT + "%", y: HEIGHT - 6, "text-anchor": "end", class: "tick"}, t("week to {day}", {day: days[days.length - 1]})));
    at("chart-weeks").replaceChildren(svg);
  }

  for (const id of ["cost", "value", "capacity"]) at(id).addEventListener("input", update);
  for (const id of ["segment", "scale", "step"]) at(id).addEventListener("change", function () { listSegments(); update(); });
  at("capacity-slider").addEventListener("input", function () {
    const slider = at("capacity-slider");
    at("capacity").value = slider.value === slider.max ? "" : slider.value;
    update();
  });
  at("threshold").addEventListener("input", function () { looked = Number(at("threshold").value); look(); });
  at("back").addEventListener("click", function () { looked = shown.best.place; look(); });
  at("terms").addEventListener("submit", (event) => event.preventDefault());
  at("copy").addEventListener("click", function () {
    const area = at("yaml"), told = (done) => { at("copied").textContent = done ? t("Copied.") : t("Selected: press Ctrl+C."); };
    area.select();
    if (navigator.clipboard && window.isSecureContext) {
      navigator.clipboard.writeText(area.value).then(() => told(true), () => told(false));
    } else {
      told(document.execCommand("copy"));
    }
  });
  update();
})();
