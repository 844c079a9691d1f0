"use strict";
// What any page does: panels, sorting, searching and tips. It needs no other script.
(function () {
  // Panels of which one is shown at a time. Without this script all are shown.
  for (const choice of document.querySelectorAll("[data-choice]")) {
    const panels = document.getElementById(choice.dataset.choice).querySelectorAll(".panel");
    const show = function (name) {
      for (const p of panels) p.hidden = p.dataset.panel !== name;
      for (const b of choice.children) b.setAttribute("aria-pressed", String(b.dataset.show === name));
    };
    choice.hidden = choice.children.length < 2;
    choice.addEventListener("click", function (event) {
      const button = event.target.closest("button");
      if (button) show(button.dataset.show);
    });
    const first = choice.querySelector("[aria-pressed=true]");
    if (first) show(first.dataset.show);
  }

  // Sorting: numbers and days by data-value, texts by what is shown; what is missing always goes last.
  function valueOf(row, i) {
    const cell = row.cells[i];
    return cell.dataset.value === undefined ? cell.textContent.trim() : cell.dataset.value;
  }
  function compare(a, b) {
    const x = Number(a), y = Number(b);
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, undefined, {numeric: true}) : x - y;
  }
  function sort(head) {
    const body = head.closest("table").tBodies[0], i = head.cellIndex;
    const before = head.getAttribute("aria-sort");
    const up = before ? before === "descending" : head.classList.contains("txt");
    const rows = Array.from(body.rows).map((row) => [valueOf(row, i), row]);
    rows.sort(function (a, b) {
      if (a[0] === "" || b[0] === "") return (a[0] === "") - (b[0] === "");
      return (up ? 1 : -1) * compare(a[0], b[0]);
    });
    body.append(...rows.map((pair) => pair[1]));
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
  }
  for (const button of document.querySelectorAll("table[data-sortable] button.sort")) {
    button.addEventListener("click", () => sort(button.closest("th")));
  }

  for (const box of document.querySelectorAll("input[type=search][data-for]")) {
    // In the rows of a table, or in those of all tables of a place.
    const rows = document.getElementById(box.dataset.for).getElementsByTagName("tr");
    const found = box.parentNode.querySelector(".found");
    box.addEventListener("input", function () {
      const wanted = box.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
      let n = 0;
      for (const row of rows) {
        if (row.parentNode.tagName !== "TBODY") continue;
        const text = row.textContent.toLocaleLowerCase();
        row.hidden = !wanted.every((word) => text.includes(word));
        n += row.hidden ? 0 : 1;
      }
      if (found) found.textContent = wanted.length ? found.dataset.some.replace("{n}", n) : found.dataset.all;
    });
  }

  const tip = document.getElementById("tip");
  function hide() { tip.hidden = true; }
  function tell(event) {
    const mark = event.target.closest ? event.target.closest("[data-tip]") : null;
    if (!mark) { hide(); return; }
    tip.textContent = mark.dataset.tip;
    tip.hidden = false;
    const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
    tip.style.left = Math.max(8, Math.min(event.clientX + 12, room)) + "px";
    const above = event.clientY - tip.offsetHeight - 14;
    tip.style.top = (above > 8 ? above : event.clientY + 18) + "px";
  }
  document.addEventListener("pointermove", tell);
  document.addEventListener("pointerdown", tell);
  document.addEventListener("scroll", hide, {passive: true});
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") hide(); });
})();
