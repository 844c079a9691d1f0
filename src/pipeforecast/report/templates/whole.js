// What a filter cannot keep is greyed, with the reason; numbers in the page come back when filters are cleared.
const before = new Map();
function put(name, ...content) {
  for (const place of document.querySelectorAll('[data-number="' + name + '"]')) {
    if (!before.has(place)) before.set(place, [Array.from(place.childNodes), place.hidden]);
    place.replaceChildren(...content.map((c) => (typeof c === "string" ? c : c.cloneNode(true))));
    place.hidden = content.length === 0;
  }
}
function putBack() {
  for (const [place, [nodes, hidden]] of before) { place.replaceChildren(...nodes); place.hidden = hidden; }
  before.clear();
}
function grey(place, on) {
  const note = place.querySelector(":scope > .whole-note");
  place.classList.toggle("whole", on);
  if (note && !on) note.remove();
  if (!note && on) {
    const title = place.querySelector(":scope > h2, :scope > h3"), words = make("p", "whole-note", t("Not filtered: {reason}", {reason: place.dataset.whole || t("the page carries no draws by these groups.")}));
    if (title) title.after(words); else place.prepend(words);
  }
}
filters.heard.push(function (sums) {
  if (sums === null) putBack();
  for (const place of document.querySelectorAll("[data-whole]")) grey(place, sums !== null);
  for (const words of document.querySelectorAll(".of-all")) words.hidden = sums !== null;
});
