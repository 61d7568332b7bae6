//! Functions that are compiled for their size: what people do seldom need not be fast, and a program pays rent for each byte.

use crate::ir::{Module, Value};

/// Modules whose functions are cold: configuration, change control, pauses, and what only a refusal calls.
const MODULES: [&[&str]; 18] = [
    &["instructions", "admin"],
    &["instructions", "control"],
    &["instructions", "guardian"],
    &["instructions", "exit", "enter_resolution"],
    &["instructions", "integration", "register_integration"],
    &["instructions", "integration", "tighten_integration"],
    &["instructions", "aggregate", "initialize_aggregate"],
    &["instructions", "aggregate", "tighten_aggregate"],
    &["instructions", "swap", "create_swap_policy"],
    &["instructions", "swap", "tighten_swap_policy"],
    &["instructions", "reserve", "initialize_reserve"],
    &["instructions", "reserve", "fund_reserve"],
    &["instructions", "reserve", "withdraw_reserve"],
    &["state", "direction"],
    &["state", "change"],
    &["state", "vault_v1"],
    &["anchor_lang_error"],
    &["refuse"],
];

/// Handlers that only dispatch to such a module.
const HANDLERS: [&str; 43] = [
    "initialize_guard",
    "register_asset",
    "initialize_vault",
    "tighten_vault",
    "create_rule",
    "tighten_rule",
    "open_position",
    "close_position",
    "enter_resolution",
    "leave_resolution",
    "record_shortfall",
    "initialize_keepers",
    "set_keepers",
    "open_report",
    "register_integration",
    "tighten_integration",
    "narrow_bounds",
    "freeze_forever",
    "propose_change",
    "execute_change",
    "veto_change",
    "cancel_change",
    "accept_root",
    "guardian_pause",
    "guardian_halt",
    "lift_pause",
    "reset_breaker",
    "create_group",
    "initialize_bounty",
    "set_bounty",
    "withdraw_bounty",
    "open_census",
    "count_census",
    "close_census",
    "activate_standby",
    "initialize_aggregate",
    "tighten_aggregate",
    "create_swap_policy",
    "tighten_swap_policy",
    "initialize_reserve",
    "fund_reserve",
    "withdraw_reserve",
    "migrate_vault",
];

/// Marks the cold functions of a module: no pass inlines into them or unrolls in them for speed.
pub fn mark(module: &Module) {
    let mut cold: Vec<String> = MODULES.iter().map(|path| path.iter().map(|name| mangled(name)).collect()).collect();
    cold.extend(HANDLERS.iter().map(|name| mangled("__global") + &mangled(name)));
    for function in module.functions().into_iter().filter(|f| !f.is_declaration() && is_cold(*f, &cold)) {
        function.add_attribute("optsize");
        function.add_attribute("minsize");
    }
}

fn is_cold(function: Value, cold: &[String]) -> bool {
    let name = function.name();
    cold.iter().any(|part| name.contains(part.as_str()))
}

/// A name as it stands in a mangled path: its length, and a separator where it could be taken for a part of that.
fn mangled(name: &str) -> String {
    let separator = if name.starts_with(['_', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) { "_" } else { "" };
    format!("{}{separator}{name}", name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_of_a_cold_module_or_handler_is_marked_and_no_other() {
        let mut module = Module::empty();
        let text = "
            define void @_RNvNtNtC_7rampart12instructions5admin4test() { ret void }
            define void @_RNvNtNtC_7rampart9___private8___global10set_bounty() { ret void }
            define void @_RNvNtNtC_7rampart9___private8___global6borrow() { ret void }";
        module.link_text("test", text).unwrap();
        mark(&module);
        let text = module.text();
        let marked = |name: &str| text.lines().any(|l| l.contains(&format!("{name}()")) && l.contains("#0"));
        assert!(marked("5admin4test") && marked("10set_bounty") && !marked("6borrow"), "{text}");
        assert!(text.contains("minsize") && text.contains("optsize"), "{text}");
    }
}
