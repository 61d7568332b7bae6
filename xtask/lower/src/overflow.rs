//! Checked multiplication.

use crate::Error;
use crate::ir::{Compare, Value};
use crate::rewrite::Rewrite;
use llvm_sys::LLVMIntPredicate::LLVMIntNE;
use llvm_sys::LLVMOpcode::*;

/// Returns what stands in for a call of `name`, an integer multiplication that tells whether it overflowed.
///
/// # Errors
/// A function of compiler_builtins that does it is not in the program.
pub fn lower(rewrite: Rewrite<'_>, call: Value, name: &str) -> Result<Value, Error> {
    let (x, y) = (call.operand(0), call.operand(1));
    let is_signed = name.starts_with('s');
    let (product, overflowed) = match x.ty().bits() {
        128 => wide(rewrite, call, if is_signed { "__rust_i128_mulo" } else { "__rust_u128_mulo" })?,
        _ if is_signed => signed(rewrite, call, x, y)?,
        _ => unsigned(rewrite, x, y),
    };
    Ok(rewrite.builder.pair(call.ty(), product, overflowed))
}

/// `callee(x, y, &mut overflowed) -> product`.
fn wide(rewrite: Rewrite<'_>, call: Value, callee: &str) -> Result<(Value, Value), Error> {
    let int = rewrite.int(32);
    let flag = rewrite.room(call, int);
    let product = rewrite.builtin(call, callee, &[call.operand(0), call.operand(1), flag])?;
    let flag = rewrite.builder.load(int, flag);
    Ok((product, differs(rewrite, flag, rewrite.builder.constant(int, 0))))
}

/// The product as 128 bits doesn't fit when narrowing and widening it again changes it.
fn signed(rewrite: Rewrite<'_>, call: Value, x: Value, y: Value) -> Result<(Value, Value), Error> {
    let (builder, wide) = (rewrite.builder, rewrite.int(128));
    let exact = rewrite.builtin(call, "__multi3", &[builder.sign_extend(x, wide), builder.sign_extend(y, wide)])?;
    let product = builder.truncate(exact, x.ty());
    Ok((product, differs(rewrite, builder.sign_extend(product, wide), exact)))
}

/// `x * y` overflows when `x != 0 && (x * y) / x != y`: four instructions, where a division costs one unit like the rest.
fn unsigned(rewrite: Rewrite<'_>, x: Value, y: Value) -> (Value, Value) {
    let builder = rewrite.builder;
    let product = builder.binary(LLVMMul, x, y);
    let is_nonzero = differs(rewrite, x, builder.constant(x.ty(), 0));
    let divisor = builder.select(is_nonzero, x, builder.constant(x.ty(), 1));
    let is_wrong = differs(rewrite, builder.binary(LLVMUDiv, product, divisor), y);
    (product, builder.binary(LLVMAnd, is_nonzero, is_wrong))
}

fn differs(rewrite: Rewrite<'_>, x: Value, y: Value) -> Value {
    const DIFFERS: Compare = LLVMIntNE;
    rewrite.builder.compare(DIFFERS, x, y)
}

#[cfg(test)]
mod tests {
    use crate::testing::lowered;

    const DECLARED: &str = "define void @__multi3(ptr %r, ptr %a, ptr %b) { ret void }
         define void @__rust_u128_mulo(ptr %r, ptr %a, ptr %b, ptr %o) { ret void }
         declare { i64, i1 } @llvm.umul.with.overflow.i64(i64, i64)
         declare { i64, i1 } @llvm.smul.with.overflow.i64(i64, i64)
         declare { i128, i1 } @llvm.umul.with.overflow.i128(i128, i128)\n";

    fn lowered_call(bits: u32, kind: &str) -> String {
        lowered(&format!(
            "{DECLARED} define i1 @f(i{bits} %x, i{bits} %y) {{
               %p = call {{ i{bits}, i1 }} @llvm.{kind}.with.overflow.i{bits}(i{bits} %x, i{bits} %y)
               %o = extractvalue {{ i{bits}, i1 }} %p, 1  ret i1 %o }}"
        ))
    }

    #[test]
    fn unsigned_multiplication_is_checked_by_division() {
        let text = lowered_call(64, "umul");
        assert!(text.contains("mul i64 %x, %y") && text.contains("udiv i64"), "{text}");
        assert!(!text.contains("call { i64, i1 }"), "{text}");
    }

    #[test]
    fn signed_multiplication_is_checked_with_twice_the_width() {
        assert!(lowered_call(64, "smul").contains("call void @__multi3"));
    }

    #[test]
    fn wide_multiplication_calls_the_builtin() {
        assert!(lowered_call(128, "umul").contains("call void @__rust_u128_mulo"));
    }
}
