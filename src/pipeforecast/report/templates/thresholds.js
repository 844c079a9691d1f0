"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const NS = "http://www.w3.org/2000/svg", DASH = "–", NB = "\u00a0";
  let shown = null, looked = null;

  // Words for numbers, as the rest of the page writes them.
  function money(v) {
    if (v === null) return DASH;
    const size = Math.abs(v), sign = v < 0 && Math.round(size) > 0 ? "−" : "";
    for (const [unit, letter] of [[1e9, "bn"], [1e6, "M"], [1e3, "k"]]) {
      if (size >= unit * 0.9995) {
        const x = size / unit;
        return sign + x.toFixed(x >= 99.95 ? 0 : x >= 9.995 ? 1 : 2) + NB + letter;
      }
    }
    return sign + size.toFixed(0);
  }
  const percent = (v) => v === null ? DASH : (100 * v).toFixed(100 * v < 9.95 ? 1 : 0) + NB + "%";
  const few = (v) => v === null ? DASH : v.toFixed(1);
  const many = (v) => Math.round(v).toLocaleString("en");

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
    at("wrong").textContent = wrong.length ? wrong.join(", ") + ": expected a number of 0 or more" : "";
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
    at("best-threshold").textContent = b.leads ? String(b.threshold) : "nobody";
    at("best-per-week").textContent = few(b.perWeek);
    at("best-leads").textContent = many(b.leads) + " of " + many(now.curve.all) + " leads";
    at("best-precision").textContent = percent(b.precision);
    at("best-range").textContent = b.precision === null ? "" : percent(b.lower) + " to " + percent(b.upper);
    at("best-net").textContent = money(b.net);
    at("best-value").textContent = "value " + money(b.valueLower) + " to " + money(b.value) + ", cost " + money(b.cost);
    at("best-missed").textContent = many(b.missed) + (many(b.missed) === many(b.missedUpper) ? "" : " to " + many(b.missedUpper));
    at("best-recall").textContent = "found " + percent(b.recall) + " (recall)";
    const limit = shown.capacity === null ? "" : ", within a capacity of " + few(shown.capacity) + " a week" +
      (now.name === data.all ? "" : " (its share)");
    at("best-words").textContent = (b.leads ? "Leads with " + (now.scale === "p" ? "a chance" : "points") + " of " + b.threshold +
      " or more" : "No lead is worth handing over") + (now.name === data.all ? "" : " in " + now.name) + limit + ".";
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
    slider.setAttribute("aria-valuetext", shown.terms.capacity === null ? "no limit" : shown.terms.capacity + " leads a week");
  }

  function look() {
    const r = shown.rows[looked];
    at("threshold").value = String(looked);
    const words = r.threshold + ": " + few(r.perWeek) + " a week, " + percent(r.precision) + " convert, net " + money(r.net);
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
    for (const [text, value] of [[r.leads ? String(r.threshold) : "nobody", r.threshold], [few(r.perWeek), r.perWeek],
      [percent(r.precision), r.precision], [percent(r.recall), r.recall], [money(r.cost), r.cost], [money(r.value), r.value],
      [money(r.net), r.net]]) cell(row, text, value);
    return row;
  }
  function beside() {
    const now = shown.now, best = line("Best threshold", shown.best);
    best.className = "is-best";
    const rows = [best];
    if (looked !== shown.best.place) rows.push(line("Looked at", shown.rows[looked]));
    if (now.scale === data.scale && data.current !== null) {
      const today = shown.rows.find((r) => r.threshold === data.current);
      if (today) rows.push(line("Today's threshold", today));
    }
    if (Object.hasOwn(now.step.rule, now.name)) {
      const one = {};
      for (const [key, v] of Object.entries(now.step.rule[now.name])) one[key] = [v];
      rows.push(line("Today's rules card (" + now.step.rule_name + ")", priced(one, 0, shown.terms)));
    }
    if (rows.length === 1 || (rows.length === 2 && looked !== shown.best.place)) {
      const row = document.createElement("tr"), none = document.createElement("td");
      none.colSpan = 8;
      none.className = "done";
      none.textContent = "Today's rule is not known: name its threshold with current=N, or a rules card with lead_card=NAME.";
      row.append(none);
      rows.push(row);
    }
    at("beside").tBodies[0].replaceChildren(...rows);
  }

  function table() {
    at("thresholds-caption").textContent = "Every threshold of " + (shown.now.scale === "p" ? "the chance" : "points") +
      ", " + (shown.now.name === data.all ? "all leads" : shown.now.name) + "; missed: from none more to as contacted ones";
    at("thresholds").tBodies[0].replaceChildren(...shown.rows.map(function (r) {
      const row = document.createElement("tr");
      if (r === shown.best) row.className = "is-best";
      cell(row, r.leads ? String(r.threshold) : "nobody", r.threshold, "td");
      for (const [text, value] of [[many(r.leads), r.leads], [few(r.perWeek), r.perWeek], [many(r.uncontacted), r.uncontacted],
        [percent(r.precision), r.precision], [r.precision === null ? DASH : percent(r.lower) + " to " + percent(r.upper), undefined],
        [percent(r.recall), r.recall], [many(r.missed) + " to " + many(r.missedUpper), r.missed], [money(r.cost), r.cost],
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
      svg.append(draw("text", {x: x(data.current) + "%", y: 10, "text-anchor": "middle", class: "tick"}, "today"));
    }
    const anchors = ["start", "end"];
    ends.forEach((v, i) => svg.append(draw("text", {x: x(v) + "%", y: HEIGHT - 6, "text-anchor": anchors[i], class: "tick"}, String(v))));
  }
  function curves() {
    const rows = shown.rows, nets = rows.map((r) => r.net);
    const x = scaleOf(rows[0].threshold, rows[rows.length - 1].threshold, LEFT, RIGHT);
    const [net, y] = frame("Net by threshold; the best is " + money(shown.best.net) + " at " + shown.best.threshold,
      Math.min(0, ...nets), Math.max(1, ...nets), money);
    net.append(draw("line", {x1: LEFT + "%", x2: RIGHT + "%", y1: y(0), y2: y(0), class: "zero"}));
    curve(net, x, y, rows.map((r) => [r.threshold, r.net]), "lm");
    marks(net, x);
    net.append(draw("circle", {cx: x(shown.best.threshold) + "%", cy: y(shown.best.net), r: 6, class: "knot lm"}));
    at("chart-net").replaceChildren(net);
    const [shares, z] = frame("Precision and recall by threshold; at " + rows[looked].threshold + " " + percent(rows[looked].precision) +
      " and " + percent(rows[looked].recall), 0, 1, percent);
    curve(shares, x, z, rows.map((r) => [r.threshold, r.precision]), "lm");
    curve(shares, x, z, rows.map((r) => [r.threshold, r.recall]), "l1");
    marks(shares, x);
    at("chart-shares").replaceChildren(shares);
  }
  function weeks() {
    const now = shown.now, days = now.curve.days, counts = now.curve.counts[looked];
    at("week-count").textContent = days.length;
    if (!days.length) {
      const none = document.createElement("p");
      none.className = "empty";
      none.textContent = "Leads without dates have no weeks.";
      at("chart-weeks").replaceChildren(none);
      return;
    }
    const capacity = shown.capacity, most = Math.max(1, capacity || 0, ...counts);
    const over = capacity === null ? 0 : counts.filter((c) => c > capacity + 1e-9).length;
    const [svg, y] = frame("Leads handed over a week, from " + Math.min(...counts) + " to " + Math.max(...counts) +
      (capacity === null ? "" : "; above the capacity in " + over + " of " + days.length + " weeks"), 0, most, few);
    const wide = (RIGHT - LEFT) / days.length;
    counts.forEach(function (c, i) {
      const bar = draw("rect", {x: LEFT + i * wide + wide * 0.12 + "%", width: wide * 0.76 + "%", y: y(c), height: BOTTOM - y(c),
        class: "week" + (capacity !== null && c > capacity + 1e-9 ? " over" : "")});
      bar.append(draw("title", {}, "week to " + days[i] + ": " + c));
      svg.append(bar);
    });
    if (capacity !== null) svg.append(draw("line", {x1: LEFT + "%", x2: RIGHT + "%", y1: y(capacity), y2: y(capacity), class: "limit"}));
    svg.append(draw("text", {x: LEFT + "%", y: HEIGHT - 6, "text-anchor": "start", class: "tick"}, "week to " + days[0]));
    svg.append(draw("text", {x: RIGHT + "%", y: HEIGHT - 6, "text-anchor": "end", class: "tick"}, "week to " + days[days.length - 1]));
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
    const area = at("yaml"), told = (done) => { at("copied").textContent = done ? "Copied." : "Selected: press Ctrl+C."; };
    area.select();
    if (navigator.clipboard && window.isSecureContext) {
      navigator.clipboard.writeText(area.value).then(() => told(true), () => told(false));
    } else {
      told(document.execCommand("copy"));
    }
  });
  update();
})();
