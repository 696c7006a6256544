#!/usr/bin/env node
// "npx aws-cdk" (or "npx cdk") in this folder runs this file, which package.json names. It
// runs the version of aws-cdk that package.json pins, and installs it first where it is missing:
// without the pin, npx takes whatever is called the latest, which may not read what this app writes.
"use strict";

const { spawnSync } = require("node:child_process");
const path = require("node:path");

function installed() {
  try {
    return require(path.join(__dirname, "node_modules", "aws-cdk", "package.json")).version;
  } catch {
    return undefined;
  }
}

const wanted = require("./package.json").devDependencies["aws-cdk"];
if (installed() !== wanted) {
  console.error(`installing aws-cdk ${wanted} ...`);
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = process.env.npm_execpath?.replace(/npx-cli\.js$/, "npm-cli.js");
  const options = { cwd: __dirname, stdio: ["ignore", 2, 2] };
  const result = npm
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync("npm", args, { ...options, shell: process.platform === "win32" });
  if (result.error || result.status !== 0) {
    console.error(`aws-cdk ${wanted} could not be installed: ${result.error?.message ?? "see above"}. Run "npm ci" in ${__dirname}`);
    process.exit(1);
  }
}
require("aws-cdk/bin/cdk");
