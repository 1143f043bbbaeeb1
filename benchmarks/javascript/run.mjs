// node run.mjs PLAN.json node|CHROMIUM: measures in this Node, or in the Chromium with that path, and prints JSON.
import { execFileSync } from "node:child_process";
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";

const [planPath, where] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(planPath, "utf8"));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

/** Serves the folder, to be cached for a year, with the headers that give pages exact clocks. */
async function serve(folder) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://x");
    const headers = {
      "Content-Type": TYPES[extname(pathname)] ?? "application/octet-stream",
      "Cache-Control": "max-age=31536000",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    };
    if (pathname === "/page.html") return response.writeHead(200, headers).end("<!doctype html>");
    const file = join(folder, decodeURIComponent(pathname));
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    if (size === undefined) return response.writeHead(404).end();
    response.writeHead(200, { ...headers, "Content-Length": size });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { base: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

async function inNode() {
  const base = pathToFileURL(plan.folder).href + "/";
  const module = new URL("measure.mjs", import.meta.url).href;
  const { compare } = await import(module);
  const started = async (entry) => {
    const program = `import { first } from "${module}"; console.log(await first(${JSON.stringify(entry)}));`;
    const options = [...process.execArgv, "--input-type=module", "--eval", program];
    return Number(execFileSync(process.execPath, options, { encoding: "utf8" }).trim().split("\n").at(-1));
  };
  return { version: `Node ${process.versions.node}`, ...(await measured(base, compare, started)) };
}

async function inChromium() {
  const { chromium } = await import(pathToFileURL(join(plan.folder, "node_modules/playwright-core/index.mjs")).href);
  const server = await serve(plan.folder);
  const launch = { executablePath: where, args: ["--no-sandbox"] };
  const profile = mkdtempSync(join(tmpdir(), "mobilebert-rt-profile-"));
  const call = async (context, rest, name, ...args) => {
    const page = await context.newPage();
    await page.goto(`${server.base}page.html`);
    await new Promise((resolve) => setTimeout(resolve, rest));
    const body = async ([name, args]) => (await import("/benchmark/measure.mjs"))[name](...args);
    const found = await page.evaluate(body, [name, args]);
    await page.close();
    return found;
  };
  const browser = await chromium.launch(launch);
  const compare = (...args) => call(browser, 0, "compare", ...args);
  // A new browser each time, whose cache on disk has the files, and whose own start is over.
  const started = async (entry) => {
    const context = await chromium.launchPersistentContext(profile, launch);
    try {
      return await call(context, plan.rest, "first", entry);
    } finally {
      await context.close();
    }
  };
  try {
    return { version: `Chromium ${browser.version()}`, ...(await measured(server.base, compare, started)) };
  } finally {
    await browser.close();
    server.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

async function measured(base, compare, started) {
  const cases = {};
  for (const { name, input, entries } of plan.cases) {
    console.error(`  ${name}`);
    const here = Object.entries(entries).map(([key, entry]) => [key, { base, ...input, ...entry }]);
    cases[name] = await compare(Object.fromEntries(here), plan);
  }
  console.error("  first result");
  const { input, entries } = plan.first;
  const first = Object.fromEntries(Object.keys(entries).map((name) => [name, { rounds: [] }]));
  for (let i = -2; i < plan.starts; ++i) {
    for (const [name, entry] of Object.entries(entries)) {
      const time = await started({ base, ...input, ...entry });
      if (i >= 0) first[name].rounds.push(time); // the first two fill the caches
    }
  }
  return { cases: { ...cases, first } };
}

try {
  console.log(JSON.stringify(await (where === "node" ? inNode() : inChromium())));
} catch (error) {
  console.error(error.stack); // without the line of minified source that Node prints
  process.exitCode = 1;
}
