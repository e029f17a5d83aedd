// What the page does by itself: copying, marks, explanations, keys. No library, no request.
(() => {
  "use strict";

  const root = document.documentElement;
  const open = new Set(); // keys of the <details> that a person has opened: an update must not close them

  window.medilite = {
    announce,
    mark(kind, on) {
      root.toggleAttribute(`data-mark-${kind}`, Boolean(on));
    },
  };

  // ---- copying ------------------------------------------------------------------------

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Without HTTPS (another machine on the network, say) browsers offer only the old way.
      const field = document.createElement("textarea");
      field.value = text;
      field.style.cssText = "position:fixed;opacity:0";
      document.body.append(field);
      field.select();
      const done = document.execCommand("copy");
      field.remove();
      return done;
    }
  }

  async function onCopy(button) {
    const isLink = button.dataset.copy === "link";
    const text = isLink
      ? location.origin + location.pathname + button.getAttribute("href")
      : button.closest(".ml-card").querySelector(".ml-text").textContent;
    const before = button.textContent;
    button.textContent = (await copy(text)) ? "Copied" : "Not copied";
    announce(button.textContent);
    setTimeout(() => {
      if (button.textContent !== before) button.textContent = before;
    }, 1600);
  }

  // ---- a voice for what happens without the server ----------------------------------------

  let voice;
  function announce(text) {
    if (!voice) {
      voice = document.createElement("div");
      voice.className = "ml-hidden";
      voice.setAttribute("role", "status");
      document.body.append(voice);
    }
    voice.textContent = text;
  }

  // ---- explanations -------------------------------------------------------------------

  let tip;
  function showTip(target) {
    if (!tip) {
      tip = document.createElement("div");
      tip.className = "ml-tip";
      tip.id = "ml-tip";
      tip.setAttribute("role", "tooltip");
      document.querySelector(".gradio-container")?.append(tip);
    }
    tip.textContent = target.dataset.tip;
    tip.hidden = false;
    const at = target.getBoundingClientRect();
    const box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(12, at.left), window.innerWidth - box.width - 12);
    const above = at.top - box.height - 8;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 8 ? above : at.bottom + 8}px`;
  }

  function hideTip() {
    if (tip) tip.hidden = true;
  }

  const tipped = (event) => (event.target instanceof Element ? event.target.closest("[data-tip]") : null);
  document.addEventListener("mouseover", (event) => {
    const target = tipped(event);
    if (target) showTip(target);
  });
  document.addEventListener("mouseout", (event) => {
    if (tipped(event)) hideTip();
  });
  document.addEventListener("focusin", (event) => {
    const target = tipped(event);
    if (target) showTip(target);
  });
  document.addEventListener("focusout", hideTip);
  document.addEventListener(
    "scroll",
    () => {
      if (!tip || tip.hidden) return;
      // Focus itself scrolls what it comes to into view: its explanation goes along.
      const focused = document.activeElement?.closest("[data-tip]");
      if (focused) showTip(focused);
      else hideTip();
    },
    true,
  );

  // ---- opened details stay open through updates ---------------------------------------

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const button = event.target.closest("[data-copy]");
    if (button) {
      event.preventDefault();
      onCopy(button);
      return;
    }
    const details = event.target.closest("summary")?.closest("details[data-keep]");
    // The click comes before the change: what is closed now is about to open.
    if (details) open[details.open ? "delete" : "add"](details.dataset.keep);
  });

  function keepOpen() {
    for (const details of document.querySelectorAll("details[data-keep]")) {
      const wanted = open.has(details.dataset.keep);
      if (details.open !== wanted) details.open = wanted;
    }
  }

  // ---- the conversation follows its end, unless one has scrolled up -----------------------

  let following = true;
  let turns = 0;
  const lastTurn = () => document.querySelector(".ml-turn:last-child");

  document.addEventListener("scroll", () => {
    const last = lastTurn();
    const composer = document.querySelector(".ml-composer");
    if (last && composer && last.offsetParent !== null)
      following = last.getBoundingClientRect().bottom <= composer.getBoundingClientRect().top + 80;
  });

  function follow() {
    const log = document.querySelector(".ml-chat");
    if (!log || log.offsetParent === null) return;
    const now = Number(log.dataset.turns);
    if (now > turns) following = true;
    const busy = !document.getElementById("chat-stop")?.disabled;
    if (following && (busy || now > turns)) lastTurn()?.scrollIntoView({ block: "end" });
    turns = now;
  }

  // ---- what is new comes into view, once ----------------------------------------------

  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const bring = (element, block) => element.scrollIntoView({ block, behavior: calm.matches ? "auto" : "smooth" });
  const runs = new Set(["0"]);
  let error = "";
  function reveal() {
    const run = document.querySelector("#answers .ml-grid")?.dataset.run;
    if (run !== undefined && !runs.has(run)) {
      runs.add(run);
      // The bar with Stop and the status sticks to the top; the answers follow right below it.
      bring(document.querySelector("#emergency .ml-emergency") ?? document.querySelector(".ml-tools"), "start");
    }
    const said = [...document.querySelectorAll(".ml-error, .ml-slot .ml-emergency")];
    const seen = said.filter((element) => element.offsetParent !== null);
    const wrong = seen.find((element) => element.matches(".ml-error"));
    // An emergency that gets no answer has its notice below the fields, which a phone has no room to show as well.
    if (wrong && wrong.textContent !== error) bring(seen.at(-1), seen.length > 1 ? "end" : "center");
    error = wrong?.textContent ?? "";
  }

  // ---- what Gradio's own controls don't tell a screen reader ---------------------------

  const set = (element, name, value) => {
    if (element && element.getAttribute(name) !== value) element.setAttribute(name, value);
  };

  // What a group of boxes or buttons chooses, and whether a fold is open; its arrow is a sign for the eye.
  function nameControls() {
    for (const group of document.querySelectorAll("fieldset:not([aria-label])")) {
      const label = group.querySelector('[data-testid="block-info"]')?.textContent.trim();
      if (label) group.setAttribute("aria-label", label);
    }
    for (const fold of document.querySelectorAll(".label-wrap")) {
      set(fold, "aria-expanded", String(fold.classList.contains("open")));
      set(fold.querySelector(".icon"), "aria-hidden", "true");
    }
  }
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest(".label-wrap")) setTimeout(nameControls);
  });

  // Arabic or Hebrew is written from the right, whatever the page's own language.
  function followTheWriting() {
    for (const field of document.querySelectorAll('textarea:not([dir="auto"])')) field.dir = "auto";
  }

  new MutationObserver(() => {
    followTheWriting();
    nameControls();
    showPressed();
    keepOpen();
    follow();
    reveal();
  }).observe(document, { childList: true, subtree: true, characterData: true, attributeFilter: ["open", "data-run"] });

  // ---- a turned phone -------------------------------------------------------------------

  // Gradio fits a text field to its lines when one types, not when the window's width changes.
  window.addEventListener("resize", () => {
    for (const field of document.querySelectorAll("textarea")) {
      if (field.offsetParent) field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });

  // ---- two answers at a time, or one beside the source: which, the root says, so that an update of the cards changes
  // nothing ------

  function focusOn(at, beside = root.hasAttribute("data-beside")) {
    const cards = [...document.querySelectorAll("#answers .ml-card")];
    const many = beside ? 1 : 2;
    const view = () => `${root.getAttribute("data-focus") !== null} ${root.hasAttribute("data-beside")}`;
    const before = view();
    if (at === null || cards.length < many) {
      if (root.hasAttribute("data-focus")) announce("All answers.");
      root.removeAttribute("data-focus");
      root.removeAttribute("data-beside");
      showPressed();
      if (view() !== before) bring(document.querySelector(".ml-tools"), "start");
      return;
    }
    const first = Math.min(Math.max(at, 0), cards.length - many);
    root.setAttribute("data-focus", String(first));
    root.toggleAttribute("data-beside", beside);
    showPressed();
    // The answers begin below marks and source: what was asked to be shown would be out of sight. So would the beginning
    // of the next answer, after a long one was read to its end.
    const start = document.querySelector(beside ? "#source" : "#answers .ml-asked");
    if (start && (view() !== before || start.getBoundingClientRect().top < 0)) bring(start, "start");
    const what = beside ? "beside the source" : `and ${cards[first + 1].ariaLabel}`;
    announce(`${cards[first].ariaLabel} ${what}, ${first + 1} of ${cards.length - many + 1}.`);
  }

  function showPressed() {
    for (const button of document.querySelectorAll("[data-focus-view]")) {
      const on = focused() !== null && (button.dataset.focusView === "source") === root.hasAttribute("data-beside");
      set(button, "aria-pressed", String(on));
    }
  }

  const focused = () => (root.hasAttribute("data-focus") ? Number(root.getAttribute("data-focus")) : null);

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const view = event.target.closest("[data-focus-view]");
    if (view) {
      const beside = view.dataset.focusView === "source";
      // Pressed once more it ends; the other button changes over.
      focusOn(focused() !== null && root.hasAttribute("data-beside") === beside ? null : (focused() ?? 0), beside);
    }
    if (event.target.closest("[data-focus-end]")) focusOn(null);
    const move = event.target.closest("[data-focus-move]");
    if (move && focused() !== null) focusOn(focused() + Number(move.dataset.focusMove));
  });

  document.addEventListener("keydown", (event) => {
    const grid = document.querySelector("#answers .ml-grid");
    if (focused() === null || !grid || grid.offsetParent === null) return;
    // In fields, lists and sliders the arrow keys have their own meaning.
    if (event.target instanceof Element && event.target.closest("input, textarea, select, [role=listbox], [role=tab]")) return;
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by) {
      event.preventDefault();
      focusOn(focused() + by);
    } else if (event.key === "Escape") {
      focusOn(null);
    }
  });

  // ---- keys ---------------------------------------------------------------------------

  const shown = (id) => {
    const button = document.getElementById(id);
    return button && button.offsetParent !== null && !button.disabled ? button : null;
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (tip && !tip.hidden) hideTip();
      (shown("stop") || shown("chat-stop") || shown("vote-stop") || shown("lab-stop"))?.click();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const further = document.activeElement?.closest("#vote-further") ? shown("vote-follow") : null;
      const button = further || shown("ask") || shown("send") || shown("vote-ask") || shown("lab-run");
      if (button) {
        event.preventDefault();
        event.stopPropagation();
        button.click();
      }
    }
  }, true);
})();
