//! What differs between catalogs, and what of it breaks something.

use super::*;

/// Name, aliases, queue, and names and types of fields.
type Described<'a> = (&'a str, &'a [&'a str], &'a str, &'a [(&'a str, &'a str)]);

/// A catalog of jobs `name: queue fields`, a `?` after a field's name for one that may be missing.
fn catalog(jobs: &[Described<'_>]) -> Catalog {
    let job = |aliases: &[&str], queue: &str, fields: &[(&str, &str)]| CatalogJob {
        aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
        structure: "Job".to_owned(),
        queue: queue.to_owned(),
        options: CatalogOptions::default(),
        payload: CatalogPayload::Fields(
            fields
                .iter()
                .map(|(name, ty)| {
                    let required = !name.ends_with('?');
                    (name.trim_end_matches('?').to_owned(), CatalogField { ty: (*ty).to_owned(), required })
                })
                .collect(),
        ),
        schema: None,
        codec: None,
        version: None,
        reads: Vec::new(),
        schedules: Vec::new(),
        file: "src/jobs.rs".to_owned(),
        line: 1,
    };
    let jobs =
        jobs.iter().map(|(name, aliases, queue, fields)| ((*name).to_owned(), job(aliases, queue, fields)));
    Catalog { version: 1, jobs: jobs.collect() }
}

/// Each change, with `!` before one that breaks something.
fn changes(old: &Catalog, new: &Catalog) -> Vec<String> {
    let changes = old.diff(new).into_iter();
    changes.map(|change| format!("{}{change}", if change.is_breaking() { "!" } else { "" })).collect()
}

#[test]
fn equal_catalogs_do_not_differ_wherever_the_code_stands() {
    let old = catalog(&[("a", &[], "default", &[("x", "u8")])]);
    let mut new = old.clone();
    for job in new.jobs.values_mut() {
        job.line = 99;
        "src/moved.rs".clone_into(&mut job.file);
    }
    assert!(old.diff(&new).is_empty());
}

#[test]
fn jobs_that_come_go_and_are_renamed() {
    let old = catalog(&[("gone", &[], "q", &[]), ("old", &[], "q", &[("x", "u8")])]);
    let new = catalog(&[("fresh", &[], "q", &[]), ("new", &["old"], "q", &[("x", "u16")])]);
    assert_eq!(
        changes(&old, &new),
        [
            "job `fresh`: added",
            "!job `gone`: removed; keep it, or name it in another job's `aliases`",
            "job `old`: renamed to `new`, which runs the old name too",
            "!job `old`: field `x` was `u8` and is `u16`",
        ]
    );
}

#[test]
fn fields_break_where_one_version_needs_what_the_other_does_not_send() {
    let old = catalog(&[(
        "a",
        &[],
        "q",
        &[("dropped", "u8"), ("idle?", "u8"), ("stricter?", "u8"), ("looser", "u8")],
    )]);
    let new = catalog(&[(
        "a",
        &[],
        "q",
        &[("needed", "u8"), ("extra?", "u8"), ("stricter", "u8"), ("looser?", "u8")],
    )]);
    let broken: Vec<_> =
        old.diff(&new).into_iter().map(|change| (change.is_breaking(), change.kind)).collect();
    let field = |name: &str| name.to_owned();
    assert_eq!(
        broken,
        [
            (true, ChangeKind::FieldRemoved { field: field("dropped"), required: true }),
            (false, ChangeKind::FieldRemoved { field: field("idle"), required: false }),
            (false, ChangeKind::FieldRequired { field: field("looser"), required: false }),
            (true, ChangeKind::FieldRequired { field: field("stricter"), required: true }),
            (false, ChangeKind::FieldAdded { field: field("extra"), required: false }),
            (true, ChangeKind::FieldAdded { field: field("needed"), required: true }),
        ]
    );
}

#[test]
fn another_version_breaks_nothing_where_the_old_one_is_read() {
    let old = catalog(&[("a", &[], "q", &[("x", "u8")])]);
    let mut new = catalog(&[("a", &[], "q", &[("y", "String")])]);
    let job = |catalog: &mut Catalog, set: fn(&mut CatalogJob)| catalog.jobs.values_mut().for_each(set);
    job(&mut new, |job| job.version = Some(2));
    let dropped = "!job `a`: version 1 of its payload is now 2, and stored tasks of the old one are not read; write \
                   `from(1 = …)`";
    assert_eq!(changes(&old, &new), [dropped]);
    job(&mut new, |job| job.reads = vec![1]);
    assert_eq!(
        changes(&old, &new),
        ["job `a`: version 1 of its payload is now 2, and the old one is read too"]
    );
    assert_eq!(new.to_string().parse::<Catalog>().unwrap(), new);
    let mut packed = old.clone();
    job(&mut packed, |job| job.codec = Some("msgpack".to_owned()));
    let codec = "!job `a`: its codec was JSON and is msgpack; give the job another `name`, and keep the old one until \
                 its tasks are done";
    assert_eq!(changes(&old, &packed), [codec]);
}

#[test]
fn a_queue_that_nobody_serves_any_more_is_told() {
    let old = catalog(&[("a", &[], "left", &[]), ("b", &[], "shared", &[]), ("c", &[], "shared", &[])]);
    let new = catalog(&[("a", &[], "q", &[]), ("b", &[], "q", &[]), ("c", &[], "shared", &[])]);
    assert_eq!(
        changes(&old, &new),
        [
            "!job `a`: queue `left` is now `q`, and no job uses `left` any more: its tasks are left lying",
            "job `b`: queue `shared` is now `q`",
        ]
    );
}

#[test]
fn what_is_no_catalog_says_so() {
    let error = "{}".parse::<Catalog>().unwrap_err();
    assert_eq!(error.to_string(), "not a catalog of jobs");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("missing field"), "{cause}");
}

#[test]
fn options_that_changed_are_named() {
    let old = catalog(&[("a", &[], "q", &[])]);
    let mut new = old.clone();
    for job in new.jobs.values_mut() {
        job.options.retry = Some(3);
        job.options.rate = Some("10/s".to_owned());
        job.options.blocking = true;
    }
    assert_eq!(changes(&old, &new), ["job `a`: other default options: `blocking`, `rate`, `retry`"]);
}

/// The changes between two jobs with these schemas, and one field `x` of these types.
fn schema_changes(old: (&str, serde_json::Value), new: (&str, serde_json::Value)) -> Vec<String> {
    let [old, new] = [old, new].map(|(ty, schema)| {
        let mut catalog = catalog(&[("a", &[], "q", &[("x", ty)])]);
        catalog.jobs.values_mut().for_each(|job| job.schema = Some(schema.clone()));
        catalog
    });
    assert!(old.diff(&old).is_empty() && new.diff(&new).is_empty());
    changes(&old, &new)
}

#[test]
fn schemas_are_compared_property_by_property_however_deep() {
    let of = |line: serde_json::Value, required: &[&str]| {
        serde_json::json!({
            "title": "Pay", "type": "object", "required": ["x"],
            "properties": { "x": { "$ref": "#/$defs/Invoice", "description": "to pay" } },
            "$defs": {
                "Invoice": {
                    "type": "object",
                    "properties": {
                        "lines": { "type": "array", "items": { "$ref": "#/$defs/Line" } },
                        // A type that contains itself.
                        "before": { "anyOf": [{ "$ref": "#/$defs/Invoice" }, { "type": "null" }] }
                    }
                },
                "Line": { "type": "object", "properties": line, "required": required }
            }
        })
    };
    let number = |format: &str| serde_json::json!({ "type": "integer", "format": format, "minimum": 0 });
    let old = of(serde_json::json!({ "amount": number("uint8"), "text": { "type": "string" } }), &["amount"]);
    let new = of(serde_json::json!({ "amount": number("uint16"), "note": {} }), &["amount", "note"]);
    assert_eq!(
        schema_changes(("Invoice", old.clone()), ("Invoice", new)),
        [
            "!job `a`: field `x.lines[].amount` was `uint8` and is `uint16`",
            "job `a`: field `x.lines[].text` removed",
            "!job `a`: field `x.lines[].note` added, which stored tasks do not have; write `#[serde(default)]` before it",
        ]
    );
    // Another name for the same, and other words about it.
    let mut renamed = old.clone();
    renamed["title"] = "PayInvoice".into();
    renamed["$defs"]["Bill"] = renamed["$defs"]["Invoice"].take();
    renamed["properties"]["x"] = serde_json::json!({ "$ref": "#/$defs/Bill", "default": {} });
    renamed["$defs"]["Bill"]["properties"]["before"]["anyOf"][0]["$ref"] = "#/$defs/Bill".into();
    assert!(schema_changes(("Invoice", old), ("Bill", renamed)).is_empty());
}

#[test]
fn what_a_schema_leaves_open_is_compared_by_the_names_of_types() {
    let of = |x: serde_json::Value| serde_json::json!({ "type": "object", "properties": { "x": x } });
    let open = || of(serde_json::json!({ "$comment": "Invoice has no schema here" }));
    let text = || of(serde_json::json!({ "type": "string" }));
    assert!(schema_changes(("Invoice", open()), ("Invoice", text())).is_empty());
    let changed = ["!job `a`: field `x` was `Invoice` and is `String`"];
    assert_eq!(schema_changes(("Invoice", open()), ("String", text())), changed);
    let whole = || serde_json::json!(true);
    assert_eq!(schema_changes(("Invoice", whole()), ("String", text())), changed);
    let other_kind = schema_changes(
        ("String", serde_json::json!({ "type": "string" })),
        ("String", serde_json::json!({ "enum": ["a"] })),
    );
    assert_eq!(other_kind, ["!job `a`: its payload is of another kind"]);
}
