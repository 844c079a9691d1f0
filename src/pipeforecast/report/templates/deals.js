// The open deals: tables of all of them, and what the text above says of the selection.
const PAST = 1, SLIPPING = 2, book = page.book;

function column(value, cell) { return {value, cell}; }
function number(values, words) {
  return column((i) => values[i], function (i) {
    const cell = make("td", "num", words(values[i]));
    cell.dataset.value = values[i] === null ? "" : values[i];
    return cell;
  });
}
function date(values) {
  return column((i) => values[i], function (i) {
    const cell = make("td", "num", day(values[i]));
    cell.dataset.value = iso(values[i]);
    return cell;
  });
}
function word(list, longest) {
  return column((i) => list.words[list.at[i]], (i) => make("td", "", named(list.words[list.at[i]], longest)));
}
function meter(share) {
  const bar = (kind, width) => shape("rect", {class: kind, width: width + "%", height: 4, rx: 2}), svg = shape("svg", {width: "100%", height: 4});
  svg.append(bar("meter-bg", 100), bar("meter-fg", 100 * (share || 0)));
  const made = make("span", "meter", svg);
  made.setAttribute("aria-hidden", "true");
  return made;
}
function chance() {
  return column((i) => book.chance[i], function (i) {
    const cell = make("td", "num", meter(book.chance[i]), percent(book.chance[i]));
    cell.dataset.value = book.chance[i] === null ? "" : book.chance[i];
    return cell;
  });
}
function dealName() {
  return column((i) => book.name[i], function (i) {
    const cell = make("th", "", named(book.name[i], 60)), account = book.account.words[book.account.at[i]];
    cell.scope = "row";
    if (account) cell.append(make("small", "", named(account, 60)));
    return cell;
  });
}
function reasons() {
  return column(() => null, (i) => make("td", "why", ...(book.reasons[i] || []).map((r) => make("small", "", named(r, 120)))));
}
function why(i) {
  return book.risk[i] === PAST ? nt("CRM date passed {n} day ago", "CRM date passed {n} days ago", page.asOf - book.due[i]) : t("likely to slip past its CRM date");
}
function searched(i) {
  return [book.name[i], ...[book.account, book.owner, book.stage].map((list) => list.words[list.at[i]])].join(" ");
}

const tables = [];
function startDeals() {
  if (!book) return;
  const every = Array.from({length: book.n}, (_, i) => i), deals = document.getElementById("deals-table"), risky = document.getElementById("risk-table");
  const due = date(book.due), owner = word(book.owner, 30), stage = word(book.stage, 30), worth = number(book.amount, amount);
  const expected = number(book.expected, amount), likely = book.likely.length ? date(book.likely) : date(book.due.map(() => null));
  const columns = [dealName(), worth, chance(), expected, ...(page.withReasons ? [reasons()] : []), due, likely, owner, stage];
  if (deals) tables.push(new PagedTable(deals, {rows: every, columns, text: searched, nouns: (n) => count(n, "deal", "deals"), found: (n, all) => nt("{found} of {n} deal", "{found} of {n} deals", all, {found: fixed(n, 0)})}));
  if (!risky) return;
  const stake = (i) => (book.amount[i] || 0) * (1 - (book.chance[i] || 0));
  const rows = every.filter((i) => book.risk[i]).sort((a, b) => stake(b) - stake(a));
  const reason = column(why, (i) => make("td", "", why(i)));
  tables.push(new PagedTable(risky, {rows, columns: [dealName(), worth, due, number(book.slip, percent), chance(), owner, reason], text: searched, nouns: (n) => count(n, "deal", "deals"), found: (n, all) => nt("{found} of {n} deal", "{found} of {n} deals", all, {found: fixed(n, 0)})}));
}

function added(values, rows) { return rows.reduce((sum, i) => sum + (values[i] || 0), 0); }
filters.heard.push(function (sums) {
  if (!book) return;
  const chosen = sums && new Set(filters.cells), within = sums && ((i) => chosen.has(book.cell[i]));
  for (const table of tables) table.filter(within);
  if (sums === null) return;
  const mine = Array.from({length: book.n}, (_, i) => i).filter(within), due = mine.filter((i) => book.due[i] !== null && book.due[i] <= page.end);
  const without = mine.filter((i) => book.amount[i] === null).length;
  put("deals", count(mine.length, "open deal", "open deals"));
  put("deals-amount", amount(added(book.amount, mine)));
  put("deals-expected", amount(added(book.expected, mine)));
  put("due", count(due.length, "of them", "of them"));
  put("due-amount", amount(added(book.amount, due)));
  put("due-expected", amount(added(book.expected, due)));
  put("without-amount", ...(without ? [nt("{n} deal has no amount.", "{n} deals have no amount.", without)] : []));
  for (const [name, kind] of [["past", PAST], ["slipping", SLIPPING]]) {
    const rows = mine.filter((i) => book.risk[i] === kind);
    put(name + "-amount", amount(added(book.amount, rows)));
    put(name + "-count", kind === PAST ? count(rows.length, "open deal", "open deals") : count(rows.length, "deal", "deals"));
  }
});
