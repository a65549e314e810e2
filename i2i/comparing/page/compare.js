"use strict";
const at = (id) => document.getElementById(id);
let state = null;
let busy = true;

async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(path, options);
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  return answer.json();
}

function address(place, side) {
  return `/picture/${state.token}/${place}/${side}.png`;
}

async function show(found) {
  state = found;
  at("problem").hidden = true;
  at("progress").max = state.pairs;
  at("progress").value = state.done;
  at("count").textContent = state.result ? `${state.done} of ${state.pairs} voted on` : `${state.done + 1} of ${state.pairs}`;
  at("pair").hidden = Boolean(state.result);
  at("result").hidden = !state.result;
  if (state.result) {
    showResult(state.result);
    return;
  }
  const shown = [["input", "input"], ["left-picture", "left"], ["right-picture", "right"]];
  for (const [id, side] of shown) at(id).src = address(state.done, side);
  // A vote on what is not there yet would be a vote on the pair before.
  await Promise.all(shown.map(([id]) => at(id).decode()));
  if (state.done + 1 < state.pairs) for (const [, side] of shown) new Image().src = address(state.done + 1, side);
  busy = false;
}

function showResult(result) {
  const percent = (share) => `${(100 * share).toFixed(0)}%`;
  at("question").textContent = "What the votes say";
  at("verdict").textContent = result.verdict;
  at("share").setAttribute("width", 100 * result.share);
  at("interval").setAttribute("x", 100 * result.low);
  at("interval").setAttribute("width", 100 * (result.high - result.low));
  const rows = [["A", result.titles[0], result.a], ["B", result.titles[1], result.b], ["cannot tell", "", result.same]];
  at("rows").replaceChildren(...rows.map((row) => {
    const line = document.createElement("tr");
    line.append(...row.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
    return line;
  }));
  at("sure").textContent = result.a + result.b
    ? `A has ${percent(result.share)} of the ${result.a + result.b} decided votes, 95% interval ${percent(result.low)} to ${percent(result.high)}; ` +
      `votes as uneven come with a chance of ${result.chance.toPrecision(2)} if nobody preferred anything.`
    : "No vote was for one of both.";
  at("file").textContent = result.file;
}

async function act(path, body) {
  if (busy) return;
  busy = true;
  try {
    await show(await ask(path, body));
  } catch (error) {
    problem(error);
    busy = false;
  }
}

function problem(error) {
  at("problem").hidden = false;
  at("problem").textContent = `Not counted: ${error.message}. Is the program in the terminal still running?`;
}

const vote = (choice) => act("/vote", { place: state.done, choice });
at("left").addEventListener("click", () => vote("left"));
at("right").addEventListener("click", () => vote("right"));
at("same").addEventListener("click", () => vote("same"));
at("finish").addEventListener("click", () => act("/finish", {}));
document.addEventListener("keydown", (event) => {
  const choice = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "same" }[event.key];
  if (!choice || event.repeat || event.ctrlKey || event.altKey || event.metaKey || at("pair").hidden) return;
  event.preventDefault();
  vote(choice);
});
ask("/state").then(show).catch(problem);
