// Draws of the cells, added up over those that are chosen. In each draw cells and parts add up; quantiles do not.
const DRAWN = ["open_due", "open_pulled_in", "new"];
const QUANTILES = {p025: 0.025, p10: 0.1, p25: 0.25, p50: 0.5, p75: 0.75, p90: 0.9, p975: 0.975};
let unpacked = null;

// Deflated 32-bit whole numbers, part by part and cell by cell.
async function unpack() {
  const bytes = Uint8Array.from(atob(page.cells.draws), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Int32Array(await new Response(stream).arrayBuffer());
}
async function drawsReady() {
  if (unpacked === null) unpacked = await unpack();
}

function quantile(sorted, share) {
  const at = (sorted.length - 1) * share, below = Math.floor(at), above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}
function told(draws, mean) {
  const sorted = Float64Array.from(draws).sort(), out = {mean: mean, draws: draws, sorted: sorted};
  for (const name in QUANTILES) out[name] = quantile(sorted, QUANTILES[name]);
  return out;
}

// Means and draws of every part of the cells whose places are given.
function rollUp(chosen) {
  const c = page.cells, size = c.kept, out = {}, whole = new Float64Array(size);
  const cents = (part) => chosen.reduce((sum, i) => sum + c.mean[part][i], 0) / 100;
  const won = cents("won");
  let mean = won;
  DRAWN.forEach(function (part, p) {
    const sum = new Float64Array(size);
    for (const i of chosen) {
      const from = (p * c.n + i) * size;
      for (let d = 0; d < size; d++) sum[d] += unpacked[from + d];
    }
    for (let d = 0; d < size; d++) whole[d] += sum[d] *= c.unit;
    out[part] = told(sum, cents(part));
    mean += out[part].mean;
  });
  out.won = told(new Float64Array(size).fill(won), won);
  out.total = told(whole.map((x) => x + won), mean);
  return out;
}
function chanceToReach(draws, quota) {
  // Sums of amounts may miss a quota by rounding alone.
  return draws.reduce((n, x) => n + (x >= quota * (1 - 1e-9)), 0) / draws.length;
}
