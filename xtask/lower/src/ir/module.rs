//! A module: read, linked, checked, printed.

use super::{Builder, Type, Value, list};
use crate::Error;
use llvm_sys::analysis::{LLVMVerifierFailureAction, LLVMVerifyModule};
use llvm_sys::bit_reader::LLVMParseBitcodeInContext2;
use llvm_sys::core::*;
use llvm_sys::ir_reader::LLVMParseIRInContext2;
use llvm_sys::linker::LLVMLinkModules2;
use llvm_sys::prelude::*;
use std::ffi::{CStr, CString, c_char};

/// An LLVM module with a context of its own.
pub struct Module {
    context: LLVMContextRef,
    raw: LLVMModuleRef,
    builder: LLVMBuilderRef,
}

// SAFETY of this file: the three pointers are made together, live until `drop` and are never handed out to other contexts.
impl Module {
    /// Makes a module without contents.
    pub fn empty() -> Module {
        unsafe {
            let context = LLVMContextCreate();
            let raw = LLVMModuleCreateWithNameInContext(c"program".as_ptr(), context);
            Module { context, raw, builder: LLVMCreateBuilderInContext(context) }
        }
    }

    /// Adds the contents of one bitcode file.
    ///
    /// # Errors
    /// The bytes aren't LLVM 22 bitcode, or define a symbol again that the module has.
    pub fn link_bitcode(&mut self, name: &str, bitcode: &[u8]) -> Result<(), Error> {
        let mut other = std::ptr::null_mut();
        let failed = unsafe {
            let buffer = memory_buffer(name, bitcode);
            let failed = LLVMParseBitcodeInContext2(self.context, buffer, &mut other) != 0;
            LLVMDisposeMemoryBuffer(buffer);
            failed
        };
        if failed {
            return Err(Error(format!("`{name}` is not bitcode of LLVM 22")));
        }
        self.link(name, other)
    }

    /// Adds the contents of LLVM IR text.
    ///
    /// # Errors
    /// The text isn't LLVM IR, or defines a symbol again that the module has.
    pub fn link_text(&mut self, name: &str, text: &str) -> Result<(), Error> {
        let (mut other, mut message) = (std::ptr::null_mut(), std::ptr::null_mut());
        let failed = unsafe {
            let buffer = memory_buffer(name, text.as_bytes());
            let failed = LLVMParseIRInContext2(self.context, buffer, &mut other, &mut message) != 0;
            LLVMDisposeMemoryBuffer(buffer);
            failed
        };
        if failed {
            return Err(Error(format!("`{name}` is not LLVM IR: {}", take_message(message))));
        }
        unsafe {
            LLVMSetTarget(other, LLVMGetTarget(self.raw));
            LLVMSetDataLayout(other, LLVMGetDataLayoutStr(self.raw));
        }
        self.link(name, other)
    }

    fn link(&mut self, name: &str, other: LLVMModuleRef) -> Result<(), Error> {
        unsafe {
            if *LLVMGetTarget(self.raw) == 0 {
                LLVMSetTarget(self.raw, LLVMGetTarget(other));
                LLVMSetDataLayout(self.raw, LLVMGetDataLayoutStr(other));
            }
            match LLVMLinkModules2(self.raw, other) {
                0 => Ok(()),
                _ => Err(Error(format!("failed to link `{name}` with the modules before it"))),
            }
        }
    }

    /// Checks that the module is well formed.
    ///
    /// # Errors
    /// The broken instruction, in the verifier's words.
    pub fn verify(&self) -> Result<(), Error> {
        let mut message = std::ptr::null_mut();
        let action = LLVMVerifierFailureAction::LLVMReturnStatusAction;
        let failed = unsafe { LLVMVerifyModule(self.raw, action, &mut message) != 0 };
        let message = take_message(message);
        if failed { Err(Error(format!("the module is broken: {message}"))) } else { Ok(()) }
    }

    /// Returns the module as LLVM IR text.
    pub fn text(&self) -> String {
        unsafe { take_message(LLVMPrintModuleToString(self.raw)) }
    }

    /// Returns the module's functions in order, declarations included.
    pub fn functions(&self) -> Vec<Value> {
        unsafe { list(LLVMGetFirstFunction(self.raw), |f| LLVMGetNextFunction(f)).into_iter().map(Value).collect() }
    }

    /// Returns a function by its name.
    pub fn function(&self, name: &str) -> Option<Value> {
        let found = unsafe { LLVMGetNamedFunctionWithLength(self.raw, name.as_ptr().cast(), name.len()) };
        (!found.is_null()).then_some(Value(found))
    }

    /// Declares a function.
    pub fn add_function(&self, name: &str, signature: Type) -> Value {
        let name = CString::new(name).unwrap_or_default();
        unsafe { Value(LLVMAddFunction(self.raw, name.as_ptr(), signature.0)) }
    }

    /// Returns what adds instructions; all builders of a module share one position.
    pub fn builder(&self) -> Builder<'_> {
        Builder::new(self, self.builder)
    }

    /// Returns the type of integers of so many bits.
    pub fn int(&self, bits: u32) -> Type {
        unsafe { Type(LLVMIntTypeInContext(self.context, bits)) }
    }

    /// Returns the type of no value.
    pub fn void(&self) -> Type {
        unsafe { Type(LLVMVoidTypeInContext(self.context)) }
    }

    /// Returns the type of pointers.
    pub fn pointer(&self) -> Type {
        unsafe { Type(LLVMPointerTypeInContext(self.context, 0)) }
    }

    /// Returns the type of structs with these fields.
    pub fn structure(&self, fields: &[Type]) -> Type {
        let mut raw: Vec<_> = fields.iter().map(|t| t.0).collect();
        unsafe { Type(LLVMStructTypeInContext(self.context, raw.as_mut_ptr(), raw.len() as u32, 0)) }
    }

    /// Returns the type of functions with these parameters.
    pub fn function_type(&self, returns: Type, params: &[Type]) -> Type {
        let mut raw: Vec<_> = params.iter().map(|t| t.0).collect();
        unsafe { Type(LLVMFunctionType(returns.0, raw.as_mut_ptr(), raw.len() as u32, 0)) }
    }

    /// Returns LLVM's own pointer to the module.
    pub(crate) fn raw(&self) -> LLVMModuleRef {
        self.raw
    }

    pub(super) fn context(&self) -> LLVMContextRef {
        self.context
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        unsafe {
            LLVMDisposeBuilder(self.builder);
            LLVMDisposeModule(self.raw);
            LLVMContextDispose(self.context);
        }
    }
}

/// Copies `bytes` to a buffer of LLVM's.
unsafe fn memory_buffer(name: &str, bytes: &[u8]) -> LLVMMemoryBufferRef {
    let name = CString::new(name).unwrap_or_default();
    unsafe { LLVMCreateMemoryBufferWithMemoryRangeCopy(bytes.as_ptr().cast(), bytes.len(), name.as_ptr()) }
}

/// Takes over a message of LLVM's, empty if there is none.
pub(crate) fn take_message(message: *mut c_char) -> String {
    if message.is_null() {
        return String::new();
    }
    unsafe {
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        LLVMDisposeMessage(message);
        text
    }
}
