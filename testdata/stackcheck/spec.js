// node spec.js TEMPLATE... compares templates with AWS's own specifications of resources: types
// and properties exist, what is required is there, values have the right shape, references lead
// somewhere. Prints a JSON list of findings, one object each: template, resource, rule, path, message.
"use strict";

const fs = require("node:fs");
const { loadAwsServiceSpecSync } = require("@aws-cdk/aws-service-spec");

const spec = loadAwsServiceSpecSync();
const pseudo = ["AccountId", "NotificationARNs", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix"].map((n) => "AWS::" + n);
const tag = { Key: { type: { type: "string" }, required: true }, Value: { type: { type: "string" }, required: true } };
const scalars = {
  string: (v) => ["string", "number", "boolean"].includes(typeof v), // CloudFormation makes text of them
  "date-time": (v) => typeof v === "string",
  boolean: (v) => typeof v === "boolean" || v === "true" || v === "false",
  integer: (v) => Number.isInteger(typeof v === "string" && v !== "" ? Number(v) : v),
  number: (v) => typeof v === "number" || (typeof v === "string" && v.trim() !== "" && Number.isFinite(Number(v))),
};

const isMap = (v) => typeof v === "object" && v !== null && !Array.isArray(v);

// An intrinsic function stands for a value that is known when the stack is deployed.
function isIntrinsic(v) {
  const keys = isMap(v) ? Object.keys(v) : [];
  return keys.length === 1 && (keys[0] === "Ref" || keys[0].startsWith("Fn::"));
}

function checkProperties(known, value, path, report) {
  if (!isMap(value)) return report("type", path, "is not a mapping");
  for (const [name, v] of Object.entries(value)) {
    if (known[name] === undefined) report("unknown-property", `${path}/${name}`, "there is no such property");
    else checkProperty(known[name], v, `${path}/${name}`, report);
  }
  for (const [name, p] of Object.entries(known)) {
    if (p.required && value[name] === undefined) report("missing-property", `${path}/${name}`, "is required");
  }
}

// Properties whose type has changed take what they took before, too.
function checkProperty(property, value, path, report) {
  checkAny([property.type, ...(property.previousTypes ?? [])], value, path, report);
}

// A value that fits none of the types is measured by the first.
function checkAny(types, value, path, report) {
  let first;
  for (const type of types) {
    const findings = [];
    checkType(type, value, path, (...finding) => findings.push(finding));
    if (findings.length === 0) return;
    first ??= findings;
  }
  first.forEach((finding) => report(...finding));
}

function checkType(type, value, path, report) {
  if (isIntrinsic(value)) return;
  switch (type.type) {
    case "json":
      return;
    case "array":
      if (!Array.isArray(value)) return report("type", path, "is not a list");
      return value.forEach((v, i) => checkType(type.element, v, `${path}/${i}`, report));
    case "map":
      if (!isMap(value)) return report("type", path, "is not a mapping");
      return Object.entries(value).forEach(([k, v]) => checkType(type.element, v, `${path}/${k}`, report));
    case "ref":
      return checkProperties(spec.get("typeDefinition", type.reference.$ref).properties, value, path, report);
    case "tag":
      return checkProperties(tag, value, path, report);
    case "union":
      return checkAny(type.types, value, path, report);
  }
  if (!scalars[type.type](value)) report("type", path, `is not of type ${type.type}`);
}

function find(type) {
  const found = spec.lookup("resource", "cloudFormationType", "equals", type);
  return found.length > 0 ? found[0] : undefined;
}

function checkReferences(template, value, path, report) {
  if (Array.isArray(value)) return value.forEach((v, i) => checkReferences(template, v, `${path}/${i}`, report));
  if (!isMap(value)) return;
  for (const [key, v] of Object.entries(value)) {
    if (key === "Ref" && !(v in template.Resources) && !(v in (template.Parameters ?? {})) && !pseudo.includes(v)) {
      report("reference", path, `refers to ${v}, which is not there`);
    }
    if (key === "Fn::GetAtt") checkAttribute(template, v, path, report);
    checkReferences(template, v, `${path}/${key}`, report);
  }
}

function checkAttribute(template, value, path, report) {
  const [id, attribute] = Array.isArray(value) ? value : String(value).split(/\.(.*)/);
  const resource = template.Resources[id];
  if (resource === undefined) return report("reference", path, `refers to ${id}, which is not there`);
  const known = find(resource.Type);
  if (known && !(attribute in known.attributes) && !(attribute in known.properties)) {
    report("attribute", path, `${resource.Type} has no attribute ${attribute}`);
  }
}

function checkResource(template, id, resource, report) {
  for (const other of [resource.DependsOn ?? []].flat()) {
    if (!(other in template.Resources)) report("reference", "DependsOn", `refers to ${other}, which is not there`);
  }
  checkReferences(template, resource.Properties, "Properties", report);
  if (resource.Type === "AWS::CDK::Metadata" || resource.Type.startsWith("Custom::")) return;
  const known = find(resource.Type);
  if (known === undefined) return report("unknown-type", "Type", `there is no ${resource.Type}`);
  checkProperties(known.properties, resource.Properties ?? {}, "Properties", report);
}

const findings = [];
for (const file of process.argv.slice(2)) {
  const template = JSON.parse(fs.readFileSync(file, "utf8"));
  for (const [id, resource] of Object.entries(template.Resources)) {
    checkResource(template, id, resource, (rule, path, message) => findings.push({ template: file, resource: id, rule, path, message }));
  }
  checkReferences(template, template.Outputs ?? {}, "Outputs", (rule, path, message) =>
    findings.push({ template: file, resource: "", rule, path, message }));
}
console.log(JSON.stringify(findings));
