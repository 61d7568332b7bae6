//! The order of the steps from bitcode to program.

use crate::ir::Module;
use crate::machine::Machine;
use crate::{Error, arithmetic, cold, inputs, link, memory, panics, signatures};
use std::path::Path;

/// The environment variable with a path to write the lowered LLVM IR to, for whoever looks for a fault.
const IR: &str = "SBF_LOWER_IR";

/// What the runtime calls, and what explorers look for.
const ENTRY: [&str; 2] = ["entrypoint", "SECURITY_TXT"];

/// What the backend calls on its own account.
const MEMORY: [&str; 5] = ["memcpy", "memmove", "memset", "memcmp", "bcmp"];

/// What a lowering can call.
const BUILTINS: [&str; 20] = [
    "custom_panic",
    "__multi3",
    "__udivti3",
    "__umodti3",
    "__divti3",
    "__modti3",
    "__ashlti3",
    "__lshrti3",
    "__ashrti3",
    "__rust_u128_mulo",
    "__rust_i128_mulo",
    "__adddf3",
    "__subdf3",
    "__muldf3",
    "__divdf3",
    "__floatundidf",
    "__floatdidf",
    "__fixunsdfdi",
    "__fixdfdi",
    "__unorddf2",
];

/// Builds the program from the bitcode in `folder`.
///
/// # Errors
/// The step that failed, and why.
pub fn build(folder: &Path) -> Result<Vec<u8>, Error> {
    let mut module = inputs::link_folder(folder)?;
    module.link_text("memory functions", memory::FUNCTIONS)?;
    let machine = Machine::new()?;
    panics::trap(&module)?;
    cold::mark(&module);
    optimise(&machine, &module)?;
    if let Some(path) = std::env::var_os(IR) {
        let unwritable = |e| Error(format!("failed to write `{}`: {e}", path.display()));
        std::fs::write(&path, module.text()).map_err(unwritable)?;
    }
    link::link(&machine.compile(&module)?)
}

/// Optimises and lowers in turns: an optimisation can bring refused arithmetic back, so that a lowering is last.
///
/// The program's crate comes as rustc wrote it, so that its cold functions are never inlined into for speed. Functions that
/// are the same are merged: each instruction's accounts have a reader of their own.
fn optimise(machine: &Machine, module: &Module) -> Result<(), Error> {
    let lowering = [&ENTRY[..], &MEMORY, &BUILTINS].concat();
    let runtime = [&ENTRY[..], &MEMORY].concat();
    machine.run(module, &keeping(&lowering, "lower-atomic,default<O3>,mergefunc,default<Oz>,lower-atomic"))?;
    lower(module)?;
    machine.run(module, &keeping(&lowering, "mergefunc,default<O1>,mergefunc"))?;
    lower(module)?;
    machine.run(module, &keeping(&runtime, "function(simplifycfg,instsimplify,dce)"))
}

fn lower(module: &Module) -> Result<(), Error> {
    arithmetic::lower(module)?;
    signatures::lower(module)?;
    module.verify()
}

/// Returns `passes`, after everything that neither is in `kept` nor is reached from there has gone.
fn keeping(kept: &[&str], passes: &str) -> String {
    let kept: Vec<_> = kept.iter().map(|name| format!("preserve-gv={name}")).collect();
    format!("internalize<{}>,globaldce,{passes}", kept.join(";"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that logs the number of bytes of its input's first 16 bytes squared.
    const PROGRAM: &str = r#"target datalayout = "e-m:e-p:64:64-i64:64-i128:128-n32:64-S128"
        target triple = "bpfel"
        declare void @sol_log_64_(i64, i64, i64, i64, i64)
        define void @__multi3(ptr %r, ptr %a, ptr %b) { ret void }
        define void @unused() { ret void }
        @SECURITY_TXT = constant [9 x i8] c"contacts:"
        define i64 @entrypoint(ptr %input) {
          %x = load i128, ptr %input  %y = mul i128 %x, %x  %z = trunc i128 %y to i64
          call void @sol_log_64_(i64 %z, i64 0, i64 0, i64 0, i64 0)
          ret i64 0 }"#;

    #[test]
    fn program_is_lowered_compiled_and_linked() {
        let mut module = Module::empty();
        module.link_text("test", PROGRAM).unwrap();
        module.link_text("memory functions", memory::FUNCTIONS).unwrap();
        let machine = Machine::new().unwrap();
        optimise(&machine, &module).unwrap();
        assert!(!module.text().contains("unused"), "{}", module.text());
        let program = link::link(&machine.compile(&module).unwrap()).unwrap();
        assert!(program.starts_with(b"\x7fELF"));
        assert!(program.windows(9).any(|bytes| bytes == b"contacts:"), "nothing reads it, and it is kept");
    }

    #[test]
    fn unknown_optimisation_is_refused() {
        let error = Machine::new().unwrap().run(&Module::empty(), "no-such-pass").unwrap_err();
        assert!(error.0.contains("no-such-pass"), "{error}");
    }
}
