import MobileBertRT
import XCTest

/// With the default model of the repository.
final class TextEmbedderTests: XCTestCase {
  private let model = URL(fileURLWithPath: #filePath)
    .appendingPathComponent("../../../../../mobilebert_rt/default_model/model.int8.safetensors").standardizedFileURL

  func testSameVectorAloneAndAmongOthers() throws {
    let embed = try TextEmbedder(contentsOf: model)
    XCTAssertEqual(embed.dimension, 384)
    let vectors = try embed(["A cat sleeps.", "", "Größe \u{1F600}"])
    XCTAssertEqual(vectors.map(\.count), [384, 384, 384])
    XCTAssertEqual(try embed("A cat sleeps."), vectors[0])
    XCTAssertEqual(try embed([]).count, 0)
    let length = vectors[0].reduce(0) { $0 + $1 * $1 }
    XCTAssertEqual(length, 1, accuracy: 1e-5)
  }

  func testErrorsHaveTheirKindAndMessage() throws {
    XCTAssertThrowsError(try TextEmbedder(contentsOf: URL(fileURLWithPath: "/nowhere/x.safetensors"))) { error in
      XCTAssertEqual((error as? MobileBertError)?.kind, .input)
      XCTAssertTrue("\(error)".contains("nowhere"))
    }
    XCTAssertThrowsError(try TextEmbedder(contentsOf: URL(fileURLWithPath: #filePath))) { error in
      XCTAssertEqual((error as? MobileBertError)?.kind, .modelFormat)
    }
    let embed = try TextEmbedder(contentsOf: model, threads: 1000)
    XCTAssertThrowsError(try embed("A cat sleeps."))
  }
}
