//! The first script of a session's shell.

/// Reads the names of commands' files, one a line, from its standard input, which is a socket. It runs each in itself, so that the next
/// command finds its variables, functions and working directory. Then it answers with the command's status on the same socket.
///
/// A command reads from `/dev/null`. A command may end the shell. The next shell then begins with the exported variables and the working
/// directory, which the driver saves after each command and at the exit. The output of `set -x` lacks the driver's own commands. The
/// second argument is the shell's program, for [`apart`].
pub(super) const DRIVER: &str = r#"
_cpl_folder=$1 _cpl_shell=$2
if [ -f "$_cpl_folder/exports" ]; then . "$_cpl_folder/exports" 2>/dev/null; fi
_cpl_save() { { export -p >| "$_cpl_folder/exports"; pwd >| "$_cpl_folder/folder"; } 2>/dev/null; }
trap _cpl_save EXIT
while { IFS=' ' read -r _cpl_command; } 2>/dev/null; do
  . "$_cpl_folder/$_cpl_command" </dev/null
  { _cpl_status=$?; _cpl_save; printf '%s\n' "$_cpl_status" >&0; } 2>/dev/null
done
"#;

/// The file where the shell saves its working directory, followed by a newline.
pub(super) const FOLDER: &str = "folder";

/// The file with the value of what [`expand`] and [`read`] compute.
pub(super) const VALUE: &str = "value";

/// A command that runs the file in a shell of its own.
pub(super) fn apart(file: &str) -> String {
    format!(r#""$_cpl_shell" "$_cpl_folder/{file}""#)
}

/// A command that expands the text as in a here-document, and saves it with a newline after it. `end` is a line that the text does not have.
pub(super) fn expand(text: &str, end: &str) -> String {
    format!("cat >| \"$_cpl_folder/{VALUE}\" <<{end}\n{text}\n{end}")
}

/// A command that saves the variable's value if the variable is set. `name` is a name of the shell's language.
pub(super) fn read(name: &str) -> String {
    format!(r#"if [ -n "${{{name}+set}}" ]; then printf '%s' "${{{name}}}" >| "$_cpl_folder/{VALUE}"; fi"#)
}

/// A command that sets an environment variable. `name` is a name of the shell's language.
pub(super) fn export(name: &str, value: &str) -> String {
    format!("export {name}='{}'", value.replace('\'', r"'\''"))
}
