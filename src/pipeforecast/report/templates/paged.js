// A table that holds any number of rows as columns of data and shows a page of them.
const SIZES = [15, 50, 200];
const inOrder = new Intl.Collator(undefined, {numeric: true}).compare;

class PagedTable {
  // `nouns(n)`, `found(n, all)`: how many rows in words. `columns`: for each heading {value(i), cell(i)}; `text(i)`: what a search looks in; `rows`: in their first order.
  constructor(table, {rows, columns, text, nouns, found}) {
    Object.assign(this, {table, all: rows, rows, columns, text, nouns, foundWords: found, at: 0, words: [], keep: null, sorted: null, texts: new Map()});
    this.size = Number(table.dataset.size);
    const box = document.querySelector('input[data-search="' + table.id + '"]');
    this.found = box ? box.parentNode.querySelector(".found") : null;
    if (box) box.addEventListener("input", () => { this.words = box.value.toLocaleLowerCase().split(/\s+/).filter(Boolean); this.choose(); });
    for (const button of table.querySelectorAll("button.sort")) button.addEventListener("click", () => this.sort(button.closest("th")));
    this.pager();
    this.choose();
  }
  pager() {
    const name = this.table.querySelector("caption").textContent;
    this.back = make("button", "", t("Previous"));
    this.next = make("button", "", t("Next"));
    this.status = make("span", "");
    this.status.setAttribute("role", "status");
    const size = make("select");
    for (const n of [...new Set([this.size, ...SIZES])].sort((a, b) => a - b)) size.append(new Option(nt("{n} row", "{n} rows", n), n, n === this.size, n === this.size));
    size.setAttribute("aria-label", t("Rows at a time"));
    for (const button of [this.back, this.next]) button.type = "button";
    this.back.addEventListener("click", () => this.turn(this.at - this.size));
    this.next.addEventListener("click", () => this.turn(this.at + this.size));
    size.addEventListener("change", () => { this.size = Number(size.value); this.turn(0); });
    this.bar = make("nav", "pager", this.back, this.status, this.next, size);
    this.bar.setAttribute("aria-label", t("Pages: {table}", {table: name}));
    this.table.closest(".scroll").after(this.bar);
  }
  textOf(i) {
    if (!this.texts.has(i)) this.texts.set(i, this.text(i).toLocaleLowerCase());
    return this.texts.get(i);
  }
  choose() {
    const kept = this.keep ? this.all.filter(this.keep) : this.all;
    this.rows = this.words.length ? kept.filter((i) => this.words.every((w) => this.textOf(i).includes(w))) : kept;
    if (this.found) this.found.textContent = this.words.length ? this.foundWords(this.rows.length, kept.length) : this.nouns(kept.length);
    this.order();
  }
  filter(keep) { this.keep = keep; this.choose(); }
  sort(head) {
    const earlier = head.getAttribute("aria-sort");
    const up = earlier ? earlier === "descending" : head.classList.contains("txt");
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    this.sorted = {column: head.cellIndex, up};
    this.order();
  }
  order() {
    if (this.sorted) {
      const value = this.columns[this.sorted.column].value, sign = this.sorted.up ? 1 : -1;
      const missing = (x) => x === null || x === "";
      // What is missing goes last, whichever way.
      this.rows = this.rows.map((i) => [value(i), i]).sort(function ([a], [b]) {
        if (missing(a) || missing(b)) return missing(a) - missing(b);
        return sign * (typeof a === "string" ? inOrder(a, b) : a - b);
      }).map((pair) => pair[1]);
    }
    this.turn(0);
  }
  turn(at) {
    this.at = at < this.rows.length ? Math.max(0, at) : Math.min(this.at, Math.max(0, this.rows.length - 1));
    const shown = this.rows.slice(this.at, this.at + this.size);
    this.table.tBodies[0].replaceChildren(...shown.map((i) => make("tr", "", ...this.columns.map((c) => c.cell(i)))));
    const last = this.at + shown.length, n = this.rows.length;
    this.status.textContent = n ? t("{first}–{last} of {n}", {first: fixed(this.at + 1, 0), last: fixed(last, 0), n: fixed(n, 0)}) : t("none");
    // Not `disabled`: the button that has the focus would lose it.
    this.back.setAttribute("aria-disabled", String(this.at === 0));
    this.next.setAttribute("aria-disabled", String(last >= n));
    this.bar.hidden = this.all.length <= Math.min(this.size, SIZES[0]);
  }
}
