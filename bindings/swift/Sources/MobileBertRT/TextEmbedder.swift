import CMobileBertRT
import Foundation

/// Vectors of texts, with the same bits as the Python package. Any number of threads may use one at the same time.
///
///     let embed = try TextEmbedder(contentsOf: Bundle.main.url(forResource: "minilm", withExtension: "safetensors")!)
///     let vector = try embed("A cat sleeps.")
public final class TextEmbedder: Sendable {
  /// The length of a vector.
  public let dimension: Int
  /// The kernel set, as "dotprod".
  public let isa: String

  private let id: UInt64  // of the mbrt_model
  private let threads: Int

  /// Maps a model file, as `mbrt convert` writes it, and checks every byte.
  ///
  /// - Parameter threads: the most threads of a call, 1 to 256; 0: as many as there are performance cores.
  public init(contentsOf file: URL, threads: Int = 0) throws {
    var model = mbrt_model()
    try check(mbrt_model_open(file.path, nil, &model))
    do {
      var info = mbrt_model_info()
      info.struct_size = MemoryLayout<mbrt_model_info>.stride
      try check(mbrt_model_get_info(model, &info))
      dimension = info.embedding_size
      isa = String(cString: info.isa)
    } catch {
      mbrt_model_close(model)
      throw error
    }
    id = model.id
    self.threads = threads
  }

  deinit {
    mbrt_model_close(mbrt_model(id: id))
  }

  /// The vector of a text.
  public func callAsFunction(_ text: String) throws -> [Float] {
    try self([text])[0]
  }

  /// The vectors of texts, in their order.
  public func callAsFunction(_ texts: [String]) throws -> [[Float]] {
    if texts.isEmpty { return [] }
    var call = mbrt_call()
    try check(mbrt_call_new(mbrt_model(id: id), &call))
    defer { mbrt_call_free(call) }
    try check(mbrt_call_set_outputs(call, UInt32(MBRT_EMBEDDING)))
    try check(mbrt_call_set_threads(call, threads))
    for text in texts {
      try check(mbrt_call_add_text(call, text, text.utf8.count))
    }
    try check(mbrt_call_run(call))
    return try texts.indices.map { item in
      var view = mbrt_view()
      view.struct_size = MemoryLayout<mbrt_view>.stride
      try check(mbrt_call_view(call, UInt32(MBRT_EMBEDDING), 0, item, &view))
      return Array(UnsafeBufferPointer(start: view.data, count: view.columns))
    }
  }
}
