// Files for an entry: chosen, dropped on its form or pasted into it, each to be taken out
// again. Without this script the field takes them as it always does.
const rapport = (globalThis.rapport ??= {});
const fieldOf = (target) => target?.closest?.("form")?.querySelector(".files-field input");
const say = (box, key, { name }) => box.dataset[key].replace("{name}", name);

const put = (input, files) => {
  const box = input.closest(".files-field");
  const all = new DataTransfer();
  for (const one of files) all.items.add(one);
  input.files = all.files;
  box.kept = [...files];
  box.querySelector("ul").replaceChildren(...box.kept.map((file) => {
    const line = document.createElement("li");
    const out = document.createElement("button");
    out.type = "button";
    out.textContent = "×";
    out.setAttribute("aria-label", say(box, "remove", file));
    out.addEventListener("click", () => {
      put(input, box.kept.filter((one) => one !== file));
      input.focus();
    });
    line.className = "chip";
    line.append(file.name, out);
    return line;
  }));
  box.querySelector("ul").dispatchEvent(new Event("change", { bubbles: true }));
};
const add = (input, files) => {
  const box = input.closest(".files-field");
  const [fit, large] = [[], []];
  for (const one of files) (one.size > Number(box.dataset.most) ? large : fit).push(one);
  put(input, [...(box.kept ?? []), ...fit]);
  input.form.classList.add("open");
  for (const one of large) rapport.toast?.(say(box, "large", one));
};

document.addEventListener("change", ({ target }) => target.matches?.(".files-field input") && add(target, [...target.files]));
document.addEventListener("reset", ({ target }) => {
  const input = target.querySelector?.(".files-field input");
  if (input) put(input, []);
});
const holds = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files") && fieldOf(event.target);
document.addEventListener("dragover", (event) => holds(event) && event.preventDefault());
document.addEventListener("drop", (event) => {
  const input = holds(event);
  if (!input) return;
  event.preventDefault();
  add(input, [...event.dataTransfer.files]);
});
document.addEventListener("paste", (event) => {
  const board = event.clipboardData;
  // A table from a spreadsheet comes as words and as a picture of them: the words count.
  const input = board?.files.length && !board.types.includes("text/plain") && fieldOf(event.target);
  if (!input) return;
  event.preventDefault();
  add(input, [...board.files]);
});
