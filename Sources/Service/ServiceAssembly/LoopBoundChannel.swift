import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import WebSupport

/// HTTP/1.1 whose handlers run on the event loop of their own connection.
///
/// Left to the global pool, each request crosses threads at least four times: its parts go from the loop to the pool, its
/// answer back, and each crossing is a lock and often a wake through the kernel. On the loop what a request awaits resumes
/// where its bytes arrive and leave. Connections are dealt over all loops, so the cores stay busy.
struct LoopBoundChannel: ServerChildChannel {
  private let base: HTTP1Channel
  private let executors: [ObjectIdentifier: LoopExecutor]
  private let limits: ConnectionLimits
  private let connections: OpenConnections
  private let standing: [(String, String)]

  /// - Parameter standing: header fields of answers that are made before a request reaches the router.
  init(
    responder: @escaping HTTPChannelHandler.Responder, limits: ConnectionLimits, connections: OpenConnections,
    standing: [(String, String)], loops: any EventLoopGroup
  ) {
    // Time is kept by the guards: the framework's own clock knows only silence.
    base = HTTP1Channel(
      responder: responder,
      configuration: HTTP1Channel.Configuration(
        idleTimeout: nil,
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: limits.fieldBytes, maxHeaderListSize: limits.headBytes,
          maxHeaderFieldCount: limits.fieldCount)))
    self.limits = limits
    self.connections = connections
    self.standing = standing
    var executors: [ObjectIdentifier: LoopExecutor] = [:]
    for loop in loops.makeIterator() { executors[ObjectIdentifier(loop)] = LoopExecutor(loop: loop) }
    self.executors = executors
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
    let value = base.setup(channel: channel, logger: logger)
    return value.flatMapThrowing { value in
      try guardConnection(channel)
      return value
    }
  }

  /// Puts the guards around the parser of a connection.
  func guardConnection(_ channel: any Channel) throws {
    // What the kernel keeps for a client that does not read is bounded too: left alone it grows to megabytes.
    try channel.syncOptions?.setOption(.socketOption(.so_sndbuf), value: limits.sendBufferBytes)
    let pipeline = channel.pipeline.syncOperations
    let requests = RequestGuard(limits: limits, connections: connections, standing: standing)
    let wire = WireGuard(limits: limits, requests: requests)
    requests.watch(wire)
    let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
    try pipeline.addHandler(requests, position: .after(parser))
    try pipeline.addHandler(wire, position: .first)
  }

  func handle(value: HTTP1Channel.Value, logger: Logger) async {
    // A loop that is not of the group has no executor here: the global pool then serves as before.
    await withTaskExecutorPreference(executors[ObjectIdentifier(value.channel.eventLoop)]) {
      await base.handle(value: value, logger: logger)
    }
  }
}

/// An event loop as the executor of the tasks that prefer it. The loop outlives them: it is one of the process's own
/// group, which is never shut down.
final class LoopExecutor: TaskExecutor {
  private let loop: any EventLoop

  init(loop: any EventLoop) { self.loop = loop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
