//! `f64` arithmetic: rent's exemption threshold uses it.

use crate::Error;
use crate::division::{absolute, with_sign};
use crate::ir::{Compare, Value};
use crate::rewrite::Rewrite;
use llvm_sys::LLVMIntPredicate::*;
use llvm_sys::LLVMOpcode::*;
use llvm_sys::LLVMRealPredicate::*;

/// The bits of positive infinity.
const INFINITY: u64 = 0x7ff << 52;

/// Returns what stands in for an operation on `f64`; nothing if it is none or can stay.
///
/// # Errors
/// The soft-float function of compiler_builtins is not in the program.
pub fn lower(rewrite: Rewrite<'_>, instruction: Value) -> Result<Option<Value>, Error> {
    let soft = match instruction.opcode() {
        LLVMFAdd => "__adddf3",
        LLVMFSub => "__subdf3",
        LLVMFMul => "__muldf3",
        LLVMFDiv => "__divdf3",
        LLVMUIToFP => "__floatundidf",
        LLVMSIToFP => "__floatdidf",
        LLVMFCmp if instruction.operand(0).ty().is_double() => {
            return Ok(Some(compare(rewrite, instruction)));
        }
        _ => return Ok(None),
    };
    if !instruction.ty().is_double() {
        return Ok(None);
    }
    let x = instruction.operand(0);
    let args = match instruction.opcode() {
        LLVMUIToFP => vec![rewrite.builder.zero_extend(x, rewrite.int(64))],
        LLVMSIToFP => vec![rewrite.builder.sign_extend(x, rewrite.int(64))],
        _ => vec![x, instruction.operand(1)],
    };
    rewrite.call(soft, instruction.ty(), &args).map(Some)
}

/// Returns what stands in for a call of `name` that converts an `f64`; nothing if it does something else.
///
/// # Errors
/// The soft-float function of compiler_builtins is not in the program.
pub fn lower_conversion(rewrite: Rewrite<'_>, call: Value, name: &str) -> Result<Option<Value>, Error> {
    let soft = match name {
        "fptoui.sat.i64.f64" => "__fixunsdfdi",
        "fptosi.sat.i64.f64" => "__fixdfdi",
        _ => return Ok(None),
    };
    rewrite.call(soft, rewrite.int(64), &[call.operand(0)]).map(Some)
}

/// Compares as integers of the same order, NaNs apart.
fn compare(rewrite: Rewrite<'_>, instruction: Value) -> Value {
    let builder = rewrite.builder;
    let (x, x_is_nan) = ordered(rewrite, instruction.operand(0));
    let (y, y_is_nan) = ordered(rewrite, instruction.operand(1));
    let is_nan = builder.binary(LLVMOr, x_is_nan, y_is_nan);
    let predicate = instruction.float_predicate();
    let holds = builder.compare(integer_predicate(predicate), x, y);
    match predicate {
        LLVMRealUNO => is_nan,
        LLVMRealORD => builder.not(is_nan),
        LLVMRealUEQ | LLVMRealUNE | LLVMRealUGT | LLVMRealUGE | LLVMRealULT | LLVMRealULE => {
            builder.binary(LLVMOr, is_nan, holds)
        }
        _ => builder.binary(LLVMAnd, builder.not(is_nan), holds),
    }
}

/// Returns an integer in the order of the `f64`s (sign and magnitude to two's complement), and whether it is a NaN.
fn ordered(rewrite: Rewrite<'_>, value: Value) -> (Value, Value) {
    let (builder, long) = (rewrite.builder, rewrite.int(64));
    let bits = builder.bit_cast(value, long);
    let magnitude = builder.binary(LLVMAnd, bits, builder.constant(long, i64::MAX as u64));
    let (_, sign) = absolute(rewrite, bits);
    let is_nan = builder.compare(LLVMIntUGT, magnitude, builder.constant(long, INFINITY));
    (with_sign(rewrite, magnitude, sign), is_nan)
}

fn integer_predicate(predicate: llvm_sys::LLVMRealPredicate) -> Compare {
    match predicate {
        LLVMRealONE | LLVMRealUNE => LLVMIntNE,
        LLVMRealOGT | LLVMRealUGT => LLVMIntSGT,
        LLVMRealOGE | LLVMRealUGE => LLVMIntSGE,
        LLVMRealOLT | LLVMRealULT => LLVMIntSLT,
        LLVMRealOLE | LLVMRealULE => LLVMIntSLE,
        _ => LLVMIntEQ,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{lowered, try_lowered};

    #[test]
    fn arithmetic_calls_the_soft_float() {
        let text = lowered(
            "define double @__muldf3(double %a, double %b) { ret double %a }
             define double @f(double %x) { %y = fmul double %x, %x ret double %y }",
        );
        assert!(text.contains("call double @__muldf3(double %x, double %x)"), "{text}");
    }

    #[test]
    fn comparison_is_made_on_integers() {
        let text = lowered("define i1 @f(double %x, double %y) { %c = fcmp olt double %x, %y ret i1 %c }");
        assert!(text.contains("icmp slt i64") && !text.contains("fcmp"), "{text}");
    }

    #[test]
    fn arithmetic_is_refused_when_the_program_has_no_soft_float() {
        let text = "define double @f(double %x) { %y = fadd double %x, %x ret double %y }";
        assert!(try_lowered(text).unwrap_err().to_string().contains("`__adddf3`"));
    }
}
