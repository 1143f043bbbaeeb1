// node serve.mjs [NAME.safetensors=PATH ...]: serves these examples at http://127.0.0.1:8000, with the package (built
// by `npm run build`) at /mobilebert-rt and the default model at /model.int8.safetensors. labels needs
// nli.safetensors, article squad.safetensors.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const path = (place) => fileURLToPath(new URL(place, import.meta.url));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };
const POLICY = "default-src 'self'; style-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'";

// Pages with these may have shared memory, which threads need.
const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** A running server. files: path of a URL to a file; folders: first part of the path to a folder; isolated: see above. */
export async function serve({ port = 0, files = {}, folders = {}, isolated = false } = {}) {
  const roots = { "mobilebert-rt": path("../"), ...folders };
  const model = path("../../mobilebert_rt/default_model/model.int8.safetensors");
  const named = { "/model.int8.safetensors": model, ...files };
  const place = (url) => {
    if (named[url] !== undefined) return named[url];
    const [, first, ...rest] = normalize(url).split("/");
    return roots[first] === undefined ? path(`.${normalize(url)}`) : join(roots[first], ...rest);
  };
  const server = createServer((request, response) => {
    if (request.url === "/favicon.ico") return response.writeHead(204).end();
    let file = place(decodeURIComponent(new URL(request.url, "http://x").pathname));
    try {
      if (statSync(file).isDirectory()) file = join(file, "index.html");
      response.writeHead(200, {
        "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
        "Content-Length": statSync(file).size,
        "Content-Security-Policy": POLICY,
        ...(isolated ? ISOLATED : {}),
      });
      createReadStream(file).pipe(response);
    } catch {
      response.writeHead(404).end("not found");
    }
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { address: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const files = process.argv.slice(2).map((argument) => `/${argument}`.split("="));
  const { address } = await serve({ port: 8000, files: Object.fromEntries(files) });
  for (const name of ["search", "labels", "article"]) console.log(`${address}/${name}/`);
}
