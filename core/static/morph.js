// Brings a part of the page up to date without disturbing its reader: what holds the
// focus, the selection or unsaved words is left alone, what stays is not rebuilt.
const rapport = (globalThis.rapport ??= {});
const LISTS = "ol, ul, tbody, [data-live-list]";

const inUse = (element) => {
  const active = document.activeElement;
  if (active && active !== document.body && element.contains(active)) return true;
  const chosen = getSelection();
  return Boolean(chosen?.rangeCount && !chosen.isCollapsed && chosen.getRangeAt(0).intersectsNode(element));
};
const unsaved = (field) => {
  if (field.type === "hidden") return false;
  return /checkbox|radio/.test(field.type) ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
};
const busy = (element) =>
  inUse(element) ||
  element.querySelector(":popover-open, dialog[open]") !== null ||
  [...element.querySelectorAll("input, textarea")].some(unsaved);

const isList = (element) => element.matches(LISTS) && [...element.children].some((child) => child.id);
const holdsList = (element) => [...element.querySelectorAll(LISTS)].some(isList);

// What the reader unfolded, what was fetched into its place, a clock's words and a
// form's token are no differences.
const bare = (element) => {
  const copy = element.cloneNode(true);
  for (const one of [copy, ...copy.querySelectorAll("*")]) {
    for (const name of ["open", "hidden", "aria-expanded", "style"]) one.removeAttribute(name);
    one.classList.remove("fresh", "clamp", "htmx-request", "htmx-settling", "htmx-swapping", "htmx-added");
    if (!one.classList.length) one.removeAttribute("class");
    if (one.matches("[data-more], [data-fetched], time")) one.textContent = "";
    if (one.matches("[name=csrf_token]")) one.removeAttribute("value");
  }
  return copy;
};
const same = (a, b) => bare(a).isEqualNode(bare(b));

const setUp = (element) => {
  globalThis.htmx?.process(element);
  rapport.enhance?.(element);
};
const replace = (old, next) => {
  const folds = old.querySelectorAll("details");
  next.querySelectorAll("details").forEach((fold, at) => folds[at] && (fold.open = folds[at].open));
  old.replaceWith(next);
  setUp(next);
};

// `news` gathers what came: elements shown, ids held back, and whether some part has
// to wait because it is in use.
const morphList = (old, next, news) => {
  const incoming = [...next.children].filter((child) => child.id);
  const wanted = new Set(incoming.map((child) => child.id));
  const current = [...old.children].filter((child) => child.id);
  const last = current.findLastIndex((child) => wanted.has(child.id));
  current.forEach((child, at) => {
    // Of a list longer than one page the fragment is only the first: the rest stays.
    if (wanted.has(child.id) || (old.hasAttribute("data-live-window") && at > last)) return;
    if (busy(child)) news.waiting = true;
    else child.remove();
  });
  let before = [...old.children].find((child) => child.id) ?? null;
  for (const child of incoming) {
    const twin = [...old.children].find((one) => one.id === child.id);
    if (twin) {
      before = twin.nextElementSibling;
      morph(twin, child, news);
    } else if (news.mayShow) {
      child.classList.add("fresh");
      old.insertBefore(child, before);
      setUp(child);
      news.shown.push(child);
    } else {
      news.held.push(child.id);
    }
  }
};
const morph = (old, next, news) => {
  if (same(old, next)) return;
  const pairs = [...old.children].map((child, at) => [child, next.children[at]]);
  const alike = old.children.length === next.children.length && pairs.every(([a, b]) => a.tagName === b.tagName);
  if (isList(old)) morphList(old, next, news);
  else if (holdsList(old) && alike) pairs.forEach(([a, b]) => morph(a, b, news));
  else if (busy(old)) news.waiting = true;
  else replace(old, next);
};

// The element itself stays, whatever happens to what is in it.
rapport.morph = (element, next, mayShow) => {
  const news = { mayShow, shown: [], held: [], waiting: false };
  if (isList(element)) morphList(element, next, news);
  else if (element.children.length === next.children.length) {
    const parts = [...next.children]; // One that replaces another leaves its own list.
    [...element.children].forEach((child, at) => morph(child, parts[at], news));
  } else if (busy(element)) news.waiting = true;
  else {
    element.replaceChildren(...next.childNodes);
    setUp(element);
  }
  return news;
};
rapport.inUse = inUse;
