// swift-tools-version: 6.2
import PackageDescription

// Targets are listed bottom-up, so that the file reads as the dependency diagram.
// `Tests/RepositoryTests` reads every `import` line against these arrows.

let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A fully static, non-relocatable executable starts in half the time of one that loads
/// shared libraries (README, section "Dependencies and what they cost").
let releaseLinking: [LinkerSetting] = [
  .unsafeFlags(
    ["-static-executable", "-use-ld=lld"], .when(platforms: [.linux], configuration: .release)),
  .linkedLibrary("_FoundationCShims", .when(platforms: [.linux], configuration: .release)),
  .linkedLibrary("_FoundationCollections", .when(platforms: [.linux], configuration: .release)),
  .linkedLibrary("swiftSynchronization", .when(platforms: [.linux], configuration: .release)),
]

let package = Package(
  name: "hotglue",
  products: [.executable(name: "hotglue", targets: ["hotglue"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
  ],
  targets: [
    .target(name: "HotglueCore", swiftSettings: strict),
    .target(name: "HotglueStore", dependencies: ["HotglueCore"], swiftSettings: strict),

    .target(name: "CFiles", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .target(name: "HotglueFiles", dependencies: ["CFiles"], swiftSettings: strict),

    .target(name: "CSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
    .target(
      name: "HotglueStoreSQLite",
      dependencies: ["HotglueStore", "HotglueFiles", "HotglueCore", "CSQLite"],
      swiftSettings: strict),

    .target(
      name: "CSupervisor", dependencies: ["CFiles"],
      cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .target(
      name: "HotglueProcess", dependencies: ["HotglueCore", "HotglueFiles", "CSupervisor"],
      swiftSettings: strict),

    .target(
      name: "HotglueRunner",
      dependencies: ["HotglueStore", "HotglueProcess", "HotglueFiles", "HotglueCore"],
      swiftSettings: strict),

    .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),
    .target(
      name: "HotglueSinger",
      dependencies: ["HotglueStore", "HotglueProcess", "HotglueCore", "CZlib"],
      swiftSettings: strict),

    .target(
      name: "HotglueCommands",
      dependencies: [
        "HotglueRunner", "HotglueSinger", "HotglueProcess", "HotglueStore", "HotglueFiles",
        "HotglueCore",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    .executableTarget(
      name: "hotglue",
      dependencies: ["HotglueCommands", "HotglueStoreSQLite", "HotglueStore", "HotglueCore"],
      swiftSettings: strict, linkerSettings: releaseLinking),

    // Tests: the rules a store keeps and the fixtures are libraries, so that a second store
    // can run the same rules.
    .target(
      name: "StoreConformance", dependencies: ["HotglueStore", "HotglueCore"],
      path: "Tests/StoreConformance", swiftSettings: strict),
    .target(
      name: "TestSupport", dependencies: ["HotglueStore", "HotglueCore", "HotglueStoreSQLite"],
      path: "Tests/TestSupport", swiftSettings: strict),
    .executableTarget(
      name: "simulate",
      dependencies: ["HotglueStoreSQLite", "HotglueStore", "HotglueCore", "CSQLite"],
      path: "Tests/Simulation", swiftSettings: strict, linkerSettings: releaseLinking),
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "HotglueCommands", "HotglueSinger", "HotglueProcess", "HotglueStoreSQLite", "HotglueStore",
        "HotglueCore", "CSQLite", "CSupervisor",
      ],
      path: "Tests/Fuzz", exclude: ["Kept"], swiftSettings: strict, linkerSettings: releaseLinking),
    .testTarget(
      name: "HotglueCoreTests", dependencies: ["HotglueCore", "TestSupport"],
      exclude: ["Time/Oracle"], swiftSettings: strict),
    .testTarget(
      name: "HotglueStoreSQLiteTests",
      dependencies: ["HotglueStoreSQLite", "HotglueFiles", "StoreConformance", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "HotglueProcessTests",
      dependencies: ["HotglueProcess", "HotglueFiles", "HotglueCore", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "HotglueRunnerTests",
      dependencies: ["HotglueRunner", "HotglueStoreSQLite", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "HotglueSingerTests",
      dependencies: ["HotglueSinger", "HotglueStoreSQLite", "StoreConformance", "TestSupport"],
      exclude: ["Samples"],
      swiftSettings: strict),
    .testTarget(
      name: "HotglueCommandsTests",
      dependencies: ["HotglueCommands", "HotglueStoreSQLite", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests", dependencies: ["TestSupport", "HotglueStoreSQLite"],
      exclude: ["Syncs/Taps"],
      swiftSettings: strict),
    .testTarget(name: "RepositoryTests", dependencies: ["TestSupport"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
