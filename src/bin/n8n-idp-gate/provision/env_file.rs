//! A file with environment variables: lines `NAME=value`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use n8n_idp_gate::secret::Secret;

use crate::file::input;

/// The file, and what it will contain.
pub(super) struct EnvFile {
    /// Without symbolic links, because it is replaced by a rename.
    path: PathBuf,
    lines: Vec<String>,
}

impl EnvFile {
    /// Reads the file, which need not exist.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let say = |error: io::Error| format!("{}: {error}", input::shown(path));
        let text = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(say(error)),
            Ok(_) => Some(input::text(path)?),
        };
        let lines = text.iter().flat_map(|text| text.lines());
        Ok(Self {
            lines: lines.map(str::to_owned).collect(),
            path: match text {
                Some(_) => fs::canonicalize(path).map_err(say)?,
                None => path.to_owned(),
            },
        })
    }

    /// Whether it can be written at all. A key that cannot be kept is not made.
    pub(super) fn probe(&self) -> Result<(), String> {
        let file = self.new_file().map_err(|error| self.fault(&error))?;
        drop(file);
        fs::remove_file(self.unfinished()).map_err(|error| self.fault(&error))
    }

    /// The value of a variable, without quotes around it.
    pub(super) fn get(&self, name: &str) -> Option<Secret> {
        // The last one counts, as in a shell.
        let mut lines = self.lines.iter().rev();
        let value = lines.find_map(|line| value_of(line, name))?;
        let value = value.trim();
        let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
        let value = inner('"').or_else(|| inner('\'')).unwrap_or(value);
        (!value.is_empty()).then(|| Secret::new(value.to_owned()))
    }

    /// Sets a variable, in the place of its old value.
    pub(super) fn set(&mut self, name: &str, value: &Secret) {
        let line = |exported: &str| format!("{exported}{name}={}", value.expose());
        let is_set = |old: &String| value_of(old, name).is_some();
        let Some(first) = self.lines.iter().position(is_set) else {
            self.lines.push(line(""));
            return;
        };
        let mut number = 0_usize;
        self.lines.retain_mut(|old| {
            let here = number;
            number = number.saturating_add(1);
            if !is_set(old) {
                return true;
            }
            let exported = if old.trim_start().starts_with("export ") {
                "export "
            } else {
                ""
            };
            *old = line(exported);
            here == first
        });
    }

    /// Writes it beside the old one and replaces that, so that there is one of both at any time.
    pub(super) fn save(&self) -> Result<(), String> {
        let written = || -> io::Result<()> {
            let mut file = self.new_file()?;
            for line in &self.lines {
                writeln!(file, "{line}")?;
            }
            file.sync_all()?;
            fs::rename(self.unfinished(), &self.path)
        };
        written().map_err(|error| {
            let _ = fs::remove_file(self.unfinished());
            self.fault(&error)
        })
    }

    pub(super) fn shown(&self) -> String {
        input::shown(&self.path)
    }

    fn fault(&self, error: &io::Error) -> String {
        format!("{}: it cannot be written: {error}", self.shown())
    }

    fn unfinished(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        self.path.with_file_name(name)
    }

    /// A new file that only this user can read. What an earlier run left is removed first: another user
    /// may have made it.
    fn new_file(&self) -> io::Result<File> {
        let path = self.unfinished();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        options.open(path)
    }
}

fn value_of<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    line.strip_prefix(name)?.strip_prefix('=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_replaced_where_it_was_and_other_lines_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.env");
        fs::write(&path, "# keys\nexport A='old'\nAB=1\n\nA=older\n").unwrap();
        let mut file = EnvFile::read(&path).unwrap();
        assert_eq!(file.get("A").unwrap().expose(), "older");
        assert_eq!(file.get("B"), None);
        file.probe().unwrap();
        file.set("A", &Secret::new("new".to_owned()));
        file.set("B", &Secret::new("b".to_owned()));
        file.save().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "# keys\nexport A=new\nAB=1\n\nB=b\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_it_and_a_link_stays_one() {
        use std::os::unix::fs::{symlink, PermissionsExt as _};
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "A=1\n").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o644)).unwrap();
        symlink(&real, &link).unwrap();
        // What is left of an interrupted run, or of another user.
        fs::write(folder.path().join("real.new"), "").unwrap();
        EnvFile::read(&link).unwrap().save().unwrap();
        let mode = fs::metadata(&real).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let nowhere = EnvFile::read(&folder.path().join("none/keys.env")).unwrap();
        assert!(nowhere.probe().unwrap_err().contains("cannot be written"));
    }
}
