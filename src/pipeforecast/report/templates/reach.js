// Chance to reach an amount: entry i of the list is reached with probability 1 - (i + 1) / 100.
const reach = {slider: document.getElementById("reach"), words: document.getElementById("reach-words"), amounts: null};
function tellReach() {
  const i = Number(reach.slider.value), shown = reach.amounts || JSON.parse(reach.slider.dataset.amounts);
  reach.words.textContent = money(shown[i], reach.slider.dataset.currency) + ": " + (99 - i) + NUMERALS.percent;
  reach.slider.setAttribute("aria-valuetext", reach.words.textContent);
}
if (reach.slider) {
  reach.slider.addEventListener("input", tellReach);
  reach.slider.closest(".reach").hidden = false;
  tellReach();
  filters.heard.push(function (sums) {
    reach.amounts = sums && Array.from({length: 99}, (_, i) => quantile(sums.total.sorted, (i + 1) / 100));
    tellReach();
  });
}
