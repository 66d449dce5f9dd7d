//! Asks the PHP that is built for (`PHP` and `PHP_CONFIG` choose it) for what the code has to
//! know at compile time, and sets how the shared object is linked.

use std::env;
use std::error::Error;
use std::fs;
use std::process::Command;

use ext_php_rs_build::{
    ApiVersion, PHPInfo, emit_check_cfg, emit_php_cfg_flags, emit_rerun_if_env_changed, find_php,
};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/ffi/headers.c");
    println!("cargo:rerun-if-env-changed=PHP_CONFIG");
    emit_rerun_if_env_changed();
    emit_check_cfg();

    let php = PHPInfo::get(&find_php()?)?;
    emit_php_cfg_flags(ApiVersion::try_from(php.zend_version()?)?);
    if php.thread_safety()? {
        println!("cargo:rustc-cfg=php_zts");
    }
    println!("cargo:rustc-check-cfg=cfg(php_delayed_oom)");
    if delays_out_of_memory()? {
        println!("cargo:rustc-cfg=php_delayed_oom");
    }
    if php.debug()? {
        println!("cargo:rustc-cfg=php_debug");
    }

    let mut shim = cc::Build::new();
    for flag in php_config("--includes")?.split_whitespace() {
        shim.flag(flag);
    }
    // What the headers of PHP do is not ours to warn of.
    shim.file("src/ffi/headers.c")
        .warnings(false)
        .compile("headers");

    // PHP unloads extensions when it ends, but the fork handler and the destructors of
    // thread-local storage point into the library and may run after that.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // The Zend symbols are found in the process that loads the library.
    if cfg!(target_os = "macos") {
        println!("cargo:rustc-cdylib-link-arg=-undefined");
        println!("cargo:rustc-cdylib-link-arg=dynamic_lookup");
    }
    Ok(())
}

/// Tells whether this PHP raises the error of `memory_limit` only when a function has returned.
fn delays_out_of_memory() -> Result<bool, Box<dyn Error>> {
    let folder = php_config("--include-dir")?;
    let globals = fs::read_to_string(format!("{}/Zend/zend_globals.h", folder.trim()))?;
    Ok(globals.contains("delayed_oom"))
}

/// Asks the php-config of the PHP that is built for.
fn php_config(question: &str) -> Result<String, Box<dyn Error>> {
    let config = env::var_os("PHP_CONFIG").unwrap_or_else(|| "php-config".into());
    let output = Command::new(&config).arg(question).output()?;
    Ok(String::from_utf8(output.stdout)?)
}
