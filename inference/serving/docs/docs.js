// Shows /openapi.json: every operation with its schemas, its answers and a way to try it. Nothing comes from elsewhere.
"use strict";

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
};
const json = (value) => JSON.stringify(value, null, 2);

// The schema with every reference to another put in its place.
const resolve = (api, node, seen = []) => {
  if (Array.isArray(node)) return node.map((item) => resolve(api, item, seen));
  if (node === null || typeof node !== "object") return node;
  if (node.$ref) {
    const name = node.$ref.split("/").pop();
    return seen.includes(name) ? name : resolve(api, api.components.schemas[name], [...seen, name]);
  }
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, resolve(api, value, seen)]));
};

// A value that fits a schema: its first example, or one made of its parts.
const example = (schema) => {
  if (schema.examples) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  const choice = (schema.anyOf || schema.oneOf || [])[0];
  if (choice) return example(choice);
  if (schema.type === "array") return schema.items ? [example(schema.items)] : [];
  if (schema.type === "object") {
    const required = schema.required || [];
    const fields = Object.entries(schema.properties || {}).filter(([name]) => required.includes(name));
    return Object.fromEntries(fields.map(([name, field]) => [name, example(field)]));
  }
  return { string: "", integer: 0, number: 0, boolean: false }[schema.type] ?? null;
};

const bodyOf = (api, operation) => operation.requestBody?.content["application/json"] ?? null;

const firstBody = (api, content) => {
  const given = Object.values(content.examples ?? {})[0];
  return json(given ? given.value : example(resolve(api, content.schema)));
};

const tryIt = (api, method, path, operation) => {
  const content = bodyOf(api, operation);
  const text = content && make("textarea", { value: firstBody(api, content), spellcheck: false });
  const inputs = (operation.parameters ?? []).map((parameter) => {
    const input = make("input", { name: parameter.name, required: true });
    return { input, label: make("label", {}, `${parameter.name} `, input, make("span", { className: "quiet" }, ` ${parameter.description}`)) };
  });
  const output = make("pre", { hidden: true, ariaLive: "polite" });
  const form = make("form", {}, ...inputs.map((each) => each.label), text && make("label", {}, "Body", text), make("button", {}, "Ask"), output);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const target = inputs.reduce((found, { input }) => found.replace(`{${input.name}}`, encodeURIComponent(input.value)), path);
    output.hidden = false;
    try {
      const headers = text ? { "Content-Type": "application/json" } : {};
      const answer = await fetch(target, { method: method.toUpperCase(), headers, body: text ? text.value : undefined });
      const body = await answer.text();
      const isJson = (answer.headers.get("content-type") ?? "").includes("json");
      output.textContent = `${answer.status} ${answer.statusText}\n\n${isJson ? json(JSON.parse(body)) : body}`;
    } catch (error) {
      output.textContent = `no answer: ${error.message}`;
    }
  });
  return form;
};

const schemaOf = (title, schema) =>
  make("details", {}, make("summary", {}, title), make("div", {}, make("pre", {}, json(schema))));

const operationOf = (api, method, path, operation) => {
  const content = bodyOf(api, operation);
  const rows = Object.entries(operation.responses).map(([status, answer]) =>
    make("tr", {}, make("td", {}, make("code", {}, status)), make("td", {}, answer.description), make("td", { className: "quiet" }, Object.keys(answer.content ?? {}).join(", "))),
  );
  const answered = operation.responses["200"]?.content?.["application/json"];
  return make(
    "details",
    { id: operation.operationId },
    make(
      "summary",
      {},
      make("span", { className: `method ${method}` }, method.toUpperCase()),
      make("span", { className: "path" }, path),
      make("span", { className: "quiet" }, ` ${operation.summary}`),
    ),
    make(
      "div",
      {},
      content && schemaOf("Body", resolve(api, content.schema)),
      answered ? schemaOf("Answer", resolve(api, answered.schema)) : null,
      make("table", {}, make("tbody", {}, ...rows)),
      tryIt(api, method, path, operation),
    ),
  );
};

const show = async () => {
  const api = await (await fetch("/openapi.json")).json();
  document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
  document.getElementById("summary").textContent = api.info.summary;
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const sections = api.tags.map((tag) =>
    make(
      "section",
      {},
      make("h2", {}, tag.name),
      make("p", { className: "quiet" }, tag.description),
      ...operations
        .filter(({ operation }) => operation.tags.includes(tag.name))
        .map(({ method, path, operation }) => operationOf(api, method, path, operation)),
    ),
  );
  document.getElementById("operations").append(...sections);
  const asked = location.hash && document.querySelector(location.hash);
  if (asked) asked.open = true;
};

show().catch((error) => {
  document.getElementById("summary").textContent = `The document cannot be read: ${error.message}`;
});
