// Menus are native popovers; this puts them beside their button and adds the keys
// of a menu: arrows, Home, End and the first letters of a line.
const wide = matchMedia("(width >= 48em)");
const lines = (menu) => [...menu.querySelectorAll("[role=menuitem]")].filter((line) => !line.disabled);

document.addEventListener("beforetoggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.(".menu[popover]") || event.newState !== "open") return;
  const button = document.querySelector(`[popovertarget="${menu.id}"]:not([hidden])`);
  menu.style.cssText = "";
  if (!button || !wide.matches) return;
  const box = button.getBoundingClientRect();
  const below = box.bottom < innerHeight * 0.6;
  if (below) menu.style.top = `${box.bottom + 4}px`;
  else menu.style.bottom = `${innerHeight - box.top + 4}px`;
  if (box.left < innerWidth / 2) menu.style.left = `${Math.max(box.left, 8)}px`;
  else menu.style.right = `${Math.max(root().clientWidth - box.right, 8)}px`;
  menu.style.maxHeight = `${(below ? innerHeight - box.bottom : box.top) - 16}px`;
}, true);
const root = () => document.documentElement;

document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.("[popover]")) return;
  const open = event.newState === "open";
  for (const button of document.querySelectorAll(`[popovertarget="${menu.id}"]`)) button.setAttribute("aria-expanded", String(open));
  if (!open) return;
  lines(menu)[0]?.focus();
  // A menu may fetch what it holds.
  menu.dispatchEvent(new Event("opened"));
}, true);
document.addEventListener("htmx:afterSwap", ({ target }) => target.matches?.(".menu:popover-open") && lines(target)[0]?.focus());

let typed = "";
let typedAt = 0;
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("[role=menu]");
  if (!menu || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = lines(menu);
  const at = all.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    all[(to + all.length) % all.length]?.focus();
  } else if (event.key === "Tab") {
    menu.hidePopover();
  } else if (event.key.length === 1 && event.key !== " ") {
    typed = event.timeStamp - typedAt < 600 ? typed + event.key : event.key;
    typedAt = event.timeStamp;
    all.find((line) => line.textContent.trim().toLowerCase().startsWith(typed.toLowerCase()))?.focus();
  }
});

// What unfolds over the page shuts with Escape, and the hand is where it was.
document.addEventListener("keydown", (event) => {
  const box = event.key === "Escape" && !event.isComposing && event.target.closest?.("details.snooze[open]");
  if (!box || event.defaultPrevented) return;
  event.preventDefault();
  box.open = false;
  box.querySelector("summary").focus();
});
