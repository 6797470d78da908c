//! Where tasks stand in a list of pending tasks, however long that is: it is read in parts, while tasks come and go.

use std::collections::HashMap;

use crate::broker::{Broker, BrokerError, Collection, Spot};
use crate::task::{QueueName, TaskId};

/// How many IDs one call reads.
const PART: usize = 5_000;

/// How many of these are read once more with the next part: they tell how far the list has moved.
const OVERLAP: usize = 500;

/// How often the search begins anew.
const RESTARTS: usize = 3;

/// At which places these IDs stand, counted from where tasks enter; `None` where so much moved that some may have been
/// passed over. One may be counted twice where the list moves.
pub(super) async fn places(
    broker: &dyn Broker,
    queue: &QueueName,
    ids: impl IntoIterator<Item = TaskId>,
) -> Result<Option<HashMap<TaskId, Vec<usize>>>, BrokerError> {
    let mut found: HashMap<TaskId, Vec<usize>> = ids.into_iter().map(|id| (id, Vec::new())).collect();
    let (mut offset, mut before, mut restarts) = (0, Vec::new(), 0);
    loop {
        let mut part = broker.members(queue, &Spot::In(Collection::Pending), offset, PART).await?;
        let Some(known) = joint(&before, &part) else {
            if restarts == RESTARTS {
                return Ok(None);
            }
            restarts += 1;
            (offset, before) = (0, Vec::new());
            found.values_mut().for_each(Vec::clear);
            continue;
        };
        for (place, id) in (offset..).zip(&part).skip(known) {
            if let Some(places) = found.get_mut(id) {
                places.push(place);
            }
        }
        if part.len() < PART {
            return Ok(Some(found));
        }
        before = part.split_off(PART - OVERLAP);
        offset += PART - OVERLAP;
    }
}

/// How many IDs of this part belong to the one before, by the last of those that is still there; `None` if none is.
fn joint(before: &[TaskId], part: &[TaskId]) -> Option<usize> {
    if before.is_empty() {
        return Some(0);
    }
    let place = |id: &TaskId| part.iter().position(|other| other == id).map(|place| place + 1);
    before.iter().rev().find_map(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &str) -> Vec<TaskId> {
        names.chars().map(|name| TaskId::stored(&name.to_string())).collect()
    }

    #[test]
    fn parts_are_joined_however_the_list_moved() {
        let joint = |before, part| joint(&ids(before), &ids(part));
        assert_eq!(joint("", "abc"), Some(0));
        assert_eq!(joint("ab", "abcd"), Some(2), "nothing has moved");
        assert_eq!(joint("ab", "yzabcd"), Some(4), "two came");
        assert_eq!(joint("ab", "bcd"), Some(1), "one was taken out in front");
        assert_eq!(joint("ab", "acd"), Some(1), "the last of them was");
        assert_eq!(joint("ab", "cd"), None, "so many that nobody knows what else");
        assert_eq!(joint("ab", ""), None);
    }
}
