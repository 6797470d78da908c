//! [`Catalog::diff`]: what changed from one catalog to the next.

use super::schema::{self, SchemaChanges};
use super::{Catalog, CatalogJob, CatalogPayload, Change, ChangeKind};

impl Catalog {
    /// What changed from this catalog to a newer one, by task type.
    pub fn diff(&self, newer: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (name, old) in &self.jobs {
            let successor = newer.jobs.iter().find(|(_, job)| job.aliases.contains(name));
            let mut note = |kind| changes.push(Change { job: name.clone(), kind });
            let new = match (newer.jobs.get(name), successor) {
                (Some(new), _) => new,
                (None, Some((to, new))) => {
                    note(ChangeKind::Renamed { to: to.clone() });
                    new
                }
                (None, None) => {
                    note(ChangeKind::Removed);
                    continue;
                }
            };
            let (from, to) = (old.version.unwrap_or(1), new.version.unwrap_or(1));
            if old.codec != new.codec {
                note(ChangeKind::Codec { from: old.codec.clone(), to: new.codec.clone() });
            }
            if from == to {
                payload_changes(old, new, &mut note);
            } else {
                note(ChangeKind::Version { from, to, reads_old: new.reads.contains(&from) });
            }
            if old.queue != new.queue {
                let is_served = newer.jobs.values().any(|job| job.queue == old.queue);
                note(ChangeKind::Queue { from: old.queue.clone(), to: new.queue.clone(), is_served });
            }
            if old.options != new.options {
                note(ChangeKind::Options { names: old.options.other_than(&new.options) });
            }
        }
        let known = |name: &String| {
            self.jobs.contains_key(name)
                || newer
                    .jobs
                    .get(name)
                    .is_some_and(|job| job.aliases.iter().any(|old| self.jobs.contains_key(old)))
        };
        let added = newer.jobs.keys().filter(|name| !known(name));
        changes.extend(added.map(|name| Change { job: name.clone(), kind: ChangeKind::Added }));
        changes.sort_by(|a, b| a.job.cmp(&b.job));
        changes
    }
}

/// What changed in a payload: by the schemas, where both have one, and by the names of types otherwise, and where a schema
/// leaves something open.
fn payload_changes(old: &CatalogJob, new: &CatalogJob, note: &mut impl FnMut(ChangeKind)) {
    let (Some(old_schema), Some(new_schema)) = (&old.schema, &new.schema) else {
        return named_changes(&old.payload, &new.payload, note);
    };
    let SchemaChanges { changes, open } = schema::changes(old_schema, new_schema);
    if open.iter().any(String::is_empty) {
        return named_changes(&old.payload, &new.payload, note);
    }
    changes.into_iter().for_each(&mut *note);
    named_changes(&old.payload, &new.payload, &mut |change| match &change {
        ChangeKind::FieldType { field, .. } if open.contains(field) => note(change),
        _ => {}
    });
}

/// What changed in a payload, by the names of fields and types in the source.
fn named_changes(old: &CatalogPayload, new: &CatalogPayload, note: &mut impl FnMut(ChangeKind)) {
    let (CatalogPayload::Fields(old_fields), CatalogPayload::Fields(new_fields)) = (old, new) else {
        if old != new {
            note(ChangeKind::PayloadKind);
        }
        return;
    };
    for (field, old) in old_fields {
        let field = field.clone();
        match new_fields.get(&field) {
            None => note(ChangeKind::FieldRemoved { field, required: old.required }),
            Some(new) if old.ty != new.ty => {
                note(ChangeKind::FieldType { field, from: old.ty.clone(), to: new.ty.clone() });
            }
            Some(new) if old.required != new.required => {
                note(ChangeKind::FieldRequired { field, required: new.required });
            }
            Some(_) => {}
        }
    }
    for (field, new) in new_fields.iter().filter(|(field, _)| !old_fields.contains_key(*field)) {
        note(ChangeKind::FieldAdded { field: field.clone(), required: new.required });
    }
}
