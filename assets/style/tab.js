// What a tab holds outlives a reload (Gradio reloads the page by itself when a lost connection is back), and the form
// follows the address. All of it is in the browser's session storage, which goes with the tab.
(() => {
  "use strict";

  const KEY = "medilite-tab";
  const EVERY_MS = 250;
  const SETTLE_MS = 100; // until what an event has set is in the fields
  const MOST = 60_000; // bytes of one room's texts: a request takes a little more
  const ENTRIES = 20;

  // The fields of every form, by their ids, in the order in which the page's events fill them.
  const decoding = (tab) => ["max-new-tokens", "temperature", "top-p", "repetition-penalty", "seed"].map((name) => `${tab}-${name}`);
  const FORMS = {
    compare: ["question", "models", ...decoding("compare"), "from-source", "mark-hard", "mark-differs", "check-source"],
    chat: ["chat-model", "chat-question", ...decoding("chat")],
    vote: ["vote-mode", "vote-question", "vote-keep", "vote-further"],
  };
  const LINKED = FORMS.compare.length - 3; // so many of its fields are in a link

  // ---- session storage ------------------------------------------------------------------

  // It may be switched off: then a reload begins from scratch, and everything else works.
  function load() {
    try {
      const found = JSON.parse(sessionStorage.getItem(KEY));
      return found && typeof found === "object" && found.version === 1 ? found : {};
    } catch {
      return {};
    }
  }

  const before = load(); // as the page before this one left it
  const state = { version: 1, forms: {}, entries: {}, order: [], ...before };
  const settled = new Set(); // what is shown here by now; until then what was kept stays as it is
  let forgotten = false;

  function save() {
    if (forgotten) return;
    for (const form of Object.keys(FORMS)) {
      if (settled.has(form)) state.forms[form] = read(form);
    }
    if (settled.has("compare")) noteEntry();
    if (settled.has("answers")) state.answers = answers() ?? state.answers;
    if (settled.has("turns")) state.turns = turns() ?? state.turns;
    if (settled.has("pairs")) state.pairs = pairs() ?? state.pairs;
    state.tab = chosenTab()?.textContent ?? state.tab;
    try {
      sessionStorage.setItem(KEY, JSON.stringify(state));
    } catch {
      // Full, or off: as above.
    }
  }

  let due = 0;
  const saveSoon = () => {
    due ||= setTimeout(() => {
      due = 0;
      save();
    }, EVERY_MS);
  };
  window.addEventListener("pagehide", save);
  document.addEventListener("visibilitychange", save);
  document.addEventListener("input", saveSoon, true);
  document.addEventListener("change", saveSoon, true);

  // ---- what the page shows -----------------------------------------------------------------

  // A field that isn't on the page (folded away, or in a tab that nobody has opened) has the value that it was given.
  function read(form) {
    return FORMS[form].map((id, i) => {
      const place = document.getElementById(id);
      const shown = place && valueOf(id, place);
      return shown === undefined || shown === null ? (state.forms[form]?.[i] ?? null) : shown;
    });
  }

  function valueOf(id, place) {
    const field = place.querySelector("textarea, input[type=number]");
    if (field) return field.type !== "number" ? field.value : field.value === "" ? null : Number(field.value);
    const radios = [...place.querySelectorAll("input[type=radio]")];
    if (radios.length) return radios.find((box) => box.checked)?.value;
    const boxes = [...place.querySelectorAll("input[type=checkbox]")];
    if (id === "models") return boxes.filter((box) => box.checked).map((box) => box.name);
    return boxes[0]?.checked;
  }

  const text = (place, selector) => place.querySelector(selector)?.textContent ?? "";
  const turnsBefore = (shown) =>
    [...shown.querySelectorAll(".ml-earlier-turn")].map((turn) => [text(turn, ".ml-earlier-asked"), text(turn, ".ml-earlier-said")]);
  const card = (shown) => ({
    model: shown.dataset.model,
    tokens: Number(shown.dataset.tokens),
    state: shown.dataset.state,
    text: text(shown, ".ml-text"),
    why: text(shown, ".ml-why"),
    earlier: turnsBefore(shown),
  });

  function answers() {
    const grid = document.querySelector("#answers .ml-grid");
    if (!grid) return null;
    if (!grid.dataset.settings) return false;
    const question = text(document, "#answers .ml-asked h2");
    return { question, settings: grid.dataset.settings, cards: [...grid.querySelectorAll(".ml-card")].map(card) };
  }

  const size = (value) => new TextEncoder().encode(JSON.stringify(value)).length;

  function turns() {
    const log = document.querySelector("#transcript .ml-chat");
    if (!log) return null;
    const all = [...log.querySelectorAll(".ml-turn")].map((turn) => ({
      ...card(turn.querySelector(".ml-card")),
      question: text(turn, ".ml-said .ml-text"),
      limit: Number(turn.dataset.limit),
      attempt: Number(turn.dataset.attempt),
    }));
    let room = MOST;
    const first = all.findLastIndex((turn) => (room -= size(turn)) < 0);
    return all.slice(first + 1);
  }

  function pair(place) {
    const shown = document.querySelector(`#${place} .vt-pair`);
    if (!shown || ["drawing", "start", "closed"].includes(shown.dataset.state)) return null;
    const [left = "", right = ""] = [...shown.querySelectorAll(".ml-answer .ml-text")].map((one) => one.textContent);
    const said = [...shown.querySelectorAll('[aria-pressed="true"]')].map((chip) => [chip.dataset.side, chip.dataset.detail]);
    const [one = [], other = []] = [...shown.querySelectorAll(".vt-card")].map(turnsBefore);
    const earlier = one.map(([asked, left], i) => [asked, left, other[i]?.[1] ?? ""]);
    return { state: shown.dataset.state, token: shown.dataset.token, question: text(shown, ".vt-question"), left, right, earlier, said };
  }

  const PLACES = { ready: "vote-pair", live: "vote-live-pair" };
  // A pair that the server could not be asked for stays as the page before had it, for another try or reload.
  const unreached = (place) => document.querySelector(`#${place} .vt-pair`)?.dataset.state === "unreached";

  function pairs() {
    if (!document.querySelector("#vote-pair .vt-pair")) return null;
    const entries = Object.entries(PLACES);
    return Object.fromEntries(entries.map(([kind, place]) => [kind, unreached(place) ? before.pairs?.[kind] : pair(place)]));
  }

  function keptPairs() {
    if (!before.pairs || !settled.has("pairs")) return before.pairs ?? null;
    const kinds = Object.keys(PLACES).filter((kind) => unreached(PLACES[kind]));
    return kinds.length ? Object.fromEntries(kinds.map((kind) => [kind, before.pairs[kind]])) : null;
  }

  const tabs = () => [...document.querySelectorAll("[role=tab]")];
  const chosenTab = () => tabs().find((tab) => tab.getAttribute("aria-selected") === "true");

  // ---- the form follows the address ---------------------------------------------------------

  // Each entry of the tab's history has its form. `set` is what the link in the address has set.
  let set = null;
  let here = location.href;
  let begun = false;

  const isLink = () => /[#?&]q=[^&]/.test(location.search + location.hash);
  const entry = () => history.state?.medilite;

  function newEntry(change) {
    const id = `${Date.now()}-${Math.random()}`;
    change({ ...history.state, medilite: id });
    return id;
  }

  function noteEntry() {
    if (location.href !== here) return; // on the way to another entry
    const form = state.forms.compare;
    const id = entry() ?? newEntry((held) => history.replaceState(held, ""));
    if (set && isLink()) {
      set = set.map((value, i) => value ?? form[i]);
      if (JSON.stringify(set) !== JSON.stringify(form.slice(0, LINKED))) {
        // The form says something else by now, so the address names no question. "Back" leads to the link.
        set = null;
        remember(newEntry((held) => history.pushState(held, "", location.pathname)), form);
        here = location.href;
        return;
      }
    }
    remember(id, form);
  }

  function remember(id, form) {
    state.entries[id] = form;
    state.order = [...state.order.filter((one) => one !== id), id];
    for (const gone of state.order.splice(0, state.order.length - ENTRIES)) delete state.entries[gone];
  }

  let filling = null; // what the next event of a form is to fill it with
  function follow() {
    const known = state.entries[entry()];
    settled.delete("compare");
    if (known) {
      filling = known;
      press("compare-form");
    } else if (isLink()) {
      press("compare-follow");
    } else {
      settle("compare");
    }
  }

  function moved() {
    if (location.href === here || !begun) return;
    here = location.href;
    follow();
  }
  window.addEventListener("popstate", moved);
  window.addEventListener("hashchange", moved);

  // ---- the beginning ---------------------------------------------------------------------------

  const press = (id) => document.getElementById(id)?.click();

  // Gradio is ready for events: fill the forms, ask for the texts as they were, open the tab that was open.
  function begin() {
    begun = true;
    here = location.href;
    const link = isLink() && !state.entries[entry()];
    const { compare, chat, vote, lab } = before.forms ?? {};
    if (link || !compare) follow();
    else {
      filling = state.entries[entry()] ?? compare;
      press("compare-form");
    }
    if (chat) press("chat-form");
    else settle("chat");
    if (lab) press("lab-form");
    else settle("lab");
    if (vote) {
      document.documentElement.dataset.voteMode = vote[0] ?? "ready";
      press("vote-form");
    } else settle("vote");
    if (before.answers || (compare?.[0] && !link)) press("compare-restore");
    else settle("answers");
    if (before.turns?.length || chat?.[1]) press("chat-restore");
    else settle("turns");
    if (!before.pairs) settle("pairs");
    if (before.tab && !/^#vote/.test(location.hash) && !link) tabs().find((tab) => tab.textContent === before.tab)?.click();
    new MutationObserver(saveSoon).observe(document.body, {
      childList: true, subtree: true, characterData: true, attributeFilter: ["aria-pressed", "aria-selected", "data-settings"],
    });
  }

  // An event has come to its end: what it was for is on the page in a moment.
  function settle(what) {
    setTimeout(() => {
      settled.add(what);
      if (what === "compare") set = isLink() ? state.forms.compare?.slice(0, LINKED) ?? null : null;
      save();
    }, SETTLE_MS);
  }

  // What a link has set, fields that aren't on the page included.
  function linked(values) {
    state.forms.compare = [...values, ...(state.forms.compare ?? read("compare")).slice(LINKED)];
    settle("compare");
  }

  // What was said of a pair before the choice is pressed again once it is there.
  const back = new Set(); // the kinds of pairs of which that is done, or which are given up
  function pairsAreThere() {
    if (back.size === Object.keys(PLACES).length) return;
    setTimeout(() => {
      for (const [kind, place] of Object.entries(PLACES)) {
        if (back.has(kind) || unreached(place)) continue;
        back.add(kind);
        const kept = before.pairs?.[kind];
        const shown = document.querySelector(`#${place} .vt-pair`);
        if (!kept?.said || shown?.dataset.token !== kept.token || shown.dataset.state !== "open") continue;
        for (const chip of shown.querySelectorAll("[data-detail]")) {
          const said = kept.said.some(([side, detail]) => side === chip.dataset.side && detail === chip.dataset.detail);
          chip.setAttribute("aria-pressed", String(said));
        }
      }
      settle("pairs");
    }, SETTLE_MS);
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("[data-forget]")) return;
    forgotten = true;
    try {
      sessionStorage.removeItem(KEY);
    } catch {
      // As above.
    }
    history.replaceState(null, "", location.pathname);
    location.reload();
  });

  window.medilite.tab = {
    begin,
    settle,
    linked,
    pairsAreThere,
    // What a field has kept; one that was never on the page, as in a fold that nobody opened, keeps what it holds `now`,
    // and so does one that the page has only since an update.
    form(name, now) {
      const kept = (name === "compare" && filling) || before.forms[name];
      const values = (name === "compare" ? now.slice(0, -1) : now).map((value, i) => kept[i] ?? value);
      filling = null;
      state.forms[name] = values;
      return name === "compare" ? [...values, ""] : values; // and no note any more about what was there before
    },
    // What the fields of a form hold whose values Gradio says; before they are filled, what they say is not kept.
    noted(name, values) {
      if (!settled.has(name)) return;
      state.forms[name] = values;
      saveSoon();
    },
    typed: (name) => state.forms[name]?.[0] ?? "",
    kept: (what) => before[what] ?? null,
    keptPairs,
    now: { answers, turns, pair },
  };
})();
