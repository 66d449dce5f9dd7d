//! Declarations of methods and functions as data, so that each stands in one line.

use ext_php_rs::args::Arg;
use ext_php_rs::builders::FunctionBuilder;
use ext_php_rs::flags::DataType;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;

/// What PHP calls.
pub(crate) type Handler = extern "C" fn(&mut ExecuteData, &mut Zval);

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param {
    name: &'static str,
    kind: DataType,
    nullable: bool,
    default: Option<&'static str>,
}

/// Returns a parameter that must be given.
pub(crate) const fn param(name: &'static str, kind: DataType) -> Param {
    Param {
        name,
        kind,
        nullable: false,
        default: None,
    }
}

impl Param {
    /// Makes it optional, with a default as PHP code.
    pub(crate) const fn or(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    /// Lets it be null.
    pub(crate) const fn nullable(self) -> Self {
        Self {
            nullable: true,
            ..self
        }
    }
}

/// `string $key`.
pub(crate) const KEY: Param = param("key", DataType::String);
/// `mixed $value`.
pub(crate) const VALUE: Param = param("value", DataType::Mixed);
/// `string $tag`.
pub(crate) const TAG: Param = param("tag", DataType::String);
/// `array $tags`.
pub(crate) const TAGS: Param = param("tags", DataType::Array);
/// `array $keys`.
pub(crate) const KEYS: Param = param("keys", DataType::Array);
/// `array $items`.
pub(crate) const ITEMS: Param = param("items", DataType::Array);
/// `int $by = 1`.
pub(crate) const BY: Param = param("by", DataType::Long).or("1");
/// `string $mode = 'any'`.
pub(crate) const MODE: Param = param("mode", DataType::String).or("'any'");
/// `mixed $default = null`.
pub(crate) const DEFAULT: Param = param("default", DataType::Mixed).or("null");
/// `?int $ttl_ms = null`.
pub(crate) const TTL: Param = param("ttl_ms", DataType::Long).nullable().or("null");
/// `array $tags = []`.
pub(crate) const NO_TAGS: Param = TAGS.or("[]");

/// Returns the builder of a method or function.
pub(crate) fn declare(
    name: &str,
    handler: Handler,
    params: &[Param],
    returns: Option<DataType>,
) -> FunctionBuilder<'static> {
    let required = params
        .iter()
        .take_while(|param| param.default.is_none())
        .count();
    let mut builder = FunctionBuilder::new(name, handler);
    for param in params {
        let mut arg = Arg::new(param.name, param.kind);
        if param.nullable {
            arg = arg.allow_null();
        }
        if let Some(default) = param.default {
            arg = arg.default(default);
        }
        builder = builder.arg(arg);
    }
    let builder = builder.required_args(required);
    match returns {
        Some(returns) => builder.returns(returns, false, false),
        None => builder,
    }
}
