//! 128-bit multiplication, division and shifts by a distance that only the run knows, and the 256-bit product.

use crate::Error;
use crate::ir::Value;
use crate::rewrite::Rewrite;
use llvm_sys::LLVMOpcode::*;

/// Returns what stands in for a 128-bit operation: a call of compiler_builtins; nothing if it can stay.
///
/// # Errors
/// The program has no such function.
pub fn lower(rewrite: Rewrite<'_>, instruction: Value) -> Result<Option<Value>, Error> {
    let callee = match instruction.opcode() {
        LLVMMul => "__multi3",
        LLVMUDiv => "__udivti3",
        LLVMURem => "__umodti3",
        LLVMSDiv => "__divti3",
        LLVMSRem => "__modti3",
        LLVMShl => "__ashlti3",
        LLVMLShr => "__lshrti3",
        LLVMAShr => "__ashrti3",
        _ => return Ok(None),
    };
    let (x, y) = (instruction.operand(0), instruction.operand(1));
    if !matches!(instruction.opcode(), LLVMShl | LLVMLShr | LLVMAShr) {
        return rewrite.builtin(instruction, callee, &[x, y]).map(Some);
    }
    if y.is_constant() {
        return Ok(None); // the backend shifts by a constant in place
    }
    let distance = rewrite.builder.truncate(y, rewrite.int(32));
    rewrite.builtin(instruction, callee, &[x, distance]).map(Some)
}

/// Returns what stands in for a 256-bit multiplication of two widened 128-bit numbers; nothing for another operation.
///
/// LLVM makes it out of a product that the source writes in 64-bit pieces, so the pieces are written again.
///
/// # Errors
/// The program has no 128-bit multiplication, or the factors are wider.
pub fn lower_double(rewrite: Rewrite<'_>, instruction: Value) -> Result<Option<Value>, Error> {
    if instruction.opcode() != LLVMMul {
        return Ok(None);
    }
    let b = rewrite.builder;
    let (half, whole) = (rewrite.int(128), instruction.ty());
    let (x, y) = (narrow(rewrite, instruction.operand(0))?, narrow(rewrite, instruction.operand(1))?);
    let word = |n| b.zero_extend(b.constant(rewrite.int(64), n), half);
    let low_of = |v| b.binary(LLVMAnd, v, word(u64::MAX));
    let high_of = |v| b.binary(LLVMLShr, v, word(64));
    let product = |v, w| rewrite.builtin(instruction, "__multi3", &[v, w]);
    let (low, high) = (product(low_of(x), low_of(y))?, product(high_of(x), high_of(y))?);
    let (cross, crossed) = (product(high_of(x), low_of(y))?, product(low_of(x), high_of(y))?);
    let add = |v, w| b.binary(LLVMAdd, v, w);
    let middle = add(high_of(low), add(low_of(cross), low_of(crossed)));
    let upper = add(add(high, high_of(middle)), add(high_of(cross), high_of(crossed)));
    let lower = b.binary(LLVMOr, b.binary(LLVMShl, middle, word(64)), low_of(low));
    let distance = b.zero_extend(b.constant(rewrite.int(64), 128), whole);
    let shifted = b.binary(LLVMShl, b.zero_extend(upper, whole), distance);
    Ok(Some(b.binary(LLVMOr, shifted, b.zero_extend(lower, whole))))
}

/// The 128-bit number behind a widened one.
fn narrow(rewrite: Rewrite<'_>, factor: Value) -> Result<Value, Error> {
    let is_widened = !factor.is_constant() && factor.opcode() == LLVMZExt && factor.operand(0).ty().bits() <= 128;
    if !is_widened {
        return Err(Error("a 256-bit product of factors that are wider than 128 bits".into()));
    }
    Ok(rewrite.builder.zero_extend(factor.operand(0), rewrite.int(128)))
}

#[cfg(test)]
mod tests {
    use crate::testing::{lowered, try_lowered};

    const MULTI3: &str = "define void @__multi3(ptr %r, ptr %a, ptr %b) { ret void }";

    #[test]
    fn double_product_is_written_in_four() {
        let text = lowered(&format!(
            "{MULTI3} define void @f(ptr %p, i128 %x, i128 %y) {{
               %a = zext i128 %x to i256  %b = zext i128 %y to i256  %c = mul i256 %a, %b
               store i256 %c, ptr %p  ret void }}"
        ));
        assert_eq!(text.matches("call void @__multi3").count(), 4, "{text}");
        assert!(!text.contains("mul i256"), "{text}");
    }

    #[test]
    fn double_product_of_wide_factors_is_an_error() {
        let text = format!(
            "{MULTI3} define void @f(ptr %p) {{
               %a = load i256, ptr %p  %c = mul i256 %a, %a  store i256 %c, ptr %p  ret void }}"
        );
        assert!(try_lowered(&text).unwrap_err().to_string().contains("256-bit product"));
    }

    #[test]
    fn multiplication_calls_the_builtin_through_pointers() {
        let text = lowered(
            "define void @__multi3(ptr %r, ptr %a, ptr %b) { ret void }
             define void @f(ptr %p) { %x = load i128, ptr %p %y = mul i128 %x, %x store i128 %y, ptr %p ret void }",
        );
        assert!(text.contains("call void @__multi3(ptr %"), "{text}");
        assert!(!text.contains("mul i128"), "{text}");
    }

    #[test]
    fn shift_stays_when_its_distance_is_constant() {
        let text = lowered(
            "define void @__lshrti3(ptr %r, ptr %a, i32 %n) { ret void }
             define void @f(ptr %p, i128 %n) {
               %x = load i128, ptr %p  %y = lshr i128 %x, 64  %z = lshr i128 %y, %n  store i128 %z, ptr %p  ret void }",
        );
        assert!(text.contains("lshr i128 %x, 64"), "{text}");
        assert!(text.contains("trunc i128 %n to i32") && text.contains("call void @__lshrti3"), "{text}");
    }
}
