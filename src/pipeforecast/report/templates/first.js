// The first screen and the parts, of the selection.
function between(cell, low, high) { return pieces("{low} to {high}", {low: amount(cell[low]), high: amount(cell[high])}); }
function plus(a, b) { return told(a.draws.map((x, i) => x + b.draws[i]), a.mean + b.mean); }

filters.heard.push(function (sums) {
  if (sums === null) return;
  const total = sums.total, won = sums.won.mean, open = plus(sums.open_due, sums.open_pulled_in);
  put("p50", amount(total.p50));
  put("mean", amount(total.mean));
  for (const [name, low, high] of [["50", "p25", "p75"], ["80", "p10", "p90"], ["95", "p025", "p975"]]) {
    put("range" + name, ...between(total, low, high));
  }
  put("won", amount(won));
  put("still", amount(total.mean - won));
  put("still80", t("80 % range {p10} to {p90}", {p10: money(total.p10 - won), p90: money(total.p90 - won)}));
  put("open", amount(open.mean));
  put("new", amount(sums.new.mean));
  const quota = chosenQuota();
  put("quota", quota === null ? MISSING : amount(quota));
  put("p-hit", quota === null ? t("none is set for this selection")
    : t("reached with probability {p_hit}", {p_hit: percent(chanceToReach(total.draws, quota))}));
  for (const part of [...DRAWN, "won", "total"]) {
    const cell = sums[part];
    put("part-" + part + "-mean", amount(cell.mean));
    put("part-" + part + "-share", percent(total.mean > 0 ? cell.mean / total.mean : null));
    put("part-" + part + "-p10", amount(cell.p10));
    put("part-" + part + "-p90", amount(cell.p90));
  }
});
