//! Finds the file with the pipeline if the user names none.

use std::fs;
use std::path::{Path, PathBuf};

use super::document::{self, read_text};
use super::pipeline::PIPELINE;
use super::problem::Problem;
use crate::quoted::word;
use crate::yaml::Node;

/// The extensions of templates.
const EXTENSIONS: [&str; 4] = ["json", "template", "yaml", "yml"];

/// Texts that a file with a pipeline has: a template's type, and a member of the API.
const MARKS: [&str; 2] = [PIPELINE, "\"actionTypeId\""];

/// The member of the API in YAML. A template of CloudFormation has it in no other form.
const YAML_MARK: &str = "actionTypeId:";

/// How many files of a folder are looked at.
const MAX_FILES: usize = 500;

/// The end of the names of CDK templates.
const CDK_TEMPLATE: &str = ".template.json";

/// The start of the names of nested assemblies. The CDK makes one in `cdk.out` for each stage of an app.
const ASSEMBLY: &str = "assembly-";

/// How deep assemblies may be nested.
const MAX_NESTED: usize = 5;

/// The one file with a pipeline, in the folder, in its `cdk.out` or in a nested assembly. The error names what to type.
pub(super) fn only_one(folder: &Path) -> Result<PathBuf, Problem> {
    let mut files = templates_of(&folder.join("cdk.out"));
    files.extend(files_of(folder, |_| true));
    // The folder may be cdk.out itself.
    files.extend(assemblies_of(folder).iter().flat_map(|assembly| templates_of(assembly)));
    let mut found: Vec<PathBuf> = files.into_iter().filter(|file| holds_a_pipeline(file)).collect();
    if found.len() > 1 {
        let names: Vec<_> = found.iter().map(|file| file.display().to_string()).collect();
        return Err(Problem::new(format!(
            "several files hold a pipeline: {}; name one of them: codepipeline-local run {}",
            names.join(", "),
            word(&names[0])
        )));
    }
    found.pop().ok_or_else(|| {
        Problem::new(format!(
            "no .yaml, .yml, .json or .template file in {} holds a pipeline, nor does cdk.out; name a template: \
             codepipeline-local run FILE. For an app of the AWS CDK, run cdk synth first. For a pipeline on AWS, run \
             aws codepipeline get-pipeline --name NAME > pipeline.json",
            shown(folder)
        ))
    })
}

/// The templates of the CDK in the folder and in the assemblies that are nested in it.
fn templates_of(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    for _ in 0..MAX_NESTED {
        files.extend(folders.iter().flat_map(|folder| files_of(folder, |name| name.ends_with(CDK_TEMPLATE))));
        folders = folders.iter().flat_map(|folder| assemblies_of(folder)).collect();
    }
    files.truncate(MAX_FILES);
    files
}

/// The other templates of the app that the CDK wrote this template of. Those in the same folder come first.
pub(super) fn other_stacks(file: &Path) -> Vec<PathBuf> {
    let is_of_cdk = |name: &str| name.ends_with(CDK_TEMPLATE);
    if !name_of(file).is_some_and(is_of_cdk) {
        return Vec::new();
    }
    let own = file.parent().unwrap_or(Path::new(""));
    let is_nested = |folder: &&Path| name_of(folder).is_some_and(|name| name.starts_with(ASSEMBLY));
    let nested = own.ancestors().take(MAX_NESTED).take_while(is_nested);
    let root = nested.last().and_then(Path::parent).unwrap_or(own);
    let mut files = templates_of(own);
    let others = templates_of(root).into_iter().filter(|other| !files.contains(other)).collect::<Vec<_>>();
    files.extend(others);
    files.retain(|other| other != file);
    files
}

/// The folders of assemblies in the folder, by name.
fn assemblies_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(readable(folder)).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(ASSEMBLY)))
        .map(|entry| folder.join(entry.file_name()))
        .filter(|path| path.is_dir())
        .take(MAX_FILES)
        .collect();
    folders.sort();
    folders
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn readable(folder: &Path) -> &Path {
    if folder == Path::new("") { Path::new(".") } else { folder }
}

fn shown(folder: &Path) -> String {
    if folder == Path::new("") { "this folder".to_owned() } else { folder.display().to_string() }
}

/// The templates of the folder by name, or nothing if it can't be read.
fn files_of(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(readable(folder)).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(&wanted))
        .map(|entry| folder.join(entry.file_name()))
        .filter(|file| file.extension().and_then(|it| it.to_str()).is_some_and(|it| EXTENSIONS.contains(&it)))
        .take(MAX_FILES)
        .collect();
    files.sort();
    files
}

fn holds_a_pipeline(file: &Path) -> bool {
    // Pipes and devices could block.
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    let Ok(text) = read_text(file) else { return false };
    let marked = MARKS.iter().any(|mark| text.contains(mark))
        || text.lines().any(|line| line.trim_start_matches([' ', '-']).starts_with(YAML_MARK));
    // A file that can't be read as a document counts, so that the user learns what is wrong with it.
    marked && document::read(file).map_or(true, |root| declares_a_pipeline(&root))
}

fn declares_a_pipeline(root: &Node) -> bool {
    let resources = root.get("Resources").map(Node::entries).unwrap_or_default();
    let of_template = resources.iter().any(|(_, node)| node.get("Type").and_then(Node::text) == Some(PIPELINE));
    of_template || root.get("pipeline").unwrap_or(root).get("stages").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("cdk.out/assembly-App-Beta/assembly-App-Beta-EU")).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    const NOTE: &str = "Description: for resources of type AWS::CodePipeline::Pipeline";
    const TEMPLATE: &str = "Resources: {P: {Type: AWS::CodePipeline::Pipeline}}";

    #[test]
    fn one_file_with_a_pipeline_is_found() {
        for (name, text) in [
            ("cdk.out/App.template.json", TEMPLATE),
            ("cdk.out/assembly-App-Beta/Web.template.json", TEMPLATE),
            ("cdk.out/assembly-App-Beta/assembly-App-Beta-EU/Web.template.json", TEMPLATE),
            ("template.yaml", TEMPLATE),
            ("any.yml", TEMPLATE),
            ("pipeline.json", "{\"pipeline\": {\"stages\": [{\"actionTypeId\": 1}]}}"),
            ("broken.yaml", "Resources: {P: {Type: AWS::CodePipeline::Pipeline}"),
            ("pipeline.yaml", "pipeline:\n  stages:\n  - actions:\n    - actionTypeId:\n"),
        ] {
            let folder = folder(&[
                (name, text),
                ("other.yaml", "Resources: {}"),
                ("cdk.out/manifest.json", TEMPLATE),
                ("note.yaml", NOTE),
            ]);
            assert_eq!(only_one(folder.path()).unwrap(), folder.path().join(name));
        }
    }

    #[test]
    fn pipeline_is_found_in_cdk_out_itself() {
        let nested = "cdk.out/assembly-App-Beta/Web.template.json";
        let folder = folder(&[(nested, TEMPLATE), ("cdk.out/tree.json", "{\"a\": \"AWS::CodePipeline::Pipeline\"}")]);
        assert_eq!(only_one(&folder.path().join("cdk.out")).unwrap(), folder.path().join(nested));
    }

    #[test]
    fn other_stacks_of_the_app_are_found_nearest_first() {
        let (root, stage) = ("cdk.out/App.template.json", "cdk.out/assembly-App-Beta/Web.template.json");
        let beside = "cdk.out/assembly-App-Beta/Store.template.json";
        let folder = folder(&[(root, "{}"), (stage, "{}"), (beside, "{}"), ("cdk.out/tree.json", "{}")]);
        let paths = |names: &[&str]| names.iter().map(|name| folder.path().join(name)).collect::<Vec<_>>();
        assert_eq!(other_stacks(&folder.path().join(stage)), paths(&[beside, root]));
        assert_eq!(other_stacks(&folder.path().join(root)), paths(&[beside, stage]));
        assert!(other_stacks(&folder.path().join("template.yaml")).is_empty());
    }

    #[test]
    fn several_files_are_named_with_what_to_type() {
        let folder = folder(&[("b.yaml", TEMPLATE), ("a.json", TEMPLATE)]);
        let message = only_one(folder.path()).unwrap_err().message;
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (a, b) = (path("a.json"), path("b.yaml"));
        assert_eq!(
            message,
            format!("several files hold a pipeline: {a}, {b}; name one of them: codepipeline-local run {a}")
        );
    }

    #[test]
    fn folder_without_pipeline_says_what_to_type() {
        let folder = folder(&[("other.yaml", "Resources: {}"), ("note.txt", TEMPLATE)]);
        let message = only_one(folder.path()).unwrap_err().message;
        for named in ["codepipeline-local run FILE", "cdk synth", "get-pipeline"] {
            assert!(message.contains(named), "{message}");
        }
    }
}
