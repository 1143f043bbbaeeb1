// Errors of the engine, one class for each status of mobilebert_rt.h.

/** Any error of this package. `code` is the engine's status, as "MBRT_ERROR_INPUT". */
export class MobileBertError extends Error {
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A wrong argument, option or text. */
export class InputError extends MobileBertError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, "MBRT_ERROR_INPUT", options);
  }
}

/** The bytes are no valid model file. */
export class ModelFormatError extends MobileBertError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, "MBRT_ERROR_MODEL_FORMAT", options);
  }
}

/** The model is valid but cannot do this. */
export class UnsupportedModelError extends MobileBertError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, "MBRT_ERROR_UNSUPPORTED_MODEL", options);
  }
}

/** The call took longer than its `timeout`. */
export class TimeoutError extends MobileBertError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, "MBRT_ERROR_TIMEOUT", options);
  }
}

/** The model or the batch needs more memory than there is. */
export class OutOfMemoryError extends MobileBertError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, "MBRT_ERROR_MEMORY", options);
  }
}

/** The model, or its worker, has been disposed of. */
export class DisposedError extends MobileBertError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, "MBRT_ERROR_HANDLE", options);
  }
}

/** A model or the WebAssembly module could not be fetched, read or compiled. */
export class LoadError extends MobileBertError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, "LOAD", options);
  }
}

/** An internal error: please report it. The model must be loaded again. */
export class InternalError extends MobileBertError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, "MBRT_ERROR_INTERNAL", options);
  }
}

const CLASSES = [
  InputError,
  ModelFormatError,
  UnsupportedModelError,
  TimeoutError,
  OutOfMemoryError,
  DisposedError,
  LoadError,
  InternalError,
];
const BY_CODE = new Map(CLASSES.map((type) => [new type("").code, type]));

/** The error of a status name and the engine's message. */
export function errorOf(code: string, message: string): MobileBertError {
  const type = BY_CODE.get(code);
  return type ? new type(message) : new MobileBertError(message, code);
}

/** What postMessage carries of an error. */
export interface ErrorMessage {
  name: string;
  message: string;
  code?: string;
}

export function toMessage(error: unknown): ErrorMessage {
  if (error instanceof MobileBertError) {
    return { name: error.name, message: error.message, code: error.code };
  }
  if (error instanceof Error) return { name: error.name, message: error.message };
  return { name: "Error", message: String(error) };
}

export function fromMessage({ name, message, code }: ErrorMessage): Error {
  if (code !== undefined) return errorOf(code, message);
  if (typeof DOMException !== "undefined" && name === "AbortError") {
    return new DOMException(message, name);
  }
  return Object.assign(new Error(message), { name });
}
