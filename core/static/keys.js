// Single keys. A control says its usual one: `<a data-key="g d">`, `<button data-key="n">`.
// body[data-keys] holds what the reader changed, {usual: chosen}, or "off". They never
// fire in fields, in dialogs or while a word is being composed.
const rapport = (globalThis.rapport ??= {});
const setting = JSON.parse(document.body.dataset.keys || "{}");
const changed = setting === "off" ? {} : setting;
const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog, [role=menu], [role=listbox]";
const usuals = Object.fromEntries(Object.entries(changed).map(([usual, chosen]) => [chosen, usual]));
const usualOf = (key) => usuals[key] ?? (key in changed ? "" : key);
const chosenOf = (usual) => changed[usual] ?? usual;

// A line of a menu that is shut can be reached by its key all the same.
const seen = (element) => element.checkVisibility() || (element.matches("[role=menuitem]") && element.closest("[popover]") !== null);
const controls = () => [...document.querySelectorAll("[data-key]")].filter(seen);
const find = (keys) => controls().find((control) => control.dataset.key === keys);
const act = (target) => {
  if (!target.matches("input, textarea, select")) return target.click();
  target.scrollIntoView({ block: "nearest" });
  target.focus();
};

// Rows: j and k walk the links marked [data-stop], x ticks the row's box.
const stopsOf = () => [...document.querySelectorAll("#main [data-stop]")].filter(seen);
const walk = (step) => {
  const stops = stopsOf();
  const row = document.activeElement?.closest("tr, li, article");
  const at = stops.findIndex((stop) => stop === document.activeElement || (row && row.contains(stop)));
  const to = stops[at < 0 ? (step > 0 ? 0 : stops.length - 1) : at + step];
  to?.focus();
  return Boolean(to);
};
const tick = () => {
  const pick = document.activeElement?.closest("tr, li")?.querySelector(".pick");
  pick?.click();
  return Boolean(pick);
};
// s opens how long to wait for what the row is about; of no row, for the first of them.
const snooze = () => {
  const row = document.activeElement?.closest("tr, li, article");
  const box = row?.querySelector(".snooze") ?? document.querySelector("#main .snooze");
  if (!box) return;
  box.open = true;
  box.scrollIntoView({ block: "nearest" });
  box.querySelector("button")?.focus();
};

// The list somebody came from: [ and ] open the record before and after in it.
const pathOf = (link) => new URL(link.href, location.href).pathname;
const listed = () => {
  try {
    return JSON.parse(sessionStorage.getItem("rapport-list") ?? "[]");
  } catch {
    return []; // Refused by the browser: then there is no list to walk.
  }
};
addEventListener("pagehide", () => {
  const paths = [...document.querySelectorAll(".list [data-stop], .entries > li [data-stop]")].map(pathOf);
  try {
    if (new Set(paths).size > 1) sessionStorage.setItem("rapport-list", JSON.stringify(paths));
  } catch {
    // The browser keeps nothing: the keys do nothing then.
  }
});
const neighbour = (step) => {
  const paths = listed();
  const at = paths.indexOf(location.pathname);
  return at < 0 ? undefined : paths[at + step];
};

// What a key does that no control of the page has.
const OWN = {
  "?": { can: () => true, run: () => help() },
  j: { can: () => stopsOf().length, run: () => walk(1) },
  k: { can: () => stopsOf().length, run: () => walk(-1) },
  x: { can: () => document.querySelector("#main .pick"), run: () => tick() },
  "[": { can: () => neighbour(-1), run: () => location.assign(neighbour(-1)) },
  "]": { can: () => neighbour(1), run: () => location.assign(neighbour(1)) },
  n: { can: () => rapport.write, run: () => rapport.write() },
  s: { can: () => document.querySelector("#main .snooze"), run: () => snooze() },
  z: { can: () => document.querySelector(".toast form button"), run: () => document.querySelector(".toast form button").click() },
};

const caps = (box, keys) => {
  for (const part of keys) {
    const cap = document.createElement("kbd");
    cap.textContent = part;
    box.append(cap, " ");
  }
};
const help = () => {
  const dialog = document.getElementById("keys");
  const list = dialog?.querySelector(".keys-list");
  if (!list || dialog.open) return;
  for (const old of list.querySelectorAll("[data-found]")) old.remove();
  const taken = new Set(controls().map((control) => control.dataset.key));
  for (const row of list.querySelectorAll("[data-usual]")) {
    const mine = row.dataset.usual.split(" ").filter((usual) => setting !== "off" && chosenOf(usual) && !taken.has(usual) && OWN[usual].can());
    row.hidden = row.nextElementSibling.hidden = !mine.length;
    row.replaceChildren();
    caps(row, mine.map(chosenOf));
  }
  for (const control of controls()) {
    const [first, ...rest] = control.dataset.key.split(" ");
    const single = first.length === 1;
    if (single && (setting === "off" || !chosenOf(first))) continue;
    const key = document.createElement("dt");
    const title = document.createElement("dd");
    key.dataset.found = title.dataset.found = "";
    caps(key, [single ? chosenOf(first) : first, ...rest]);
    title.textContent = control.dataset.keyTitle ?? control.getAttribute("aria-label") ?? control.textContent.trim().replace(/\s+/g, " ");
    list.append(key, title);
  }
  dialog.showModal();
};
document.addEventListener("click", (event) => event.target.closest("[data-show-keys]") && help());

let before = "";
let beforeAt = 0;
const press = (event) => {
  if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
  // A dialog that has just shut still has the focus for a moment: its keys are the page's.
  if (event.target.closest?.(FIELDS)?.checkVisibility() || document.querySelector("dialog:modal")) return;
  const second = before && event.timeStamp - beforeAt < 1200 ? find(`${before} ${event.key}`) : null;
  const usual = usualOf(event.key);
  [before, beforeAt] = [second ? "" : usual, event.timeStamp];
  const target = second ?? (usual && find(usual));
  if (target) act(target);
  else if (usual && OWN[usual]?.can()) OWN[usual].run();
  else return;
  event.preventDefault();
};
if (setting !== "off") document.addEventListener("keydown", press);
