//! Positions of a vault by the first bytes of their owners: as many requests as nodes need to list them all.

use anchor_lang::prelude::Pubkey;
use std::collections::HashSet;

/// Owners whose first bytes are the same up to here are not told apart further: a billion positions are.
const LONGEST_PREFIX: usize = 4;

/// Which listings nodes have called too much for one answer.
#[derive(Debug, Default)]
pub struct Parts {
    split: HashSet<(Pubkey, Vec<u8>)>,
}

impl Parts {
    /// Tells what the first bytes of the owners of `vault`'s positions are in each request that is made for them.
    pub fn of(&self, vault: &Pubkey) -> Vec<Vec<u8>> {
        let mut left = vec![Vec::new()];
        let mut parts = Vec::new();
        while let Some(owners) = left.pop() {
            match self.split.contains(&(*vault, owners.clone())) {
                true => left.extend(longer(&owners)),
                false => parts.push(owners),
            }
        }
        parts
    }

    /// Asks for less from now on; returns the parts in place of `owners`, nothing where there is no smaller one.
    pub fn split(&mut self, vault: &Pubkey, owners: &[u8]) -> Vec<Vec<u8>> {
        if owners.len() == LONGEST_PREFIX {
            return Vec::new();
        }
        self.split.insert((*vault, owners.to_vec()));
        longer(owners).collect()
    }
}

fn longer(owners: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let owners = owners.to_vec();
    (0..=u8::MAX).rev().map(move |next| owners.iter().copied().chain([next]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_every_owner_once_however_they_were_split() {
        let (vault, other) = (Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]));
        let mut parts = Parts::default();
        assert_eq!(parts.of(&vault), [Vec::<u8>::new()]);
        assert_eq!(parts.split(&vault, &[]).len(), 256);
        assert_eq!(parts.split(&vault, &[7]).len(), 256);
        let of_vault = parts.of(&vault);
        assert_eq!(of_vault.len(), 255 + 256);
        for owner in [[7, 0], [7, 255], [0, 0], [255, 9]] {
            assert_eq!(of_vault.iter().filter(|first| owner.starts_with(first)).count(), 1, "{owner:?}");
        }
        assert_eq!(parts.of(&other), [Vec::<u8>::new()]);
    }

    #[test]
    fn split_ends_at_the_longest_prefix() {
        let (vault, mut parts) = (Pubkey::default(), Parts::default());
        assert!(parts.split(&vault, &[1, 2, 3, 4]).is_empty());
        assert_eq!(parts.of(&vault).len(), 1);
    }
}
