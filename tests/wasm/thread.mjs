// One more thread of a module: see csrc/wasm/README.md.
import { parentPort, workerData } from "node:worker_threads";

import { imports } from "./module.mjs";

const { module, memory, thread, stack, tls } = workerData;
const { exports } = new WebAssembly.Instance(module, imports(memory));
exports.__stack_pointer.value = stack;
exports.__wasm_init_tls(tls);
parentPort.postMessage("started");
exports.run_thread(thread);
