//! Prices by seed, one for each slot of 400 ms.

/// Slots of an hour.
pub const SLOTS: usize = 9_000;

/// What the price does within the hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Small steps around where it began.
    Calm,
    /// 14 % down in an hour: as on 10 October 2025.
    Slide,
    /// 30 % down from one print to the next, and no way back.
    Gap,
    /// 30 % down for two seconds.
    Wick,
}

impl Path {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Calm, Self::Slide, Self::Gap, Self::Wick];

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Slide => "14 % down in an hour",
            Self::Gap => "30 % down in one print",
            Self::Wick => "30 % down for 2 s",
        }
    }

    /// Returns its prices, thousandths of a dollar, from a dollar on.
    pub fn prices(self, seed: u64) -> Vec<u64> {
        let mut noise = Noise::new(seed);
        let middle = SLOTS / 2 + 3;
        let base = |slot: usize| match self {
            Self::Slide => 1_000 - (140 * slot / SLOTS) as u64,
            Self::Gap if slot >= middle => 700,
            Self::Wick if (middle..middle + 5).contains(&slot) => 700,
            Self::Calm | Self::Gap | Self::Wick => 1_000,
        };
        (0..SLOTS).map(|slot| base(slot) + noise.below(5) - 2).collect()
    }
}

/// A small generator of numbers by seed (xorshift64).
#[derive(Clone, Copy, Debug)]
pub struct Noise(u64);

impl Noise {
    /// The numbers of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Returns the next number below `bound`, which is positive.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % bound
    }
}
