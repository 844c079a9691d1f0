// Numbers and days in words, as `report.words` says them.
const NBSP = "\u00a0", MISSING = "–";
const UNITS = [[1e9, "bn"], [1e6, "M"], [1e3, "k"]];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// A half goes to the even digit, as in the rest of the page.
function fixed(value, digits) {
  const size = 10 ** digits, scaled = value * size;
  const text = scaled % 1 === 0.5 ? (2 * Math.round(scaled / 2) / size).toFixed(digits) : value.toFixed(digits);
  const [whole, rest] = text.split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest === undefined ? "" : "." + rest);
}
function money(value, currency) {
  if (value === null || Number.isNaN(value)) return MISSING;
  const size = Math.abs(value), sign = value < 0 && Math.round(size) > 0 ? "−" : "";
  const [unit, letter] = UNITS.find((u) => size >= u[0] * 0.9995) || [1, ""];
  const x = size / unit;
  const text = letter ? fixed(x, x >= 99.95 ? 0 : x >= 9.995 ? 1 : 2) + NBSP + letter : fixed(size, 0);
  return sign + text + (currency ? NBSP + currency : "");
}
function fullMoney(value, currency) {
  if (value === null || Number.isNaN(value)) return MISSING;
  const text = fixed(Math.abs(value), 2);
  return (value < 0 && /[1-9]/.test(text) ? "−" : "") + text + (currency ? NBSP + currency : "");
}
function percent(share) {
  if (share === null || Number.isNaN(share)) return MISSING;
  const size = Math.abs(100 * share);
  if (size > 0 && size < 0.1) return "<0.1" + NBSP + "%";
  if (size > 99.95 && size < 100) return ">99.9" + NBSP + "%";
  const broken = (size < 9.95 && Number(size.toFixed(1)) % 1 !== 0) || (size >= 99.5 && size < 100);
  return (share < 0 ? "−" : "") + fixed(size, broken ? 1 : 0) + NBSP + "%";
}
function iso(days) { return days === null ? "" : new Date(days * 864e5).toISOString().slice(0, 10); }
function day(days) {
  if (days === null) return MISSING;
  const at = new Date(days * 864e5);
  return at.getUTCDate() + NBSP + MONTHS[at.getUTCMonth()] + NBSP + at.getUTCFullYear();
}
function count(number, one, many) { return fixed(number, 0) + NBSP + (number === 1 ? one : many || one + "s"); }

// Elements: text goes in as text, whatever it holds.
function make(name, kind, ...content) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.append(...content);
  return made;
}
function amount(value) {
  const made = make("span", "", money(value));
  made.title = fullMoney(value, page.currency);
  return made;
}
function named(name, longest) {
  const signs = Array.from(name), long = signs.length > longest;
  const made = make("bdi", "", long ? signs.slice(0, longest - 1).join("").trimEnd() + "…" : name);
  if (long) made.title = name;
  return made;
}
