// Tables sort by a click on a column's name, and long ones can be searched. Without this script they are plain tables.
(() => {
  const key = cell => cell.dataset.sort ?? cell.textContent.trim();
  const compare = (a, b, numbers) => numbers ? Number(a) - Number(b) : a.localeCompare(b, undefined, { numeric: true });

  function sortBy(table, head, at) {
    const numbers = head.classList.contains("num"), body = table.tBodies[0];
    const down = head.ariaSort ? head.ariaSort === "ascending" : numbers; // the best first, then the other way round
    const rows = [...body.rows].map((row, i) => [key(row.cells[at]), i, row]);
    const empty = value => value === "" || value === "–";
    rows.sort(([a, i], [b, j]) => empty(a) - empty(b) || (down ? compare(b, a, numbers) : compare(a, b, numbers)) || i - j);
    body.append(...rows.map(([, , row]) => row));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.ariaSort = down ? "descending" : "ascending";
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sortBy(table, head, at));
      head.replaceChildren(button);
    });
    const rows = [...table.tBodies[0].rows];
    if (rows.length < 6) continue;
    const box = document.createElement("input");
    box.type = "search";
    box.className = "rows";
    box.placeholder = "Filter rows";
    box.setAttribute("aria-label", "Filter rows: " + table.parentElement.getAttribute("aria-label"));
    box.addEventListener("input", () => {
      const words = box.value.toLowerCase().split(/\s+/);
      for (const row of rows) row.hidden = !words.every(word => row.textContent.toLowerCase().includes(word));
    });
    table.parentElement.before(box);
  }
})();
