import NIOCore

/// Stands where bytes come and go: notes when a request begins, and whether the client takes what waits for it.
final class WireGuard: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  private let limits: ConnectionLimits
  private let requests: RequestGuard
  /// Whether the head that is read now has got past its first line, as far as earlier reads tell.
  private var isPastFirstLine = false
  private var current: ByteBuffer?

  /// Bytes handed to the socket so far, with those that wait.
  private var handedOver = 0
  /// When bytes began to wait, and how many were gone then; nil while nothing waits.
  private var waiting: (since: NIODeadline, gone: Int)?
  /// When the client last took anything of what waits.
  private var progress: (at: NIODeadline, gone: Int) = (.uptimeNanoseconds(0), 0)

  init(limits: ConnectionLimits, requests: RequestGuard) {
    self.limits = limits
    self.requests = requests
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard requests.readsMore(at: context.eventLoop.now) else { return }
    let buffer = unwrapInboundIn(data)
    current = buffer
    requests.lineBroken = { [self] in isPastFirstLine || current?.readableBytesView.contains(0x0A) == true }
    context.fireChannelRead(data)
    requests.lineBroken = nil
    isPastFirstLine = requests.isReadingHead && (isPastFirstLine || buffer.readableBytesView.contains(0x0A))
    current = nil
  }

  /// What nobody takes any more is still read, or the end of the connection would not be seen.
  func channelReadComplete(context: ChannelHandlerContext) {
    context.fireChannelReadComplete()
    if requests.isDraining { context.read() }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    handedOver += unwrapOutboundIn(data).readableBytes
    context.write(data, promise: promise)
  }

  /// Whether the client takes nothing, or next to nothing, of what waits for it.
  func isStalled(at now: NIODeadline, context: ChannelHandlerContext) -> Bool {
    let buffered =
      (try? context.channel.syncOptions?.getOption(ChannelOptions.bufferedWritableBytes)).flatMap { $0 } ?? 0
    guard buffered > 0 else {
      waiting = nil
      return false
    }
    let gone = handedOver - buffered
    guard let since = waiting else {
      waiting = (now, gone)
      progress = (now, gone)
      return false
    }
    if gone > progress.gone { progress = (now, gone) }
    if now - progress.at > .seconds(limits.stalledSeconds) { return true }
    let elapsed = now - since.since
    guard elapsed > .seconds(limits.stalledSeconds) else { return false }
    let seconds = Int(elapsed.nanoseconds / 1_000_000_000)
    return (gone - since.gone) / max(seconds, 1) < limits.leastBytesPerSecond
  }
}
