// Shortcuts, the same on every page: an element with data-key is clicked by that key, or focused when it is a field.
// "?" opens a list of those that are valid where one is; their words are data-key-label, or the element's own.
const isTyping = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

const isShown = (element) => element.checkVisibility?.() ?? element.getClientRects().length > 0;

const valid = () => [...document.querySelectorAll("[data-key]")].filter(isShown);

const labelOf = (element) =>
  element.dataset.keyLabel ?? element.getAttribute("aria-label") ?? element.textContent.trim().replace(/\s+/g, " ");

function use(element) {
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) && !/^(checkbox|radio|submit|button)$/.test(element.type)) {
    element.focus();
    element.select?.();
  } else {
    element.click();
  }
}

function make(name, text, parent) {
  const element = document.createElement(name);
  element.textContent = text;
  parent.append(element);
  return element;
}

function list() {
  const dialog = document.createElement("dialog");
  dialog.className = "keys";
  dialog.setAttribute("aria-labelledby", "keys-title");
  make("h2", "Keyboard shortcuts on this page", dialog).id = "keys-title";
  const keys = make("dl", "", dialog);
  const seen = new Set();
  for (const element of valid()) {
    if (seen.has(element.dataset.key)) continue;
    seen.add(element.dataset.key);
    make("kbd", element.dataset.key, make("dt", "", keys));
    make("dd", labelOf(element), keys);
  }
  make("kbd", "?", make("dt", "", keys));
  make("dd", "This list", keys);
  const form = make("form", "", dialog);
  form.method = "dialog";
  make("button", "Close", form).className = "button quiet";
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "?") {
    event.preventDefault();
    list();
    return;
  }
  const element = valid().find((candidate) => candidate.dataset.key === event.key);
  if (element) {
    event.preventDefault();
    use(element);
  }
});

// A slider with data-submit tells its number as it moves, and sends its form when it is let go. With the keyboard Enter sends it, so
// that arrows can go on.
const sliderOf = (event) => (event.target instanceof HTMLInputElement && event.target.matches("[data-submit]") ? event.target : null);

document.addEventListener("input", (event) => {
  const slider = sliderOf(event);
  const output = slider?.form.querySelector("output");
  if (output) output.value = slider.value;
});

document.addEventListener("pointerup", (event) => sliderOf(event)?.form.requestSubmit());
