//! Asks the PHP that is built for (`PHP` and `PHP_CONFIG` choose it) for what the code has to
//! know at compile time, and sets how the shared object is linked.

use std::error::Error;

use ext_php_rs_build::{
    ApiVersion, PHPInfo, emit_check_cfg, emit_php_cfg_flags, emit_rerun_if_env_changed, find_php,
};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PHP_CONFIG");
    emit_rerun_if_env_changed();
    emit_check_cfg();

    let php = PHPInfo::get(&find_php()?)?;
    emit_php_cfg_flags(ApiVersion::try_from(php.zend_version()?)?);
    if php.thread_safety()? {
        println!("cargo:rustc-cfg=php_zts");
    }
    if php.debug()? {
        println!("cargo:rustc-cfg=php_debug");
    }

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
