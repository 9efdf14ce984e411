// The walk in the browser: the marks above a step, the keys of a clicker, sliders that redraw their
// chart while they move, and the visitor's progress. Called again on every change of the data.

const STORE = "pgviz.progress";
const page = { keys: null, sliders: null, step: null, room: null };

export default function ({ parentElement, data, setTriggerValue, setStateValue }) {
  const host = parentElement.querySelector(".walk") ?? parentElement;
  draw(host, data, (slug) => setTriggerValue("go", slug));
  progress(data, setStateValue);
  keys();
  sliders();
  if (page.step !== data.place) {
    if (page.step !== null) document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
    page.step = data.place;
    page.room ??= new BroadcastChannel("pgviz");
    page.room.postMessage(data.place);
  }
  document.documentElement.toggleAttribute("data-present", Boolean(data.present));
  return () => {
    page.sliders?.disconnect();
    page.sliders = null;
  };
}

function draw(host, data, go) {
  const list = document.createElement("ol");
  for (const mark of data.marks) {
    const link = document.createElement("a");
    link.href = mark.href;
    link.title = mark.title;
    link.className = [mark.state, mark.deeper ? "deeper" : ""].join(" ");
    link.setAttribute("aria-label", mark.label);
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
  };
  page.sliders = new MutationObserver(copy);
  page.sliders.observe(main, { subtree: true, childList: true, attributeFilter: ["value"] });
  copy();
}
