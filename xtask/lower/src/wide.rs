//! 128-bit multiplication, division and shifts by a distance that only the run knows.

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

#[cfg(test)]
mod tests {
    use crate::testing::lowered;

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
