// Files are dropped, pasted or chosen; each goes up by itself, with its own progress,
// and may be cancelled or tried again. Without this script the form sends them all.
const rapport = (globalThis.rapport ??= {});
const FORM = "form[data-drop]";
const queues = new WeakMap();
const queueOf = (form) => queues.get(form) ?? queues.set(form, []).get(form);
const say = (form, key, values = {}) => {
  const text = JSON.parse(form.dataset.words)[key] ?? "";
  return Object.entries(values).reduce((all, [name, value]) => all.replace(`{${name}}`, value), text);
};
const inputOf = (form) => form.querySelector("input[type=file]");
const button = (text, act) => {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "btn btn-ghost";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
};

/* One line for each file ----------------------------------------------------------- */
const draw = (item, state, text = "", ...acts) => {
  item.line.className = state === "unfit" ? "refused" : state;
  const said = item.line.querySelector(".drop-said");
  said.textContent = text;
  item.line.querySelector("progress").hidden = state !== "sending";
  item.line.querySelector(".drop-act").replaceChildren(...acts);
  item.state = state;
  if (text) rapport.announce?.(`${item.file.name}: ${text}`);
};
const lineFor = (file) => {
  const line = document.createElement("li");
  const [name, act, said] = ["drop-name", "drop-act", "drop-said"].map((part) => {
    const span = document.createElement("span");
    span.className = part;
    return span;
  });
  name.textContent = file.name;
  const progress = document.createElement("progress");
  progress.max = 1;
  progress.value = 0;
  progress.setAttribute("aria-label", file.name);
  line.append(name, act, progress, said);
  return line;
};
const remove = (form, item) => {
  const queue = queueOf(form);
  queue.splice(queue.indexOf(item), 1);
  item.line.remove();
};
const takeOut = (form, item) => {
  const off = button(say(form, "out"), () => remove(form, item));
  off.setAttribute("aria-label", say(form, "remove", { name: item.file.name }));
  return off;
};
const refused = (form, file) => {
  if (file.size > Number(form.dataset.max)) return say(form, "large", { name: file.name });
  return file.size ? "" : say(form, "empty", { name: file.name });
};
// In a part of the page that live updates draw again, the lines stand behind it.
const listOf = (form) => {
  const part = form.closest("[data-live-url]");
  if (!part) return form.querySelector("[data-drop-list]");
  if (part.nextElementSibling?.matches(".drop-list")) return part.nextElementSibling;
  const made = document.createElement("ul");
  made.className = "drop-list panel small";
  part.after(made);
  return made;
};
const take = (form, files) => {
  const list = listOf(form);
  const input = inputOf(form);
  if (!input.multiple) [...queueOf(form)].forEach((item) => remove(form, item));
  for (const file of input.multiple ? files : [...files].slice(0, 1)) {
    const item = { file, line: lineFor(file), key: crypto.randomUUID?.() ?? String(Math.random()) };
    list.append(item.line);
    const off = takeOut(form, item);
    queueOf(form).push(item);
    const why = refused(form, file);
    if (why) draw(item, "unfit", why, off);
    else draw(item, "waiting", "", off);
  }
  input.value = "";
  if ("atOnce" in form.dataset) sendAll(form);
};

/* Sending -------------------------------------------------------------------------- */
const bodyFor = (form, item, alone) => {
  const body = new FormData(form);
  body.delete("file");
  if (!alone) body.delete("title");
  body.append("file", item.file, item.file.name);
  return body;
};
const send = (form, item, alone) => new Promise((done) => {
  const call = new XMLHttpRequest();
  const again = () => button(say(form, "again"), () => sendAll(form, [item]));
  call.open("POST", form.action);
  call.setRequestHeader("Accept", "application/json");
  call.setRequestHeader("X-CSRFToken", form.elements.csrf_token.value);
  call.setRequestHeader("Idempotency-Key", item.key);
  call.responseType = "json";
  call.upload.addEventListener("progress", ({ loaded, total }) => {
    item.line.querySelector("progress").value = total ? loaded / total : 0;
  });
  call.addEventListener("load", () => {
    const answer = call.response ?? {};
    if (call.status === 201) arrived(form, item, answer);
    else {
      // It was heard and refused; with other choices it is another request.
      item.key = crypto.randomUUID?.() ?? String(Math.random());
      const said = Object.values(answer.errors ?? {}).flat().join(" ");
      draw(item, "refused", said || answer.detail || say(form, "failed"), again(), takeOut(form, item));
    }
    done();
  });
  // The key stays: if it did arrive, the second try finds it done.
  call.addEventListener("error", () => (draw(item, "refused", say(form, "lost"), again()), done()));
  call.addEventListener("abort", () => (remove(form, item), done()));
  draw(item, "sending", "", button(say(form, "cancel"), () => call.abort()));
  call.send(bodyFor(form, item, alone));
});
const arrived = (form, item, { title, url, same }) => {
  item.url = url;
  const link = document.createElement("a");
  link.href = url;
  link.textContent = title;
  item.line.querySelector(".drop-name").replaceChildren(link);
  draw(item, "done", say(form, new URL(url, location.href).search ? "outside" : same ? "same" : "added"));
};
const sendAll = async (form, items = null) => {
  const queue = queueOf(form);
  // The form's button means those that were refused too: another choice may have been made.
  const chosen = items ?? queue.filter((item) => ["waiting", "refused"].includes(item.state));
  const alone = queue.filter((item) => item.state !== "done").length === 1;
  for (const item of chosen) await send(form, item, alone);
  const open = queue.filter((item) => item.state !== "done");
  // With one file the reader wants to see it; with several, all that became of them.
  if ("follow" in form.dataset && !open.length && queue.length === 1) location.assign(queue[0].url);
};

/* What people do ------------------------------------------------------------------- */
const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
// A page with one form takes a file wherever it is dropped, except where one writes.
const formOf = (event) => {
  const inside = event.target.closest?.(FORM);
  if (inside || event.target.closest?.("textarea, .composer")) return inside;
  const forms = document.querySelectorAll(FORM);
  return forms.length === 1 ? forms[0] : null;
};
const calm = () => document.querySelectorAll(".drop-zone.over").forEach((zone) => zone.classList.remove("over"));
for (const type of ["dragenter", "dragover"]) {
  document.addEventListener(type, (event) => {
    const form = holdsFiles(event) && formOf(event);
    if (!form) return;
    event.preventDefault();
    form.closest("details")?.setAttribute("open", "");
    form.querySelector(".drop-zone").classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => event.relatedTarget || calm());
document.addEventListener("drop", (event) => {
  const form = holdsFiles(event) && formOf(event);
  calm();
  if (!form) return;
  event.preventDefault();
  take(form, event.dataTransfer.files);
});
document.addEventListener("change", ({ target }) => {
  const form = target.closest?.(FORM);
  if (form && target.type === "file" && target.files.length) take(form, [...target.files]);
});
document.addEventListener("paste", (event) => {
  const files = event.clipboardData?.files ?? [];
  const form = formOf(event);
  if (!files.length || !form) return;
  event.preventDefault();
  take(form, [...files]);
});
document.addEventListener("submit", (event) => {
  const form = event.target.closest(FORM);
  if (!form || !queueOf(form).some((item) => item.state !== "done")) return;
  event.preventDefault();
  if (queueOf(form).every((item) => ["done", "unfit"].includes(item.state))) inputOf(form).focus();
  sendAll(form);
});
