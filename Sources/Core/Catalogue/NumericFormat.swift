/// A number format for which vendors publish a rate of operations. The order is that of the catalogue's columns: of
/// formats that tie for the highest performance, the first is named as the basis.
package enum NumericFormat: String, Sendable, Hashable, CaseIterable {
  case fp64, fp64m, fp32, tf32, bf16, fp16, fp8, int8, fp4, int4

  /// Bits of the longest input to the multiplication, which is what total processing performance counts
  /// (88 FR 73458, technical notes to 3A090). Nil for TF32: stored in 32 bits, multiplied in 19, it is left out.
  package var bitLength: Int64? {
    switch self {
    case .fp64, .fp64m: 64
    case .fp32: 32
    case .tf32: nil
    case .bf16, .fp16: 16
    case .fp8, .int8: 8
    case .fp4, .int4: 4
    }
  }

  /// The column of the catalogue's file; also the name under which the interface shows the figure.
  package var column: String {
    switch self {
    case .fp64: "fp64_tflops"
    case .fp64m: "fp64_matrix_tflops"
    case .fp32: "fp32_tflops"
    case .tf32: "tf32_tflops_dense"
    case .bf16: "bf16_tflops_dense"
    case .fp16: "fp16_tflops_dense"
    case .fp8: "fp8_tflops_dense"
    case .int8: "int8_tops_dense"
    case .fp4: "fp4_tflops_dense"
    case .int4: "int4_tops_dense"
    }
  }
}
