//! Makes new instructions.

use super::{Module, Type, Value};
use llvm_sys::LLVMIntPredicate;
use llvm_sys::LLVMOpcode;
use llvm_sys::core::*;
use llvm_sys::prelude::*;
use std::ffi::c_char;

/// New instructions have no name.
const UNNAMED: *const c_char = c"".as_ptr();

/// An integer comparison.
pub type Compare = LLVMIntPredicate;

/// Adds instructions at a position of a module.
#[derive(Clone, Copy)]
pub struct Builder<'m> {
    module: &'m Module,
    raw: LLVMBuilderRef,
}

// SAFETY of this file: the builder belongs to the module, which is alive for `'m`, as are its types and values.
impl<'m> Builder<'m> {
    pub(super) fn new(module: &'m Module, raw: LLVMBuilderRef) -> Self {
        Builder { module, raw }
    }

    /// Goes on before `instruction`.
    pub fn before(&self, instruction: Value) -> &Self {
        unsafe { LLVMPositionBuilderBefore(self.raw, instruction.0) };
        self
    }

    /// Goes on at the start of a function's first block.
    pub fn at_entry(&self, function: Value) -> &Self {
        unsafe { LLVMPositionBuilderBefore(self.raw, LLVMGetFirstInstruction(LLVMGetEntryBasicBlock(function.0))) };
        self
    }

    /// Goes on in a new block that becomes the function's first; the old blocks are no longer reached.
    pub fn in_new_entry(&self, function: Value) -> &Self {
        unsafe {
            let entry = LLVMAppendBasicBlockInContext(self.module.context(), function.0, c"trap".as_ptr());
            LLVMMoveBasicBlockBefore(entry, LLVMGetEntryBasicBlock(function.0));
            LLVMPositionBuilderAtEnd(self.raw, entry);
        }
        self
    }

    /// Returns a constant of an integer type.
    pub fn constant(&self, ty: Type, value: u64) -> Value {
        unsafe { Value(LLVMConstInt(ty.0, value, 0)) }
    }

    /// Adds a two-operand instruction.
    pub fn binary(&self, op: LLVMOpcode, x: Value, y: Value) -> Value {
        unsafe { Value(LLVMBuildBinOp(self.raw, op, x.0, y.0, UNNAMED)) }
    }

    /// Adds `x == y` and the like.
    pub fn compare(&self, predicate: Compare, x: Value, y: Value) -> Value {
        unsafe { Value(LLVMBuildICmp(self.raw, predicate, x.0, y.0, UNNAMED)) }
    }

    /// Adds `condition ? x : y`.
    pub fn select(&self, condition: Value, x: Value, y: Value) -> Value {
        unsafe { Value(LLVMBuildSelect(self.raw, condition.0, x.0, y.0, UNNAMED)) }
    }

    /// Adds a bitwise complement.
    pub fn not(&self, x: Value) -> Value {
        unsafe { Value(LLVMBuildNot(self.raw, x.0, UNNAMED)) }
    }

    /// Adds a widening with zeros; a value that has the type already stays.
    pub fn zero_extend(&self, x: Value, ty: Type) -> Value {
        if x.ty() == ty { x } else { unsafe { Value(LLVMBuildZExt(self.raw, x.0, ty.0, UNNAMED)) } }
    }

    /// Adds a widening with the sign; a value that has the type already stays.
    pub fn sign_extend(&self, x: Value, ty: Type) -> Value {
        if x.ty() == ty { x } else { unsafe { Value(LLVMBuildSExt(self.raw, x.0, ty.0, UNNAMED)) } }
    }

    /// Adds a narrowing; a value that has the type already stays.
    pub fn truncate(&self, x: Value, ty: Type) -> Value {
        if x.ty() == ty { x } else { unsafe { Value(LLVMBuildTrunc(self.raw, x.0, ty.0, UNNAMED)) } }
    }

    /// Adds a reading of the same bits as another type.
    pub fn bit_cast(&self, x: Value, ty: Type) -> Value {
        unsafe { Value(LLVMBuildBitCast(self.raw, x.0, ty.0, UNNAMED)) }
    }

    /// Adds stack room for one value.
    pub fn alloca(&self, ty: Type) -> Value {
        unsafe { Value(LLVMBuildAlloca(self.raw, ty.0, UNNAMED)) }
    }

    /// Adds a load.
    pub fn load(&self, ty: Type, from: Value) -> Value {
        unsafe { Value(LLVMBuildLoad2(self.raw, ty.0, from.0, UNNAMED)) }
    }

    /// Adds a store.
    pub fn store(&self, value: Value, to: Value) -> Value {
        unsafe { Value(LLVMBuildStore(self.raw, value.0, to.0)) }
    }

    /// Adds the address of a struct's field.
    pub fn field(&self, ty: Type, base: Value, index: usize) -> Value {
        unsafe { Value(LLVMBuildStructGEP2(self.raw, ty.0, base.0, index as u32, UNNAMED)) }
    }

    /// Adds a value of the struct type `ty` with two fields.
    pub fn pair(&self, ty: Type, first: Value, second: Value) -> Value {
        unsafe {
            let half = LLVMBuildInsertValue(self.raw, LLVMGetPoison(ty.0), first.0, 0, UNNAMED);
            Value(LLVMBuildInsertValue(self.raw, half, second.0, 1, UNNAMED))
        }
    }

    /// Adds a call.
    pub fn call(&self, signature: Type, callee: Value, args: &[Value]) -> Value {
        let mut raw: Vec<_> = args.iter().map(|a| a.0).collect();
        let count = raw.len() as u32;
        unsafe { Value(LLVMBuildCall2(self.raw, signature.0, callee.0, raw.as_mut_ptr(), count, UNNAMED)) }
    }

    /// Adds a return without a value.
    pub fn return_void(&self) {
        unsafe { LLVMBuildRetVoid(self.raw) };
    }

    /// Adds the end of a block that is never left.
    pub fn unreachable(&self) {
        unsafe { LLVMBuildUnreachable(self.raw) };
    }
}
