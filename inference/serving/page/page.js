/* What the pages of all kinds of models share. */

export const at = (id) => document.getElementById(id);
export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}\u00a0%`;
export const sure = (share) => (share > 0.999 ? "above 99.9\u00a0%" : percent(share));

export function make(tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/* Hidden until the service refuses a request without a valid key. */
document.querySelector("main > section").insertAdjacentHTML("afterbegin", `
  <form id="key-form" autocomplete="off" hidden>
    <h2><label for="key">API key</label></h2>
    <p id="key-hint" class="hint">This service requires one. The page keeps it until you close or reload it.</p>
    <div class="row">
      <input id="key" type="password" autocomplete="off" spellcheck="false" aria-describedby="key-hint">
      <button type="submit">Use key</button>
    </div>
  </form>
`);

/* The user's API key, in memory only: never stored, shown or put into an address. */
let key = "";

export async function ask(path, { headers = {}, ...options } = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: key ? { ...headers, authorization: `Bearer ${key}` } : headers });
  } catch {
    throw new Error("The service does not answer. Is it still running?");
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  const wait = response.headers.get("retry-after");
  const detail = body?.detail ?? `the answer has status ${response.status}`;
  const error = new Error(`${body?.title ?? "Something went wrong"}: ${detail}${wait ? ` Try again in ${wait} s.` : ""}`);
  error.status = response.status;
  if (error.status === 401 || error.status === 403) at("key-form").hidden = false;
  throw error;
}

/* The answer to `body`, which is JSON. */
export function predict(body) {
  return ask("predict", { method: "POST", headers: { "content-type": "application/json" }, body });
}

let latest = 0;

/* Ask with `question`, and give its answer to `show` unless a newer question has been asked meanwhile. */
export async function answer(question, show) {
  const number = ++latest;
  const button = at("form").querySelector("[type=submit]");
  button.setAttribute("aria-busy", "true");
  try {
    const found = await question();
    if (number !== latest) return;
    at("problem").hidden = true;
    at("answer").hidden = false;
    show(found);
  } catch (error) {
    if (number === latest) showProblem(error.message);
  } finally {
    if (number === latest) button.removeAttribute("aria-busy");
  }
}

function showProblem(message) {
  at("answer").hidden = true;
  at("problem").textContent = message;
  at("problem").hidden = false;
}

export function showVerdict({ prediction, confidence }) {
  at("label").textContent = prediction;
  at("confidence").textContent = sure(confidence);
  at("fill").style.transform = `scaleX(${confidence})`;
}

/* Load the model's card and show it with `show`; again with each key that the user enters, until there is one. */
export async function showCard(show) {
  at("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const entered = at("key").value.trim();
    const isKey = /^[\x21-\x7e]+$/.test(entered);
    key = isKey ? entered : "";
    at("key").setCustomValidity(isKey ? "" : "A key consists of letters, digits and punctuation, without spaces.");
    if (at("key").reportValidity() && at("card").hidden) loadCard(show);
    at("problem").hidden = true;
  });
  at("key").addEventListener("input", () => at("key").setCustomValidity(""));
  await loadCard(show);
}

async function loadCard(show) {
  try {
    show(await ask("model"));
    at("card").hidden = false;
    at("card-problem").hidden = true;
  } catch (error) {
    at("card-problem").textContent = error.message;
  }
}

export function showExamples(buttons) {
  at("examples").hidden = buttons.length === 0;
  at("examples").append(...buttons.map(({ name, use }) => {
    const button = make("button", name, { type: "button", class: "quiet" });
    button.addEventListener("click", use);
    return button;
  }));
}

export function facts(list, pairs) {
  list.replaceChildren(...pairs.flatMap(([name, value, full]) => [
    make("dt", name), make("dd", value, full ? { class: "code", title: full } : {}),
  ]));
}

/* A row of a table; its first cell is a heading, or all of them are. */
export function line([name, ...cells], heading = false) {
  const row = make("tr");
  row.append(make("th", name, { scope: heading ? "col" : "row" }));
  row.append(...cells.map((cell) => (heading ? make("th", cell, { scope: "col" }) : make("td", cell))));
  return row;
}
