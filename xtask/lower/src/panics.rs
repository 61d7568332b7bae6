//! Panics log and abort.

use crate::Error;
use crate::ir::{Module, Value};
use crate::rewrite::Rewrite;

/// Where std begins a panic; the mangled name's end.
const BEGIN: &str = "17rust_begin_unwind";

/// Where std raises or reports a failure; the mangled names' ends.
const RAISE: [&str; 3] = ["15panic_with_hook", "8rust_oom", "12___rust_abort"];

/// Ends std's panic machinery, which needs writable statics, in `custom_panic` (where a program has it) and `abort`.
///
/// # Errors
/// None: `abort` is a syscall.
pub fn trap(module: &Module) -> Result<(), Error> {
    for function in module.functions() {
        let name = function.name();
        let begins = name.ends_with(BEGIN);
        if !function.is_declaration() && (begins || RAISE.iter().any(|end| name.ends_with(end))) {
            trap_function(module, function, begins)?;
        }
    }
    Ok(())
}

fn trap_function(module: &Module, function: Value, begins: bool) -> Result<(), Error> {
    let rewrite = Rewrite::of(module);
    rewrite.builder.in_new_entry(function);
    if begins && module.function("custom_panic").is_some() {
        rewrite.call("custom_panic", module.void(), &[function.param(0)])?;
    }
    rewrite.call("abort", module.void(), &[])?;
    rewrite.builder.unreachable();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PANIC: &str = "define void @_RNvCs1_7___rustc17rust_begin_unwind(ptr %info) { ret void }\n";

    fn trapped(text: &str) -> String {
        let mut module = Module::empty();
        module.link_text("test", text).unwrap();
        trap(&module).unwrap();
        module.verify().unwrap();
        module.text()
    }

    #[test]
    fn panic_aborts() {
        let text = trapped(PANIC);
        assert!(text.contains("trap:") && text.contains("call void @abort()"), "{text}");
        assert!(!text.contains("custom_panic"), "{text}");
    }

    #[test]
    fn panic_logs_when_the_program_has_custom_panic() {
        let text = trapped(&format!("{PANIC} define void @custom_panic(ptr %info) {{ ret void }}"));
        assert!(text.contains("call void @custom_panic(ptr %info)"), "{text}");
    }

    #[test]
    fn other_functions_stay() {
        assert!(!trapped("define void @f() { ret void }").contains("abort"));
    }
}
