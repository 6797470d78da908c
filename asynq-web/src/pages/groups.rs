//! The groups of a queue, of which there may be very many: the largest, and those that are looked for.

use asynq_core::inspector::{GroupInfo, human};
use maud::{Markup, html};

use super::parts::{count, hidden};
use crate::links::Link;

/// How many groups are shown.
const SHOWN: usize = 50;

/// Of more groups, a part of the name is asked for.
const FEW: usize = 12;

/// The groups with their sizes, as links to the list at `place`; and a way to find one of many.
pub(super) fn group_picker(
    place: &Link,
    chosen: Option<&str>,
    part: Option<&str>,
    groups: &[GroupInfo],
) -> Markup {
    if groups.len() < 2 && chosen.is_none() {
        return html! {};
    }
    let wanted = part.unwrap_or_default().to_lowercase();
    let mut fitting: Vec<&GroupInfo> =
        groups.iter().filter(|group| group.group.to_lowercase().contains(&wanted)).collect();
    // The largest first, and by name where they are as large.
    fitting.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.group.cmp(&b.group)));
    let hidden_ones = fitting.len().saturating_sub(SHOWN);
    let (path, _) = place.as_str().split_once('?').unwrap_or((place.as_str(), ""));
    html! {
        @if groups.len() > FEW {
            form.inline.groups role="search" aria-label="Groups" action=(path) {
                (hidden("state", "aggregating"))
                label.hidden for="find-group" { "Part of a group's name" }
                input #find-group type="search" name="find" value=(part.unwrap_or_default()) autocomplete="off" spellcheck="false"
                    placeholder="Part of a group's name";
                button.quiet { "Find group" }
            }
        }
        nav.chips aria-label="Groups" {
            a href=(place) aria-current=[chosen.is_none().then_some("page")] { "All groups" }
            @if let Some(chosen) = chosen.filter(|chosen| !fitting.iter().take(SHOWN).any(|group| group.group == *chosen)) {
                a href=(place.clone().with("group", chosen)) aria-current="page" { (human::printable(chosen)) }
            }
            @for group in fitting.iter().take(SHOWN) {
                a href=(place.clone().with("group", &group.group)) aria-current=[(chosen == Some(group.group.as_str())).then_some("page")] {
                    (human::printable(&group.group)) span.count { (count(group.size)) }
                }
            }
            @if hidden_ones > 0 { span.muted { "and " (count(hidden_ones)) " smaller ones: type a part of the name" } }
            @if fitting.is_empty() { span.muted { "No group has this in its name." } }
        }
    }
}
