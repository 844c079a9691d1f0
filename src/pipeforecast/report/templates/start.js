startDeals();
startFilters();
// Without a script there is nothing to search with, and a page of the deals is all there is.
for (const tools of document.querySelectorAll(".tools")) tools.hidden = false;
for (const words of document.querySelectorAll(".without-script")) words.hidden = true;
