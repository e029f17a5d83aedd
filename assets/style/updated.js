// A page that stays open while the app behind it sleeps, restarts or is updated.
(() => {
  "use strict";

  const BUILD = document.querySelector("meta[name=medilite-build]")?.content ?? "";
  const LONG_MS = 60_000; // hidden for longer than this, a page asks whether it is still today's
  const WAKE_MS = 90_000; // how long an event waits for an app that wakes up
  const SPREAD_MS = 1_000; // pages that lost the connection come back within this, doubled after every failed try
  const MOST_MS = 15_000;
  const EVENT = /\/gradio_api\/(?:queue\/join|run\/predict)(?:[?]|$)/;
  const RECONNECT = /\/gradio_api\/app_id(?:[?]|$)/;

  const root = document.documentElement;
  const send = window.fetch.bind(window);
  const pause = (ms) => new Promise((go) => setTimeout(go, ms));
  const spread = (tries) => Math.random() * Math.min(SPREAD_MS * 2 ** tries, MOST_MS);

  window.fetch = (what, options) => {
    const address = what instanceof Request ? what.url : String(what);
    if (EVENT.test(address)) return event(what, options);
    return RECONNECT.test(address) ? reconnect(what, options) : send(what, options);
  };

  // The server refuses an event whose number means another one there. What sleeps answers 503 while it wakes, before
  // the app has seen the event: so it is sent again.
  async function event(what, options) {
    session = /"session_hash":"([\w-]+)"/.exec(options?.body)?.[1] ?? session;
    const headers = new Headers(options?.headers);
    headers.set("x-medilite-build", BUILD);
    const until = performance.now() + WAKE_MS;
    for (let tries = 0; ; tries++) {
      const last = performance.now() > until;
      // While it wakes, a connection may break off too.
      const response = await send(what, { ...options, headers }).catch((error) => {
        if (tries && !last) return null;
        root.removeAttribute("data-waking");
        throw error;
      });
      if (response?.status === 409) showUpdated();
      if (response && (last || response.status !== 503 || /json/.test(response.headers.get("content-type") ?? ""))) {
        root.removeAttribute("data-waking");
        return response;
      }
      show("waking");
      await pause(1_000 + spread(tries));
    }
  }

  // Gradio asks every two seconds whether a lost connection is back, and reloads the page. Ten tabs, or a hundred
  // visitors, would do that at the same moment; and a tab that nobody looks at has time until somebody does.
  let waiting = false;
  let reconnects = 0;
  async function reconnect(what, options) {
    if (waiting) throw new TypeError("MediLite is waiting before it asks again.");
    waiting = true;
    try {
      await shown();
      await pause(spread(reconnects++));
      return await send(what, options);
    } finally {
      waiting = false;
    }
  }

  const shown = () =>
    new Promise((go) => {
      const look = () => {
        if (document.visibilityState === "hidden") return;
        document.removeEventListener("visibilitychange", look);
        go();
      };
      document.addEventListener("visibilitychange", look);
      look();
    });

  // No connection stays open by which the server could know that a page is there: so one that is closed says so.
  let session = "";
  window.addEventListener("pagehide", () => session && navigator.sendBeacon(`${here()}/left/${session}`));

  const here = () => (window.gradio_config?.root ?? location.origin).replace(/\/$/, "");

  // ---- whether the page is today's ----------------------------------------------------------

  let hiddenAt = Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") hiddenAt = Date.now();
    else if (Date.now() - hiddenAt > LONG_MS) check();
  });
  window.addEventListener("pageshow", (event) => event.persisted && check());
  // A part of the page that is loaded late is gone: it had another name before the update.
  window.addEventListener("vite:preloadError", check);

  async function check() {
    try {
      const { build } = await (await send(`${here()}/healthz`)).json();
      if (build && build !== BUILD) showUpdated();
    } catch {
      // Asleep, or no connection: the next event says so.
    }
  }

  const showUpdated = () => show("updated");

  function show(what) {
    if (root.hasAttribute(`data-${what}`)) return;
    root.setAttribute(`data-${what}`, "");
    window.medilite.announce(document.querySelector(`.ml-${what} span`)?.textContent ?? "");
  }

  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-reload]")) location.reload();
  });
})();
