"use strict";
const viewer = document.getElementById("viewer");
let shown = null;
function show(button) {
  if (!button) return;
  shown = button;
  const from = button.querySelector("img"), to = viewer.querySelector("img");
  to.src = from.src;
  to.alt = from.alt;
  to.className = button.classList.contains("small") ? "small" : "";
  viewer.querySelector("strong").textContent = button.dataset.label;
  viewer.querySelector("span").textContent = button.dataset.name;
  if (!viewer.open) viewer.showModal();
}
function step(across, down) {
  const examples = [...shown.closest("[data-set]").querySelectorAll("[data-example]")];
  const of = example => [...example.querySelectorAll(".picture")];
  const here = shown.closest("[data-example]"), row = examples.indexOf(here), column = of(here).indexOf(shown);
  if (of(here).length === 1) down = down || across;
  if (down) {
    const next = examples[row + down];
    return next && (of(next)[column] || of(next)[0]);
  }
  const pictures = of(here);
  return pictures[(column + across + pictures.length) % pictures.length];
}
document.addEventListener("click", event => {
  const button = event.target.closest(".picture");
  if (button) show(button);
  else if (viewer.contains(event.target)) {
    if (event.target.tagName === "IMG" && event.detail) show(step(1, 0));
    else viewer.close();
  }
});
viewer.addEventListener("keydown", event => {
  const move = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
  if (move) {
    event.preventDefault();
    show(step(...move));
  }
});
viewer.addEventListener("close", () => shown && shown.focus());
const strip = document.querySelector(".strip");
if (strip) strip.scrollLeft = strip.scrollWidth;
const play = document.querySelector(".play");
if (play) {
  const steps = [...document.querySelectorAll(".time > input")];
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
  };
  play.hidden = false;
  play.addEventListener("click", () => {
    if (timer) return stop();
    let at = -1;
    const next = () => {
      steps[++at].checked = true;
      if (at === steps.length - 1) stop();
    };
    play.textContent = "Stop";
    timer = setInterval(next, 600);
    next();
  });
  steps.forEach(input => input.addEventListener("change", () => timer && stop()));
}
