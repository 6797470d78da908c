//! [`SchemaFn`]: the JSON Schema of a job's payload, and how generated code finds it.
//!
//! Features only add: a job whose arguments have no schema compiles all the same, and its schema leaves them open. So what
//! is generated asks [`SchemaOf`], whose own functions exist where a type implements `JsonSchema`; elsewhere those of the
//! trait [`OpenSchema`] are found.

/// Makes the JSON Schema (draft 2020-12) of what a worker reads; `None` where nothing is known.
pub type SchemaFn = fn() -> Option<serde_json::Value>;

#[cfg(feature = "schemars")]
pub use of_type::{OpenSchema, SchemaOf, open};

#[cfg(feature = "schemars")]
mod of_type {
    use std::marker::PhantomData;

    use schemars::generate::SchemaSettings;
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use serde_json::Value;

    /// Whether a type has a schema, and which.
    #[derive(Debug)]
    pub struct SchemaOf<T>(PhantomData<T>);

    impl<T: JsonSchema> SchemaOf<T> {
        /// Of a whole payload.
        pub fn payload() -> Option<Value> {
            let generator = SchemaSettings::draft2020_12().into_generator();
            Some(generator.into_root_schema_for::<T>().into())
        }

        /// Of an argument.
        pub fn argument(generator: &mut SchemaGenerator) -> Schema {
            generator.subschema_for::<T>()
        }

        /// Of an argument whose fields stand beside the other arguments.
        pub fn flattened(generator: &mut SchemaGenerator) -> Schema {
            T::json_schema(generator)
        }
    }

    /// What is known of types without a schema.
    pub trait OpenSchema {
        /// Of a whole payload: nothing.
        fn payload() -> Option<Value> {
            None
        }

        /// Of an argument: it may be anything.
        fn argument(generator: &mut SchemaGenerator) -> Schema;

        /// The same.
        fn flattened(generator: &mut SchemaGenerator) -> Schema {
            Self::argument(generator)
        }
    }

    impl<T> OpenSchema for SchemaOf<T> {
        fn argument(_: &mut SchemaGenerator) -> Schema {
            open::<T>()
        }
    }

    /// The schema of an argument of this type that may be anything.
    pub fn open<T>() -> Schema {
        json_schema!({ "$comment": format!("{} has no schema here", std::any::type_name::<T>()) })
    }
}
