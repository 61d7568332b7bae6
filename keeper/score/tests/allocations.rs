//! The tick path allocates nothing.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use rampart_score::engine::Settings;
use rampart_score::features::COUNT;
use rampart_score::model::Model;
use rampart_score::tail::Pot;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: hands everything to the system's allocator; the count is a plain cell that allocates nothing itself.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(f: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    f();
    ALLOCATIONS.get() - before
}

#[test]
fn ticks_allocate_nothing_with_all_detectors_at_work() {
    assert_eq!(count(|| drop(std::hint::black_box(vec![1u8]))), 1);
    let mut file = common::model_file();
    file.deciles = vec![std::array::from_fn(|at| at as f64); COUNT];
    let mut rig = common::Rig::new(Settings::default(), Some(Model::from_file(file).unwrap()));
    let mut tail = Pot::hourly();
    let bars = common::walk(1, 5_000, 60, 0.001);
    let allocations = count(|| {
        for bar in &bars {
            let assessment = rig.tick(bar);
            tail.push(rig.engine.market().last_return(), 0.001);
            std::hint::black_box((assessment.score.explain(None), tail.value_at_risk(0.01, 0.001)));
        }
    });
    assert!(tail.fit().is_some());
    assert_eq!(allocations, 0);
}
