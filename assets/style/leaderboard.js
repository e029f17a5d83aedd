// The leaderboard's table: which columns show, in which order the rows are, what the search finds.
(() => {
  "use strict";

  const state = { group: "overview", query: "", key: "", best: true };
  const table = () => document.getElementById("lb-table");
  const say = (text) => window.medilite.announce(text);

  const matches = (element, query) => element.dataset.name.toLowerCase().includes(query);
  const set = (element, name, value) => {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  };
  const hide = (element, hidden) => {
    if (element.hidden !== hidden) element.hidden = hidden;
  };

  // What a search finds among models narrows the rows, what it finds among metrics the columns.
  function show(board) {
    const query = state.query.trim().toLowerCase();
    const heads = [...board.querySelectorAll("thead th[data-key]")];
    const rows = [...board.querySelectorAll("tbody tr")];
    const byName = query ? heads.filter((head) => matches(head, query)) : [];
    const inGroup = (head) => state.group === "all" || head.dataset.groups.split(" ").includes(state.group);
    const columns = new Set((byName.length ? byName : heads.filter(inGroup)).map((head) => head.dataset.key));
    const models = query ? rows.filter((row) => matches(row, query)) : [];
    for (const row of rows) hide(row, models.length > 0 && !models.includes(row));
    for (const cell of board.querySelectorAll("[data-key]")) hide(cell, !columns.has(cell.dataset.key));
    const nothing = query !== "" && !byName.length && !models.length;
    hide(board, nothing);
    hide(board.parentElement.querySelector(".lb-nothing"), !nothing);
  }

  // What has no number is last either way; equal ones keep their order.
  function sort(board) {
    const body = board.tBodies[0];
    const rows = [...body.rows];
    rows.forEach((row, place) => (row.dataset.place ??= String(place)));
    const button = board.querySelector(`.lb-sort[data-sort="${state.key}"]`);
    const low = state.key !== "" && button?.dataset.better === "lower" ? state.best : !state.best;
    const value = (row) => {
      const text = row.querySelector(`td[data-key="${state.key}"]`)?.dataset.value;
      return text === undefined ? null : Number(text);
    };
    const byPlace = (a, b) => Number(a.dataset.place) - Number(b.dataset.place);
    const wanted = rows.toSorted((a, b) => {
      if (state.key === "") return state.best ? byPlace(a, b) : byPlace(b, a);
      const [x, y] = [value(a), value(b)];
      if (x === null || y === null) return (x === null) - (y === null) || byPlace(a, b);
      return (low ? x - y : y - x) || byPlace(a, b);
    });
    if (wanted.some((row, place) => row !== body.rows[place])) body.append(...wanted);
    for (const head of board.querySelectorAll("thead th")) {
      const own = head.querySelector(".lb-sort");
      const up = state.key === "" ? state.best : low;
      set(head, "aria-sort", own?.dataset.sort !== state.key ? "none" : up ? "ascending" : "descending");
    }
  }

  function apply() {
    const board = table();
    if (!board) return;
    show(board);
    sort(board);
  }

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest(".lb-sort") : null;
    if (!button) return;
    const key = button.dataset.sort;
    state.best = state.key === key ? !state.best : true;
    state.key = key;
    apply();
    const order = button.closest("th").getAttribute("aria-sort");
    const name = button.closest("th").dataset.name ?? "model";
    say(`Sorted by ${name}, ${order === "ascending" ? "lowest" : "highest"} first.`);
  });

  // ---- a plot's numbers as a file: what is drawn, with the ends of its intervals ----------

  const ends = (error, place, value) =>
    error?.array ? [value - error.arrayminus[place], value + error.array[place]] : ["", ""];

  function rowsOf(trace) {
    if (trace.z)
      return trace.z.flatMap((row, i) => row.map((z, j) => [trace.y[i], trace.x[j], "", "", z, "", "", ""]));
    return trace.x.map((x, i) => [
      trace.name, x, ...ends(trace.error_x, i, x), trace.y[i], ...ends(trace.error_y, i, trace.y[i]), trace.text?.[i] ?? "",
    ]);
  }

  // A spreadsheet runs what starts with one of these as a formula.
  const cell = (value) =>
    typeof value === "string" ? `"${value.replace(/^[=+\-@]/, "'$&").replaceAll('"', '""')}"` : Number.isNaN(value) ? "" : String(value ?? "");

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-plot]") : null;
    const drawn = button && document.querySelector(`#${button.dataset.plot}-plot .js-plotly-plot`);
    if (!drawn) return;
    const head = ["series", "x", "x_low", "x_high", "y", "y_low", "y_high", "label"];
    download(button.dataset.plot, [head, ...drawn.data.flatMap(rowsOf)]);
  });

  function download(name, rows) {
    const lines = rows.map((row) => row.map(cell).join(","));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`\ufeff${lines.join("\r\n")}\r\n`], { type: "text/csv" }));
    link.download = `medilite-${name}.csv`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  // ---- the whole table as a file, whatever shows of it: a line for each number, unrounded ----------------

  document.addEventListener("click", (event) => {
    const board = event.target instanceof Element && event.target.closest("[data-table]") ? table() : null;
    if (!board) return;
    const units = new Map();
    for (const head of board.querySelectorAll("thead th[data-key]"))
      units.set(head.dataset.key, head.querySelector(".ml-unit").textContent);
    const rows = [...board.querySelectorAll("tbody td[data-key]")].map(({ dataset, parentElement }) => [
      ...[board.dataset.split, parentElement.dataset.model, dataset.key, units.get(dataset.key)],
      ...["value", "low", "high", "n", "of"].map((name) => Number(dataset[name] ?? NaN)),
    ]);
    download("leaderboard", [["questions", "model", "metric", "unit", "value", "low", "high", "n", "of"], ...rows]);
  });

  document.addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.name === "lb-group") {
      state.group = event.target.value;
      apply();
    }
  });

  document.addEventListener("input", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.id === "lb-search") {
      state.query = event.target.value;
      apply();
    }
  });

  // Another split brings another table: what was chosen holds for it too.
  new MutationObserver(() => {
    const board = table();
    if (!board || board.dataset.applied === board.dataset.split) return;
    for (const row of board.tBodies[0].rows) delete row.dataset.place;
    board.dataset.applied = board.dataset.split;
    apply();
  }).observe(document, { childList: true, subtree: true, attributeFilter: ["data-split", "data-applied"] });
})();
