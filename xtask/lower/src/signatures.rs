//! Definitions and calls take the signatures that BPF can pass.

use crate::Error;
use crate::abi::Abi;
use crate::ir::{Module, Type, Value};
use crate::rewrite::Rewrite;
use llvm_sys::LLVMOpcode::LLVMRet;
use std::collections::HashMap;

/// Rewrites every definition and every call whose signature BPF can't pass.
///
/// # Errors
/// A function with such a signature is called and not defined, or takes any number of arguments.
pub fn lower(module: &Module) -> Result<(), Error> {
    strip_sret(module);
    for function in module.functions() {
        define(module, function)?;
    }
    for function in module.functions() {
        lower_calls(module, function)?;
    }
    Ok(())
}

/// The backend refuses functions marked `sret`; as plain pointers they are fine.
fn strip_sret(module: &Module) {
    for function in module.functions() {
        function.strip_parameter_attribute("sret");
        function.instructions().into_iter().for_each(|i| i.strip_parameter_attribute("sret"));
    }
}

/// Gives a definition the signature that BPF can pass; the body moves over.
fn define(module: &Module, old: Value) -> Result<(), Error> {
    let name = old.name();
    if name.starts_with("llvm.") || old.is_declaration() {
        return Ok(());
    }
    let Some(abi) = Abi::of(module, old.signature())? else {
        return Ok(());
    };
    let new = module.add_function("", abi.signature);
    new.copy_properties(old, "memory"); // it reads and writes memory now
    new.take_body(old);
    unpack_parameters(module, &abi, old, new);
    if abi.returns_by_pointer {
        return_by_pointer(module, new);
    }
    old.replace_uses(new);
    old.delete_function();
    new.set_name(&name);
    Ok(())
}

fn unpack_parameters(module: &Module, abi: &Abi, old: Value, new: Value) {
    let builder = *module.builder().at_entry(new);
    let hidden = u32::from(abi.returns_by_pointer);
    for (index, ty) in abi.params.iter().enumerate() {
        let value = match abi.packed_position(index) {
            Some((packed, position)) => {
                let rest = new.param(abi.direct as u32 + hidden);
                builder.load(*ty, builder.field(packed, rest, position))
            }
            None => new.param(index as u32 + hidden),
        };
        old.param(index as u32).replace_uses(value);
    }
}

fn return_by_pointer(module: &Module, function: Value) {
    for block in function.blocks() {
        let terminator = block.terminator();
        if terminator.opcode() == LLVMRet {
            let builder = *module.builder().before(terminator);
            builder.store(terminator.operand(0), function.param(0));
            builder.return_void();
            terminator.erase();
        }
    }
}

fn lower_calls(module: &Module, function: Value) -> Result<(), Error> {
    // Calls of one type share their stack room: no call is under way while the arguments of another are written.
    let mut rooms = HashMap::new();
    for call in function.instructions() {
        let Some(callee) = call.callee() else {
            continue;
        };
        let is_known = callee.is_function();
        if callee.is_assembly() || is_known && callee.name().starts_with("llvm.") {
            continue;
        }
        let Some(abi) = Abi::of(module, call.called_type())? else {
            continue;
        };
        if is_known && callee.is_declaration() {
            let problem = "is not defined in the program and can't be passed its arguments as a syscall";
            return Err(Error(format!("`{}` {problem}", callee.name())));
        }
        lower_call(module, &abi, call, &mut rooms);
    }
    Ok(())
}

fn lower_call(module: &Module, abi: &Abi, call: Value, rooms: &mut HashMap<Type, Value>) {
    let (rewrite, builder) = (Rewrite::of(module), module.builder());
    let mut room = |ty: Type| *rooms.entry(ty).or_insert_with(|| rewrite.room(call, ty));
    let result = abi.returns_by_pointer.then(|| room(abi.returns));
    let rest = abi.packed.map(&mut room);
    builder.before(call);
    let mut args: Vec<_> = result.into_iter().collect();
    for index in 0..abi.params.len() {
        let arg = call.operand(index as u32);
        match (abi.packed_position(index), rest) {
            (Some((packed, position)), Some(rest)) => {
                builder.store(arg, builder.field(packed, rest, position));
            }
            _ => args.push(arg),
        }
    }
    args.extend(rest);
    let callee = call.callee().unwrap_or(call);
    let passed = builder.call(abi.signature, callee, &args);
    passed.copy_call_convention(call);
    let value = result.map_or(passed, |room| builder.load(abi.returns, room));
    rewrite.replace(call, value);
}

#[cfg(test)]
mod tests {
    use crate::testing::{lowered, try_lowered};

    #[test]
    fn definition_and_call_agree_when_the_result_is_wide() {
        let text = lowered(
            "define { i64, i64 } @pair(i64 %x) { %a = insertvalue { i64, i64 } undef, i64 %x, 0 ret { i64, i64 } %a }
             define i64 @f() { %p = call { i64, i64 } @pair(i64 1) %x = extractvalue { i64, i64 } %p, 0 ret i64 %x }",
        );
        assert!(text.contains("define void @pair(ptr %0, i64 %1)"), "{text}");
        assert!(text.contains("call void @pair(ptr %1, i64 1)"), "{text}");
    }

    #[test]
    fn call_through_a_pointer_packs_like_the_definition() {
        let text = lowered(
            "define i64 @six(i64 %a, i64 %b, i64 %c, i64 %d, i64 %e, i64 %g) { ret i64 %g }
             define i64 @f(ptr %p) { %r = call i64 %p(i64 1, i64 2, i64 3, i64 4, i64 5, i64 6) ret i64 %r }",
        );
        assert!(text.contains("define i64 @six(i64 %0, i64 %1, i64 %2, i64 %3, ptr %4)"), "{text}");
        assert!(text.contains("call i64 %p(i64 1, i64 2, i64 3, i64 4, ptr %"), "{text}");
        assert!(text.contains("alloca { i64, i64 }"), "{text}");
    }

    #[test]
    fn sret_becomes_a_plain_pointer() {
        let text = lowered("define void @f(ptr sret([64 x i8]) %r) { ret void }");
        assert!(!text.contains("sret"), "{text}");
    }

    #[test]
    fn call_is_refused_when_a_syscall_would_need_a_wide_result() {
        let text = "declare i128 @sol_wide() define void @f() { %x = call i128 @sol_wide() ret void }";
        assert!(try_lowered(text).unwrap_err().to_string().contains("`sol_wide`"));
    }
}
