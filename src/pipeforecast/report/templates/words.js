// Numbers and days in words, as `report.words` says them.
const NBSP = "\u00a0", MISSING = "–";
const NUMERALS = page.wording.numerals, TEXTS = page.wording.texts, PLURALS = new Intl.PluralRules(page.wording.tag);

// A text in the page's language: it stands here in English. `pieces` takes elements for what is put in, `t` texts alone.
function pieces(text, values) {
  return (TEXTS[text] || text).split(/\{(\w+)\}/).map((part, i) => (i % 2 ? values[part] : part)).filter((part) => part !== "");
}
function t(text, values) { return oneStop(pieces(text, values).join("")); }
// A sentence that ends in an amount which ends in a full stop (2 tys.) ends in one.
function oneStop(text) { return page.wording.tag === "en" ? text : text.replace(/(^|[^.])\.\.(?!\.)/g, "$1."); }
function plural(one, many, n) {
  const forms = TEXTS[one];
  return forms ? forms[Math.max(0, page.wording.forms.indexOf(PLURALS.select(n)))] : n === 1 ? one : many;
}
function nt(one, many, n, values) {
  return plural(one, many, n).replace("{n} ", "{n}" + NBSP).replace(/\{(\w+)\}/g, (_, name) => (name === "n" ? fixed(n, 0) : values[name]));
}

// A half goes to the even digit, as in the rest of the page.
function fixed(value, digits) {
  const size = 10 ** digits, scaled = value * size;
  const text = scaled % 1 === 0.5 ? (2 * Math.round(scaled / 2) / size).toFixed(digits) : value.toFixed(digits);
  const [whole, rest] = text.split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, NUMERALS.group) + (rest === undefined ? "" : NUMERALS.decimal + rest);
}
function money(value, currency) {
  if (value === null || Number.isNaN(value)) return MISSING;
  const size = Math.abs(value), sign = value < 0 && Math.round(size) > 0 ? "−" : "";
  const [unit, letter] = NUMERALS.units.find((u) => size >= u[0] * 0.9995) || [1, ""];
  const x = size / unit;
  const text = letter ? inUnit(x) + letter : fixed(size, 0);
  return withCurrency(sign + text, currency);
}
function inUnit(x) {
  const text = fixed(x, x >= 99.95 ? 0 : x >= 9.995 ? 1 : 2);
  return x >= 99.95 && !NUMERALS.group_units ? text.replaceAll(NUMERALS.group, "") : text;
}
function withCurrency(text, currency) {
  if (!currency) return text;
  return NUMERALS.currency_first ? currency + NBSP + text : text + NBSP + currency;
}
function fullMoney(value, currency) {
  if (value === null || Number.isNaN(value)) return MISSING;
  const text = fixed(Math.abs(value), 2);
  return withCurrency((value < 0 && /[1-9]/.test(text) ? "−" : "") + text, currency);
}
function percent(share) {
  if (share === null || Number.isNaN(share)) return MISSING;
  const size = Math.abs(100 * share);
  if (size > 0 && size < 0.1) return "<" + fixed(0.1, 1) + NUMERALS.percent;
  if (size > 99.95 && size < 100) return ">" + fixed(99.9, 1) + NUMERALS.percent;
  const broken = (size < 9.95 && Number(size.toFixed(1)) % 1 !== 0) || (size >= 99.5 && size < 100);
  return (share < 0 ? "−" : "") + fixed(size, broken ? 1 : 0) + NUMERALS.percent;
}
function iso(days) { return days === null ? "" : new Date(days * 864e5).toISOString().slice(0, 10); }
function day(days) {
  if (days === null) return MISSING;
  const at = new Date(days * 864e5);
  const parts = {d: at.getUTCDate(), M: at.getUTCMonth() + 1, MMM: NUMERALS.months[at.getUTCMonth()], y: at.getUTCFullYear()};
  return NUMERALS.day.replace(/MMM|[dMy]/g, (part) => parts[part]);
}
function count(number, one, many) { return fixed(number, 0) + NBSP + plural(one, many || one + "s", number); }

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
