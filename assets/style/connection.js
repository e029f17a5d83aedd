// A hidden tab that waits for no answer holds no connection. Without HTTP/2 a browser opens six to a server, for all its
// tabs together, and Gradio has each tab hold one for as long as it is open: a seventh would never load.
//
// This is in the document itself, before Gradio's code, which opens that connection before it adds the page's head.
(() => {
  "use strict";

  const HEARTBEAT = /\/gradio_api\/heartbeat\//;
  const ANSWERS = /\/gradio_api\/queue\/data[?]/;
  const REST_MS = 10_000; // hidden for so long, a tab gives its connection back

  const send = window.fetch.bind(window);

  window.fetch = (what, options) => {
    const address = what instanceof Request ? what.url : String(what);
    if (HEARTBEAT.test(address)) return heartbeat(address, what.signal ?? options?.signal);
    if (ANSWERS.test(address)) answersAreComing(what.signal ?? options?.signal);
    return send(what, options);
  };

  let coming = 0;
  function answersAreComing(signal) {
    coming += 1;
    signal?.addEventListener("abort", () => { coming -= 1; }, { once: true });
  }

  function heartbeat(address, signal) {
    let held = null;
    let rest = 0;
    const hold = async () => {
      const mine = (held = new AbortController());
      try {
        const { body } = await send(address, { headers: { accept: "text/event-stream" }, signal: mine.signal });
        for (const reader = body.getReader(); !(await reader.read()).done; );
      } catch {
        // Let go, or lost: the next event says so.
      }
      if (held === mine) held = null;
    };
    const look = () => {
      clearTimeout(rest);
      if (signal?.aborted) return;
      if (document.visibilityState !== "hidden") {
        if (!held) hold();
      } else if (held) {
        rest = setTimeout(() => (coming > 0 ? look() : held?.abort()), REST_MS);
      }
    };
    document.addEventListener("visibilitychange", look);
    signal?.addEventListener("abort", () => held?.abort(), { once: true });
    look();
    // What Gradio reads never ends and says nothing.
    return Promise.resolve(new Response(new ReadableStream({}), { headers: { "content-type": "text/event-stream" } }));
  }
})();
