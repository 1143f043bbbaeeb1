// swift-tools-version:5.9
// First `scripts/xcframework.sh`, which writes CMobileBertRT.xcframework beside this file.
import PackageDescription

let package = Package(
  name: "MobileBertRT",
  platforms: [.iOS(.v14), .macOS(.v11)],
  products: [.library(name: "MobileBertRT", targets: ["MobileBertRT"])],
  targets: [
    .binaryTarget(name: "CMobileBertRT", path: "CMobileBertRT.xcframework"),
    .target(
      name: "MobileBertRT",
      dependencies: ["CMobileBertRT"],
      linkerSettings: [.linkedLibrary("c++")]),
    .testTarget(name: "MobileBertRTTests", dependencies: ["MobileBertRT"]),
  ]
)
