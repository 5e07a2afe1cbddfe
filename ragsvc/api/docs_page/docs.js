// Shows /schema/openapi.json and lets every operation be tried. Loads nothing from elsewhere; text is never parsed as HTML.

const byId = (id) => document.getElementById(id);
let openapi = null; // set below, once

/** An element with attributes and children; strings become text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Docstrings mark code with ``double`` backticks. */
function prose(text) {
  const parts = (text ?? "").split(/``?([^`]+)``?/);
  return parts.map((part, n) => (n % 2 ? make("code", {}, part) : part));
}

function headers(extra = {}) {
  const key = byId("key").value.trim();
  return key ? { ...extra, Authorization: `Bearer ${key}` } : extra;
}

function resolve(schema) {
  const name = schema?.$ref?.split("/").pop();
  return name ? openapi.components.schemas[name] : (schema ?? {});
}

/** One line on what a schema allows: "string, 1 to 4000 characters". */
function brief(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.map(brief).join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const type = [].concat(schema.type ?? "anything").join(" or ");
  if (type === "array") return `list of ${brief(schema.items ?? {})}`;
  const notes = [schema.format];
  if (schema.maxLength) notes.push(`${schema.minLength ?? 0} to ${schema.maxLength} characters`);
  if (schema.maximum !== undefined) notes.push(`${schema.minimum ?? "−∞"} to ${schema.maximum}`);
  return [type, ...notes.filter(Boolean)].join(", ");
}

/** The object schema that a field leads to, to be shown below it. */
function inner(schema) {
  const candidates = [schema, schema.items ?? {}, ...(schema.anyOf ?? schema.oneOf ?? [])].map(resolve);
  return candidates.find((candidate) => candidate.properties);
}

function fieldRows(schema, depth = 0) {
  const { properties = {}, required = [] } = resolve(schema);
  return Object.entries(properties).flatMap(([name, field]) => {
    const row = make(
      "tr", {},
      make("td", {}, make("span", depth ? { class: "nested" } : {}, make("code", {}, name)), required.includes(name) ? " *" : ""),
      make("td", {}, make("span", { class: "quiet" }, brief(field)), field.description ? make("br") : null, ...prose(field.description)),
    );
    const below = depth < 1 ? inner(field) : null;
    return below ? [row, ...fieldRows(below, depth + 1)] : [row];
  });
}

function example(schema) {
  const known = { question: "押金不退怎么办？", stream: undefined };
  const { properties = {}, required = [] } = resolve(schema);
  const names = Object.keys(properties).filter((name) => required.includes(name));
  return Object.fromEntries(names.map((name) => [name, known[name] ?? ""]));
}

function section(title, ...content) {
  return content.length ? [make("h3", {}, title), ...content] : [];
}

function parameterTable(parameters) {
  return make("table", {}, ...parameters.map((one) => make(
    "tr", {},
    make("td", {}, make("code", {}, one.name), one.required ? " *" : ""),
    make("td", {}, make("span", { class: "quiet" }, `${one.in}: ${brief(one.schema)}`), one.description ? make("br") : null, ...prose(one.description)),
  )));
}

function responseTable(responses) {
  return make("table", {}, ...Object.entries(responses).map(([status, response]) => {
    const kinds = Object.entries(response.content ?? {}).map(([kind, { schema }]) => `${kind}: ${brief(schema ?? {})}`);
    return make("tr", {}, make("td", {}, make("code", {}, status)), make("td", {}, response.description ?? "", make("br"), make("span", { class: "quiet" }, kinds.join(" · "))));
  }));
}

/** A form that sends the operation and shows what comes back, as it comes. */
function tryForm(method, path, operation) {
  const parameters = operation.parameters ?? [];
  const content = operation.requestBody?.content ?? {};
  const isJson = "application/json" in content;
  const inputs = parameters.map((one) => [one, make("input", { name: one.name, required: one.required })]);
  const body = isJson ? make("textarea", { spellcheck: "false" }) : null;
  if (body) body.value = JSON.stringify(example(content["application/json"].schema), null, 2);
  const multipart = "multipart/form-data" in content ? multipartInputs(content["multipart/form-data"].schema) : [];
  const output = make("pre", { hidden: true, "aria-live": "polite" });

  async function send(event) {
    event.preventDefault();
    output.hidden = false;
    output.textContent = "…";
    const filled = inputs.filter(([, input]) => input.value !== "");
    const target = filled.filter(([one]) => one.in === "path")
      .reduce((text, [one, input]) => text.replace(`{${one.name}}`, encodeURIComponent(input.value)), path);
    const query = new URLSearchParams(filled.filter(([one]) => one.in === "query").map(([one, input]) => [one.name, input.value]));
    const url = query.size ? `${target}?${query}` : target;
    const init = { method: method.toUpperCase(), headers: headers(isJson ? { "Content-Type": "application/json" } : {}) };
    if (body) init.body = body.value;
    if (multipart.length) init.body = multipartBody(multipart);
    try {
      await show(await fetch(url, init), output);
    } catch (error) {
      output.textContent = `no answer: ${error.message}`;
    }
  }

  const labelled = [...inputs.map(([one, input]) => [one.name, input]), ...multipart.map((input) => [input.name, input])];
  return make(
    "form", { class: "try", onsubmit: send },
    make("div", {}, ...labelled.map(([name, input]) => make("label", {}, name, input)), body ? make("label", {}, "body", body) : null, make("button", {}, "Send")),
    output,
  );
}

function multipartInputs(schema) {
  return Object.keys(schema.properties).map((name) => make("input", name === "file" ? { name, type: "file", multiple: true } : { name }));
}

function multipartBody(inputs) {
  const form = new FormData();
  for (const input of inputs) {
    if (input.type === "file") for (const file of input.files) form.append(input.name, file);
    else if (input.value) form.append(input.name, input.value);
  }
  return form;
}

async function show(response, output) {
  output.textContent = `${response.status} ${response.statusText}\n\n`;
  const isJson = (response.headers.get("Content-Type") ?? "").includes("json");
  if (isJson) {
    output.append(JSON.stringify(await response.json(), null, 2));
    return;
  }
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader.read()) output.append(part.value);
}

function showOperation(method, path, operation) {
  const content = operation.requestBody?.content ?? {};
  const bodies = Object.entries(content).flatMap(([kind, { schema }]) => [make("p", { class: "quiet" }, kind), make("table", {}, ...fieldRows(schema))]);
  return make(
    "details", { class: "operation", id: operation.operationId },
    make("summary", {}, make("span", { class: "method" }, method.toUpperCase()), make("code", { class: "path" }, path), make("span", { class: "quiet" }, operation.summary ?? "")),
    make(
      "div", {},
      make("p", {}, ...prose(operation.description)),
      ...section("Parameters", ...(operation.parameters?.length ? [parameterTable(operation.parameters)] : [])),
      ...section("Body", ...bodies),
      ...section("Responses", responseTable(operation.responses ?? {})),
      ...section("Try it", tryForm(method, path, operation)),
    ),
  );
}

function showAll() {
  byId("title").textContent = openapi.info.title;
  byId("version").textContent = openapi.info.version;
  byId("about").replaceChildren(...prose(openapi.info.description));
  const operations = Object.entries(openapi.paths)
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => [method, path, operation]));
  const groups = Map.groupBy(operations, ([, path]) => (path.startsWith("/v1/") ? path.split("/")[2] : "operating"));
  byId("operations").replaceChildren(...[...groups].flatMap(([name, members]) => [make("h2", {}, name), ...members.map((one) => showOperation(...one))]));
  byId("state").textContent = `${operations.length} operations`;
}

byId("access").addEventListener("submit", (event) => event.preventDefault()); // the key is used by "Send", below
const response = await fetch("/schema/openapi.json");
openapi = await response.json();
showAll();
