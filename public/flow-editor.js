// The form of a flow without a new page for each button: what the server answers takes the place of the form. Steps are moved
// by dragging their handle, and by Alt with an arrow key; which step is where is told by the order of the fields alone.
const form = () => document.querySelector("[data-flow-editor]");
const steps = () => [...document.querySelectorAll(".flow-steps > li")];

let asked = 0;

// A value by which an element is found again in the new page.
function mark(element) {
  if (!element || !element.closest("[data-flow-editor]")) return null;
  const { name, value, type } = element;
  if (!name) return null;
  const isButton = type === "submit";
  return { name, value: isButton ? value : null, at: isButton ? null : element.selectionStart };
}

function focus(found) {
  if (!found) return;
  const named = [...form().elements].filter((element) => element.name === found.name && !element.hidden);
  const element = found.value === null ? named[0] : named.find((other) => other.value === found.value);
  if (!element || element.disabled) return;
  element.focus({ preventScroll: true });
  if (found.at !== null && found.at !== undefined) element.setSelectionRange?.(found.at, found.at);
}

async function send(submitter, then) {
  const current = form();
  const data = new FormData(current, submitter ?? undefined);
  if (!submitter) data.set("change", "check");
  const number = ++asked;
  current.setAttribute("aria-busy", "true");
  let answer;
  try {
    answer = await fetch(current.action, { method: "POST", body: data });
    const text = await answer.text();
    if (number !== asked) return;
    const page = new DOMParser().parseFromString(text, "text/html");
    const next = page.querySelector("main");
    if (answer.redirected || !next) {
      location.assign(answer.redirected ? answer.url : location.href);
      return;
    }
    const focused = mark(document.activeElement);
    const open = [...document.querySelectorAll("details")].map((details) => details.open);
    document.querySelector("main").replaceChildren(...next.childNodes);
    const now = [...document.querySelectorAll("details")];
    if (now.length === open.length) now.forEach((details, at) => (details.open = open[at]));
    document.title = page.title || document.title;
    ready();
    if (then) then();
    else focus(focused);
  } catch {
    // Without the script the same button gives a whole page.
    current.removeAttribute("data-flow-editor");
    current.requestSubmit(submitter ?? undefined);
  }
}

function moved(step) {
  const at = steps().indexOf(step);
  send(null, () => steps()[at]?.querySelector(".drag")?.focus({ preventScroll: true }));
}

function shift(step, by) {
  const all = steps();
  const at = all.indexOf(step);
  const to = at + by;
  if (to < 0 || to >= all.length) return;
  if (by < 0) all[to].before(step);
  else all[to].after(step);
  moved(step);
}

function ready() {
  for (const handle of document.querySelectorAll(".drag")) {
    handle.hidden = false;
    const step = handle.closest("li");
    handle.addEventListener("pointerdown", () => (step.draggable = true));
    handle.addEventListener("pointerup", () => (step.draggable = false));
    step.addEventListener("dragstart", (event) => {
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", step.id);
      step.classList.add("dragged");
    });
    step.addEventListener("dragend", () => {
      step.draggable = false;
      step.classList.remove("dragged");
    });
  }
}

document.addEventListener("dragover", (event) => {
  const dragged = document.querySelector(".dragged");
  const over = event.target instanceof Element && event.target.closest(".flow-steps > li");
  if (!dragged || !over) return;
  event.preventDefault();
  if (over === dragged) return;
  const box = over.getBoundingClientRect();
  if (event.clientY < box.top + box.height / 2) over.before(dragged);
  else over.after(dragged);
});

document.addEventListener("drop", (event) => {
  const dragged = document.querySelector(".dragged");
  if (!dragged) return;
  event.preventDefault();
  moved(dragged);
});

document.addEventListener("keydown", (event) => {
  if (!event.altKey || !(event.target instanceof Element)) return;
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const step = event.target.closest(".flow-steps > li");
  if (!by || !step) return;
  event.preventDefault();
  shift(step, by);
});

document.addEventListener("submit", (event) => {
  if (event.target !== form()) return;
  const { submitter } = event;
  event.preventDefault();
  const value = submitter?.value ?? "";
  if (value.startsWith("add:")) {
    const before = steps().length;
    send(submitter, () => {
      const added = steps().find((_, at) => at >= before - 1 && steps().length > before && steps()[at].dataset.kind === value.slice(4));
      added?.scrollIntoView({ block: "start" });
      added?.querySelector("input:not([type=hidden])")?.focus({ preventScroll: true });
    });
  } else {
    send(submitter);
  }
});

ready();
