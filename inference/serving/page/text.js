import { answer, at, facts, line, make, percent, predict, showCard, showExamples, showVerdict, sure } from "./page.js";

const SHOWN_CHARACTERS = 20_000;
const SHOWN_TERMS = 12;
const SHOWN_LABELS = 5;

const signed = (number) => (number < 0 ? "−" : "+") + Math.abs(number).toFixed(2);
const side = (weight) => (weight < 0 ? "against" : "towards");

/* A text may be short enough to classify and too long to explain. */
async function predictAndExplain(text) {
  try {
    return await predict(JSON.stringify({ text, explain: true, probabilities: true }));
  } catch (error) {
    if (error.status !== 422) throw error;
    return predict(JSON.stringify({ text, probabilities: true }));
  }
}

/* The answer */

function classify() {
  const text = at("text").value;
  return answer(() => {
    if (!text.trim()) throw new Error("There is no text yet. Type or paste one first.");
    return predictAndExplain(text);
  }, (found) => showAnswer(text, found));
}

function showAnswer(text, { prediction, confidence, explanation, probabilities, known_words: known }) {
  showVerdict({ prediction, confidence });
  showShares(probabilities);
  at("words").hidden = at("why").hidden = !explanation;
  if (explanation) showWords([...text], explanation, prediction);
  else at("legend").textContent = "This text is too long to explain.";
  showPushes(explanation ?? []);
  if (known === 0) at("legend").textContent = "The model knows none of these words: the answer is what is most common in its data.";
}

/* Of two labels the bar above says it all. */
function showShares(probabilities) {
  const ranked = Object.entries(probabilities).sort((one, other) => other[1] - one[1]);
  at("shares").hidden = ranked.length < 3;
  at("shares").tBodies[0].replaceChildren(...ranked.slice(0, SHOWN_LABELS).map(([label, share]) => line([label, sure(share)])));
}

/* Each term's push is shared by the words it is made of. Places are counted in code points, as the service counts. */
function showWords(characters, explanation, label) {
  const shown = characters.slice(0, SHOWN_CHARACTERS).join("");
  const words = [];
  let place = 0;
  for (const piece of shown.split(/([\p{L}\p{N}_]+)/u)) {
    const length = [...piece].length;
    words.push({ piece, start: place, end: place + length, push: 0 });
    place += length;
  }
  const starts = words.map((word) => word.start);
  for (const { start, end, weight } of explanation) {
    const inside = [];
    for (let index = indexOf(starts, start); index < words.length && words[index].start < end; index++) {
      if (/[\p{L}\p{N}_]{2}/u.test(words[index].piece)) inside.push(words[index]);
    }
    for (const word of inside) word.push += weight / inside.length;
  }
  const strongest = Math.max(...words.map((word) => Math.abs(word.push)), Number.MIN_VALUE);
  at("words").replaceChildren(...words.filter((word) => word.piece).map((word) => {
    if (word.push === 0) return document.createTextNode(word.piece);
    const mark = make("mark", word.piece, { class: side(word.push), title: `${signed(word.push)} ${side(word.push)} ${label}` });
    mark.style.setProperty("--strength", (0.08 + 0.36 * Math.abs(word.push) / strongest).toFixed(3));
    return mark;
  }));
  const rest = characters.length > SHOWN_CHARACTERS ? ` The first ${SHOWN_CHARACTERS.toLocaleString("en")} characters are shown.` : "";
  const towards = make("mark", `towards ${label}`, { class: "towards" });
  const against = make("mark", `against ${label}`, { class: "against" });
  for (const mark of [towards, against]) mark.style.setProperty("--strength", "0.35");
  at("legend").replaceChildren(
    "Words that pushed ", towards, " or ", against, "; the stronger the colour, the stronger the push.", rest,
  );
}

/* Index of the last of the sorted `starts` that is not above `place`. */
function indexOf(starts, place) {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}

function showPushes(explanation) {
  const terms = new Map();
  for (const { term, weight } of explanation) {
    const sum = terms.get(term) ?? { times: 0, push: 0 };
    terms.set(term, { times: sum.times + 1, push: sum.push + weight });
  }
  const ranked = [...terms].sort((one, other) => Math.abs(other[1].push) - Math.abs(one[1].push)).slice(0, SHOWN_TERMS);
  const strongest = Math.max(...ranked.map(([, sum]) => Math.abs(sum.push)), Number.MIN_VALUE);
  at("pushes").hidden = ranked.length === 0;
  at("pushes").tBodies[0].replaceChildren(...ranked.map(([term, { times, push }]) => {
    const bar = make("i", "", { class: side(push) });
    bar.style.width = `${50 * Math.abs(push) / strongest}%`;
    const track = make("span", "", { class: "track" });
    track.append(bar);
    const cell = make("td");
    const grid = make("span", "", { class: "push" });
    grid.append(track, make("span", signed(push)));
    cell.append(grid);
    const row = make("tr");
    row.append(make("td", term), make("td", times), cell);
    return row;
  }));
}

/* The model's card */

function show(card) {
  const { manifest } = card;
  facts(at("facts"), [
    ["name", card.name], ["version", card.version, card.digest], ["labels", card.labels.join(", ")],
    ["terms", manifest.vectorizer.terms.toLocaleString("en")], ["scorer", card.scorer],
  ]);
  facts(at("data"), [
    ["source", manifest.data.source],
    ["texts", `${manifest.data.train_rows.toLocaleString("en")} to learn from, ${(manifest.metrics?.holdout_rows ?? 0).toLocaleString("en")} held out`],
    ["fingerprint", manifest.data.fingerprint.slice(0, 12), manifest.data.fingerprint],
    ["made with", Object.entries(manifest.versions).map((pair) => pair.join(" ")).join(", ")],
  ]);
  at("measured").hidden = !manifest.metrics;
  if (manifest.metrics) {
    showMetrics(manifest);
    showCalibration(manifest.metrics.calibration);
  }
  showExamples((manifest.examples ?? []).map(({ text, label }) => ({
    name: label,
    use: () => {
      at("text").value = text;
      classify();
    },
  })));
}

function showMetrics({ labels, metrics }) {
  at("metrics").tHead.replaceChildren(line(["label", "precision", "recall", "F1", "texts"], true));
  at("metrics").tBodies[0].replaceChildren(
    ...labels.map((label) => {
      const of = metrics.labels[label];
      return line([label, percent(of.precision), percent(of.recall), percent(of.f1), of.support]);
    }),
    line(["accuracy", "", "", percent(metrics.accuracy), metrics.holdout_rows]),
  );
}

/* A dot a confidence interval: to the right what the model claims, upwards how often it was right. */
function showCalibration({ bins, expected_error: error }) {
  const chart = at("calibration");
  const draw = (tag, attributes, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    chart.append(element);
  };
  const x = (share) => 36 + 188 * share;
  const y = (share) => 155 - 145 * share;
  at("calibration-title").textContent = `Confidence claimed against share that was right; mean distance ${percent(error)}. `
    + bins.map((bin) => `${percent(bin.confidence, 0)} claimed, ${percent(bin.accuracy, 0)} right, ${bin.texts} texts`).join("; ");
  draw("path", { class: "axis", d: `M${x(0)} ${y(1)}V${y(0)}H${x(1)}` });
  draw("path", { class: "ideal", d: `M${x(0)} ${y(0)}L${x(1)} ${y(1)}` });
  for (const share of [0, 0.5, 1]) {
    draw("text", { x: x(share), y: y(0) + 13, "text-anchor": "middle" }, percent(share, 0));
    draw("text", { x: x(0) - 5, y: y(share) + 3, "text-anchor": "end" }, percent(share, 0));
  }
  draw("text", { x: x(0.5), y: y(0) + 28, "text-anchor": "middle" }, `confidence claimed; mean distance ${percent(error)}`);
  draw("text", { x: x(0) + 6, y: y(1) + 4 }, "right");
  for (const bin of bins) {
    draw("circle", { class: "dot", cx: x(bin.confidence), cy: y(bin.accuracy), r: 2.5 + Math.log10(bin.texts + 1) });
  }
}

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  classify();
});
at("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    classify();
  }
});
showCard(show);
