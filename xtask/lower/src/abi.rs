//! How a signature that BPF can't pass is passed instead.
//!
//! BPF returns one register and takes five registers of arguments. What is wider returns through a pointer to the caller's
//! stack, the first argument; arguments that don't fit travel in a struct on the caller's stack, behind the last pointer.
//! Both sides follow the function type alone, so that calls through pointers and vtables agree with what they reach.

use crate::Error;
use crate::ir::{Module, Shape, Type};

/// Registers that carry arguments.
const ARGUMENT_REGISTERS: usize = 5;

/// A signature that BPF can't pass, and the one that stands in for it.
#[derive(Clone, Debug)]
pub struct Abi {
    /// Whether the result travels through a pointer, the first argument.
    pub returns_by_pointer: bool,
    /// Parameters before this one stay in registers; the rest travel in `packed`.
    pub direct: usize,
    /// The struct of the parameters from `direct` on.
    pub packed: Option<Type>,
    /// The function type that BPF can pass.
    pub signature: Type,
    /// The parameters as the source has them.
    pub params: Vec<Type>,
    /// The result as the source has it.
    pub returns: Type,
}

impl Abi {
    /// Returns how functions of type `function` are passed; nothing if BPF passes them as they are.
    ///
    /// # Errors
    /// The signature takes any number of arguments, or a type without a size.
    pub fn of(module: &Module, function: Type) -> Result<Option<Abi>, Error> {
        let (params, returns) = (function.params(), function.returns());
        let returns_by_pointer = registers(returns)? > 1;
        let widths = params.iter().map(|p| registers(*p)).collect::<Result<Vec<_>, _>>()?;
        let hidden = usize::from(returns_by_pointer);
        let fits = widths.iter().sum::<usize>() + hidden <= ARGUMENT_REGISTERS;
        if fits && !returns_by_pointer {
            return Ok(None);
        }
        if function.is_variadic() {
            return Err(Error("a function with any number of arguments can't be passed them on SBF".into()));
        }
        let direct = if fits { params.len() } else { leading(&widths, hidden) };
        let packed = (!fits).then(|| module.structure(&params[direct..]));
        let mut passed = vec![module.pointer(); hidden];
        passed.extend_from_slice(&params[..direct]);
        passed.extend(packed.map(|_| module.pointer()));
        let result = if returns_by_pointer { module.void() } else { returns };
        let signature = module.function_type(result, &passed);
        Ok(Some(Abi { returns_by_pointer, direct, packed, signature, params, returns }))
    }

    /// Returns the position of the parameter `index` in the struct behind the last pointer, if it is in there.
    pub fn packed_position(&self, index: usize) -> Option<(Type, usize)> {
        self.packed.and_then(|packed| Some((packed, index.checked_sub(self.direct)?)))
    }
}

/// Returns how many of the first parameters stay in registers when the last register points to the rest.
fn leading(widths: &[usize], hidden: usize) -> usize {
    let mut used = hidden;
    let stays = |width: &&usize| {
        used += **width;
        used < ARGUMENT_REGISTERS
    };
    widths.iter().take_while(stays).count()
}

/// Returns the number of registers that a value of a type occupies.
fn registers(ty: Type) -> Result<usize, Error> {
    Ok(match ty.shape() {
        Shape::Void => 0,
        Shape::Int(bits) => (bits as usize).div_ceil(64),
        Shape::Pointer | Shape::Float | Shape::Double => 1,
        Shape::Wide => 2,
        Shape::Struct(fields) => fields.into_iter().map(registers).sum::<Result<usize, _>>()?,
        Shape::Array(length, element) => length as usize * registers(element)?,
        Shape::Other => return Err(Error("a type without a size can't be an argument".into())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how the function `f` of `text` is passed.
    fn abi_of(text: &str) -> Option<Abi> {
        try_abi_of(text).unwrap()
    }

    fn try_abi_of(text: &str) -> Result<Option<Abi>, Error> {
        let mut module = Module::empty();
        // A declaration that nothing uses is not linked.
        module.link_text("test", &format!("{text}\n@use = global ptr @f"))?;
        let signature = module.function("f").unwrap().signature();
        Abi::of(&module, signature)
    }

    #[test]
    fn signature_stays_when_five_registers_suffice() {
        assert!(abi_of("declare i64 @f(i64, ptr, i32, i8, i64)").is_none());
        assert!(abi_of("declare void @f()").is_none());
        assert!(abi_of("declare i64 @f(i128, i128, i64)").is_none());
    }

    #[test]
    fn result_travels_by_pointer_when_wider_than_a_register() {
        let abi = abi_of("declare i128 @f(i64)").unwrap();
        assert!(abi.returns_by_pointer && abi.packed.is_none());
        assert_eq!(abi.direct, 1);
        assert!(abi_of("declare { i64, i1 } @f()").unwrap().returns_by_pointer);
        assert!(abi_of("declare [2 x i64] @f()").unwrap().returns_by_pointer);
    }

    #[test]
    fn arguments_are_packed_when_they_need_a_sixth_register() {
        let abi = abi_of("declare void @f(i64, i64, i64, i64, i64, i32)").unwrap();
        assert_eq!(abi.direct, 4);
        assert!(abi.packed_position(3).is_none());
        assert_eq!(abi.packed_position(5).unwrap().1, 1);
    }

    #[test]
    fn wide_argument_is_packed_when_it_would_be_split() {
        let abi = abi_of("declare void @f(i64, i128, i128, i64)").unwrap();
        assert_eq!(abi.direct, 2, "the second i128 would straddle the last register");
        let abi = abi_of("declare i128 @f(i64, i64, i128, i64)").unwrap();
        assert_eq!(abi.direct, 2, "the result's pointer takes a register, too");
    }

    #[test]
    fn signature_is_refused_when_variadic() {
        assert!(try_abi_of("declare i128 @f(ptr, ...)").is_err());
    }
}
