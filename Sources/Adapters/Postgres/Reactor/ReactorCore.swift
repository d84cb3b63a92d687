import Glibc
import Synchronization

/// The state that the reactor's thread keeps alive by itself.
///
/// Unchecked because everything but `inbox` and `threadID` is touched on the thread alone.
final class ReactorCore: @unchecked Sendable {
  /// What other threads ask of this one.
  enum Message {
    case job(UnownedJob, UnownedSerialExecutor)
    case taskJob(UnownedJob, UnownedTaskExecutor)
    case signal(Watch)
    case attach(Watch)
    case detach(Watch)
  }

  private struct Inbox {
    var messages: [Message] = []
    /// True while the thread is, or is about to be, in poll(2) and must be woken through the pipe.
    var isSleeping = false
    var isStopped = false
  }

  private let inbox = Mutex(Inbox())
  private let threadID = Atomic<UInt>(0)
  private let wakeRead: Int32
  private let wakeWrite: Int32

  private var watches: [Watch] = []
  private var pollSet: [pollfd] = []
  private var polled: [Watch] = []
  private var woken: [(Watch, Wake)] = []

  init() throws(PostgresError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw PostgresError(.connectFailed, "no descriptors for a reactor: errno \(errno)")
    }
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    wakeRead = ends[0]
    wakeWrite = ends[1]
  }

  deinit {
    close(wakeRead)
    close(wakeWrite)
  }

  func start() throws(PostgresError) {
    guard BlockingThreads.spawn({ self.loop() }) else {
      throw PostgresError(.connectFailed, "no thread for a reactor")
    }
  }

  func stop() {
    let mustWake = inbox.withLock { state in
      state.isStopped = true
      defer { state.isSleeping = false }
      return state.isSleeping
    }
    if mustWake { writeWake() }
  }

  var isCurrentThread: Bool {
    threadID.load(ordering: .relaxed) == UInt(pthread_self())
  }

  /// Hands a message to the thread, and wakes it if it sleeps.
  func post(_ message: Message) {
    let mustWake = inbox.withLock { state in
      state.messages.append(message)
      defer { state.isSleeping = false }
      return state.isSleeping
    }
    // The thread itself looks into its inbox before it polls again.
    if mustWake, !isCurrentThread { writeWake() }
  }

  private func writeWake() {
    var byte: UInt8 = 1
    // A full pipe already wakes the thread, so the result does not matter.
    _ = write(wakeWrite, &byte, 1)
  }

  // MARK: On the thread

  func attach(_ watch: Watch) {
    guard watch.slot < 0, !watch.isRetired else { return }
    watch.slot = watches.count
    watches.append(watch)
  }

  func detach(_ watch: Watch) {
    guard watch.slot >= 0 else {
      if watch.isTimer { watch.isRetired = true }
      return
    }
    let last = watches.count - 1
    watches.swapAt(watch.slot, last)
    watches[watch.slot].slot = watch.slot
    watches.removeLast()
    watch.slot = -1
    if watch.isTimer {
      watch.isRetired = true
      watch.onWake = nil
    }
  }

  private func loop() {
    threadID.store(UInt(pthread_self()), ordering: .relaxed)
    var batch: [Message] = []
    var passes = 0
    while true {
      let stopped = inbox.withLock { state in
        swap(&batch, &state.messages)
        state.isSleeping = false
        return state.isStopped && batch.isEmpty
      }
      if stopped { return }
      for message in batch { handle(message) }
      batch.removeAll(keepingCapacity: true)
      // A step of an exchange posts the next one: those run on without a system call between them, but not for ever.
      passes += 1
      if passes < Self.passesBetweenPolls, inbox.withLock({ !$0.messages.isEmpty }) { continue }
      passes = 0
      let maySleep = inbox.withLock { state in
        state.isSleeping = state.messages.isEmpty && !state.isStopped
        return state.isSleeping
      }
      pollOnce(maySleep: maySleep)
    }
  }

  private static let passesBetweenPolls = 16

  private func handle(_ message: Message) {
    switch message {
    case .job(let job, let executor): job.runSynchronously(on: executor)
    case .taskJob(let job, let executor): job.runSynchronously(on: executor)
    case .signal(let watch): nudge(watch)
    case .attach(let watch): attach(watch)
    case .detach(let watch): detach(watch)
    }
  }

  /// Ends the watch's wait, or the next one if none is on.
  func nudge(_ watch: Watch) {
    if watch.continuation != nil { wake(watch, .signalled) } else { watch.signalled = true }
  }

  private func wake(_ watch: Watch, _ reason: Wake) {
    if let continuation = watch.continuation {
      watch.continuation = nil
      watch.deadline = nil
      continuation.resume(returning: reason)
    } else if watch.slot >= 0, let onWake = watch.onWake {
      if watch.isTimer { detach(watch) }
      onWake(reason)
    }
  }

  private func pollOnce(maySleep: Bool) {
    pollSet.removeAll(keepingCapacity: true)
    polled.removeAll(keepingCapacity: true)
    pollSet.append(pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0))
    var nearest: ContinuousClock.Instant?
    for watch in watches where watch.continuation != nil || watch.onWake != nil {
      if let deadline = watch.deadline, nearest.map({ deadline < $0 }) ?? true { nearest = deadline }
      guard watch.fd >= 0, watch.events != 0 else { continue }
      pollSet.append(pollfd(fd: watch.fd, events: watch.events, revents: 0))
      polled.append(watch)
    }
    let timeout = maySleep ? nearest.map(Self.milliseconds(until:)) ?? -1 : 0
    let ready = poll(&pollSet, nfds_t(pollSet.count), timeout)
    // What wakes is collected first: a callback may attach or detach watches.
    if ready > 0 {
      if pollSet[0].revents != 0 { drainWakePipe() }
      for index in 1..<max(pollSet.count, 1) where pollSet[index].revents != 0 {
        woken.append((polled[index - 1], .ready(pollSet[index].revents)))
      }
    }
    if nearest != nil {
      let now = ContinuousClock.now
      for watch in watches {
        if let deadline = watch.deadline, deadline <= now { woken.append((watch, .deadline)) }
      }
    }
    // A watch may be listed as ready and as late: the first wake clears the deadline and so cancels the second.
    for (watch, reason) in woken where reason != .deadline || watch.deadline != nil { wake(watch, reason) }
    woken.removeAll(keepingCapacity: true)
  }

  private func drainWakePipe() {
    var bytes: (UInt64, UInt64) = (0, 0)
    _ = withUnsafeMutableBytes(of: &bytes) { read(wakeRead, $0.baseAddress, $0.count) }
  }

  /// Whole milliseconds until a deadline, rounded up so that the loop does not spin before it, at most an hour.
  private static func milliseconds(until deadline: ContinuousClock.Instant) -> Int32 {
    let left = deadline - .now
    guard left > .zero else { return 0 }
    guard left < .seconds(3_600) else { return 3_600_000 }
    let (seconds, attoseconds) = left.components
    return Int32(seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
