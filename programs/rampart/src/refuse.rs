//! How the program refuses: by the code and the text of an error, and by both keys where two should be alike.
//!
//! Anchor's macros of the same names also store the file and the line of each refusal. With some 440 of them those made
//! up a good part of the program, and a program pays rent for each byte; an error of ours says what is wrong by its name.

use anchor_lang::error::Error;
use anchor_lang::prelude::Pubkey;

/// Returns `error` as what an instruction returns.
#[cold]
#[inline(never)]
pub(crate) fn refusal<E: Into<Error>>(error: E) -> Error {
    error.into()
}

/// Returns `error` with the two keys that it is about, which are logged with it.
#[cold]
#[inline(never)]
pub(crate) fn refusal_of_keys<E: Into<Error>>(error: E, left: &Pubkey, right: &Pubkey) -> Error {
    error.into().with_pubkeys((*left, *right))
}

/// Returns from the function with an error.
macro_rules! err {
    ($error:expr $(,)?) => {
        Err($crate::refuse::refusal($error))
    };
}

/// Refuses unless something holds.
macro_rules! require {
    ($holds:expr, $error:expr $(,)?) => {
        if !($holds) {
            return $crate::refuse::err!($error);
        }
    };
}

/// Refuses unless two keys are alike.
macro_rules! require_keys_eq {
    ($left:expr, $right:expr, $error:expr $(,)?) => {
        if $left != $right {
            return Err($crate::refuse::refusal_of_keys($error, &$left, &$right));
        }
    };
}

/// Refuses where two keys are alike.
macro_rules! require_keys_neq {
    ($left:expr, $right:expr, $error:expr $(,)?) => {
        if $left == $right {
            return Err($crate::refuse::refusal_of_keys($error, &$left, &$right));
        }
    };
}

pub(crate) use {err, require, require_keys_eq, require_keys_neq};
