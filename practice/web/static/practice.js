// The dialogs of the practice pages: the greeting after signing in, and making a post.
"use strict";

const ask = (root, selector) => root.querySelector(selector);

for (const dialog of document.querySelectorAll("dialog")) {
  for (const button of dialog.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => dialog.close());
  }
  if ("show" in dialog.dataset) dialog.showModal();
}
for (const button of document.querySelectorAll("[data-open]")) {
  button.addEventListener("click", () => document.getElementById(button.dataset.open).showModal());
}

const compose = document.getElementById("compose");
if (compose) prepareCompose(compose);

function prepareCompose(dialog) {
  const input = ask(dialog, "input[type=file]");
  const title = ask(dialog, "h2");
  const alert = ask(dialog, "[role=alert]");
  const caption = ask(dialog, "[role=textbox]");
  const next = ask(dialog, "[data-next]");
  const back = ask(dialog, "[data-back]");
  const share = ask(dialog, "[data-share]");
  const titles = { choose: "Create new post", crop: "Preview", edit: "Edit", caption: "Caption", sharing: "Sharing", done: "Post shared" };
  const order = ["choose", "crop", "edit", "caption"];
  let step = "choose";

  function show(name) {
    step = name;
    title.textContent = titles[name];
    const visible = name === "edit" ? "crop" : name === "sharing" ? "caption" : name;
    for (const section of dialog.querySelectorAll("[data-step]")) section.hidden = section.dataset.step !== visible;
    dialog.dataset.at = name;
    next.hidden = !["crop", "edit"].includes(name);
    back.hidden = !["crop", "edit", "caption"].includes(name);
    share.hidden = !["caption", "sharing"].includes(name);
    share.disabled = caption.ariaDisabled = name === "sharing";
    if (name === "caption") caption.focus();
  }

  function complain(text) {
    alert.textContent = text;
    alert.hidden = !text;
  }

  function fillPreviews() {
    for (const box of dialog.querySelectorAll(".preview")) {
      box.replaceChildren(...Array.from(input.files, (file) => {
        const video = file.type.startsWith("video/");
        const element = document.createElement(video ? "video" : "img");
        element.src = URL.createObjectURL(file);
        if (video) element.muted = element.autoplay = element.loop = true;
        else element.alt = file.name;
        return element;
      }));
    }
  }

  async function send() {
    const form = new FormData();
    for (const file of input.files) form.append("files", file);
    form.append("caption", textOf(caption));
    complain("");
    show("sharing");
    try {
      const response = await fetch("/create/", { method: "POST", body: form });
      const answer = await response.json();
      if (!response.ok) throw new Error(answer.message);
      ask(dialog, "[role=status]").textContent = "Your post has been shared.";
      ask(dialog, "[data-post]").href = answer.url;
      show("done");
    } catch (error) {
      show("caption");
      complain(`The post could not be shared. ${error.message}`);
    }
  }

  ask(dialog, "[data-pick]").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    if (!input.files.length) return;
    complain("");
    fillPreviews();
    show("crop");
  });
  next.addEventListener("click", () => show(order[order.indexOf(step) + 1]));
  back.addEventListener("click", () => show(order[order.indexOf(step) - 1]));
  share.addEventListener("click", send);
  caption.addEventListener("input", () => {
    ask(dialog, "[data-length]").textContent = textOf(caption).length.toLocaleString("en");
  });
  dialog.addEventListener("close", () => {
    if (step === "done") location.assign("/");
    input.value = "";
    caption.textContent = "";
    complain("");
    show("choose");
  });
  show("choose");
}

// The text of an editable box, line by line as it is seen. Browsers write a line break as a
// character, as <br> or as a block of its own, depending on how the text came in.
function textOf(box) {
  const lines = [""];
  const add = (text) => { lines[lines.length - 1] += text; };
  const walk = (node) => {
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) {
        const [first, ...others] = child.data.split("\n");
        add(first);
        lines.push(...others);
      } else if (child.nodeName === "BR") {
        if (child !== node.lastChild) lines.push("");
      } else {
        if (child !== box.firstChild) lines.push("");
        walk(child);
      }
    }
  };
  walk(box);
  return lines.join("\n").trimEnd();
}
