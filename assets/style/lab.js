// The Lab's slider through the saves of a run: shows one step's answer at a time.
(() => {
  "use strict";

  function show(place) {
    const steps = document.querySelector("[data-lab-steps]");
    const all = [...steps.querySelectorAll(".lab-step")];
    all.forEach((step, i) => (step.hidden = i !== place));
    const slider = steps.querySelector("input");
    slider.value = String(place);
    const name = `step ${all[place].dataset.step}`;
    slider.setAttribute("aria-valuetext", name);
    steps.querySelector("output").textContent = name;
    for (const button of document.querySelectorAll("[data-lab-go]")) {
      button.setAttribute("aria-pressed", String(button.dataset.labGo === String(place)));
    }
  }

  document.addEventListener("input", ({ target }) => target.id === "lab-step" && show(Number(target.value)));
  document.addEventListener("click", ({ target }) => {
    const button = target instanceof Element && target.closest("[data-lab-go]");
    if (!button) return;
    show(Number(button.dataset.labGo));
    document.querySelector("[data-lab-steps]").scrollIntoView({ block: "nearest" });
  });
})();
