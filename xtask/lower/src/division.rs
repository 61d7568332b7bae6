//! Signed division: there is none before the fourth BPF processor.

use crate::ir::Value;
use crate::rewrite::Rewrite;
use llvm_sys::LLVMOpcode::*;

/// Returns whether an instruction divides signed integers.
pub fn is_signed(instruction: Value) -> bool {
    matches!(instruction.opcode(), LLVMSDiv | LLVMSRem)
}

/// Returns what stands in for a signed division of at most 64 bits: absolute values, unsigned division, sign.
pub fn lower(rewrite: Rewrite<'_>, instruction: Value) -> Value {
    let (builder, long) = (rewrite.builder, rewrite.int(64));
    let (x, x_sign) = absolute(rewrite, builder.sign_extend(instruction.operand(0), long));
    let (y, y_sign) = absolute(rewrite, builder.sign_extend(instruction.operand(1), long));
    let (result, sign) = if instruction.opcode() == LLVMSDiv {
        (builder.binary(LLVMUDiv, x, y), builder.binary(LLVMXor, x_sign, y_sign))
    } else {
        (builder.binary(LLVMURem, x, y), x_sign) // a remainder has the dividend's sign
    };
    builder.truncate(with_sign(rewrite, result, sign), instruction.ty())
}

/// Returns a 64-bit integer's absolute value, and its sign as zero or all ones.
pub fn absolute(rewrite: Rewrite<'_>, x: Value) -> (Value, Value) {
    let sign = rewrite.builder.binary(LLVMAShr, x, rewrite.builder.constant(x.ty(), 63));
    (with_sign(rewrite, x, sign), sign)
}

/// Returns `x` negated where `sign` is all ones, `x` where it is zero.
pub fn with_sign(rewrite: Rewrite<'_>, x: Value, sign: Value) -> Value {
    let flipped = rewrite.builder.binary(LLVMXor, x, sign);
    rewrite.builder.binary(LLVMSub, flipped, sign)
}

#[cfg(test)]
mod tests {
    use crate::testing::lowered;

    #[test]
    fn signed_division_becomes_unsigned() {
        let text = lowered("define i32 @f(i32 %x, i32 %y) { %q = sdiv i32 %x, %y ret i32 %q }");
        assert!(text.contains("udiv i64") && !text.contains("sdiv"), "{text}");
        assert!(text.contains("sext i32 %x to i64") && text.contains("trunc i64"), "{text}");
    }

    #[test]
    fn remainder_takes_the_sign_of_the_dividend() {
        let text = lowered("define i64 @f(i64 %x, i64 %y) { %r = srem i64 %x, %y ret i64 %r }");
        assert!(text.contains("urem i64") && !text.contains("srem"), "{text}");
        let sign = text.lines().find(|l| l.contains("ashr i64 %x, 63")).unwrap().trim().split(' ').next().unwrap();
        assert!(text.lines().rev().any(|l| l.contains(" = sub i64") && l.ends_with(sign)), "{text}");
    }
}
