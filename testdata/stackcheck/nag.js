// node nag.js TEMPLATE... runs cdk-nag's packs AwsSolutions and Serverless on templates. Prints a JSON
// list of findings, one object each: template, resource, rule, path, message.
"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { App, Stack } = require("aws-cdk-lib");
const { CfnInclude } = require("aws-cdk-lib/cloudformation-include");
const { AwsSolutionsChecks, ServerlessChecks } = require("cdk-nag");

// The CDK reads templates without its newest intrinsic function. It stands for a text: the name of
// the output says enough here.
function readable(value) {
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  if ("Fn::GetStackOutput" in value) return value["Fn::GetStackOutput"].OutputName;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, readable(v)]));
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "nag-"));
process.on("exit", () => fs.rmSync(scratch, { recursive: true, force: true }));

const findings = [];
process.argv.slice(2).forEach((file, i) => {
  const template = readable(JSON.parse(fs.readFileSync(file, "utf8")));
  const copy = path.join(scratch, `${i}.json`);
  fs.writeFileSync(copy, JSON.stringify(template));
  const app = new App({ outdir: path.join(scratch, `${i}.out`), analyticsReporting: false });
  const stack = new Stack(app, "Stack");
  const included = new CfnInclude(stack, "Template", { templateFile: copy });
  const ids = new Map(Object.keys(template.Resources).map((id) => [included.getResource(id).node.path, id]));
  for (const pack of [new AwsSolutionsChecks(), new ServerlessChecks()]) {
    for (const violation of pack.validateScope(app).violations) {
      for (const resource of violation.violatingResources) {
        findings.push({ template: file, resource: ids.get(resource.constructPath), rule: violation.ruleName, path: "", message: violation.description });
      }
    }
  }
});
console.log(JSON.stringify(findings));
