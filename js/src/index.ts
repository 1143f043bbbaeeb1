/** MobileBERT and small BERT encoders in the browser and in Node. See README.md. */
export {
  DisposedError,
  InputError,
  InternalError,
  LoadError,
  MobileBertError,
  ModelFormatError,
  OutOfMemoryError,
  TimeoutError,
  UnsupportedModelError,
} from "./errors.js";
export type * from "./options.js";
export { createWorker, type EngineWorker, type WorkerOptions } from "./remote.js";
export type * from "./results.js";
export type { Input, ModelInfo } from "./runner.js";
export type { Progress, Source } from "./source.js";
export type { LoadOptions } from "./task.js";
export {
  FillMask,
  QuestionAnswerer,
  Reranker,
  TextClassifier,
  TextEmbedder,
  TokenClassifier,
  Tokenizer,
  ZeroShotClassifier,
} from "./tasks.js";
export { support, type Support, type Variant } from "./variants.js";
export type { WasmSource } from "./wasm.js";
