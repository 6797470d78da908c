//! Random keys, clicks and sizes on every screen: nothing panics, and every frame can be drawn.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;
use ratatui::layout::Size;

use super::desk::{CAREFUL, Desk, key};
use super::world;
use crate::commands::dash::event::Event;
use crate::commands::dash::keys::BINDINGS;

#[derive(Clone, Debug)]
enum Step {
    Key(&'static str),
    Write(char),
    Click(u16, u16),
    Wheel(bool, u16, u16),
    Size(u16, u16),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let keys: Vec<&'static str> = BINDINGS.iter().flat_map(|binding| binding.keys.iter().copied()).collect();
    let names = prop::sample::select(keys);
    let place = || (0_u16..130, 0_u16..45);
    prop_oneof![
        12 => names.prop_map(Step::Key),
        2 => prop::sample::select(vec!['a', ':', '-', '"', '>', '日', '5', 'm']).prop_map(Step::Write),
        2 => place().prop_map(|(x, y)| Step::Click(x, y)),
        1 => (any::<bool>(), place()).prop_map(|(down, (x, y))| Step::Wheel(down, x, y)),
        1 => (1_u16..200, 1_u16..70).prop_map(|(width, height)| Step::Size(width, height)),
        1 => (0_u64..20).prop_map(Step::Wait),
    ]
}

async fn walk(steps: Vec<Step>) {
    let mut desk = Desk::new(world::full().await, CAREFUL, (80, 24)).await;
    let mouse =
        |kind, column, row| Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE });
    for step in steps {
        match step {
            Step::Key(name) => desk.happen(Event::Key(key(name))).await,
            Step::Write(c) => desk.happen(Event::Key(key(c.encode_utf8(&mut [0; 4])))).await,
            Step::Click(x, y) => desk.happen(mouse(MouseEventKind::Down(MouseButton::Left), x, y)).await,
            Step::Wheel(down, x, y) => {
                let kind = if down { MouseEventKind::ScrollDown } else { MouseEventKind::ScrollUp };
                desk.happen(mouse(kind, x, y)).await;
            }
            Step::Size(width, height) => desk.happen(Event::Resize(Size { width, height })).await,
            Step::Wait(seconds) => desk.wait(std::time::Duration::from_secs(seconds)).await,
        }
        desk.buffer(true);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_keys_on_every_screen_never_panic(steps in prop::collection::vec(step(), 1..60)) {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(walk(steps));
    }
}
