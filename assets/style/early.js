// What is changed as soon as it is shown stays. Gradio gives what is in a tab or a fold that is opened for the first time
// its first values once more, a frame after it has shown it. On a busy machine somebody has typed, chosen or unfolded
// something by then: that is put back.
(() => {
  "use strict";

  const FRAMES = 10;
  const opened = new WeakSet();
  const changed = new Map(); // by field or fold, or by the name of a group of fields: which, and what it was changed to
  // A fold is put back before the browser draws it folded: what is drawn so takes the focus from the field that somebody
  // types in, and the keys that they press meanwhile go nowhere.
  const folds = new MutationObserver(() => putBack());
  let opening = 0;

  function now(part) {
    if (part.matches(".label-wrap")) return part.classList.contains("open");
    return part[part.type === "radio" || part.type === "checkbox" ? "checked" : "value"];
  }

  document.addEventListener("input", ({ target: field }) => {
    const key = field.type === "radio" ? field.name : field;
    // A number out of its range is Gradio's to correct.
    if (!opening || field.validity?.rangeOverflow || field.validity?.rangeUnderflow) changed.delete(key);
    else changed.set(key, [field, now(field)]);
  }, true);

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const opener = event.target.closest("[role=tab], .label-wrap");
    if (!opener) {
      if (event.target.closest("button")) sent();
      return;
    }
    if (opening && event.isTrusted && opener.matches(".label-wrap")) {
      changed.set(opener, [opener, !now(opener)]);
      folds.observe(opener, { attributeFilter: ["class"] });
    }
    if (opened.has(opener)) return;
    opened.add(opener);
    opening += 1;
    watch(FRAMES);
  }, true);

  document.addEventListener("keydown", (event) => event.key === "Enter" && sent(), true);

  // A question that is asked leaves its field.
  function sent() {
    for (const [part] of changed.values()) if (part.matches("textarea")) changed.delete(part);
  }

  function watch(frames) {
    requestAnimationFrame(() => {
      putBack();
      setTimeout(() => {
        putBack();
        if (frames > 1) watch(frames - 1);
        else if (!--opening) {
          changed.clear();
          folds.disconnect();
        }
      });
    });
  }

  function putBack() {
    for (const [part, value] of changed.values()) {
      if (now(part) === value) continue;
      if (typeof value === "boolean") part.click();
      else {
        part.value = value;
        part.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }
  }
})();
