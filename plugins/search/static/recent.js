// What was looked for last is offered below the box. It stays in this browser.
const box = document.getElementById("search-box");
const list = document.getElementById("search-recent");
const KEY = `rapport-searches:${document.body.dataset.user ?? ""}`;
const MOST = 10;

const recent = () => {
  try {
    return [JSON.parse(localStorage.getItem(KEY) ?? "[]")].flat().filter((one) => typeof one === "string");
  } catch {
    return []; // Private windows may refuse; then nothing is offered.
  }
};
const remember = (text) => {
  const kept = [text, ...recent().filter((one) => one !== text)].slice(0, MOST);
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Nothing is offered the next time.
  }
};
if (box && list) {
  list.replaceChildren(...recent().map((text) => new Option("", text)));
  if (box.defaultValue.trim()) remember(box.defaultValue.trim());
}
