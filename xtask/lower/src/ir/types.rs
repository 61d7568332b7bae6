//! Types of LLVM values.

use llvm_sys::LLVMTypeKind::*;
use llvm_sys::core::*;
use llvm_sys::prelude::*;

/// A type of an LLVM module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Type(pub(super) LLVMTypeRef);

/// What a [`Type`] consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No value.
    Void,
    /// An integer of so many bits.
    Int(u32),
    /// A pointer.
    Pointer,
    /// A floating-point number of at most 32 bits.
    Float,
    /// A floating-point number of 64 bits.
    Double,
    /// A floating-point number of 128 bits, or a vector.
    Wide,
    /// Fields in order.
    Struct(Vec<Type>),
    /// So many elements of one type.
    Array(u64, Type),
    /// Everything else: labels, metadata, functions.
    Other,
}

impl Type {
    /// Returns what the type consists of.
    pub fn shape(self) -> Shape {
        // A type of a live module is always valid to inspect.
        unsafe {
            match LLVMGetTypeKind(self.0) {
                LLVMVoidTypeKind => Shape::Void,
                LLVMIntegerTypeKind => Shape::Int(LLVMGetIntTypeWidth(self.0)),
                LLVMPointerTypeKind => Shape::Pointer,
                LLVMHalfTypeKind | LLVMFloatTypeKind => Shape::Float,
                LLVMDoubleTypeKind => Shape::Double,
                LLVMFP128TypeKind | LLVMVectorTypeKind => Shape::Wide,
                LLVMStructTypeKind => Shape::Struct(self.fields()),
                LLVMArrayTypeKind => Shape::Array(LLVMGetArrayLength2(self.0), Type(LLVMGetElementType(self.0))),
                _ => Shape::Other,
            }
        }
    }

    /// Returns the width of an integer type, zero for any other type.
    pub fn bits(self) -> u32 {
        if let Shape::Int(bits) = self.shape() { bits } else { 0 }
    }

    /// Returns whether this is the type of 64-bit floating-point numbers.
    pub fn is_double(self) -> bool {
        self.shape() == Shape::Double
    }

    /// Returns whether this is the type of no value.
    pub fn is_void(self) -> bool {
        self.shape() == Shape::Void
    }

    /// Returns the parameters of a function type.
    pub fn params(self) -> Vec<Type> {
        unsafe {
            let mut params = vec![std::ptr::null_mut(); LLVMCountParamTypes(self.0) as usize];
            LLVMGetParamTypes(self.0, params.as_mut_ptr());
            params.into_iter().map(Type).collect()
        }
    }

    /// Returns what a function of this type returns.
    pub fn returns(self) -> Type {
        unsafe { Type(LLVMGetReturnType(self.0)) }
    }

    /// Returns whether a function of this type takes any number of arguments.
    pub fn is_variadic(self) -> bool {
        unsafe { LLVMIsFunctionVarArg(self.0) != 0 }
    }

    unsafe fn fields(self) -> Vec<Type> {
        unsafe { (0..LLVMCountStructElementTypes(self.0)).map(|k| Type(LLVMStructGetTypeAtIndex(self.0, k))).collect() }
    }
}
