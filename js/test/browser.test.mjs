// Chromium: pages, a worker, a bundle of Vite and the examples, all under a Content Security Policy. Screenshots go to
// build/js/screenshots.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { serve } from "../examples/serve.mjs";
import { blocks } from "./blocks.mjs";
import { expected, files, modelPath, root } from "./support.mjs";
import { CATEGORIES, longestTask } from "./trace.mjs";

const executablePath = process.env.MBRT_CHROMIUM ?? "/usr/bin/chromium";
const launch = { executablePath, args: ["--no-sandbox"] };
const pages = mkdtempSync(join(tmpdir(), "mobilebert-rt-pages-"));
let server, isolated, browser;

before(async () => {
  assert.ok(existsSync(executablePath), `${executablePath}: missing; set MBRT_CHROMIUM to a Chromium.`);
  mkdirSync(files + "screenshots", { recursive: true });
  const models = { embed: "embed", nli: "zero-shot", squad: "answer" };
  const paths = Object.entries(models).map(([name, small]) => [`/${name}.safetensors`, modelPath(small)]);
  const page = { "/pages/model.int8.safetensors": expected.default.path };
  const places = { files: { ...Object.fromEntries(paths), ...page }, folders: { pages } };
  server = await serve(places);
  isolated = await serve({ ...places, isolated: true });
  symlinkSync(root, join(pages, "mobilebert-rt"));
  browser = await chromium.launch(launch);
});
after(async () => {
  await browser?.close();
  server?.close();
  isolated?.close();
  rmSync(pages, { recursive: true, force: true });
});

/** Opens a page, where any error and any request to elsewhere fails the test. */
async function visit(path, body, { address } = server) {
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(address)) problems.push(request.url());
  });
  try {
    await page.goto(address + path);
    const found = await body(page);
    assert.deepEqual(problems, []);
    return found;
  } finally {
    await page.close();
  }
}

function writePage(name, html) {
  writeFileSync(join(pages, name), `<!doctype html>${html}`);
  return `/pages/${name}`;
}

const screenshot = (page, name) => page.screenshot({ path: `${files}screenshots/${name}.png`, fullPage: true });

test("a page and a worker have the results of Python, with each module", async () => {
  const path = writePage("empty.html", "<p>empty");
  await visit(path, async (page) => {
    const found = await page.evaluate(async (texts) => {
      const { createWorker, support, TextEmbedder } = await import("/mobilebert-rt/dist/esm/index.js");
      const ways = [{ variant: "simd" }, { variant: "relaxed" }, { worker: createWorker() }, {}];
      const all = [];
      for (const way of ways) {
        const embedder = await TextEmbedder.fromPretrained("/model.int8.safetensors", way);
        all.push({ variant: embedder.info.variant, vectors: (await embedder.embed(texts)).map((v) => Array.from(v)) });
        await embedder.dispose();
      }
      return { all, support: support() };
    }, expected.texts);
    for (const { vectors } of found.all) assert.deepEqual(vectors, expected.default.vectors);
    assert.deepEqual(found.all.map(({ variant }) => variant), ["simd", "relaxed", "relaxed", "relaxed"]);
    assert.deepEqual(found.support.notes, []);
  });
});

/** The set of a Chromium with these V8 flags. */
function expectedSet(flags) {
  if (flags.includes("fma3")) return "wasm_simd128"; // relaxed_madd rounds twice
  if (process.arch === "arm64") return "wasm_relaxed_sdot";
  const unsigned = !flags.includes("vnni") && /\bavx_vnni\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
  return unsigned ? "wasm_relaxed_udot" : "wasm_relaxed";
}

for (const flags of ["", "--no-enable-avx-vnni", ...(process.arch === "x64" ? ["--no-enable-fma3"] : [])]) {
  test(`the fastest kernel set is used, and has the same results: ${flags || "this CPU"}`, async () => {
    const other = await chromium.launch({ ...launch, args: [...launch.args, `--js-flags=${flags}`] });
    try {
      const page = await other.newPage();
      await page.goto(server.address + writePage("set.html", "<p>set"));
      const found = await page.evaluate(async (texts) => {
        const { TextEmbedder } = await import("/mobilebert-rt/dist/esm/index.js");
        const embedder = await TextEmbedder.fromPretrained("/model.int8.safetensors");
        const vectors = [];
        for (let i = 0; i < 30; ++i) vectors.push(await embedder.embed(texts)); // V8 compiles what runs often again
        return { isa: embedder.info.isa, all: vectors.map((each) => each.map((v) => Array.from(v))) };
      }, expected.texts);
      assert.equal(found.isa, expectedSet(flags));
      for (const vectors of found.all) assert.deepEqual(vectors, expected.default.vectors);
    } finally {
      await other.close();
    }
  });
}

/** What a page finds with two threads, in its own thread and in a worker. */
const withThreads = (page) =>
  page.evaluate(async (texts) => {
    const { createWorker, support, TextEmbedder } = await import("/mobilebert-rt/dist/esm/index.js");
    const all = [];
    for (const variant of ["simd", "relaxed"]) {
      for (const worker of [undefined, createWorker()]) {
        const options = { threads: 2, variant, worker };
        const embedder = await TextEmbedder.fromPretrained("/model.int8.safetensors", options);
        const { threads, notes } = embedder.info;
        all.push({ threads, notes, vectors: (await embedder.embed(texts)).map((v) => Array.from(v)) });
        await embedder.dispose();
        await worker?.terminate();
      }
    }
    return { all, possible: support().threads };
  }, expected.texts);

test("an isolated page and its worker have threads, and the same results", async () => {
  const found = await visit(writePage("threads.html", "<p>threads"), withThreads, isolated);
  assert.equal(found.possible, true);
  for (const { threads, notes, vectors } of found.all) {
    assert.deepEqual([threads, notes], [2, []]);
    assert.deepEqual(vectors, expected.default.vectors);
  }
});

test("another page has one thread, and a note says why", async () => {
  const found = await visit(writePage("one-thread.html", "<p>one thread"), withThreads);
  assert.equal(found.possible, false);
  for (const { threads, notes, vectors } of found.all) {
    assert.equal(threads, 1);
    assert.match(notes[0], /Threads: this page has no shared memory; one thread is used\. .*Opener-Policy: same-origin/);
    assert.deepEqual(vectors, expected.default.vectors);
  }
});

test("without relaxed SIMD the plain module is used, and a note says so", async () => {
  const page = await browser.newPage();
  try {
    await page.addInitScript(() => {
      const { validate } = WebAssembly;
      WebAssembly.validate = (bytes) => bytes.length < 36 && validate(bytes);
    });
    await page.goto(server.address + writePage("plain.html", "<p>plain"));
    const { variant, notes } = await page.evaluate(async () => {
      const { TextEmbedder } = await import("/mobilebert-rt/dist/esm/index.js");
      return (await TextEmbedder.fromPretrained("/embed.safetensors")).info;
    });
    assert.equal(variant, "simd");
    assert.match(notes[0], /Relaxed SIMD: not available; the module for plain SIMD is used/);
  } finally {
    await page.close();
  }
});

test("no task of the page takes more than 16 ms while a worker embeds 200 texts", async () => {
  await visit(writePage("free.html", "<p>free"), async (page) => {
    await page.evaluate(async () => {
      const { createWorker, TextEmbedder } = await import("/mobilebert-rt/dist/esm/index.js");
      const source = "/model.int8.safetensors";
      globalThis.embedder = await TextEmbedder.fromPretrained(source, { worker: createWorker() });
    });
    await browser.startTracing(page, { categories: CATEGORIES });
    const vectors = await page.evaluate(async () => {
      const texts = Array.from({ length: 200 }, (_, i) => `Text ${i}: the train to Vienna is late because of snow.`);
      performance.mark("begin");
      const { length } = await embedder.embed(texts);
      performance.mark("end");
      return length;
    });
    const { count, longest } = longestTask(await browser.stopTracing());
    assert.equal(vectors, 200);
    assert.ok(count > 0 && longest <= 16, `${longest} ms, of ${count} tasks`);
    console.log(`longest task of the page: ${longest} ms`);
  });
});

for (const { name, language, text } of blocks()) {
  if (language === "html") {
    test(`${name} works as a page`, async () => {
      const path = writePage("block.html", text.replace("<!doctype html>", ""));
      await visit(path, (page) => page.getByText("384").waitFor());
    });
  }
}

test("a bundle of Vite finds the module, the workers and the model", async () => {
  const project = mkdtempSync(join(tmpdir(), "mobilebert-rt-vite-"));
  try {
    mkdirSync(join(project, "node_modules"));
    symlinkSync(root, join(project, "node_modules/mobilebert-rt"));
    cpSync(join(root, "model"), join(project, "node_modules/mobilebert-rt-model"), { recursive: true });
    cpSync(expected.default.path, join(project, "node_modules/mobilebert-rt-model/model.int8.safetensors"));
    const html = '<!doctype html><script type="module" src="main.js"></script>';
    writeFileSync(join(project, "index.html"), html);
    writeFileSync(
      join(project, "main.js"),
      `import { createWorker, TextEmbedder } from "mobilebert-rt";
       import model from "mobilebert-rt-model";
       const here = await TextEmbedder.fromPretrained(model);
       const all = [await here.embed("a")];
       for (const options of [{ worker: createWorker() }, { threads: 2 }, { threads: 2, worker: createWorker() }]) {
         const there = await TextEmbedder.fromPretrained(model, options);
         if (there.info.threads === (options.threads ?? 1)) all.push(await there.embed("a"));
       }
       document.body.append(all.length + " " + all.every((one) => one.every((value, i) => value === all[0][i])));`,
    );
    const vite = join(root, "node_modules/vite/bin/vite.js");
    const output = join(pages, "bundle");
    const options = ["--base", "./", "--outDir", output, "--target", "es2022"];
    execFileSync(process.execPath, [vite, "build", ...options], { cwd: project });
    await visit("/pages/bundle/index.html", (page) => page.getByText("4 true").waitFor(), isolated);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
});

describe("examples", () => {
  test("search orders sentences by meaning", () =>
    visit("/search/", async (page) => {
      const first = page.locator("#found li").first();
      await first.getByText("The train to Vienna is late because of snow.").waitFor();
      await page.fill("#query", "a pet");
      await first.getByText("A cat sleeps on the sofa.").waitFor();
      await screenshot(page, "search");
    }));

  test("labels are those of the page's fields", () =>
    visit("/labels/", async (page) => {
      await page.locator("#found li").nth(3).waitFor();
      await page.fill("#labels", "cats, notes");
      await page.waitForFunction(() => document.querySelectorAll("#found li").length === 2);
      await page.locator("#status", { hasText: "ms" }).waitFor();
      await screenshot(page, "labels");
    }));

  test("the answer is highlighted where it is", () =>
    visit("/article/", async (page) => {
      for (const question of ["Who wrote the notes?", "Who lived in London?"]) {
        await page.fill("#question", question);
        await page.waitForFunction(() => {
          const marked = [...document.querySelectorAll("mark")].map((mark) => mark.textContent).join(" ");
          const squeeze = (text) => text.replace(/\s+/g, " ").trim();
          const shown = squeeze(document.querySelector("#status").textContent.replace(/ \([\d.]+\)$/, ""));
          return marked !== "" && squeeze(marked) === shown;
        });
      }
      await screenshot(page, "article");
    }));

  test("the extension labels the selected text", async () => {
    const folder = mkdtempSync(join(tmpdir(), "mobilebert-rt-extension-"));
    const extension = join(folder, "extension");
    execFileSync(process.execPath, [join(root, "examples/extension/build.mjs"), extension]);
    // A test clicks no menu, which would grant the tab.
    const manifest = JSON.parse(readFileSync(join(extension, "manifest.json"), "utf8"));
    manifest.host_permissions = ["http://127.0.0.1/*"];
    writeFileSync(join(extension, "manifest.json"), JSON.stringify(manifest));
    const args = [...launch.args, `--disable-extensions-except=${extension}`, `--load-extension=${extension}`];
    const context = await chromium.launchPersistentContext(join(folder, "profile"), {
      executablePath,
      args: [...args, "--headless=new"],
      headless: false, // playwright's own headless mode has no extensions
      ignoreDefaultArgs: ["--disable-extensions"],
    });
    try {
      const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
      const page = await context.newPage();
      await page.goto(server.address + writePage("news.html", "<p>The striker scored twice in the last ten minutes."));
      await worker.evaluate(async (selectionText) => {
        const [tab] = await chrome.tabs.query({ url: "http://127.0.0.1/*" });
        chrome.contextMenus.onClicked.dispatch({ menuItemId: "label", selectionText }, tab);
      }, "The striker scored twice in the last ten minutes.");
      await page.getByText("Topic: sport").waitFor();
      await screenshot(page, "extension");
    } finally {
      await context.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
