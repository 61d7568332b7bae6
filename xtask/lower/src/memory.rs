//! Copies and fills of memory.

use crate::Error;
use crate::ir::Value;
use crate::rewrite::Rewrite;

/// Copies and fills of up to so many bytes stay: inline loads and stores cost less than a syscall.
const INLINE_BYTES: u64 = 80;

/// The C memory functions on Solana's syscalls, which compiled code calls by name.
pub const FUNCTIONS: &str = include_str!("memory.ll");

/// Returns what stands in for a call of the memory function `name`: a syscall; nothing if it can stay.
///
/// # Errors
/// None: a syscall needs no definition.
pub fn lower(rewrite: Rewrite<'_>, call: Value, name: &str) -> Result<Option<Value>, Error> {
    let callee = match name.split('.').next() {
        Some("memcpy") => "sol_memcpy_",
        Some("memmove") => "sol_memmove_",
        Some("memset") => "sol_memset_",
        _ => return Ok(None),
    };
    let length = call.operand(2);
    if length.constant().is_some_and(|length| length <= INLINE_BYTES) {
        return Ok(None);
    }
    let builder = rewrite.builder;
    // The syscall takes the byte as a C int.
    let second = call.operand(1);
    let second = if callee == "sol_memset_" { builder.zero_extend(second, rewrite.int(32)) } else { second };
    let length = builder.zero_extend(length, rewrite.int(64));
    rewrite.call(callee, rewrite.module.void(), &[call.operand(0), second, length]).map(Some)
}

#[cfg(test)]
mod tests {
    use super::FUNCTIONS;
    use crate::testing::lowered;

    fn copy_of(length: &str) -> String {
        lowered(&format!(
            "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
             define void @f(ptr %d, ptr %s, i64 %n) {{
               call void @llvm.memcpy.p0.p0.i64(ptr %d, ptr %s, i64 {length}, i1 false)  ret void }}"
        ))
    }

    #[test]
    fn copy_stays_when_it_is_short() {
        assert!(copy_of("80").contains("call void @llvm.memcpy"));
    }

    #[test]
    fn copy_becomes_a_syscall_when_long_or_of_unknown_length() {
        assert!(copy_of("81").contains("call void @sol_memcpy_(ptr %d, ptr %s, i64 81)"));
        assert!(copy_of("%n").contains("call void @sol_memcpy_(ptr %d, ptr %s, i64 %n)"));
    }

    #[test]
    fn memory_functions_are_well_formed() {
        let text = lowered(FUNCTIONS);
        assert!(["memcpy", "memmove", "memset", "memcmp", "bcmp"].iter().all(|f| text.contains(&format!("@{f}("))));
    }
}
