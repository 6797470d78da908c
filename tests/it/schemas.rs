//! JSON Schemas of payloads: with the feature `schemars`, of what implements `JsonSchema`.

use asynq::{Catalog, GoJson, Job, State, job};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// To be paid.
#[derive(Deserialize, JsonSchema, Serialize)]
struct Invoice {
    number: u32,
    #[serde(default)]
    notes: Vec<String>,
}

/// Of no use to a schema.
#[derive(Default, Deserialize, Serialize)]
struct Undescribed {
    text: String,
}

#[derive(Deserialize, JsonSchema, Serialize)]
struct Common {
    tenant: String,
}

/// Pays an invoice.
#[expect(clippy::too_many_arguments, reason = "one of each kind of argument")]
#[job(name = "schemas:pay", rename_all = "camelCase", unregistered)]
async fn pay(
    /// What is paid.
    the_invoice: &Invoice,
    #[serde(default)] copies: u8,
    #[schemars(length(min = 1))] note: Option<String>,
    maybe: Option<Undescribed>,
    urgent: Option<Invoice>,
    #[serde(rename = "from")] source: Undescribed,
    #[serde(with = "as_text")] amount: u64,
    #[serde(with = "as_text")]
    #[schemars(with = "String")]
    limit: u64,
    #[serde(flatten)] common: Common,
    State(()): State<()>,
) {
    drop((the_invoice.number, copies, note, maybe, urgent, source.text, amount, limit, common.tenant));
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[job(name = "schemas:whole", transparent, codec = GoJson, unregistered)]
async fn whole(invoice: Invoice) {
    drop(invoice);
}

#[job(name = "schemas:text", transparent, unregistered)]
async fn text(text: &str) {
    drop(text.to_owned());
}

#[job(name = "schemas:packed", codec = asynq::MsgPack, unregistered)]
async fn packed(number: u8) {
    let _ = number;
}

#[derive(asynq::Job, Deserialize, JsonSchema, Serialize)]
#[job(name = "schemas:contract")]
struct Contract {
    number: u8,
}

#[derive(Deserialize, Serialize)]
struct Silent {}

#[job(name = "schemas:silent", unregistered)]
impl Silent {
    async fn run(&self) {}
}

/// The schema of a job, without the lines that every one has.
fn schema(job: &'static asynq::Registration) -> Option<Value> {
    let mut schema = (job.schema)()?;
    let object = schema.as_object_mut().unwrap();
    assert_eq!(object.remove("$schema").unwrap(), "https://json-schema.org/draft/2020-12/schema");
    Some(schema)
}

#[test]
fn a_job_describes_its_arguments() {
    let [pay, whole, text, packed, silent] = asynq::jobs![Pay, Whole, Text, Packed, Silent];
    let open =
        || json!({ "$comment": format!("{} has no schema here", std::any::type_name::<Undescribed>()) });
    let mut maybe = json!({ "default": null });
    maybe["$comment"] = format!("{} has no schema here", std::any::type_name::<Option<Undescribed>>()).into();
    let definition = json!({
        "description": "To be paid.", "type": "object", "required": ["number"],
        "properties": {
            "number": { "type": "integer", "format": "uint32", "minimum": 0 },
            "notes": { "type": "array", "items": { "type": "string" }, "default": [] }
        }
    });
    assert_eq!(
        schema(pay).unwrap(),
        json!({
            "title": "Pay", "description": "Pays an invoice.", "type": "object",
            "required": ["theInvoice", "from", "amount", "limit", "tenant"],
            "properties": {
                "theInvoice": { "description": "What is paid.", "$ref": "#/$defs/Invoice" },
                "copies": { "type": "integer", "format": "uint8", "minimum": 0, "maximum": 255, "default": 0 },
                "note": { "type": ["string", "null"], "minLength": 1 },
                "maybe": maybe,
                "urgent": { "anyOf": [{ "$ref": "#/$defs/Invoice" }, { "type": "null" }], "default": null },
                "from": open(),
                "amount": { "$comment": "u64 has no schema here" },
                "limit": { "type": "string" },
                "tenant": { "type": "string" }
            },
            "$defs": { "Invoice": definition }
        })
    );
    assert_eq!(schema(text).unwrap(), json!({ "title": "string", "type": "string" }));
    let mut invoice = definition;
    invoice["title"] = "Invoice".into();
    assert_eq!(schema(whole).unwrap(), invoice);
    // One is no JSON, the other implements no `JsonSchema`.
    assert!(schema(packed).is_none() && schema(silent).is_none());
    assert!((Contract::SCHEMA)().is_some_and(|schema| schema["required"] == json!(["number"])));
}

#[test]
fn the_catalog_has_the_schemas_and_compares_them() {
    let old = Catalog::of(asynq::jobs![Pay, Packed]);
    assert!(old.jobs["schemas:pay"].schema.is_some() && old.jobs["schemas:packed"].schema.is_none());
    let mut new: Catalog = old.to_string().parse().unwrap();
    assert!(old.diff(&new).is_empty());
    let schema = new.jobs.get_mut("schemas:pay").unwrap().schema.as_mut().unwrap();
    schema["$defs"]["Invoice"]["properties"]["number"]["type"] = "string".into();
    let [change] = &old.diff(&new)[..] else { panic!("one change") };
    assert!(change.is_breaking(), "{change}");
    assert!(change.to_string().contains("field `theInvoice.number` was"), "{change}");
}
