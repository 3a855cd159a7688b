// What pages gain with JavaScript; each of them works without it.
(() => {
  "use strict";
  const find = (selector, within = document) => within.querySelector(selector);
  const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];

  // --- One live region says what changed. ---
  let lastSaid = "";
  let silence;
  function announce(text) {
    const words = (text || "").trim();
    if (!words || words === lastSaid) return; // A poll that changed nothing stays silent.
    lastSaid = words;
    find("#live").textContent = words;
    clearTimeout(silence);
    silence = setTimeout(() => { find("#live").textContent = ""; lastSaid = ""; }, 8000);
  }
  function announceIn(element) {
    const said = [element, ...findAll("[data-announce]", element)].map((item) => item.dataset?.announce).filter(Boolean);
    if (said.length) announce(said.join(". "));
  }

  // --- Toasts: good news goes by itself, trouble stays until it is dismissed. ---
  const TOAST_MILLISECONDS = 6000;
  function startToast(card) {
    if (!["success", "info"].includes(card.dataset.tone)) return;
    let timer;
    const start = () => { timer = setTimeout(() => card.remove(), TOAST_MILLISECONDS); };
    const stop = () => clearTimeout(timer);
    card.addEventListener("pointerenter", stop);
    card.addEventListener("pointerleave", start);
    card.addEventListener("focusin", stop);
    card.addEventListener("focusout", start);
    start();
  }
  function showToast({ message, tone }) {
    const card = find("#toast-template").content.firstElementChild.cloneNode(true);
    card.dataset.tone = { message: "info", error: "danger" }[tone] ?? tone;
    find(".toast-text", card).textContent = message;
    find("#toasts")?.append(card);
    startToast(card);
    announce(message);
  }
  document.addEventListener("toast", (event) => (event.detail.messages ?? []).forEach(showToast));

  // --- Dialogs: a link that opens its page in front of this one. ---
  function openDialog(dialog) {
    if (!dialog.open) dialog.showModal();
  }
  const clicks = {
    "[data-dialog]": (link, event) => {
      const dialog = document.getElementById(link.dataset.dialog);
      if (!dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      openDialog(dialog);
    },
    "[data-close]": (button) => button.closest("dialog")?.close(),
    "[data-dismiss]": (button) => button.closest(".toast-card").remove(),
    "[data-copy]": (button) => copy(button),
    "dialog": (dialog, event) => { if (event.target === dialog) dialog.close(); },
  };
  document.addEventListener("click", (event) => {
    for (const [selector, act] of Object.entries(clicks)) {
      const element = event.target.closest?.(selector);
      if (element) act(element, event);
    }
  });

  // --- Copy buttons. ---
  async function copy(button) {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // Plain http on a name other than localhost has no clipboard API.
    }
    const words = find("[data-copy-text]", button);
    words.textContent = "Copied";
    announce("Copied");
    setTimeout(() => { words.textContent = "Copy"; }, 2000);
  }

  // --- A form is sent once, however often its button is pressed. ---
  const RELEASE_MILLISECONDS = 8000;
  function release(form) {
    delete form.dataset.busy;
    findAll("[aria-disabled]", form).forEach((button) => button.removeAttribute("aria-disabled"));
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.busy) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    form.dataset.busy = "true";
    // Not `disabled`: a button that is loses the focus, and the keyboard its place.
    findAll("button[type=submit]", form).forEach((button) => button.setAttribute("aria-disabled", "true"));
    setTimeout(() => release(form), RELEASE_MILLISECONDS);
  }, true);
  addEventListener("pageshow", () => findAll("form[data-busy]").forEach(release));

  // --- The way back to the whole list shows as soon as something narrows it; the answer swaps the list alone. ---
  function updateClear(event) {
    const form = event.target.form;
    const link = form && find("[data-clear]", form);
    if (link) link.hidden = !findAll("input[name]:not([type=hidden]), select[name]", form).some((field) => field.value);
  }
  document.addEventListener("input", updateClear);
  document.addEventListener("change", updateClear);

  // --- Bulk: how many rows are chosen, and all of them at once. ---
  const boxesOf = (bar) => findAll(`input[type=checkbox][form="${bar.id}"]:not([data-select-all])`);
  function updateBulk(bar) {
    const boxes = boxesOf(bar);
    const chosen = boxes.filter((box) => box.checked).length;
    const all = find(`[data-select-all][form="${bar.id}"]`);
    const words = find("[data-bulk-count]", bar);
    if (all) {
      all.checked = boxes.length > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    }
    words.textContent = chosen ? `${chosen} selected` : `Select ${words.dataset.noun} to act on`;
    bar.classList.toggle("bulk-chosen", chosen > 0);
  }
  document.addEventListener("change", (event) => {
    const bar = event.target.form;
    if (!bar?.matches("[data-bulk]")) return;
    if (event.target.matches("[data-select-all]")) {
      boxesOf(bar).forEach((box) => { box.checked = event.target.checked; });
    }
    updateBulk(bar);
  });

  // --- What every new piece of page needs. ---
  function letKeysScroll(frame) {
    const scrolls = frame.scrollWidth > frame.clientWidth;
    const attributes = { tabindex: "0", role: "region", "aria-label": find("caption", frame)?.textContent ?? "Table" };
    for (const [name, value] of Object.entries(attributes)) {
      if (scrolls) frame.setAttribute(name, value);
      else frame.removeAttribute(name);
    }
  }
  addEventListener("resize", () => findAll(".table-frame").forEach(letKeysScroll));
  const ROLES = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TD: "cell" };
  function prepare(root) {
    // Rows that are drawn as cards keep their meaning only when it is spelled out.
    findAll(".data-table, .data-table *", root).forEach((part) => {
      if (part.tagName === "TH") part.setAttribute("role", part.scope === "row" ? "rowheader" : "columnheader");
      else if (ROLES[part.tagName]) part.setAttribute("role", ROLES[part.tagName]);
    });
    findAll(".table-frame", root).forEach(letKeysScroll);
    findAll(".toast-card", root).forEach(startToast);
    findAll("dialog[data-open]", root).forEach(openDialog);
    findAll("[data-bulk]").forEach(updateBulk);
  }

  // --- htmx: short addresses, focus that is not lost, words for what was swapped. ---
  let focusWasInside = null;
  // A target that the answer named in HX-Retarget is still a selector here.
  const targetOf = ({ target }) => (typeof target === "string" ? find(target) : target);
  // What was said about a value is void as soon as the value changes.
  document.addEventListener("input", (event) => {
    const control = event.target;
    if (control.getAttribute("aria-invalid") !== "true") return;
    control.removeAttribute("aria-invalid");
    document.getElementById(`${control.id}-error`)?.remove();
  });

  document.addEventListener("htmx:config:request", (event) => {
    const { sourceElement, request } = event.detail.ctx;
    if (!sourceElement.matches("[data-drop-empty]")) return;
    for (const [name, value] of [...request.body.entries()]) if (value === "") request.body.delete(name);
  });
  document.addEventListener("htmx:before:swap", (event) => {
    const target = targetOf(event.detail.ctx);
    focusWasInside = target?.contains?.(document.activeElement) ? target.id : null;
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const before = targetOf(event.detail.ctx);
    const element = (before?.id && document.getElementById(before.id)) || before;
    if (!element?.isConnected) return;
    prepare(element.parentElement ?? element);
    announceIn(element);
    const wanted = find("[data-focus]", element);
    const lost = document.activeElement === document.body && focusWasInside && focusWasInside === element.id;
    if (wanted) wanted.focus();
    else if (lost) {
      element.tabIndex = -1;
      element.focus({ preventScroll: true });
    }
  });
  document.addEventListener("htmx:finally:request", (event) => {
    const form = event.detail.ctx.sourceElement.closest("form");
    if (form) release(form);
  });
  document.addEventListener("htmx:error", () => showToast({ message: "No answer. Check the connection and try again.", tone: "danger" }));

  document.addEventListener("DOMContentLoaded", () => {
    prepare(document);
    find("main [data-focus]")?.focus();
    announceIn(find("#toasts") ?? document.body);
  });
})();
