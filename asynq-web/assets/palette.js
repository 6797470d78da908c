
// ---- The command palette: every page, queue, task and saved view by the keyboard. Each entry is a link.

(() => {
  const places = document.getElementById("places");
  if (!places) return;
  const { queues, tasks, suggest } = places.dataset;
  const known = [...places.content.querySelectorAll("a")].map((link) => ({
    href: link.getAttribute("href"),
    label: link.textContent,
    kind: link.dataset.kind,
  }));

  const make = (name, attributes, ...children) => {
    const element = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
    element.append(...children);
    return element;
  };
  const input = make("input", {
    type: "text", role: "combobox", "aria-label": "Go to", "aria-autocomplete": "list", "aria-expanded": "true",
    "aria-controls": "palette-list", placeholder: "Page, queue, task or view…", autocomplete: "off", spellcheck: "false",
  });
  const list = make("div", { id: "palette-list", role: "listbox", "aria-label": "Places" });
  const told = make("p", { class: "hidden", role: "status" });
  const dialog = make("dialog", { class: "palette", "aria-label": "Go to" }, input, list, told);
  body.append(dialog);
  let chosen = 0;
  let asked = 0;
  let timer;

  /** A name as a segment of a path, as our own links have it. */
  const segment = (name) => (/^(\.{0,2}$|~)/.test(name) ? "~" : "") + encodeURIComponent(name);

  const choose = (index) => {
    const options = [...list.children];
    chosen = options.length ? (index + options.length) % options.length : -1;
    for (const [at, option] of options.entries()) option.setAttribute("aria-selected", String(at === chosen));
    if (chosen < 0) return void input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", options[chosen].id);
    options[chosen].scrollIntoView({ block: "nearest" });
  };

  const show = (entries) => {
    list.replaceChildren(...entries.map(({ href, label, kind }, at) =>
      make("a", { href, id: `place-${at}`, role: "option", tabindex: "-1", "aria-selected": "false" },
        make("span", {}, label), make("span", { class: "muted" }, kind))));
    told.textContent = entries.length === 1 ? "1 place" : `${entries.length} places`;
    choose(0);
  };

  const fitting = (text) => {
    const words = text.toLowerCase().split(/\s+/);
    return known.filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
  };

  const search = (text) => ({
    href: `${tasks}?${new URLSearchParams({ filter: text })}`, label: `Find “${text}”`, kind: "tasks",
  });

  const look = async () => {
    clearTimeout(timer);
    timer = undefined;
    const text = input.value.trim();
    const now = ++asked;
    const pages = fitting(text);
    const rest = text ? [search(text)] : [];
    show([...pages, ...rest]);
    if (!text) return;
    const address = new URL(suggest, location.href);
    address.searchParams.set("field", "queue");
    address.searchParams.set("prefix", text);
    try {
      const answer = await fetch(address);
      const { items } = await answer.json();
      if (now !== asked || !dialog.open) return;
      const found = (items ?? []).map((name) => ({ href: `${queues}/${segment(name)}`, label: name, kind: "queue" }));
      const at = chosen;
      show([...pages, ...found, ...rest]);
      // What was chosen meanwhile stays so.
      if (at > 0) choose(at < pages.length ? at : at + found.length);
    } catch {
      // Pages and the search are there.
    }
  };

  const open = () => {
    if (dialog.open) return;
    input.value = "";
    dialog.showModal();
    input.focus();
    look();
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, 80);
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter") {
      // Whoever types fast means what is typed, and not what is still shown.
      if (timer) look();
      list.children[chosen]?.click();
    } else if (event.key === "Tab") {
      choose(chosen + (event.shiftKey ? -1 : 1));
    } else {
      return;
    }
    event.preventDefault();
  });
  // Beside the box is the dialog itself, or what is behind it.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.addEventListener("keydown", (event) => {
    const isCtrlK = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key === "k";
    const isField = event.target.matches("input:not([type=checkbox]), textarea, select");
    const isColon = event.key === ":" && !event.ctrlKey && !event.metaKey && !isField;
    if (!isCtrlK && !isColon) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    open();
  }, true);
})();
