//! A file that a server made and takes away when it ends, unless somebody has put another one in
//! its place.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file of ours. Dropping it removes it, if it is still the one that was made.
#[derive(Debug)]
pub(crate) struct OwnFile {
    path: PathBuf,
    made: Identity,
}

/// What tells two files of one name apart. The number of a file that is gone is given to the next
/// one by some file systems, hence the time.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    modified: (i64, i64),
}

impl OwnFile {
    /// Takes over the file at `path`, which the caller has just made.
    pub(crate) fn adopt(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            made: Identity::of(path)?,
        })
    }

    /// Makes a file with this text in one step: a reader sees it whole, and a file that is there
    /// is replaced, not written into.
    pub(crate) fn write(path: &Path, text: &str) -> io::Result<Self> {
        let mut name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_owned();
        name.push(format!(".{}", std::process::id()));
        let new = path.with_file_name(name);
        let made = std::fs::write(&new, text)
            .and_then(|()| std::fs::rename(&new, path))
            .and_then(|()| Self::adopt(path));
        if made.is_err() {
            // Perhaps it was not even made.
            let _ = std::fs::remove_file(&new);
        }
        made
    }
}

impl Drop for OwnFile {
    fn drop(&mut self) {
        if Identity::of(&self.path).is_ok_and(|there| there == self.made) {
            // It may go in this moment; then there is nothing to do.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Identity {
    fn of(path: &Path) -> io::Result<Self> {
        let meta = std::fs::symlink_metadata(path)?;
        Ok(Self {
            device: meta.dev(),
            inode: meta.ino(),
            modified: (meta.mtime(), meta.mtime_nsec()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_file_that_was_made_is_removed() {
        let path = std::env::temp_dir().join(format!("tagcached-own-{}", std::process::id()));
        let first = OwnFile::write(&path, "1").unwrap();
        let second = OwnFile::write(&path, "2").unwrap();
        drop(first);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "2");
        drop(second);
        assert!(!path.exists());
        // Gone in between, and its number perhaps given to the next.
        let first = OwnFile::write(&path, "1").unwrap();
        std::fs::remove_file(&path).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::write(&path, "other").unwrap();
        drop(first);
        assert!(path.exists());
        std::fs::remove_file(&path).unwrap();
        assert!(OwnFile::write(Path::new("/"), "1").is_err());
    }
}
