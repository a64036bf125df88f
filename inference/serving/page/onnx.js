import { answer, at, facts, line, make, predict, showCard, showExamples, showVerdict } from "./page.js";

const SHOWN_CHARACTERS = 2_000;
const SHOWN_VALUES = 5;
const FREE = -1;
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/* The form: a field for each feature of the signature. */

let fields = [];

function showForm({ inputs, features, test }) {
  const datatypes = Object.fromEntries(inputs.map(({ name, datatype }) => [name, datatype]));
  fields = features.map(({ name, input, column, baseline }, index) => {
    const datatype = datatypes[input];
    const control = makeControl(`feature-${index}`, datatype);
    const box = make("div");
    const hint = make("span", [datatype, ...training(baseline)].join(", "), { class: "hint", id: `hint-${index}` });
    control.setAttribute("aria-describedby", hint.id);
    box.append(make("label", name, { for: control.id }), control, ...suggestions(control, baseline?.values ?? []), hint);
    at("fields").append(box);
    return { name, input, column, datatype, control };
  });
  showExamples(Array.from({ length: test.rows }, (_, row) => ({
    name: `Row ${row + 1}`,
    use: () => {
      fill(test, row);
      send();
    },
  })));
  fill(test, 0);
  at("form").hidden = false;
}

function makeControl(id, datatype) {
  if (datatype !== "BOOL") return make("input", "", { id, type: "text", spellcheck: "false", autocapitalize: "none" });
  const control = make("select", "", { id });
  control.append(...["false", "true"].map((value) => make("option", value)));
  return control;
}

/* The values of a string in the training data; others can be typed. */
function suggestions(control, values) {
  if (values.length === 0) return [];
  const list = make("datalist", "", { id: `${control.id}-values` });
  list.append(...values.map((value) => make("option", "", { value })));
  control.setAttribute("list", list.id);
  return [list];
}

function training(baseline) {
  const { low, high, values } = baseline ?? {};
  if (values?.length) return [`in training ${values.slice(0, SHOWN_VALUES).join(", ")}${values.length > SHOWN_VALUES ? ", …" : ""}`];
  return Number.isFinite(low) ? [`in training ${low} to ${high}`] : [];
}

/* Each tensor of the test vector is flat; all elements of its rows are features. */
function fill({ inputs, rows }, row) {
  for (const { input, column, control } of fields) {
    control.value = String(inputs[input][row * (inputs[input].length / rows) + column]);
  }
}

/* Numbers are sent as they are written, because JavaScript would round 64-bit integers. What is not a number is sent as
   a string, so that the service says what is wrong with it. */
function literal(datatype, written) {
  const text = datatype === "BYTES" ? written : written.trim();
  if (text === "") return "null";
  if (datatype === "BYTES") return JSON.stringify(text);
  if (datatype === "BOOL" || JSON_NUMBER.test(text)) return text;
  return Number.isFinite(Number(text)) ? String(Number(text)) : JSON.stringify(text);
}

function send() {
  const cells = fields.map(({ name, datatype, control }) => `${JSON.stringify(name)}: ${literal(datatype, control.value)}`);
  return answer(() => predict(`{"inputs": {${cells.join(", ")}}}`), showAnswer);
}

/* The answer: a label with its confidence, or a value per output. */

let outputs = [];

function showAnswer({ prediction, confidence, values }) {
  at("verdict").hidden = prediction === undefined;
  at("values").hidden = values === undefined;
  if (values === undefined) showVerdict({ prediction, confidence });
  else at("values").tBodies[0].replaceChildren(...outputs.map(({ name, datatype }) => line([name, shown(values[name], datatype)])));
}

function shown(value, datatype) {
  const text = typeof value === "string" ? value : written(value, datatype);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)} …` : text;
}

function written(value, datatype) {
  if (Array.isArray(value)) return `[${value.map((each) => written(each, datatype)).join(", ")}]`;
  if (typeof value !== "number") return JSON.stringify(value);
  // JavaScript has rounded it.
  if (datatype.includes("INT") && !Number.isSafeInteger(value)) return `about ${value}`;
  return String(short(value, datatype));
}

/* The service answers with all digits of a float; half of them say nothing if the model computes in 32 bits or less. */
function short(number, datatype) {
  if (datatype !== "FP32" && datatype !== "FP16") return number;
  for (let digits = 1; digits < 10; digits++) {
    const rounded = Number(number.toPrecision(digits));
    if (Math.fround(rounded) === number) return rounded;
  }
  return number;
}

/* The model's card */

function show(card) {
  const { manifest } = card;
  const { data } = manifest;
  outputs = manifest.outputs;
  facts(at("facts"), [
    ["name", card.name], ["version", card.version, card.digest],
    ...(card.labels.length ? [["labels", card.labels.join(", ")]] : []), ["runtime", card.scorer],
  ]);
  showTensors(at("inputs"), manifest.inputs);
  showTensors(at("outputs"), manifest.outputs);
  facts(at("data"), [
    ["source", data.source],
    ...(data.rows ? [["rows", data.rows.toLocaleString("en")]] : []),
    ["fingerprint", data.fingerprint.slice(0, 12), data.fingerprint],
    ["made with", Object.entries(manifest.versions).map((pair) => pair.join(" ")).join(", ")],
  ]);
  at("no-form").hidden = true;
  if (manifest.features.length) showForm(manifest);
  else showInputs(manifest.inputs);
}

function showTensors(table, tensors) {
  table.tHead.replaceChildren(line(["name", "datatype", "shape"], true));
  table.tBodies[0].replaceChildren(...tensors.map(({ name, datatype, shape }) => line([name, datatype, dimensions(shape, "n")])));
}

function showInputs(inputs) {
  at("takes").replaceChildren(...inputs.map(({ name, datatype, shape }) => {
    const row = shape.slice(1);
    return make("li", `${name}: ${datatype}, ${row.length ? `shape ${dimensions(row)}` : "one value"}`);
  }));
  at("tensors").hidden = false;
}

/* A dimension that varies is `any`; the first one of a whole tensor is the number of rows. */
function dimensions(shape, rows = "any") {
  return `[${shape.map((size, place) => (size !== FREE ? size : place === 0 ? rows : "any")).join(", ")}]`;
}

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
showCard(show);
