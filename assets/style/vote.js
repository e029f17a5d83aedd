// The blind vote: keys, what goes along with a vote, whose browser this is, signing in, the seconds of the undo, the
// walk-through.
(() => {
  "use strict";

  const VOTER = "medilite-voter";
  const TOUR = "medilite-vote-tour";
  const PATIENCE_MS = 15_000;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

  // ---- what the browser keeps ---------------------------------------------------------

  // Storage may be switched off: then a visitor is a new one at every visit, and everything else works.
  function kept(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  }

  function keep(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      // As above.
    }
  }

  // What this page started with: pairs belong to it, whatever another window has stored meanwhile.
  let voter = null;

  function takeVoter() {
    const given = document.querySelector("#vote-voter [data-voter]")?.dataset.voter;
    if (!given || given === voter) return;
    const before = voter ?? kept(VOTER);
    voter = given;
    if (kept(VOTER) === before || !kept(VOTER)) keep(VOTER, given);
  }

  // ---- signing in -------------------------------------------------------------------------

  let came = null; // what went wrong on the way back from signing in, in a word

  // A voter who comes back finds the tab that they left.
  function comeBack() {
    const told = /^#vote(?:-signin-([a-z]+))?$/.exec(location.hash);
    const tab = told && document.getElementById("vote-tab-button");
    if (!tab) return;
    came = told[1] ?? null;
    history.replaceState(history.state, "", location.pathname + location.search);
    tab.click();
  }

  // Inside of another page what it needs may be blocked, and the Hub's own page not be shown.
  const framed = window.self !== window.top;
  if (framed) document.documentElement.dataset.framed = "";

  document.addEventListener("click", (event) => {
    const link = framed && event.target instanceof Element ? event.target.closest("a[data-sign-in]") : null;
    if (!link) return;
    event.preventDefault();
    window.open(link.href, "_blank", "noopener");
  });

  // ---- what is sent along ---------------------------------------------------------------

  const seen = (element) => (element && element.offsetParent !== null ? element : null);
  const pair = () => [...document.querySelectorAll(".vt-pair")].find((element) => seen(element)) ?? null;
  const details = (side) =>
    [...(pair()?.querySelectorAll(`[data-side="${side}"][aria-pressed="true"]`) ?? [])].map(
      (chip) => chip.dataset.detail,
    );
  let choice = null; // on its way to the server
  let waiting = 0;

  function call() {
    voter ??= kept(VOTER);
    const lost = came;
    came = null;
    const live = seen(document.querySelector("#vote-live-pair .vt-pair"));
    return {
      voter,
      signed_in: document.querySelector("#vote-account [data-signed-in]")?.dataset.signedIn === "true",
      came: lost,
      token: pair()?.dataset.token || null,
      standing: Boolean(document.querySelector("#vote-pair .vt-pair")?.dataset.token),
      kept: window.medilite.tab.keptPairs(),
      live: live ? window.medilite.tab.now.pair("vote-live-pair") : null,
      keep: document.querySelector("#vote-keep input")?.checked === true,
      choice,
      left: details("left"),
      right: details("right"),
    };
  }

  function settled() {
    clearTimeout(waiting);
    choice = null;
    waiting = 0;
    for (const button of document.querySelectorAll(".vt-sent")) button.classList.remove("vt-sent");
  }

  let acted = false; // whether what comes next was asked for here: then the focus follows it
  function send(what) {
    if (waiting) return;
    acted = true;
    waiting = setTimeout(() => {
      settled();
      window.medilite.announce("The server hasn't answered yet. Try again: nothing is counted twice.");
    }, PATIENCE_MS);
    document.getElementById(`vote-do-${what}`)?.click();
  }

  // ---- doing ----------------------------------------------------------------------------

  function vote(wanted) {
    const button = pair()?.querySelector(`[data-choice="${wanted}"]:enabled`);
    if (!button || waiting) return;
    choice = wanted;
    button.classList.add("vt-sent");
    send("cast");
  }

  function next() {
    if (seen(document.getElementById("vote-question"))) {
      document.querySelector("#vote-question textarea")?.focus();
    } else if (pair()?.querySelector('[data-do="next"]')) {
      send("next");
    }
  }

  function act(what) {
    if (what === "next") next();
    else if (what === "tour") openTour();
    else if (what === "stop") {
      acted = true; // the button goes with what was being written
      document.getElementById("vote-stop")?.click();
    } else if (what === "live") document.querySelector('#vote-mode input[value="live"]')?.click();
    else send(what);
  }

  function mode(name) {
    document.documentElement.dataset.voteMode = name;
    if (name === "live") setTimeout(() => document.querySelector("#vote-question textarea")?.focus());
    return name;
  }

  window.medilite.vote = { call, settled, mode };

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest("button") : null;
    if (!target || target.disabled) return;
    if (target.dataset.tour) turn(target.dataset.tour);
    else if (target.dataset.choice) vote(target.dataset.choice);
    else if (target.dataset.do) act(target.dataset.do);
    else if (target.dataset.detail) {
      target.setAttribute("aria-pressed", String(target.getAttribute("aria-pressed") !== "true"));
    }
  });

  const KEYS = { 1: "left", 2: "right", 3: "equal", 4: "both_bad" };
  const typing = (element) =>
    element instanceof Element &&
    (element.closest("textarea, select, [contenteditable=''], [contenteditable='true']") !== null ||
      (element instanceof HTMLInputElement && !["radio", "checkbox", "button"].includes(element.type)));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event.target)) return;
    if (!pair() || document.querySelector("dialog[open]")) return;
    if (KEYS[event.key]) vote(KEYS[event.key]);
    else if (event.key.toLowerCase() === "n") next();
    else return;
    event.preventDefault();
  });

  // ---- what has come ----------------------------------------------------------------------

  const before = new Map(); // of every place for pairs, the state in which it was seen last
  const opened = new Map(); // and of the pair that was open last, its token and what was said of its answers
  const chips = (now) => [...now.querySelectorAll("[aria-pressed]")];
  const named = (chip) => `${chip.dataset.side} ${chip.dataset.detail}`;
  const clocks = new Map(); // of every place, what counts its pair's seconds

  function arrived() {
    for (const place of ["vote-pair", "vote-live-pair"]) {
      const now = document.querySelector(`#${place} .vt-pair`);
      if (!now) continue;
      const state = `${now.dataset.state} ${now.dataset.token}`;
      if (before.get(place) === state) {
        const said = () => chips(now).filter((chip) => chip.ariaPressed === "true").map(named);
        if (now.dataset.state === "open") opened.set(place, { token: now.dataset.token, said: said() });
        continue;
      }
      before.set(place, state);
      if (now.dataset.state === "open") {
        // A new pair is updated in place: what was said of the last one must not stick to it. After a follow-up or an
        // undo it is the same pair, of which all that holds.
        const last = opened.get(place);
        const same = last?.token === now.dataset.token;
        for (const chip of chips(now)) chip.setAttribute("aria-pressed", String(same && last.said.includes(named(chip))));
        if (!same) for (const text of now.querySelectorAll(".ml-answer")) text.scrollTop = 0;
      }
      countDown(place, now);
      if (now.dataset.say) window.medilite.announce(now.dataset.say);
      if (now.dataset.state === "writing") {
        for (const text of now.querySelectorAll(".ml-answer")) text.scrollTop = 0;
        if (seen(now)) bring(now, "start");
      }
      if (acted && seen(now)) follow(now);
    }
  }

  function follow(now) {
    acted = false;
    const state = now.dataset.state;
    if (state === "open" || state === "nothing") {
      now.querySelector("h2")?.focus({ preventScroll: true });
      const top = now.getBoundingClientRect().top;
      if (top < 0 || top > window.innerHeight / 2) bring(now, "start");
    } else if (state === "taken" || state === "voted" || state === "undone") {
      now.querySelector('[data-do="reveal"], [data-do="next"]')?.focus({ preventScroll: true });
      const told = now.querySelector(".vt-told");
      const bar = now.querySelector(".vt-bar");
      if (told && bar && told.getBoundingClientRect().bottom > window.innerHeight - bar.offsetHeight) {
        bring(now.querySelector(".vt-verdict"), "center");
      }
    }
  }

  const bring = (element, block) => element?.scrollIntoView({ block, behavior: calm.matches ? "auto" : "smooth" });

  // The names come by themselves when their seconds are over, unless somebody is at Undo; Undo goes with its own.
  // While another tab or the other kind of pairs is open they wait: a call is about the pair that is seen.
  function countDown(place, now) {
    clearInterval(clocks.get(place));
    const buttons = [...now.querySelectorAll("[data-seconds]")];
    if (!buttons.length) return;
    const left = new Map(buttons.map((button) => [button, Number(button.dataset.seconds) * 1000]));
    const undo = now.querySelector('[data-do="undo"]');
    let then = performance.now();
    const tick = () => {
      const passed = performance.now() - then;
      then += passed;
      for (const button of buttons) {
        const held = button !== undo && undo && !undo.hidden && (undo.matches(":hover") || undo === document.activeElement);
        if (!held) left.set(button, left.get(button) - passed);
        const seconds = Math.max(Math.ceil(left.get(button) / 1000), 0);
        const count = button.querySelector(".vt-count");
        if (count) count.textContent = String(seconds);
        if (seconds > 0) continue;
        if (button === undo) {
          if (document.activeElement === button) now.querySelector('[data-do="reveal"]')?.focus({ preventScroll: true });
          button.hidden = true;
        } else if (!waiting && seen(now)) {
          clearInterval(clocks.get(place));
          acted = true;
          send(button.dataset.do);
        }
      }
    };
    for (const button of buttons) button.hidden = false;
    clocks.set(place, setInterval(tick, 250));
    tick();
  }

  // ---- the walk-through -------------------------------------------------------------------

  const tour = () => document.getElementById("vote-tour-dialog");
  let step = 1;
  let offered = false;

  function openTour() {
    const dialog = tour();
    if (!dialog || dialog.open) return;
    show(1);
    dialog.showModal();
    dialog.querySelector('[data-tour="next"]')?.focus();
    dialog.addEventListener("close", () => keep(TOUR, "seen"), { once: true });
  }

  function show(number) {
    const dialog = tour();
    const steps = [...dialog.querySelectorAll("[data-step]")];
    step = number;
    for (const part of steps) part.hidden = Number(part.dataset.step) !== number;
    dialog.querySelector('[data-tour="back"]').hidden = number === 1;
    dialog.querySelector('[data-tour="skip"]').hidden = number === steps.length;
    dialog.querySelector('[data-tour="next"]').textContent = number === steps.length ? "Start" : "Next";
  }

  function turn(way) {
    const dialog = tour();
    const last = dialog.querySelectorAll("[data-step]").length;
    if (way === "skip" || (way === "next" && step === last)) {
      dialog.close();
      return;
    }
    show(step + (way === "next" ? 1 : -1));
    // What is new is read out; Tab goes on to the buttons.
    dialog.querySelector(`[data-step="${step}"] h2`)?.focus();
  }

  function offerTour() {
    if (offered || !seen(document.querySelector(".vt-intro"))) return;
    offered = true;
    if (!kept(TOUR)) openTour();
  }

  new MutationObserver(() => {
    takeVoter();
    comeBack();
    arrived();
    offerTour();
  }).observe(document, {
    childList: true,
    subtree: true,
    attributeFilter: ["data-state", "data-token", "data-voter", "aria-pressed", "style", "class"],
  });
})();
