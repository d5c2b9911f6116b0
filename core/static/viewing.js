// A colleague looks at the portal as somebody sees it: nothing is sent, and every button
// that would send something says why. The server refuses it as well.
const strip = document.querySelector(".viewing-strip");
const why = strip.dataset.why;
const sends = (form) => form.method === "post" && form !== strip;
const mark = (root) => {
  for (const button of root.querySelectorAll("button, input[type=submit]")) {
    const acts = button.matches("[hx-post]") || (button.type === "submit" && button.form && sends(button.form));
    if (acts) button.setAttribute("aria-disabled", "true"), (button.title = why);
  }
};
mark(document);
document.addEventListener("htmx:load", ({ detail }) => mark(detail.elt));
addEventListener("submit", (event) => {
  if (!sends(event.target)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  globalThis.rapport.toast(why);
}, true);
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.requestConfig.verb === "get") return;
  event.preventDefault();
  globalThis.rapport.toast(why);
});
