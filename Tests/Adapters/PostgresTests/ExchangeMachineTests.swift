import Testing

@testable import Postgres

@Suite("The exchange machine")
struct ExchangeMachineTests {
  @Test("keeps each answer for its own query and ends at the sync")
  func success() {
    var machine = ExchangeMachine(steps: [.prepare(0), .execute(0), .execute(1)])
    #expect(machine.currentQuery == 0)
    #expect(machine.receive(.succeeded) == .rememberPrepared(0))
    #expect(machine.receive(.endOfStep) == .nothing)
    #expect(machine.receive(.succeeded) == .keepResult(0))
    #expect(machine.receive(.endOfStep) == .nothing)
    #expect(machine.currentQuery == 1)
    #expect(machine.receive(.succeeded) == .keepResult(1))
    #expect(machine.receive(.endOfStep) == .nothing)
    #expect(machine.currentQuery == nil)
    #expect(machine.receive(.sync) == .finish)
  }

  @Test("keeps the first error and passes over what the server skipped")
  func failure() {
    var machine = ExchangeMachine(steps: [.execute(0), .prepare(1), .execute(1)])
    #expect(machine.receive(.failed) == .keepError(0))
    #expect(machine.receive(.endOfStep) == .nothing)
    for _ in 0..<2 {
      #expect(machine.receive(.skipped) == .nothing)
      #expect(machine.receive(.endOfStep) == .nothing)
    }
    #expect(machine.receive(.sync) == .finish)
  }

  @Test("calls every other order a violation")
  func violations() {
    var early = ExchangeMachine(steps: [.execute(0)])
    #expect(early.receive(.sync) == .violation)
    var unanswered = ExchangeMachine(steps: [.execute(0)])
    #expect(unanswered.receive(.endOfStep) == .violation)
    var twice = ExchangeMachine(steps: [.execute(0)])
    #expect(twice.receive(.succeeded) == .keepResult(0))
    #expect(twice.receive(.succeeded) == .violation)
    var skippedFirst = ExchangeMachine(steps: [.execute(0)])
    #expect(skippedFirst.receive(.skipped) == .violation)
    var afterFailure = ExchangeMachine(steps: [.execute(0), .execute(1)])
    _ = afterFailure.receive(.failed)
    _ = afterFailure.receive(.endOfStep)
    #expect(afterFailure.receive(.succeeded) == .violation)
    var beyond = ExchangeMachine(steps: [])
    #expect(beyond.receive(.succeeded) == .violation)
  }

  @Test(
    "tells a statement's part in transactions by its first words",
    arguments: [
      ("begin isolation level read committed read write", StatementVerb.begin(readOnly: false)),
      ("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY", .begin(readOnly: true)),
      ("start transaction read only, isolation level repeatable read", .begin(readOnly: true)),
      ("commit", .commit), ("end;", .commit), ("COMMIT PREPARED 'x'", .commit), ("prepare transaction 'x'", .commit),
      ("rollback", .rollback), ("abort", .rollback), ("rollback to savepoint a", .read),
      ("select 1", .read), ("  select 1", .read), ("with a as (select 1) select * from a", .read),
      ("with a as (insert into t values (1) returning 1) select * from a", .write),
      ("insert into t values (1)", .write),
      ("copy t from stdin", .write), ("lock table t", .write), ("", .write),
    ])
  func verbs(_ text: String, _ verb: StatementVerb) {
    #expect(StatementVerb(of: text) == verb)
  }

  @Test("only a commit of a writing block, or a write outside a block, is ambiguous when lost")
  func safety() {
    func judge(_ verbs: [StatementVerb], from block: BlockState = .none) -> (ExchangeSafety, BlockState) {
      var state = block
      let safety = ExchangeSafety.judge(verbs, block: &state)
      return (safety, state)
    }
    #expect(judge([.begin(readOnly: false), .write, .write]) == (.harmless, .writing))
    #expect(judge([.write, .commit], from: .writing) == (.mayCommit, .none))
    #expect(judge([.begin(readOnly: false), .write, .commit]) == (.mayCommit, .none))
    #expect(judge([.begin(readOnly: true), .read, .commit]) == (.harmless, .none))
    #expect(judge([.read, .read]) == (.harmless, .none))
    #expect(judge([.read, .write]) == (.mayCommit, .none))
    #expect(judge([.rollback, .write], from: .writing) == (.mayCommit, .none))
    #expect(judge([.rollback], from: .writing) == (.harmless, .none))
  }
}
