// Single keys. A control says its own: `<a data-key="g d">`, `<button data-key="n">`;
// body[data-keys] holds more, or other ones, as {"keys": "selector or address"}, or
// "off". They never fire in fields, in dialogs or while a word is being composed.
const setting = document.body.dataset.keys ?? "";
const changed = setting && setting !== "off" ? JSON.parse(setting) : {};
const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog, [role=menu], [role=listbox]";

const seen = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;
const controls = () => [...document.querySelectorAll("[data-key]")].filter(seen);
const find = (keys) => {
  const target = changed[keys];
  if (target?.startsWith("/")) return target;
  if (target) return document.querySelector(target);
  return controls().find((control) => control.dataset.key === keys);
};
const act = (target) => {
  if (typeof target === "string") return location.assign(target);
  if (target.matches("input, textarea, select")) {
    target.scrollIntoView({ block: "nearest" });
    return target.focus();
  }
  target.click();
};

// Rows: j and k walk the links marked [data-stop], x ticks the row's box.
const walk = (step) => {
  const stops = [...document.querySelectorAll("#main [data-stop]")].filter(seen);
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

const help = () => {
  const dialog = document.getElementById("keys");
  const list = dialog?.querySelector(".keys-list");
  if (!list) return;
  for (const old of list.querySelectorAll("[data-found]")) old.remove();
  for (const control of controls()) {
    const key = document.createElement("dt");
    const title = document.createElement("dd");
    key.dataset.found = title.dataset.found = "";
    for (const part of control.dataset.key.split(" ")) {
      const cap = document.createElement("kbd");
      cap.textContent = part;
      key.append(cap, " ");
    }
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
  if (event.target.closest?.(FIELDS) || document.querySelector("dialog:modal")) return;
  const second = before && event.timeStamp - beforeAt < 1200 ? `${before} ${event.key}` : "";
  const keys = second && find(second) ? second : event.key;
  [before, beforeAt] = [event.key, event.timeStamp];
  const target = find(keys);
  if (target) act(target);
  else if (keys === "?") help();
  else if (keys === "j" || keys === "k" ? !walk(keys === "j" ? 1 : -1) : keys !== "x" || !tick()) return;
  before = "";
  event.preventDefault();
};
if (setting !== "off") document.addEventListener("keydown", press);
