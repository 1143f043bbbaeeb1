// Where a model or a module comes from, and reading it piece by piece.

import { LoadError } from "./errors.js";
import { isNode, nodeModule } from "./host.js";

/**
 * A model file: its bytes, a URL, in Node a path, a Blob or File, or a Response whose body has not been read. Bytes are
 * copied into the engine's memory, so that they can be dropped or changed afterwards.
 */
export type Source = ArrayBuffer | ArrayBufferView | URL | string | Blob | Response;

/** How much of a file has been read, in bytes. total: undefined when the server does not say it. */
export interface Progress {
  loaded: number;
  total: number | undefined;
}

/** A file that is read once. size: in bytes, when it is known before. */
export interface Opened {
  name: string;
  size: number | undefined;
  chunks: AsyncIterable<Uint8Array>;
}

const HAS_SCHEME = /^[a-z][a-z0-9+.-]+:/i;

/** The URL or path of a source, absolute, so that a worker reads the same; other sources as they are. */
export function absolute(source: Source): Source {
  if (source instanceof URL) return source.href;
  if (typeof source !== "string" || HAS_SCHEME.test(source)) return source;
  if (isNode) return nodeModule<typeof import("node:path")>("node:path").resolve(source);
  const base = (globalThis as { document?: { baseURI: string } }).document?.baseURI ?? globalThis.location.href;
  return new URL(source, base).href;
}

export async function open(source: Source, signal?: AbortSignal): Promise<Opened> {
  if (source instanceof ArrayBuffer || isSharedBuffer(source)) return bytes(new Uint8Array(source));
  if (ArrayBuffer.isView(source)) return bytes(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
  if (typeof Blob === "function" && source instanceof Blob) {
    return { name: (source as File).name ?? "model", size: source.size, chunks: streamed(source.stream(), source.size) };
  }
  const found = await request(source, signal);
  if (found !== undefined) return response(found);
  const place = absolute(source);
  if (typeof place !== "string" || place === "") {
    throw new LoadError(`source: found ${describe(source)}; expected bytes, a URL, a path, a Blob or a Response.`);
  }
  return file(place, signal);
}

/** The response for a URL of a server; undefined for other sources. */
export async function request(source: Source, signal?: AbortSignal): Promise<Response | undefined> {
  if (typeof Response === "function" && source instanceof Response) return source;
  const place = absolute(source);
  if (typeof place !== "string" || place.startsWith("file:") || !HAS_SCHEME.test(place)) return undefined;
  return fetched(place, signal);
}

function isSharedBuffer(source: unknown): source is ArrayBuffer {
  return typeof SharedArrayBuffer === "function" && source instanceof SharedArrayBuffer;
}

function describe(source: unknown): string {
  return source === null ? "null" : source === "" ? "an empty text" : typeof source;
}

function bytes(whole: Uint8Array): Opened {
  return { name: "model", size: whole.byteLength, chunks: only(whole) };
}

async function* only(whole: Uint8Array): AsyncGenerator<Uint8Array> {
  yield whole;
}

async function fetched(url: string, signal?: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw new LoadError(`${url}: ${(error as Error).message}; expected a file. Check the address and CORS.`, {
      cause: error,
    });
  }
}

function response(from: Response): Opened {
  const name = from.url || "model";
  if (!from.ok) throw new LoadError(`${name}: HTTP ${from.status} ${from.statusText}; expected a file.`);
  if (from.bodyUsed) throw new LoadError(`${name}: the body of the Response has been read; expected a new Response.`);
  // Of a compressed response, Content-Length is the length of the compressed bytes.
  const length = from.headers.has("Content-Encoding") ? null : from.headers.get("Content-Length");
  const size = length === null ? undefined : Number(length);
  return { name, size, chunks: streamed(from.body, size) };
}

// Of a body of known size the end is not waited for: Chromium reports it 30 ms after the last byte.
async function* streamed(body: ReadableStream<Uint8Array> | null, size = Infinity): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  let left = size;
  try {
    while (left > 0) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.length;
      yield value;
    }
  } finally {
    // When the rest is not wanted. A body that has been read is not cancelled, so that a cache keeps it.
    if (left > 0) void reader.cancel().catch(() => {});
  }
}

async function file(place: string, signal?: AbortSignal): Promise<Opened> {
  if (!isNode) {
    throw new LoadError(`${place}: a file; expected a URL. A page reads files that its user chooses, as File.`);
  }
  const path = place.startsWith("file:")
    ? nodeModule<typeof import("node:url")>("node:url").fileURLToPath(place)
    : place;
  const { stat } = nodeModule<typeof import("node:fs/promises")>("node:fs/promises");
  const { createReadStream } = nodeModule<typeof import("node:fs")>("node:fs");
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new LoadError(`${path}: a folder; expected a model file, written by \`mbrt convert\`.`);
    const options = { highWaterMark: 1 << 20, ...(signal ? { signal } : {}) };
    return { name: path, size: found.size, chunks: createReadStream(path, options) };
  } catch (error) {
    if (error instanceof LoadError) throw error;
    throw new LoadError(`${path}: ${(error as Error).message}; expected a model file.`, { cause: error });
  }
}
