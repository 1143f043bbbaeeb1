import CMobileBertRT

/// An error of the engine, with its message.
public struct MobileBertError: Error, CustomStringConvertible, Sendable {
  /// What is wrong; the statuses of the C API.
  public enum Kind: Int32, Sendable {
    case input = 1
    case modelFormat = 2
    case unsupportedModel = 3
    case cancelled = 4
    case timeout = 5
    case handle = 6
    case busy = 7
    case buffer = 8
    case memory = 9
    case noResult = 10
    case internalError = 11
  }

  public let kind: Kind
  public let description: String
}

/// Throws the error of the calling thread's last function, if it failed.
func check(_ status: mbrt_status) throws {
  if status == Int32(MBRT_OK) { return }
  throw MobileBertError(
    kind: MobileBertError.Kind(rawValue: status) ?? .internalError,
    description: String(cString: mbrt_last_error()))
}
