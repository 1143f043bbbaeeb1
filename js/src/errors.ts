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

/** An error whose class has its code. */
class KnownError extends MobileBertError {
  static readonly code: string = "";

  constructor(message: string, options?: ErrorOptions) {
    super(message, new.target.code, options);
  }
}

/** A wrong argument, option or text. */
export class InputError extends KnownError {
  static override readonly code = "MBRT_ERROR_INPUT";
}

/** The bytes are no valid model file. */
export class ModelFormatError extends KnownError {
  static override readonly code = "MBRT_ERROR_MODEL_FORMAT";
}

/** The model is valid but cannot do this. */
export class UnsupportedModelError extends KnownError {
  static override readonly code = "MBRT_ERROR_UNSUPPORTED_MODEL";
}

/** The call took longer than its `timeout`. */
export class TimeoutError extends KnownError {
  static override readonly code = "MBRT_ERROR_TIMEOUT";
}

/** The model or the batch needs more memory than there is. */
export class OutOfMemoryError extends KnownError {
  static override readonly code = "MBRT_ERROR_MEMORY";
}

/** The model, or its worker, has been disposed of. */
export class DisposedError extends KnownError {
  static override readonly code = "MBRT_ERROR_HANDLE";
}

/** A model or the WebAssembly module could not be fetched, read or compiled. */
export class LoadError extends KnownError {
  static override readonly code = "LOAD";
}

/** An internal error: please report it. The model must be loaded again. */
export class InternalError extends KnownError {
  static override readonly code = "MBRT_ERROR_INTERNAL";
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
const BY_CODE = new Map<string, typeof KnownError>(CLASSES.map((type) => [type.code, type]));

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
