// The walk in the browser: the marks above a step, the keys of a clicker, sliders that redraw their
// chart while they move, and the visitor's progress. Called again on every change of the data.

const STORE = "pgviz.progress";
const RESULTS = ["says", "gate", "reply"]
  .map((part) => `[class*=st-key-${part}-] .stMarkdown:not(label *, button *)`)
  .join();
const STILL = 700; // ms without a change, after which a result is said to a screen reader
const page = { keys: null, sliders: null, step: null, title: null, room: null, seen: "", said: null };

export default function ({ parentElement, data, setTriggerValue, setStateValue }) {
  const host = parentElement.querySelector(".walk") ?? parentElement;
  draw(host, data, (slug) => setTriggerValue("go", slug));
  progress(data, setStateValue);
  keys();
  sliders();
  results(parentElement.querySelector(".told"));
  if (page.step !== null && page.step + page.title !== data.place + data.title)
    begin(data.title, page.step !== data.place, 40);
  page.title = data.title;
  if (page.step !== data.place) {
    page.step = data.place;
    [page.seen, page.said] = ["", null];
    page.room ??= new BroadcastChannel("pgviz");
    page.room.postMessage(data.place);
  }
  document.documentElement.toggleAttribute("data-present", Boolean(data.present));
  return () => {
    page.sliders?.disconnect();
    page.results?.disconnect();
    page.sliders = page.results = null;
  };
}

function draw(host, data, go) {
  const list = document.createElement("ol");
  for (const mark of data.marks) {
    const link = document.createElement("a");
    link.href = mark.href;
    link.title = mark.title; // also its name
    link.className = [mark.state, mark.deeper ? "deeper" : ""].join(" ");
    if (mark.state === "here") link.setAttribute("aria-current", "step");
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      go(mark.slug);
    });
    const item = document.createElement("li");
    item.append(link);
    list.append(item);
  }
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = data.name;
  const count = document.createElement("span");
  count.className = "count";
  count.textContent = data.count;
  host.replaceChildren(name, list, count);
}

// What the browser has stored goes to the server once; after that the server's word is stored.
function progress(data, setStateValue) {
  try {
    if (!data.known) setStateValue("stored", localStorage.getItem(STORE) ?? "");
    else localStorage.setItem(STORE, data.progress);
  } catch {
    if (!data.known) setStateValue("stored", "");
  }
}

// A clicker sends PageUp and PageDown. A slider that has the focus must not take them.
function keys() {
  if (page.keys) return;
  page.keys = (event) => {
    const way = { PageDown: "walk-next", PageUp: "walk-back" }[event.key];
    if (!way || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target instanceof Element && event.target.closest("textarea, [contenteditable=true]"))
      return;
    if (document.querySelector(".st-key-walk-one")) return; // all steps at once: the keys scroll
    event.preventDefault();
    event.stopImmediatePropagation();
    press(way, 40);
  };
  window.addEventListener("keydown", page.keys, true);
}

// While one page gives way to another its buttons are not there for a moment.
function press(way, tries) {
  const button = document.querySelector(`.st-key-${way} button`);
  if (button) button.click();
  else if (tries) setTimeout(press, 50, way, tries - 1);
}

// Another step: reading begins at its title. A question passed: also there, for the button is gone.
function begin(title, isNew, tries) {
  const heading = document.querySelector("[data-testid=stMain] h1");
  if (spoken(heading) !== title || !(isNew || document.activeElement === document.body)) {
    if (tries) setTimeout(begin, 50, title, isNew, tries - 1);
    return;
  }
  if (isNew) document.querySelector("[data-testid=stMain]").scrollTo(0, 0);
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

// What a screen reader is to hear without being asked: the computed sentence and the reply to an
// answer, once each, when they have changed and stand still. A run that streams is silent.
function results(region) {
  const main = document.querySelector("[data-testid=stMain]");
  if (!main || page.results) return;
  let timer = null;
  const look = () => {
    timer = null;
    const parts = [...main.querySelectorAll(RESULTS)].map(spoken).filter(Boolean);
    const [before, now] = [page.seen, parts.join("\n")];
    page.seen = now;
    if (now !== before) return later();
    if (!parts.length) return; // the step is still on its way
    if (page.said) region.textContent = parts.filter((part) => !page.said.includes(part)).join(" ");
    page.said = parts;
    setTimeout(() => (region.textContent = ""), 10 * STILL); // to be heard, not to be found again
  };
  const later = () => (timer ??= setTimeout(look, STILL));
  page.results = new MutationObserver(later);
  page.results.observe(main, { subtree: true, childList: true, characterData: true });
  later();
}

// The words of an element, without pictures of letters and without a formula's second writing.
function spoken(element) {
  if (!element) return "";
  const copy = element.cloneNode(true);
  for (const part of copy.querySelectorAll(".katex-html, annotation, style, [data-testid=stIconMaterial]"))
    part.remove();
  return copy.textContent.replace(/\s+/g, " ").trim();
}

// Streamlit has a slider say its name twice; its value, which it says, and its limits stand there once
// more, as three numbers without a word.
function heard(slider) {
  const range = slider.querySelector("input[type=range]");
  if (range?.ariaLabel) range.removeAttribute("aria-labelledby");
  for (const number of slider.querySelectorAll("p"))
    if (!number.closest("label")) number.ariaHidden = "true";
}

// Charts listen to hidden fields, #live-NAME; a slider writes there while its thumb moves.
function sliders() {
  const main = document.querySelector("[data-testid=stMain]");
  if (!main || page.sliders) return;
  const copy = () => {
    for (const field of main.querySelectorAll("input[id^=live-]")) {
      const range = main.querySelector(`.st-key-${field.id.slice(5)} input[type=range]`);
      if (!range || range.value === field.value) continue;
      field.value = range.value;
      field.dispatchEvent(new Event("input"));
    }
    for (const slider of main.querySelectorAll(".stSlider")) heard(slider);
  };
  page.sliders = new MutationObserver(copy);
  page.sliders.observe(main, { subtree: true, childList: true, attributeFilter: ["value"] });
  copy();
}
