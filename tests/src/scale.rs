//! Vaults whose limits on new risk follow the market.

use crate::world::{Outcome, World};
use rampart::state::{RiskScale, ScaleTarget, Switch};
use rampart_client::{Instruction, keepers};

/// Switches all three scales on, with floors of 50 % and of a quarter of the cap.
pub fn switch_on(scale: &mut RiskScale) {
    for switch in [&mut scale.volatility.switch, &mut scale.ltv.switch, &mut scale.cap.switch] {
        *switch = Switch::Enabled as u8;
    }
    (scale.floor_ltv_bps, scale.floor_cap_bps) = (5_000, 2_500);
}

impl World {
    /// Changes the vault's scale, without asking anybody.
    pub fn scale(&mut self, change: impl FnOnce(&mut RiskScale)) {
        let mut vault = self.vault();
        change(&mut vault.scale);
        vault.scale.validate().expect("scale is valid");
        let key = self.keys.vault;
        self.store(&key, &vault);
    }

    /// Returns the instruction that lets a limit follow the keepers.
    pub fn scale_risk_ix(&self, target: ScaleTarget) -> Instruction {
        keepers::scale_risk(self.keys.vault, &self.keys.collateral_asset, &self.keeper_set(), target)
    }

    /// Lets a limit follow the keepers.
    pub fn scale_risk(&mut self, target: ScaleTarget) -> Outcome {
        let ix = self.scale_risk_ix(target);
        self.send(&[ix], &[])
    }

    /// Returns the loan-to-value limit for new risk as it is now, bps.
    pub fn ltv_now(&self) -> u16 {
        self.vault().ltv_for_new_risk(&self.sol_asset(), self.now_ts())
    }
}
