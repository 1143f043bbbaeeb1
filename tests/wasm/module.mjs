// A module of csrc/wasm as an object: its exports, and what calls of them need.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";

export function imports(memory) {
  const clock_time_get = (_id, _precision, out) => {
    new DataView(memory.buffer).setBigUint64(out, process.hrtime.bigint(), true);
    return 0;
  };
  return { env: { memory }, wasi_snapshot_preview1: { clock_time_get } };
}

export class Module {
  static async load(path, threads = 1) {
    const made = new Module();
    // As csrc/wasm/CMakeLists.txt links it.
    made.memory = new WebAssembly.Memory({ initial: 32, maximum: 65536, shared: true });
    const module = await WebAssembly.compile(readFileSync(path));
    made.exports = (await WebAssembly.instantiate(module, imports(made.memory))).exports;
    made.exports._initialize();
    made.exports.let_thread_sleep();
    for (let i = 1; i < threads; ++i) await made.startThread(module);
    return made;
  }

  async startThread(module) {
    const thread = this.exports.new_thread();
    const workerData = { module, memory: this.memory, thread, stack: this.field(thread, 0), tls: this.field(thread, 1) };
    const worker = new Worker(new URL("./thread.mjs", import.meta.url), { workerData });
    await once(worker, "message");
    worker.unref();
  }

  view() {
    return new DataView(this.memory.buffer);
  }

  bytes(pointer, size) {
    return new Uint8Array(this.memory.buffer, pointer >>> 0, size);
  }

  text(pointer) {
    const bytes = this.bytes(pointer);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  }

  put(bytes) {
    const pointer = this.exports.allocate(bytes.length) >>> 0;
    if (pointer === 0) throw new Error("no memory");
    this.bytes(pointer, bytes.length).set(bytes);
    return pointer;
  }

  putText(text) {
    return this.put(new TextEncoder().encode(text + "\0"));
  }

  // An array of 4-byte fields.
  putFields(...fields) {
    return this.put(new Uint8Array(Uint32Array.from(fields).buffer));
  }

  field(pointer, index) {
    return this.view().getUint32(pointer + 4 * index, true);
  }

  require(status) {
    if (status !== 0) throw new Error(`status ${status}: ${this.error()}`);
  }

  error() {
    return this.text(this.exports.mbrt_last_error());
  }

  availableIsas() {
    const names = this.exports.allocate(64);
    const count = this.exports.allocate(4);
    this.require(this.exports.mbrt_available_isas(names, 16, count));
    return Array.from({ length: this.field(count, 0) }, (_, i) => this.text(this.field(names, i)));
  }

  // The handle of the model in these bytes, or null after an error.
  openModel(bytes, isa) {
    const out = this.exports.allocate(8);
    const options = isa ? this.putFields(8, this.putText(isa)) : 0;
    const status = this.exports.open_model(this.put(bytes), bytes.length, options, out);
    return status === 0 ? this.view().getBigUint64(out, true) : null;
  }
}
