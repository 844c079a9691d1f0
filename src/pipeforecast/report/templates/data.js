// What the page is made of beside its text: the draws of its cells, and its open deals as columns.
const page = JSON.parse(document.getElementById("page-data").textContent);
