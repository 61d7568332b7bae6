//! Arithmetic that the BPF backend would turn into calls of library functions, which it refuses.
//!
//! Each kind has its module; here is what belongs to which.

use crate::Error;
use crate::ir::{Module, Value};
use crate::rewrite::Rewrite;
use crate::{division, floats, memory, overflow, wide};

/// Rewrites every refused instruction of the module.
///
/// # Errors
/// A function that a rewriting calls is not in the program.
pub fn lower(module: &Module) -> Result<(), Error> {
    let rewrite = Rewrite::of(module);
    for function in module.functions() {
        for instruction in function.instructions() {
            lower_instruction(rewrite, instruction)?;
        }
    }
    Ok(())
}

fn lower_instruction(rewrite: Rewrite<'_>, instruction: Value) -> Result<(), Error> {
    rewrite.builder.before(instruction);
    let replacement = match instruction.callee() {
        Some(callee) if callee.is_function() => lower_intrinsic(rewrite, instruction, &callee.name())?,
        Some(_) => None,
        None => lower_operation(rewrite, instruction)?,
    };
    if let Some(replacement) = replacement {
        rewrite.replace(instruction, replacement);
    }
    Ok(())
}

/// Returns what stands in for an operation; nothing if it can stay.
fn lower_operation(rewrite: Rewrite<'_>, instruction: Value) -> Result<Option<Value>, Error> {
    match instruction.ty().bits() {
        128 => wide::lower(rewrite, instruction),
        256 => wide::lower_double(rewrite, instruction),
        1..=64 if division::is_signed(instruction) => Ok(Some(division::lower(rewrite, instruction))),
        _ => floats::lower(rewrite, instruction),
    }
}

/// Returns what stands in for a call of LLVM's own function `name`; nothing if it can stay.
fn lower_intrinsic(rewrite: Rewrite<'_>, call: Value, name: &str) -> Result<Option<Value>, Error> {
    match name.strip_prefix("llvm.") {
        None => Ok(None),
        Some(name) if name.contains("mul.with.overflow.") => overflow::lower(rewrite, call, name).map(Some),
        Some(name) if name.starts_with("mem") => memory::lower(rewrite, call, name),
        Some(name) => floats::lower_conversion(rewrite, call, name),
    }
}
