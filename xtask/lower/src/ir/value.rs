//! Values, instructions, functions and blocks.

use super::{Type, list};
use llvm_sys::LLVMOpcode;
use llvm_sys::core::*;
use llvm_sys::prelude::*;

/// A value of an LLVM module: an instruction, a function, a parameter or a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Value(pub(super) LLVMValueRef);

/// A basic block of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block(pub(super) LLVMBasicBlockRef);

// SAFETY of this file: a value or block of a live module is valid to inspect and to change.
impl Value {
    /// Returns the value's type.
    pub fn ty(self) -> Type {
        unsafe { Type(LLVMTypeOf(self.0)) }
    }

    /// Returns the value's name, empty if it has none.
    pub fn name(self) -> String {
        unsafe {
            let mut length = 0;
            let start = LLVMGetValueName2(self.0, &mut length);
            String::from_utf8_lossy(std::slice::from_raw_parts(start.cast::<u8>(), length)).into_owned()
        }
    }

    /// Gives the value a name.
    pub fn set_name(self, name: &str) {
        unsafe { LLVMSetValueName2(self.0, name.as_ptr().cast(), name.len()) }
    }

    /// Returns an instruction's operand.
    pub fn operand(self, index: u32) -> Value {
        unsafe { Value(LLVMGetOperand(self.0, index)) }
    }

    /// Returns an instruction's opcode.
    pub fn opcode(self) -> LLVMOpcode {
        unsafe { LLVMGetInstructionOpcode(self.0) }
    }

    /// Returns the comparison that an `fcmp` makes.
    pub fn float_predicate(self) -> llvm_sys::LLVMRealPredicate {
        unsafe { LLVMGetFCmpPredicate(self.0) }
    }

    /// Returns a constant integer's value, nothing for any other value.
    pub fn constant(self) -> Option<u64> {
        unsafe {
            let constant = LLVMIsAConstantInt(self.0);
            (!constant.is_null()).then(|| LLVMConstIntGetZExtValue(constant))
        }
    }

    /// Returns whether the value is a constant integer of any width.
    pub fn is_constant(self) -> bool {
        unsafe { !LLVMIsAConstantInt(self.0).is_null() }
    }

    /// Returns what a call instruction calls, nothing for any other instruction.
    pub fn callee(self) -> Option<Value> {
        unsafe { (!LLVMIsACallInst(self.0).is_null()).then(|| Value(LLVMGetCalledValue(self.0))) }
    }

    /// Returns the function type that a call instruction goes by.
    pub fn called_type(self) -> Type {
        unsafe { Type(LLVMGetCalledFunctionType(self.0)) }
    }

    /// Returns whether the value is a function, and not a pointer that is known only at run time.
    pub fn is_function(self) -> bool {
        unsafe { !LLVMIsAFunction(self.0).is_null() }
    }

    /// Returns whether the value is inline assembly.
    pub fn is_assembly(self) -> bool {
        unsafe { !LLVMIsAInlineAsm(self.0).is_null() }
    }

    /// Returns whether a function has no body.
    pub fn is_declaration(self) -> bool {
        unsafe { LLVMIsDeclaration(self.0) != 0 }
    }

    /// Returns a function's own type.
    pub fn signature(self) -> Type {
        unsafe { Type(LLVMGlobalGetValueType(self.0)) }
    }

    /// Returns a function's parameter.
    pub fn param(self, index: u32) -> Value {
        unsafe { Value(LLVMGetParam(self.0, index)) }
    }

    /// Returns a function's blocks in order.
    pub fn blocks(self) -> Vec<Block> {
        unsafe { list(LLVMGetFirstBasicBlock(self.0), |b| LLVMGetNextBasicBlock(b)).into_iter().map(Block).collect() }
    }

    /// Returns a function's instructions in order.
    pub fn instructions(self) -> Vec<Value> {
        let of = |block: Block| unsafe { list(LLVMGetFirstInstruction(block.0), |i| LLVMGetNextInstruction(i)) };
        self.blocks().into_iter().flat_map(of).map(Value).collect()
    }

    /// Returns the function that an instruction is in.
    pub fn function(self) -> Value {
        unsafe { Value(LLVMGetBasicBlockParent(LLVMGetInstructionParent(self.0))) }
    }

    /// Makes every user of the value use `other`.
    pub fn replace_uses(self, other: Value) {
        unsafe { LLVMReplaceAllUsesWith(self.0, other.0) }
    }

    /// Removes an instruction; its uses MUST be gone.
    pub fn erase(self) {
        unsafe { LLVMInstructionEraseFromParent(self.0) }
    }

    /// Removes a function; its uses MUST be gone.
    pub fn delete_function(self) {
        unsafe { LLVMDeleteFunction(self.0) }
    }

    /// Adds an attribute without a value to a function.
    pub fn add_attribute(self, name: &str) {
        // SAFETY: this is a function of a module; the name is passed with its length.
        unsafe {
            let kind = LLVMGetEnumAttributeKindForName(name.as_ptr().cast(), name.len());
            let context = LLVMGetModuleContext(LLVMGetGlobalParent(self.0));
            let attribute = LLVMCreateEnumAttribute(context, kind, 0);
            LLVMAddAttributeAtIndex(self.0, llvm_sys::LLVMAttributeFunctionIndex, attribute);
        }
    }

    /// Removes an attribute without a value from a function's or a call's parameters.
    pub fn strip_parameter_attribute(self, name: &str) {
        unsafe {
            let kind = LLVMGetEnumAttributeKindForName(name.as_ptr().cast(), name.len());
            if self.is_function() {
                (1..=LLVMCountParams(self.0)).for_each(|k| LLVMRemoveEnumAttributeAtIndex(self.0, k, kind));
            } else if self.callee().is_some() {
                let count = LLVMGetNumArgOperands(self.0);
                (1..=count).for_each(|k| LLVMRemoveCallSiteEnumAttribute(self.0, k, kind));
            }
        }
    }

    /// Gives a function the linkage and the function attributes of `other`, except the attribute `without`.
    pub fn copy_properties(self, other: Value, without: &str) {
        use llvm_sys::LLVMAttributeFunctionIndex as INDEX;
        unsafe {
            LLVMSetLinkage(self.0, LLVMGetLinkage(other.0));
            LLVMSetUnnamedAddress(self.0, LLVMGetUnnamedAddress(other.0));
            let kind = LLVMGetEnumAttributeKindForName(without.as_ptr().cast(), without.len());
            let mut attributes = vec![std::ptr::null_mut(); LLVMGetAttributeCountAtIndex(other.0, INDEX) as usize];
            LLVMGetAttributesAtIndex(other.0, INDEX, attributes.as_mut_ptr());
            attributes.retain(|a| LLVMIsEnumAttribute(*a) == 0 || LLVMGetEnumAttributeKind(*a) != kind);
            attributes.into_iter().for_each(|a| LLVMAddAttributeAtIndex(self.0, INDEX, a));
        }
    }

    /// Gives a call the calling convention of another call.
    pub fn copy_call_convention(self, other: Value) {
        unsafe { LLVMSetInstructionCallConv(self.0, LLVMGetInstructionCallConv(other.0)) }
    }

    /// Moves every block of the function `other` to the end of this function.
    pub fn take_body(self, other: Value) {
        for block in other.blocks() {
            unsafe {
                LLVMRemoveBasicBlockFromParent(block.0);
                LLVMAppendExistingBasicBlock(self.0, block.0);
            }
        }
    }
}

impl Block {
    /// Returns the block's last instruction.
    pub fn terminator(self) -> Value {
        unsafe { Value(LLVMGetBasicBlockTerminator(self.0)) }
    }
}
