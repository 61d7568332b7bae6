//! Panics that are expected, hundreds of them while a sequence is shrunk: caught with their text, and not printed.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread's panics are expected. The hook is the whole process's: others have to be heard.
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

fn install() {
    let loud = take_hook();
    set_hook(Box::new(move |info| {
        if !IS_QUIET.get() {
            loud(info);
        }
    }));
}

/// Runs `act`; where it panics, returns what it said.
pub fn quietly<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(install);
    IS_QUIET.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(act));
    IS_QUIET.set(false);
    outcome.map_err(|panic| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().map_or_else(String::new, |text| (*text).to_owned()),
    })
}

#[test]
fn only_the_panics_that_are_expected_are_silent() {
    assert_eq!(quietly(|| panic!("a text")), Err::<(), _>("a text".to_owned()));
    assert_eq!(quietly(|| panic!("{} texts", 2)), Err::<(), _>("2 texts".to_owned()));
    assert!(!IS_QUIET.get());
    let is_quiet_elsewhere = quietly(|| std::thread::spawn(|| IS_QUIET.get()).join().expect("joined"));
    assert_eq!(is_quiet_elsewhere, Ok(false));
}
