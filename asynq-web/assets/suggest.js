
// ---- What may stand in a filter is suggested while it is written.

const suggestions = (() => {
  const list = document.createElement("ul");
  list.id = "suggestions";
  list.className = "suggestions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  list.hidden = true;
  document.querySelector(".bar").append(list);
  let input;
  let chosen = -1;
  let asked = 0;

  const close = () => {
    list.hidden = true;
    chosen = -1;
    input?.setAttribute("aria-expanded", "false");
    input?.removeAttribute("aria-activedescendant");
  };

  /** The word in which the cursor stands: where its last part begins, what it is a value of, and what is written of it. */
  const word = () => {
    const before = input.value.slice(0, input.selectionStart);
    const start = before.search(/\S*$/);
    const text = before.slice(start);
    if (text.includes('"')) return undefined;
    const [, minus, name, values] = text.match(/^(-?)(?:([^:]*):)?(.*)$/);
    const prefix = name === undefined ? values : values.split(",").at(-1);
    return { from: before.length - prefix.length, field: name, prefix };
  };

  const choose = (index) => {
    const options = [...list.children];
    chosen = options.length ? (index + options.length) % options.length : -1;
    for (const [at, option] of options.entries()) option.setAttribute("aria-selected", String(at === chosen));
    if (chosen < 0) return;
    input.setAttribute("aria-activedescendant", options[chosen].id);
    options[chosen].scrollIntoView({ block: "nearest" });
  };

  const take = (option) => {
    const at = word();
    if (!at) return close();
    const value = option.dataset.value;
    const isName = at.field === undefined;
    const quoted = /[\s,"*?]/.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : value;
    const text = isName ? `${value}:` : quoted;
    const end = input.selectionStart;
    input.setRangeText(text, at.from, end, "end");
    close();
    if (isName) ask();
  };

  const show = (items, prefix) => {
    const entries = items.filter((item) => item !== prefix).map((item, at) => {
      const option = document.createElement("li");
      option.id = `suggestion-${at}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.value = item;
      option.textContent = item;
      return option;
    });
    list.replaceChildren(...entries);
    if (!entries.length) return close();
    const place = input.getBoundingClientRect();
    list.style.left = `${place.left}px`;
    list.style.top = `${place.bottom + 4}px`;
    list.style.minWidth = `${Math.min(place.width, 320)}px`;
    list.hidden = false;
    chosen = -1;
    input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-expanded", "true");
  };

  const ask = async () => {
    const at = word();
    const now = ++asked;
    if (!at || (at.field === undefined && !at.prefix)) return close();
    const address = new URL(input.dataset.suggest, location.href);
    if (at.field !== undefined) address.searchParams.set("field", at.field);
    address.searchParams.set("prefix", at.prefix);
    try {
      const answer = await fetch(address);
      const { items } = await answer.json();
      if (now === asked && document.activeElement === input) show(items ?? [], at.prefix);
    } catch {
      close();
    }
  };

  let timer;
  document.addEventListener("input", (event) => {
    if (!event.target.dataset?.suggest) return;
    input = event.target;
    clearTimeout(timer);
    timer = setTimeout(ask, 120);
  });
  document.addEventListener("focusout", (event) => event.target === input && close());
  addEventListener("scroll", (event) => event.target === document && close());
  // A click must not take the focus away before it is heard.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target !== input || list.hidden) return;
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") choose(chosen + (key === "ArrowDown" ? 1 : chosen < 0 ? 0 : -1));
    else if ((key === "Enter" || key === "Tab") && chosen >= 0) take(list.children[chosen]);
    else if (key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  /** Tells those who do not see it what a field does, again after each change of the page. */
  return () => {
    for (const field of document.querySelectorAll("[data-suggest]")) {
      const isOpen = field === input && !list.hidden;
      field.setAttribute("role", "combobox");
      field.setAttribute("aria-autocomplete", "list");
      field.setAttribute("aria-controls", list.id);
      field.setAttribute("aria-expanded", String(isOpen));
      if (isOpen && chosen >= 0) field.setAttribute("aria-activedescendant", list.children[chosen].id);
    }
  };
})();
