//! Vaults that an earlier program left: one of those that a sequence created is turned back, and migrated.

use crate::sequences::action::{Action, Kind};
use crate::sequences::stage::Stage;
use rampart_client::{Instruction, Pubkey, admin};
use rampart_tests::layouts::age;
use solana_sdk::account::Account;

impl Stage {
    /// Which vault a step is about: one that a sequence created, or the one with everything in it, whose layout is the present.
    fn vault_to_migrate(&self, action: &Action) -> Pubkey {
        let created = &self.vaults[1..];
        let is_created = !created.is_empty() && !action.a.is_multiple_of(4);
        if is_created { created[action.a as usize / 4 % created.len()] } else { self.vaults[0] }
    }

    /// Migrates it.
    pub fn migration(&self, action: &Action) -> Instruction {
        admin::migrate_vault(self.world.guard, self.vault_to_migrate(action))
    }

    /// Turns a vault back into its first layout before it is migrated; returns it as it was.
    pub fn turn_back(&mut self, action: &Action) -> Option<(Pubkey, Account)> {
        let key = self.vault_to_migrate(action);
        if action.kind != Kind::MigrateVault || key == self.vaults[0] {
            return None;
        }
        let before = self.world.svm.get_account(&key).expect("the vault");
        age(&mut self.world, &key);
        Some((key, before))
    }

    /// Migration brings back exactly what there was. A vault that was not migrated is put back.
    pub fn follow_migration(&mut self, turned: Option<(Pubkey, Account)>, is_landed: bool) {
        let Some((key, before)) = turned else { return };
        if is_landed {
            let after = self.world.svm.get_account(&key).expect("the vault");
            assert!(after.data == before.data && after.owner == before.owner, "migration changed a value");
        } else {
            self.world.svm.set_account(key, before).expect("account is written");
        }
    }
}
