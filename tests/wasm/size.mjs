// size.mjs MODULE: its bytes, and those compressed with brotli.
import { readFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";

const bytes = readFileSync(process.argv[2]);
console.log(bytes.length, brotliCompressSync(bytes).length);
