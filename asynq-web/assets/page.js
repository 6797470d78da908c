// What pages can do beyond forms: they are kept up to date without losing what is selected, and hear keys.
// Nothing here is needed to read or to change anything. What is in suggest.js, palette.js and start.js is
// served behind this, as one.

const body = document.body;
const main = document.getElementById("main");

// ---- One part of a page becomes another, and what is the same stays what it is.

/** What makes an element the same one in another version of the page. */
const identity = (node) => node.nodeType === 1 ? node.dataset.key ?? node.id : "";

const isSame = (one, other) =>
  one.nodeType === other.nodeType && one.nodeName === other.nodeName && identity(one) === identity(other);

/** What the user has done to an element, and no page knows of. */
const ofUser = { INPUT: ["checked", "value"], TEXTAREA: ["value"], DETAILS: ["open"] };

const morphAttributes = (from, to) => {
  const kept = ofUser[from.nodeName] ?? [];
  for (const { name } of [...from.attributes]) {
    // What this module has shown stays so.
    if (!to.hasAttribute(name) && !kept.includes(name) && name !== "aria-current") from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    const isShown = name === "hidden" && from.dataset.shown !== undefined;
    if (!kept.includes(name) && !isShown && from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
};

const morph = (from, to) => {
  if (from.nodeType !== 1) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  morphAttributes(from, to);
  if (from.nodeName !== "TEXTAREA") morphChildren(from, to);
};

const morphChildren = (from, to) => {
  const keyed = new Map();
  for (const child of from.children) if (identity(child)) keyed.set(identity(child), child);
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    const key = identity(next);
    const known = key ? keyed.get(key) : undefined;
    if (known && isSame(known, next)) {
      if (known === at) at = at.nextSibling;
      else from.insertBefore(known, at);
      morph(known, next);
    } else if (!key && at && isSame(at, next)) {
      const here = at;
      at = at.nextSibling;
      morph(here, next);
    } else {
      from.insertBefore(next, at);
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
};

// ---- Times and what else only a browser can do.

/** Local times, where they are wanted; the other form stays in the title. */
const showTimes = () => {
  if (body.dataset.times !== "local") return;
  for (const time of main.querySelectorAll("time")) {
    time.textContent = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
  }
};

const show = (element) => {
  element.hidden = false;
  element.dataset.shown = "";
};

const boxes = () => [...main.querySelectorAll('input[type="checkbox"][name="task"]')];

const tellSelected = () => {
  const label = main.querySelector("[data-selected]");
  const all = main.querySelector("[data-select-all]");
  const chosen = boxes().filter((box) => box.checked).length;
  if (label) label.textContent = chosen ? `${chosen} selected:` : "Selected:";
  if (all) {
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
  }
};

const dress = () => {
  showTimes();
  for (const element of main.querySelectorAll("[data-select-all], [data-copy]")) show(element);
  suggestions();
  tellSelected();
};

main.addEventListener("change", (event) => {
  if (event.target.matches("[data-select-all]")) for (const box of boxes()) box.checked = event.target.checked;
  tellSelected();
});

main.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    const answer = await fetch(button.dataset.copy);
    if (!answer.ok) throw new Error(answer.statusText);
    await copy(await answer.text());
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not copied";
  }
  setTimeout(() => (button.textContent = "Copy"), 1500);
});

/** The clipboard, also where a page was not loaded over HTTPS. */
const copy = async (text) => {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "hidden";
  body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  if (!isCopied) throw new Error("refused");
};

// A menu closes when something else is clicked.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// ---- Pages are kept up to date.

const update = (html) => {
  const template = document.createElement("template");
  template.innerHTML = html;
  morphChildren(main, template.content);
  dress();
};

const live = (() => {
  const address = body.dataset.events;
  const button = document.querySelector("[data-pause]");
  const away = document.querySelector("[data-away]");
  if (!address || !button) return undefined;
  let source;
  let timer;
  let failures = 0;
  let isPaused = sessionStorage.getItem("asynq-paused") === "yes";

  const close = () => {
    source?.close();
    source = undefined;
    clearTimeout(timer);
  };

  /** Asks for the page itself: where streams do not get through. */
  const poll = async () => {
    try {
      const answer = await fetch(location.href, { headers: { "x-fragment": "1" } });
      // The session has ended: the page itself leads to where one logs in.
      if (answer.status === 401) return void location.reload();
      away.hidden = answer.status !== 503;
      if (answer.status !== 503) update(await answer.text());
    } catch {
      away.hidden = false;
    }
    timer = setTimeout(poll, 5000);
  };

  const open = () => {
    close();
    if (isPaused || document.hidden) return;
    if (failures >= 3) return void (timer = setTimeout(poll, 5000));
    source = new EventSource(address);
    source.addEventListener("page", (event) => {
      failures = 0;
      away.hidden = true;
      update(JSON.parse(event.data));
    });
    source.addEventListener("away", () => (away.hidden = false));
    source.addEventListener("error", () => {
      failures += 1;
      if (failures >= 3 || source?.readyState === EventSource.CLOSED) {
        failures = 3;
        open();
      }
    });
  };

  const tell = () => {
    button.setAttribute("aria-pressed", String(isPaused));
    button.lastElementChild.textContent = isPaused ? "Paused" : "Live";
  };

  const toggle = () => {
    isPaused = !isPaused;
    sessionStorage.setItem("asynq-paused", isPaused ? "yes" : "no");
    tell();
    open();
  };

  show(button);
  tell();
  button.addEventListener("click", toggle);
  document.addEventListener("visibilitychange", open);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
  return { toggle, start: open };
})();

// ---- Charts tell their numbers where they are pointed at.

const point = (event) => {
  const svg = event.target.closest?.(".plot svg");
  for (const shown of main.querySelectorAll(".readout:not([hidden])")) {
    if (shown.previousElementSibling !== svg) shown.hidden = true;
  }
  for (const line of main.querySelectorAll(".cursor")) if (line.parentNode !== svg) line.remove();
  if (!svg) return;
  const { left, width } = svg.getBoundingClientRect();
  const steps = svg.dataset.values.split(";");
  const isBars = svg.dataset.form === "bars";
  const share = Math.max(0, Math.min(0.9999, (event.clientX - left) / width));
  const at = isBars ? Math.floor(share * steps.length) : Math.round(share * (steps.length - 1));
  const time = new Date(Number(svg.dataset.start) + at * Number(svg.dataset.step));
  const format = isBars ? { dateStyle: "medium" } : { dateStyle: "short", timeStyle: "medium" };
  const isLocal = body.dataset.times === "local" && !isBars;
  const when = time.toLocaleString(undefined, isLocal ? format : { ...format, timeZone: "UTC" });
  const names = svg.dataset.names.split("\n");
  const values = (steps[at] ?? "").split("|");
  const told = names.flatMap((name, n) => (values[n] ? [`${name} ${values[n]}`] : []));
  const readout = svg.nextElementSibling;
  readout.textContent = `${when}${isLocal ? "" : " UTC"} · ${told.join(", ") || "nothing is known"}`;
  readout.hidden = false;
  let line = svg.querySelector(".cursor");
  if (!line) {
    line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("class", "cursor");
    svg.append(line);
  }
  const x = (1000 * (isBars ? at + 0.5 : at)) / Math.max(1, steps.length - (isBars ? 0 : 1));
  line.setAttribute("d", `M${x} 0V100`);
};

document.addEventListener("pointermove", point);
document.addEventListener("pointerdown", point);

// The page that says that Redis is away looks for it again.
const retry = main.querySelector("[data-retry]");
if (retry) setTimeout(() => location.reload(), 1000 * Number(retry.dataset.retry));

// ---- Keys.

const rows = () => [...main.querySelectorAll("tbody tr[data-key]")];

const move = (step) => {
  const all = rows();
  const at = all.findIndex((row) => row.hasAttribute("aria-current"));
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + step))];
  for (const row of all) row.removeAttribute("aria-current");
  next?.setAttribute("aria-current", "true");
  next?.scrollIntoView({ block: "nearest" });
};

let isGoing = false;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll(".menu[open]")) menu.open = false;
    if (event.target.matches("input, textarea")) event.target.blur();
    return;
  }
  if (event.target.matches("input:not([type=checkbox]), textarea, select")) return;
  const current = main.querySelector("tbody tr[aria-current]");
  const place = isGoing ? document.querySelector(`.bar nav a[data-go="${CSS.escape(event.key)}"]`) : undefined;
  if (place) {
    place.click();
  } else if (event.key === "/") {
    (document.getElementById("filter") ?? document.getElementById("find"))?.focus();
  } else if (event.key === "j" || event.key === "k") {
    move(event.key === "j" ? 1 : -1);
  } else if (event.key === "x") {
    current?.querySelector("input[type=checkbox]")?.click();
  } else if (event.key === "p") {
    live?.toggle();
  } else if (event.key === "Enter" && current && event.target === body) {
    current.querySelector("th a")?.click();
  } else {
    isGoing = event.key === "g";
    return;
  }
  isGoing = false;
  event.preventDefault();
});
