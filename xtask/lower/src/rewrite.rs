//! What the passes share: calls of the runtime, stack room, replacing an instruction.

use crate::Error;
use crate::ir::{Builder, Module, Type, Value};

/// How the passes change a module.
#[derive(Clone, Copy)]
pub struct Rewrite<'m> {
    /// The module that changes.
    pub module: &'m Module,
    /// Adds the new instructions.
    pub builder: Builder<'m>,
}

impl<'m> Rewrite<'m> {
    /// Returns what changes `module`.
    pub fn of(module: &'m Module) -> Self {
        Rewrite { module, builder: module.builder() }
    }

    /// Returns the type of integers of so many bits.
    pub fn int(&self, bits: u32) -> Type {
        self.module.int(bits)
    }

    /// Adds a call of a function that the module defines or that the runtime provides as a syscall.
    ///
    /// # Errors
    /// The function is neither.
    pub fn call(&self, callee: &str, returns: Type, args: &[Value]) -> Result<Value, Error> {
        let types: Vec<_> = args.iter().map(|a| a.ty()).collect();
        let signature = self.module.function_type(returns, &types);
        let is_syscall = callee.starts_with("sol_") || callee == "abort";
        let function = match self.module.function(callee) {
            Some(function) => function,
            None if is_syscall => self.module.add_function(callee, signature),
            None => {
                return Err(Error(format!("`{callee}` is needed and not defined in the program")));
            }
        };
        Ok(self.builder.call(signature, function, args))
    }

    /// Adds stack room to the function that `instruction` is in, then goes on before `instruction`.
    pub fn room(&self, instruction: Value, ty: Type) -> Value {
        let room = self.builder.at_entry(instruction.function()).alloca(ty);
        self.builder.before(instruction);
        room
    }

    /// Adds a call of one of compiler_builtins' functions with a 128-bit result.
    ///
    /// On this target's C ABI 128-bit integers go and come behind pointers.
    ///
    /// # Errors
    /// The program doesn't define the function.
    pub fn builtin(&self, instruction: Value, callee: &str, args: &[Value]) -> Result<Value, Error> {
        let wide = self.int(128);
        let result = self.room(instruction, wide);
        let mut passed = vec![result];
        for &arg in args {
            passed.push(if arg.ty() == wide { self.behind_pointer(instruction, arg) } else { arg });
        }
        self.call(callee, self.module.void(), &passed)?;
        Ok(self.builder.load(wide, result))
    }

    fn behind_pointer(&self, instruction: Value, value: Value) -> Value {
        let room = self.room(instruction, value.ty());
        self.builder.store(value, room);
        room
    }

    /// Puts `with` in the place of `instruction`.
    pub fn replace(&self, instruction: Value, with: Value) {
        if !instruction.ty().is_void() {
            instruction.replace_uses(with);
        }
        instruction.erase();
    }
}
