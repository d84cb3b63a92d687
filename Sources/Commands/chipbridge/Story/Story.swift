import ArgumentParser
import AsyncHTTPClient
import Foundation
import StrictJSON

/// Plays the public events behind this project through the service, over HTTP, on their real dates.
struct Story: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play the events of 2023 behind this project through a sandbox service, over HTTP.")
  @Option(help: "Where the service listens.") var url = "http://127.0.0.1:8080"
  @Option(help: "The file of keys bootstrap; the parties' keys are added to it.") var keys: String
  @Option(help: "Also write what is printed to this file.") var transcript: String?

  func run() async throws {
    guard let content = FileManager.default.contents(atPath: keys) else { throw Failure("\(keys) cannot be read.") }
    let file = try JSONDocument(parsing: Array(content)).root
    if file["story"] != nil {
      print("The story was already played on this database; deploy/run --fresh starts over.")
      return
    }
    let (admin, checker) = (try file.text("admin"), try file.text("checker"))
    let client = StoryClient(url: url, staff: [admin, checker])
    var play = StoryPlay(client: client, admin: admin, checker: checker)
    let names = Set(
      try await client.get("/v1/organizations?limit=200", as: play.admin).data.map { try $0.text("legal_name") })
    guard !names.contains(StoryCast.giants[0].name) else {
      throw Failure("An earlier playing of the story was cut short; deploy/run --fresh starts over.")
    }
    play.say("Every party is a stand-in; figures marked [assumed] are ours, dates and rules are real.")
    let started = ContinuousClock.now
    try await play.actOne()
    try await play.actTwo()
    try await play.actThree()
    try await play.actFour()
    try await play.actFive()
    try await play.epilogue()
    let (seconds, fraction) = (ContinuousClock.now - started).components
    print("\nPlayed in \(seconds).\(fraction / 100_000_000_000_000_000) s over HTTP.")
    try keep(play, file)
  }

  /// Adds the parties' keys, and that the story was played.
  private func keep(_ play: StoryPlay, _ file: JSONNode) throws {
    var writer = JSONWriter()
    writer.beginObject()
    for member in file.members {
      writer.key(dynamic: member.name)
      writer.string(member.value.asString ?? "")
    }
    for (name, key) in play.keys {
      writer.key(dynamic: name)
      writer.string(key)
    }
    writer.field("story", "played")
    writer.endObject()
    try FileManager.default.removeItem(atPath: keys)
    try SecretFile.write(writer.bytes, to: keys)
    if let transcript {
      let text = play.lines.joined(separator: "\n") + "\n"
      try text.write(toFile: transcript, atomically: true, encoding: .utf8)
    }
  }
}
